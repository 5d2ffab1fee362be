from django.urls import path

from omni.chat import api, pages

urlpatterns = [
    path("chat/sessions", api.begin, name="chat_sessions"),
    path("chat/messages", api.converse, name="chat_messages"),
    path("chat/uploads", api.upload, name="chat_uploads"),
    path("chat/files/<uuid:public_id>", api.download, name="chat_file"),
    path("chat/seen", api.seen, name="chat_seen"),
    path("chat/typing", api.tell_typing, name="chat_typing"),
    path("chat/forget", api.forget, name="chat_forget"),
    path("chat/push", api.register_device, name="chat_push"),
    path("chat/push/forget", api.forget_device, name="chat_push_forget"),
    path("widget/loader.js", pages.loader_script, name="widget_loader"),
    path("widget/loader.css", pages.loader_style, name="widget_style"),
    path("widget/frame/<str:site_key>/", pages.frame, name="widget_frame"),
]

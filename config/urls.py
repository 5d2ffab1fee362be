"""Addresses. Each app lists its own entrances."""

from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from accounts.entrance import public

handler400 = "core.views.bad_request"
handler403 = "core.views.forbidden"
handler404 = "core.views.not_found"
handler500 = "core.views.server_error"

public_schema = public("the API's description holds no data")

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("core.urls")),
    path("", include("accounts.urls")),
    path("", include("omni.urls")),
    path("", include("loyalty.urls")),
    path("", include("orders.urls")),
    path("", include("bots.urls")),
    path("", include("tickets.urls")),
    path("", include("suggestions.urls")),
    path("", include("reports.urls")),
    path("", include("workstation.urls")),
    path("api/schema/", public_schema(SpectacularAPIView.as_view(permission_classes=[])), name="schema"),
    path("api/docs/", public_schema(SpectacularSwaggerSplitView.as_view(url_name="schema", permission_classes=[])), name="api_docs"),
]

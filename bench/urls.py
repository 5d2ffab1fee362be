"""The product's addresses, and the empty view behind the same middleware."""

from django.urls import include, path

from bench.views import empty

urlpatterns = [path("bench/empty/", empty), path("", include("config.urls"))]
handler500 = "core.views.server_error"

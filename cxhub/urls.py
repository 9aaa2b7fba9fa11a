"""Every address of the service."""

from django.contrib import admin
from django.urls import path

from cxhub.health import healthz

urlpatterns = [
    path("healthz", healthz),
    path("admin/", admin.site.urls),
]

"""Every address of the service."""

from django.contrib import admin
from django.urls import include, path, re_path
from drf_spectacular.views import SpectacularSwaggerSplitView

from channels.webhooks import receive
from customers.api.problems import not_found
from cxhub.describing import schema
from cxhub.health import healthz, readyz
from cxhub.metrics import metrics

urlpatterns = [
    path("healthz", healthz),
    path("readyz", readyz),
    path("metrics", metrics),
    path("hooks/<provider>/<key>", receive),
    path("api/v1/", include("customers.api.urls")),
    path("api/v1/", include("channels.api.urls")),
    path("api/schema/", schema, name="schema"),
    path("api/docs/", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
    re_path(r"^api/", not_found),
    path("", include("customers.console.urls")),  # Tried in this order: what is opened most comes first.
    path("", include("channels.console.urls")),
    path("", include("customers.signin.urls")),
    path("admin/", admin.site.urls),
]
handler500 = "cxhub.waiting.broken"

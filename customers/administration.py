"""The administration's front door: administrators only, who sign in like everybody else."""

from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from customers.access import principal_of_user
from customers.console.pages import refusal


class Administration(AdminSite):
    site_header = "cxhub"
    site_title = "cxhub"
    index_title = _("Administration")
    enable_nav_sidebar = False

    def has_permission(self, request: HttpRequest) -> bool:
        """A reader of masked identifiers stays out, whatever else he is: nothing is masked here."""
        principal = principal_of_user(request.user) if request.user.is_staff else None
        return principal is not None and principal.may("admin") and not principal.masked

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if request.user.is_authenticated:
            return refusal(request, 403)
        return redirect_to_login(request.GET.get("next") or request.get_full_path())

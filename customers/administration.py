"""The administration's front door: administrators only, who sign in like everybody else."""

from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.auth.views import redirect_to_login
from django.db.models.base import ModelBase
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _

from customers import factors
from customers.access import principal_of_user, roles_of
from customers.console.pages import refusal

NOT_HERE = {"account", "mfa", "socialaccount"}
"""Apps whose rows nobody edits by hand: a second factor is taken away on the page of its user."""


class Administration(AdminSite):
    site_header = "cxhub"
    site_title = "cxhub"
    index_title = _("Administration")
    enable_nav_sidebar = False

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        models: list[Any] = [model_or_iterable] if isinstance(model_or_iterable, ModelBase) else [*model_or_iterable]
        super().register([one for one in models if one._meta.app_label not in NOT_HERE], admin_class, **options)

    def has_permission(self, request: HttpRequest) -> bool:
        """A reader of masked identifiers stays out, whatever else he is: nothing is masked here."""
        principal = principal_of_user(request.user) if request.user.is_staff else None
        return principal is not None and principal.may("admin") and not principal.masked

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if factors.owed(request.user, roles_of(request.user)):
            return redirect("mfa_activate_totp")
        if request.user.is_authenticated:
            return refusal(request, 403)
        return redirect_to_login(request.GET.get("next") or request.get_full_path())

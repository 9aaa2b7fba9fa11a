"""The pages of signing in, and those where a user puts a second factor before his sign-in or takes it away."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account.utils import perform_login
from allauth.account.views import ReauthenticateView
from allauth.mfa.base.views import AuthenticateView
from allauth.mfa.base.views import ReauthenticateView as CodeAgainView
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.views import GenerateRecoveryCodesView, ViewRecoveryCodesView
from allauth.mfa.totp.views import ActivateTOTPView, DeactivateTOTPView
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.http import Http404, HttpRequest, HttpResponse

from customers import factors
from customers.access import principal_of_user
from customers.console.pages import private, refusal
from customers.signin import codes

View = Callable[..., HttpResponse]
METHODS = ("GET", "HEAD", "POST")


class SignIn(LoginView):
    """The password; then what allauth still asks for, if anything."""

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        answer: HttpResponse = perform_login(self.request, form.get_user(), redirect_url=self.get_success_url())
        return answer

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        company = settings.CXHUB_OIDC_NAME if settings.CXHUB_OIDC_URL else ""
        return {**super().get_context_data(**kwargs), "company": company}


class Activate(ActivateTOTPView):  # type: ignore[misc]
    def form_valid(self, form: codes.FirstCode) -> HttpResponse:
        """The code that proved it is used: it does not sign anybody in."""
        answer: HttpResponse = super().form_valid(form)
        row = Authenticator.objects.get(user=self.request.user, type=Authenticator.Type.TOTP)
        row.data[codes.COUNTER] = form.counter
        row.save(update_fields=["data"])
        return answer

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        found: dict[str, Any] = super().get_context_data(**kwargs)
        secret = found["form"].secret
        spaced = " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
        return {**found, "secret": spaced, "owed": principal_of_user(self.request.user) is None}


def kept(view: View) -> View:
    """Answers that nobody else keeps, in the methods that forms have."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method not in METHODS:
            refused = refusal(request, 405)
            refused["Allow"] = ", ".join(METHODS)
            return refused
        try:
            found = view(request, *args, **kwargs)
        except Http404:
            return refusal(request, 404)
        if hasattr(found, "render"):
            found.render()
        return private(found)

    return answer


def own(view: View) -> View:
    """For whoever is signed in, where second factors are offered; allauth asks again who he is where it matters."""

    @login_required
    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not factors.offered(request.user):
            return refusal(request, 404)
        request.principal = principal_of_user(request.user)  # type: ignore[attr-defined]  # for the templates
        return kept(view)(request, *args, **kwargs)

    return answer


sign_in = SignIn.as_view()
code = kept(AuthenticateView.as_view(template_name="registration/code.html"))
password_again = own(ReauthenticateView.as_view(template_name="registration/again.html"))
code_again = own(CodeAgainView.as_view(template_name="registration/again.html"))
activate = own(Activate.as_view(template_name="registration/factor_on.html"))
deactivate = own(DeactivateTOTPView.as_view(template_name="registration/factor_off.html"))
recovery = own(ViewRecoveryCodesView.as_view(template_name="registration/recovery.html"))
new_recovery = own(GenerateRecoveryCodesView.as_view(template_name="registration/recovery_new.html"))

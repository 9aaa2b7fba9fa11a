"""Addresses of signing in: of allauth's own only those that are needed, under the names by which it knows them."""

from django.contrib.auth.views import LogoutView
from django.urls import path

from customers.console.profile import profile
from customers.signin import oidc, pages

urlpatterns = [
    path("login/", pages.sign_in, name="login"),
    path("login/", pages.sign_in, name="account_login"),
    path("login/code", pages.code, name="mfa_authenticate"),
    path("login/oidc", oidc.leave, name="oidc"),
    path("login/oidc/callback", oidc.come_back, name="oidc_callback"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("profile", profile, name="profile"),
    path("profile", profile, name="mfa_index"),
    path("profile/again", pages.password_again, name="account_reauthenticate"),
    path("profile/again/code", pages.code_again, name="mfa_reauthenticate"),
    path("profile/factor", pages.activate, name="mfa_activate_totp"),
    path("profile/factor/off", pages.deactivate, name="mfa_deactivate_totp"),
    path("profile/recovery", pages.recovery, name="mfa_view_recovery_codes"),
    path("profile/recovery/new", pages.new_recovery, name="mfa_generate_recovery_codes"),
]

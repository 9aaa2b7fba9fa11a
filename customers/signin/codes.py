"""Codes of a second factor: each counts once, wrong ones are counted by axes as wrong passwords are.

The step of the last code is kept with the secret and compared under a lock of its row, so that a code that was looked
over somebody's shoulder is worth nothing, whichever process it is sent to.
"""

import time
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.core import context
from allauth.mfa.base.internal.flows import post_authentication
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth
from allauth.mfa.utils import decrypt
from axes.handlers.proxy import AxesProxyHandler
from django import forms
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_login_failed
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext_lazy as _

COUNTER = "last_counter"
MISSED, SINCE = "missed", "missed_since"
MOST, WITHIN = 20, 900
"""Wrong codes for one user in so many seconds, from wherever they come: who has the password may change his address."""


class TooOften(Exception):
    """No further code is looked at for a while."""


def taken(user: User, code: str) -> Authenticator | None:
    """What the code belongs to, and from now on it is used; raises TooOften."""
    with transaction.atomic():
        rows = {
            one.type: one
            for one in Authenticator.objects.select_for_update().filter(user=user).order_by("pk")
            if one.type in (Authenticator.Type.TOTP, Authenticator.Type.RECOVERY_CODES)
        }
        totp = rows.get(Authenticator.Type.TOTP)
        if totp is None:
            return None
        if time.time() - totp.data.get(SINCE, 0) > WITHIN:
            totp.data.update({MISSED: 0, SINCE: time.time()})
        if totp.data[MISSED] >= MOST:
            raise TooOften
        found = next((one for one in rows.values() if fits(one, code)), None)
        if found is None:
            totp.data[MISSED] += 1
            totp.save(update_fields=["data"])
        return found


def fits(row: Authenticator, code: str) -> bool:
    if row.type == Authenticator.Type.RECOVERY_CODES:
        return bool(row.wrap().validate_code(code))
    counter = step(decrypt(row.data["secret"]), code)
    if counter is None or counter <= row.data.get(COUNTER, 0):
        return False
    row.data[COUNTER] = counter
    row.save(update_fields=["data"])
    return True


def step(secret: str, code: str) -> int | None:
    """Which of the steps of now the code is of."""
    fitting = [
        counter
        for counter in auth.yield_hotp_counters_from_time()
        if constant_time_compare(auth.format_hotp_value(auth.hotp_value(secret, counter)), code)
    ]
    return max(fitting, default=None)


class CodeField(forms.CharField):
    """Digits, with the spaces that apps write between them."""

    def __init__(self, label: Any) -> None:
        words = {"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": True, "spellcheck": "false"}
        super().__init__(label=label, max_length=32, widget=forms.TextInput(attrs=words))

    def clean(self, value: Any) -> str:
        return "".join(str(super().clean(value)).split())


class Code(forms.Form):
    """The second step of signing in."""

    code = CodeField(_("Code"))
    again = False

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        self.user = user
        super().__init__(*args, **kwargs)

    def clean_code(self) -> str:
        request, credentials = context.request, {"username": self.user.get_username()}
        try:
            if not AxesProxyHandler.is_allowed(request, credentials):
                raise TooOften
            found = taken(self.user, self.cleaned_data["code"])
        except TooOften:
            request.axes_locked_out, request.axes_credentials = True, credentials  # its middleware answers
            raise ValidationError(_("That was wrong too often.")) from None
        if found is None:
            user_login_failed.send(sender=__name__, credentials=credentials, request=request)
            raise ValidationError(_("This code is wrong, too old or already used."))
        self.authenticator = found
        return str(self.cleaned_data["code"])

    def save(self) -> None:
        self.authenticator.refresh_from_db()
        self.authenticator.user = self.user
        post_authentication(context.request, self.authenticator, reauthenticated=self.again)


class CodeAgain(Code):
    """Before something that only he himself should do."""

    again = True


class PasswordAgain(forms.Form):
    """The same by password; axes counts, as it does at the door."""

    password = forms.CharField(
        label=_("Password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "autofocus": True}),
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        self.user = user
        super().__init__(*args, **kwargs)

    def clean_password(self) -> str:
        password = str(self.cleaned_data["password"])
        if not get_adapter().reauthenticate(self.user, password):
            raise ValidationError(_("This is not your password."))
        return password


class FirstCode(forms.Form):
    """Proves that the app has taken the secret over."""

    code = CodeField(_("The code that the app shows"))

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        self.user = user
        super().__init__(*args, **kwargs)
        self.secret = auth.get_totp_secret(regenerate=not self.is_bound)

    def clean_code(self) -> str:
        found = step(self.secret, self.cleaned_data["code"])
        if found is None:
            raise ValidationError(_("This code is wrong. Compare the time of your telephone, and take the next one."))
        self.counter = found
        return str(self.cleaned_data["code"])

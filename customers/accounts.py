"""Users in the administration: who it is, which role, which language and zone; a role is a group of the same name."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.contrib.auth.models import Group, User
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from customers import factors
from customers.console.profile import LANGUAGES, zones
from customers.models import AgentProfile
from customers.roles import give, role_of

if TYPE_CHECKING:
    CreationForm = AdminUserCreationForm[User]
    ChangeForm = UserChangeForm[User]
    Users = UserAdmin[User]
else:
    CreationForm, ChangeForm, Users = AdminUserCreationForm, UserChangeForm, UserAdmin

CHOICES = (
    ("agent", _("Agent: reads everything, writes notes, merges and corrects")),
    ("supervisor", _("Supervisor: an agent who also works through the queue and sees who looked at whom")),
    ("admin", _("Administrator: may do everything, also here")),
    ("masked", _("Reader of masked identifiers: sees +7 343 ***-**-20, looks up whole values only, writes nothing")),
    ("agent masked", _("Agent who is shown masked identifiers")),
)
NAMES = {
    "agent": _("Agent"),
    "supervisor": _("Supervisor"),
    "admin": _("Administrator"),
    "masked": _("Reader of masked identifiers"),
    "agent masked": _("Agent who is shown masked identifiers"),
}
MANY, LONG = 20, 200


class Lines(forms.CharField):
    """A list, one a line."""

    widget = forms.Textarea(attrs={"rows": 3})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        lines = (line.strip() for line in str(value or "").replace("\0", "").splitlines())
        return [line for line in lines if line]


class Aliases(Lines):
    """What other systems call him."""

    def to_python(self, value: Any) -> Any:
        return list({line.casefold(): line for line in super().to_python(value)}.values())

    def validate(self, value: Any) -> None:
        super().validate(value)
        if len(value) > MANY or any(len(one) > LONG for one in value):
            raise forms.ValidationError(
                _("At most %(many)s names of %(long)s characters."), params={"many": MANY, "long": LONG}
            )


class Role(forms.Form):
    role = forms.ChoiceField(label=_("Role"), choices=CHOICES, widget=forms.RadioSelect, initial="agent")
    language = forms.ChoiceField(
        label=_("Language"), choices=[("", _("as the browser says")), *LANGUAGES.items()], required=False
    )
    time_zone = forms.ChoiceField(
        label=_("Time zone"), choices=[("", "UTC"), *((one, one) for one in zones())], required=False
    )
    aliases = Aliases(
        label=_("Also known as"),
        required=False,
        help_text=_(
            "What other systems call this colleague, one name a line: an address, a login, an extension. Under all of"
            " them it is one person who answers, not one who hands over to another. After a change everybody's history"
            " is counted anew in the background; a card that is opened before is counted at once."
        ),
    )

    def clean_aliases(self) -> list[str]:
        """Nobody else goes by one of them."""
        wanted: list[str] = self.cleaned_data["aliases"]
        mine: int = getattr(getattr(self, "instance", None), "pk", None) or 0
        told = {one.casefold() for one in wanted}
        others = User.objects.exclude(pk=mine).values_list("username", "agent_profile__aliases")
        for name, aliases in others:
            if taken := told & {one.casefold() for one in (name, *(aliases or ()))}:
                raise forms.ValidationError(
                    _("%(alias)s is what %(name)s is called."), params={"alias": min(taken), "name": name}
                )
        return wanted


class NewUser(Role, CreationForm):
    """The password's rules are those of the settings."""

    usable_password = None  # type: ignore[assignment]  # everybody signs in with one

    class Meta:
        model = User
        fields = ("username", "email", "first_name", "last_name")


class KnownUser(Role, ChangeForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kept = AgentProfile.objects.filter(pk=self.instance.pk).first() or AgentProfile()
        said = {name: getattr(kept, name) for name in ("language", "time_zone", "aliases")}
        self.initial = {**self.initial, **said, "role": role_of(self.instance)}


admin.site.unregister(User)
admin.site.unregister(Group)


@admin.register(User)
class UserAccounts(Users):
    form, add_form = KnownUser, NewUser
    list_display = ("username", "called", "role", "language", "factor", "last_login", "is_active")
    list_filter = ("is_active", "groups")
    list_select_related = ("agent_profile",)
    search_fields = ("username", "email", "first_name", "last_name")
    actions = ("take_factor_away",)
    filter_horizontal = ()
    readonly_fields = ("last_login", "date_joined")
    own = ("role", "language", "time_zone", "aliases")
    fieldsets = (
        (None, {"fields": ("username", "password", "email", "first_name", "last_name", "is_active")}),
        (_("What he may do and how he reads it"), {"fields": own}),
        (_("Times"), {"fields": readonly_fields}),
    )
    add_fieldsets = (
        (None, {"fields": ("username", "password1", "password2", "email", "first_name", "last_name", *own)}),
    )

    @admin.display(description=_("Name"))
    def called(self, user: User) -> str:
        return user.get_full_name()

    @admin.display(description=_("Role"))
    def role(self, user: User) -> str:
        return str(NAMES.get(role_of(user), "—"))

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).annotate(has_factor=factors.exists()).prefetch_related("groups")

    @admin.display(description=_("Second factor"), boolean=True)
    def factor(self, user: Any) -> bool:
        return bool(user.has_factor)

    @admin.action(description=_("Take the second factor away (telephone and recovery codes are lost)"))
    def take_factor_away(self, request: HttpRequest, chosen: Any) -> None:
        """The next sign-in is by password alone; written into the administration's own log."""
        gone = [user for user in chosen if factors.taken_away(user)]
        for user in gone:
            self.log_change(request, user, "Took the second factor away.")
        self.message_user(
            request, ngettext("%(n)s user has none now.", "%(n)s users have none now.", len(gone)) % {"n": len(gone)}
        )

    @admin.display(description=_("Language"))
    def language(self, user: User) -> str:
        profile = getattr(user, "agent_profile", None)
        return LANGUAGES.get(profile.language, "") if profile else ""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        user, wanted = form.instance, form.cleaned_data
        give(user, wanted["role"])
        said = {name: wanted[name] for name in ("language", "time_zone", "aliases")}
        AgentProfile.objects.update_or_create(user=user, defaults=said)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Who did what names him: he is made inactive instead."""
        return False

"""The admin of sources and deliveries: connect a provider step by step, test it, see what is in quarantine, replay."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from channels import trials
from channels.models import Delivery, Source
from channels.outgoing import administration  # noqa: F401 - subscriptions are registered there
from channels.provider import Secret
from channels.providers import PROVIDERS
from channels.receipts import replay
from channels.sources import paste_of, with_secrets
from channels.tasks import nudge
from customers.accounts import Lines
from customers.admin import AnyAdmin, ReadOnly
from customers.identification import see_region

if TYPE_CHECKING:
    AnyForm = forms.ModelForm[Source]
else:
    AnyForm = forms.ModelForm
SECRET = "secret_"  # nosec B105 # noqa: S105 - how the fields of a form begin
TRUSTS = (
    ("claimed", _("claimed: anybody can say it, it links nobody (a form on a website)")),
    ("asserted", _("stated: a system of ours says so (the usual)")),
    ("verified", _("verified: the customer proved it (a shop with log-ins)")),
)
LABELS = {
    "auth_token": _("Auth token"),
    "account_sid": _("Account SID"),
    "shared_key": _("Shared key"),
    "secret_token": _("Secret token"),
    "bot_token": _("Bot token"),
    "authserv_id": _("Name of the mail relay"),
}


class SourceForm(AnyForm):
    """What every source has; `form_of` adds the secrets of its provider."""

    asked: tuple[Secret, ...] = ()
    provider = forms.CharField(widget=forms.HiddenInput)
    slug = forms.SlugField(
        label=_("Short name"),
        max_length=63,
        help_text=_("Small letters, digits and hyphens. It is kept with every contact and never changes."),
    )
    region = forms.CharField(
        label=_("Country"),
        max_length=2,
        required=False,
        help_text=_("Two letters, e.g. LT: how national numbers are read. Empty: by the numbers seen so far."),
    )
    trust = forms.ChoiceField(label=_("How far it is believed"), choices=TRUSTS, initial="asserted")
    addresses = Lines(
        label=_("Own numbers and addresses"),
        required=False,
        help_text=_("One a line: the company's own, which are no customers'."),
    )

    class Meta:
        model = Source
        fields = ("provider", "region", "trust", "addresses")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            del self.fields["slug"]

    def clean_region(self) -> str:
        return str(self.cleaned_data["region"]).upper()

    def clean(self) -> dict[str, Any]:
        """A secret that is left empty stays as it is; those that we make are made."""
        found: dict[str, Any] = super().clean() or self.cleaned_data
        given = {one.name: found.get(SECRET + one.name, "") for one in self.asked}
        kept = {**self.instance.secrets, **{name: value for name, value in given.items() if value}}
        for one in self.asked:
            if one.required and not one.generated and not kept.get(one.name):
                self.add_error(SECRET + one.name, gettext("This source cannot work without it."))
        self.instance.secrets = with_secrets(self.instance.provider or found["provider"], kept)
        return found


def form_of(provider: str) -> type[SourceForm]:
    """The form of one provider's sources: only the fields that it needs."""
    asked = tuple(one for one in PROVIDERS[provider].secrets if not one.generated)
    fields = {
        SECRET + one.name: forms.CharField(
            label=LABELS.get(one.name, one.name),
            help_text=gettext(one.help),
            required=False,
            strip=True,
            max_length=4000,
            widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        )
        for one in asked
    }
    return type("SourceFormOf", (SourceForm,), {**fields, "asked": asked})


@admin.register(Source)
class SourceAdmin(AnyAdmin):
    list_display = ("slug", "called", "region", "refused", "trouble", "last")
    list_filter = ("provider",)
    shown = ("called", "paste", "last_deliveries", "refused")

    @admin.display(description=_("Provider"))
    def called(self, source: Source) -> str:
        return PROVIDERS[source.provider].label if source.provider in PROVIDERS else source.provider

    @admin.display(description=_("Enter at the provider"))
    def paste(self, source: Source) -> str:
        return format_html('<code class="paste">{}</code>', paste_of(source))

    @admin.display(description=_("Deliveries to look at"))
    def trouble(self, source: Source) -> str:
        found = Delivery.objects.filter(source=source, state__in=Delivery.TROUBLE).values_list("state")
        return ", ".join(f"{state} {count}" for state, count in found.annotate(Count("pk")).order_by("state")) or "—"

    @admin.display(description=_("Last delivery"))
    def last(self, source: Source) -> Any:
        return Delivery.objects.filter(source=source).order_by("-pk").values_list("received_at", flat=True).first()

    @admin.display(description=_("Last deliveries"))
    def last_deliveries(self, source: Source) -> str:
        found = Delivery.objects.filter(source=source).order_by("-pk")[:5]
        rows = [(one.received_at.strftime("%Y-%m-%d %H:%M:%S UTC"), one.state, one.reason) for one in found]
        return format_html_join("", "<div>{} <b>{}</b> {}</div>", rows) or gettext("None has come yet.")

    def provider_of(self, request: HttpRequest, obj: Source | None) -> str:
        asked = obj.provider if obj else request.POST.get("provider") or request.GET.get("provider") or ""
        return asked if asked in PROVIDERS else ""

    def get_form(self, request: HttpRequest, obj: Source | None = None, change: bool = False, **kwargs: Any) -> Any:
        kwargs["form"] = form_of(self.provider_of(request, obj) or "push")
        return super().get_form(request, obj, change, **kwargs)

    def get_readonly_fields(self, request: HttpRequest, obj: Source | None = None) -> tuple[str, ...]:
        return (*self.shown, "slug") if obj else ()

    def get_fieldsets(self, request: HttpRequest, obj: Source | None = None) -> Any:
        provider = self.provider_of(request, obj) or "push"
        secrets = tuple(SECRET + one.name for one in PROVIDERS[provider].secrets if not one.generated)
        whole = _("Secrets; what is left empty stays as it is") if obj else _("Secrets")
        own = (None, {"fields": ("provider", "slug", "region", "trust", "addresses")})
        return [
            *([(_("Connection"), {"fields": self.shown})] if obj else []),
            own,
            *([(whole, {"fields": secrets})] if secrets else []),
        ]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """First the provider, then only its fields."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        if not self.provider_of(request, None):
            known = sorted((one.label or name, name) for name, one in PROVIDERS.items())
            context = {**self.admin_site.each_context(request), "providers": known, "opts": self.opts}
            return render(request, "admin/channels/source/choose.html", context)
        return super().add_view(request, form_url, extra_context)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"provider": self.provider_of(request, None)}

    def response_add(self, request: HttpRequest, obj: Source, post_url_continue: str | None = None) -> HttpResponse:
        messages.success(request, gettext("The source is made. Enter at the provider what is shown here."))
        return HttpResponseRedirect(reverse("admin:channels_source_change", args=[obj.pk]))

    def save_model(self, request: HttpRequest, obj: Source, form: Any, change: bool) -> None:
        if not change:
            obj.slug = form.cleaned_data["slug"]
        super().save_model(request, obj, form, change)
        see_region(obj.region)

    def has_delete_permission(self, request: HttpRequest, obj: Source | None = None) -> bool:
        return False

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        source = self.get_object(request, object_id)
        more = {"can_be_tested": source is not None and trials.possible(source)}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **more})

    def get_urls(self) -> list[URLPattern]:
        test = self.admin_site.admin_view(require_POST(self.test))
        return [path("<int:pk>/test/", test, name="channels_source_test"), *super().get_urls()]

    def test(self, request: HttpRequest, pk: int) -> HttpResponse:
        """What the provider might send, through the door that it uses; the receipt is shown."""
        source = Source.objects.filter(pk=pk).first()
        if source is None or not trials.possible(source):
            raise Http404
        if not self.has_change_permission(request, source):
            raise PermissionDenied
        done = trials.run(source)
        if done.receipt is None:
            told = gettext("The test did not come in. The door says: %(answer)s")
            messages.error(request, told % {"answer": done.answer})
        else:
            said = {"answer": done.answer, "receipt": done.receipt.pk, "state": done.receipt.state}
            told = gettext("The test came in. The door says: %(answer)s. Receipt %(receipt)s: %(state)s.")
            messages.success(request, told % said)
        return HttpResponseRedirect(reverse("admin:channels_source_change", args=[pk]))


@admin.register(Delivery)
class DeliveryAdmin(ReadOnly):
    list_display = ("received_at", "source", "state", "reason", "attempts", "external_id")
    list_filter = ("state", "source")
    list_select_related = ("source",)
    ordering = ("-pk",)
    show_full_result_count = False
    actions = ("replay",)

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("channels.change_delivery")

    @admin.action(description=_("Replay"), permissions=["replay"])
    def replay(self, request: HttpRequest, deliveries: QuerySet[Delivery]) -> None:
        count = replay(Delivery.objects.filter(pk__in=list(deliveries.values_list("pk", flat=True))))
        nudge()
        messages.success(request, _("%(count)s deliveries are parsed again.") % {"count": count})

"""The admin of sources and deliveries: connect a provider, see what is in quarantine, replay it."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Count, QuerySet
from django.forms import ChoiceField, ModelForm
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from channels.models import Delivery, Source
from channels.providers import PROVIDERS
from channels.receipts import replay
from channels.sources import paste_of, with_secrets
from channels.tasks import nudge
from customers.admin import AnyAdmin, ReadOnly
from customers.identification import see_region

if TYPE_CHECKING:
    AnyForm = ModelForm[Source]
else:
    AnyForm = ModelForm


class SourceForm(AnyForm):
    provider = ChoiceField(choices=sorted((name, one.label or name) for name, one in PROVIDERS.items()))

    class Meta:
        model = Source
        fields = ("provider", "slug", "region", "trust", "addresses", "secrets")

    def clean_region(self) -> str:
        return str(self.cleaned_data["region"]).upper()

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or self.cleaned_data
        if "provider" in found and "secrets" in found:
            try:
                found["secrets"] = with_secrets(found["provider"], found["secrets"])
            except ValueError as error:
                raise ValidationError({"secrets": str(error)}) from error
        return found


@admin.register(Source)
class SourceAdmin(AnyAdmin):
    form = SourceForm
    list_display = ("slug", "provider", "region", "trust", "refused", "trouble", "created_at")
    list_filter = ("provider",)
    readonly_fields = ("needs", "paste", "refused")

    def get_readonly_fields(self, request: HttpRequest, obj: Source | None = None) -> tuple[str, ...]:
        return (*self.readonly_fields, "slug") if obj else self.readonly_fields

    @admin.display(description=_("Secrets that it needs"))
    def needs(self, source: Source) -> str:
        provider = PROVIDERS.get(source.provider)
        return "; ".join(f"{secret.name}: {secret.help}" for secret in provider.secrets) if provider else "—"

    @admin.display(description=_("Enter at the provider"))
    def paste(self, source: Source) -> str:
        return format_html("<code>{}</code>", paste_of(source)) if source.pk else "—"

    @admin.display(description=_("Deliveries to look at"))
    def trouble(self, source: Source) -> str:
        found = Delivery.objects.filter(source=source, state__in=Delivery.TROUBLE).values_list("state")
        return ", ".join(f"{state} {count}" for state, count in found.annotate(Count("pk")).order_by("state")) or "—"

    def save_model(self, request: HttpRequest, obj: Source, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        see_region(obj.region)

    def has_delete_permission(self, request: HttpRequest, obj: Source | None = None) -> bool:
        return False


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

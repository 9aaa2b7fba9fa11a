"""The admin of subscriptions: made and changed here, tried by a button, their messages listed and sent again."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from channels.models import Message, Source, Subscription
from channels.outgoing import subscribing
from channels.outgoing.spreading import TYPES
from customers.admin import AnyAdmin, ReadOnly

if TYPE_CHECKING:
    AnyForm = forms.ModelForm[Subscription]
else:
    AnyForm = forms.ModelForm

WHY = {
    "gone": _("The receiver answered 410: it wants nothing any more."),
    "failing": _("It took nothing for five days."),
}
DAY = timedelta(days=1)


class SubscriptionForm(AnyForm):
    url = forms.CharField(
        label=_("Address"), max_length=2000, help_text=_("https. Messages are sent there, signed, one by one.")
    )
    description = forms.CharField(label=_("Description"), max_length=200, required=False)
    types = forms.MultipleChoiceField(
        label=_("What it is told"),
        choices=[(name, name) for name in TYPES],
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("None chosen: everything."),
    )
    sources = forms.MultipleChoiceField(
        label=_("Of which sources"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("None chosen: of all."),
    )
    enabled = forms.BooleanField(
        label=_("Enabled"), required=False, initial=True, help_text=_("Enabled again, it goes on where it stopped.")
    )

    class Meta:
        model = Subscription
        fields = ("url", "description", "types", "sources", "enabled")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        slugs = Source.objects.order_by("slug").values_list("slug", flat=True)
        self.fields["sources"].choices = [(slug, slug) for slug in slugs]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or self.cleaned_data
        try:
            subscribing.check(found.get("url", ""), found.get("types", []), found.get("sources", []))
        except subscribing.BadSubscription as error:
            self.add_error(error.field, gettext("Nothing can be sent there."))
        return found


@admin.register(Subscription)
class SubscriptionAdmin(AnyAdmin):
    form = SubscriptionForm
    list_display = ("called", "enabled", "why", "waiting", "failures", "delivered_at")
    list_filter = ("enabled",)
    readonly_fields = ("why", "failures", "failing_since", "delivered_at", "last_attempts")
    actions = ("send_again",)

    def get_fieldsets(self, request: HttpRequest, obj: Subscription | None = None) -> Any:
        own = (None, {"fields": self.form.Meta.fields})
        return [own, (_("How it does"), {"fields": self.readonly_fields})] if obj else [own]

    @admin.display(description=_("Receiver"))
    def called(self, one: Subscription) -> str:
        return str(one)

    @admin.display(description=_("Why it is off"))
    def why(self, one: Subscription) -> str:
        return str(WHY.get(one.disabled_why, "—"))

    @admin.display(description=_("Waiting"))
    def waiting(self, one: Subscription) -> int:
        return len(one.messages.filter(state=Message.PENDING).values_list("pk")[:10_000])

    @admin.display(description=_("Last attempts"))
    def last_attempts(self, one: Subscription) -> str:
        found = list(one.messages.order_by("-pk").prefetch_related("log")[:10])
        tried = [(log.at.strftime("%Y-%m-%d %H:%M:%S UTC"), sent.type, log) for sent in found for log in sent.log.all()]
        rows = [(at, kind, log.status or "", log.said[:100]) for at, kind, log in tried[:20]]
        return format_html_join("", "<div>{} {} <b>{}</b> {}</div>", rows) or gettext("Nothing was sent yet.")

    def save_model(self, request: HttpRequest, obj: Subscription, form: Any, change: bool) -> None:
        """A new secret is shown once, in the message above the form."""
        if not change:
            subscribing.begin(obj, f"user:{request.user.pk}")
            told = gettext("The secret of the receiver, shown only now: %(secret)s")
            messages.success(request, told % {"secret": obj.secret})
            return
        obj.save(update_fields=[name for name in form.changed_data if name != "enabled"])
        if "enabled" in form.changed_data:
            if obj.enabled:
                subscribing.enable(obj)
            else:
                obj.save(update_fields=["enabled"])

    def delete_model(self, request: HttpRequest, obj: Subscription) -> None:
        subscribing.remove(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Subscription]) -> None:
        for one in queryset:
            subscribing.remove(one)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Not each of its messages by name: there may be very many."""
        return [str(one) for one in objs], {}, set(), []

    @admin.action(description=_("Send all of the last 24 hours again"), permissions=["change"])
    def send_again(self, request: HttpRequest, subscriptions: QuerySet[Subscription]) -> None:
        since = timezone.now() - DAY
        count = sum(subscribing.again(subscribing.since(one, since), one) for one in subscriptions)
        messages.success(request, gettext("Messages that are sent again: %(count)s") % {"count": count})

    def get_urls(self) -> list[URLPattern]:
        def posted(name: str, view: Any) -> URLPattern:
            guarded = self.admin_site.admin_view(require_POST(view))
            found: URLPattern = path(f"<uuid:pk>/{name}/", guarded, name=f"channels_subscription_{name}")
            return found

        return [posted("test", self.test), posted("rotate", self.rotate), *super().get_urls()]

    def one(self, request: HttpRequest, pk: Any) -> Subscription:
        found = Subscription.objects.filter(pk=pk).first()
        if found is None:
            raise Http404
        if not self.has_change_permission(request, found):
            raise PermissionDenied
        return found

    def test(self, request: HttpRequest, pk: Any) -> HttpResponse:
        done = subscribing.try_now(self.one(request, pk))
        said = {"answer": done.status or "—", "said": done.said[:200] or "—", "ms": done.milliseconds}
        told = gettext("The receiver answered %(answer)s after %(ms)s ms: %(said)s") % said
        (messages.success if done.status and done.status < 300 else messages.error)(request, told)
        return HttpResponseRedirect(reverse("admin:channels_subscription_change", args=[pk]))

    def rotate(self, request: HttpRequest, pk: Any) -> HttpResponse:
        secret = subscribing.rotate(self.one(request, pk))
        told = gettext("The new secret, shown only now: %(secret)s. The one before signs, too, for 24 hours.")
        messages.success(request, told % {"secret": secret})
        return HttpResponseRedirect(reverse("admin:channels_subscription_change", args=[pk]))


@admin.register(Message)
class MessageAdmin(ReadOnly):
    list_display = ("created_at", "subscription", "type", "state", "attempts", "due_at", "settled_at")
    list_filter = ("state", "type", "subscription")
    list_select_related = ("subscription",)
    fields = ("webhook_id", "subscription", "type", "state", "created_at", "due_at", "settled_at", "body", "log")
    readonly_fields = ("webhook_id", "log")
    ordering = ("-pk",)
    show_full_result_count = False
    actions = ("again",)

    def has_again_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("channels.change_message")

    @admin.display(description=_("Attempts"))
    def log(self, one: Message) -> str:
        rows = [
            (log.at.strftime("%Y-%m-%d %H:%M:%S UTC"), log.status or "", log.milliseconds, log.said)
            for log in one.log.order_by("-pk")[:50]
        ]
        return format_html_join("", "<div>{} <b>{}</b> {} ms {}</div>", rows) or format_html("—")

    @admin.action(description=_("Send again"), permissions=["again"])
    def again(self, request: HttpRequest, sent: QuerySet[Message]) -> None:
        ids = list(sent.values_list("pk", flat=True))
        receivers = Subscription.objects.filter(messages__in=ids).distinct()
        count = sum(subscribing.again(Message.objects.filter(pk__in=ids), one) for one in receivers)
        messages.success(request, gettext("Messages that are sent again: %(count)s") % {"count": count})

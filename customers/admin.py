"""The admin of people's rights and of what was found: keys are issued and revoked here, histories only read."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from customers import accounts, blocklist, companyhours, retaining  # noqa: F401 - more is registered there
from customers.access import digest_of, issue_key
from customers.models import (
    ApiKey,
    Assignment,
    BlockedHandle,
    Candidate,
    CardView,
    Customer,
    Identity,
    KeepApart,
    Link,
    Lookup,
    Verification,
)

if TYPE_CHECKING:
    AnyAdmin = admin.ModelAdmin[Any]
    AnyForm = ModelForm[BlockedHandle]
    AnyKeyForm = ModelForm[ApiKey]
else:
    AnyKeyForm = ModelForm
    AnyAdmin = admin.ModelAdmin
    AnyForm = ModelForm


class ReadOnly(AnyAdmin):
    """Shown, never changed by hand: the rules and the agents' tools change it."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class KeyForm(AnyKeyForm):
    scopes = forms.MultipleChoiceField(
        label=_("What it may do"),
        choices=[
            ("ingest", _("ingest: push events")),
            ("read", _("read: look customers up and read their history")),
            ("read:masked", _("read:masked: the same with masked identifiers, whole values only, under a quota")),
            ("unmask", _("unmask: beside read:masked, one card in the clear at a time, with a reason")),
            ("write", _("write: read, and write notes, merge and correct")),
            ("admin", _("admin: everything, also sources and keys")),
        ],
        widget=forms.CheckboxSelectMultiple,
    )
    source = forms.CharField(
        label=_("Own source"), required=False, help_text=_("The short name of the source that it pushes for.")
    )
    sources = accounts.Lines(
        label=_("Further sources"), required=False, help_text=_("Short names, one a line; * stands for all.")
    )

    class Meta:
        model = ApiKey
        fields = ("name", "scopes", "source", "sources", "expires_at")


@admin.register(ApiKey)
class ApiKeyAdmin(AnyAdmin):
    form = KeyForm
    list_display = ("name", "prefix", "scopes", "source", "expires_at", "last_used_at", "revoked_at")
    list_filter = ("source",)
    search_fields = ("name", "prefix")
    fields = ("name", "scopes", "source", "sources", "expires_at", "prefix", "last_used_at", "revoked_at")
    readonly_fields = ("prefix", "last_used_at", "revoked_at")
    actions = ("revoke",)

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        """A new key is shown once, in the message above the list."""
        if change:
            super().save_model(request, obj, form, change)
            return
        made, plain = issue_key(
            obj.name,
            obj.scopes,
            source=obj.source,
            sources=obj.sources,
            expires_at=obj.expires_at,
            created_by=f"user:{request.user.pk}",
        )
        obj.pk, obj.prefix, obj.digest, obj.created_at = made.pk, made.prefix, digest_of(plain), made.created_at
        messages.success(request, _("The new key, shown only now: %(key)s") % {"key": plain})

    def has_delete_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        return False

    @admin.action(description=_("Revoke at once"), permissions=["change"])
    def revoke(self, request: HttpRequest, keys: QuerySet[ApiKey]) -> None:
        from customers.access import revoke

        for key in keys:
            revoke(key)


@admin.register(Customer)
class CustomerAdmin(ReadOnly):
    list_display = ("public_id", "founder", "merged_into", "created_at", "erased_at")
    list_select_related = ("founder", "merged_into")
    search_fields = ("public_id",)
    show_full_result_count = False


@admin.register(Identity)
class IdentityAdmin(ReadOnly):
    list_display = ("kind", "scope", "value", "trust", "linkable", "customer", "created_at")
    list_filter = ("kind", "trust", "linkable")
    list_select_related = ("customer",)
    search_fields = ("value__startswith",)
    show_full_result_count = False


@admin.register(Link)
class LinkAdmin(ReadOnly):
    list_display = ("a", "b", "cause", "trust", "created_at", "created_by", "undone_at")
    list_select_related = ("a", "b")
    show_full_result_count = False


@admin.register(KeepApart)
class KeepApartAdmin(ReadOnly):
    list_display = ("a", "b", "reason", "created_at", "created_by", "lifted_at")
    list_select_related = ("a", "b")


class BlockedHandleForm(AnyForm):
    class Meta:
        model = BlockedHandle
        fields = ("kind", "value", "why", "note")

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or self.cleaned_data
        if "kind" in found and "value" in found:
            found["value"] = blocklist.entry(found["kind"], found["value"])
        return found


@admin.register(BlockedHandle)
class BlockedHandleAdmin(AnyAdmin):
    """What a source calls the company's own is shown, and changed with the source."""

    form = BlockedHandleForm
    list_display = ("kind", "value", "why", "note", "created_by", "created_at")
    list_filter = ("why", "kind")
    search_fields = ("value", "note")

    def has_change_permission(self, request: HttpRequest, obj: BlockedHandle | None = None) -> bool:
        return (obj is None or not obj.source_id) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: BlockedHandle | None = None) -> bool:
        return (obj is None or not obj.source_id) and super().has_delete_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: BlockedHandle, form: Any, change: bool) -> None:
        obj.created_by = f"user:{request.user.pk}"
        super().save_model(request, obj, form, change)
        blocklist.settle(obj.kind, obj.value)

    def delete_model(self, request: HttpRequest, obj: BlockedHandle) -> None:
        super().delete_model(request, obj)
        blocklist.settle(obj.kind, obj.value)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[BlockedHandle]) -> None:
        gone = list(queryset)
        super().delete_queryset(request, queryset)
        for one in gone:
            blocklist.settle(one.kind, one.value)


@admin.register(Candidate)
class CandidateAdmin(ReadOnly):
    list_display = ("kind", "value", "reason", "state", "times", "seen_at", "decided_by", "decision")
    list_filter = ("state", "reason")
    show_full_result_count = False


@admin.register(Assignment)
class AssignmentAdmin(ReadOnly):
    list_display = ("line_id", "reason", "assigned_at", "assigned_by", "undone_at", "undone_by")
    search_fields = ("=line_id",)


@admin.register(Verification)
class VerificationAdmin(ReadOnly):
    list_display = ("at", "trouble", "seconds")


@admin.register(CardView)
class CardViewAdmin(ReadOnly):
    list_display = ("viewed_at", "viewer", "customer_id", "path")
    search_fields = ("=customer_id", "viewer")
    show_full_result_count = False


@admin.register(Lookup)
class LookupAdmin(ReadOnly):
    """What readers of masked identifiers asked for."""

    list_display = ("asked_at", "viewer", "asked", "granted")
    list_filter = ("granted",)
    search_fields = ("viewer",)
    show_full_result_count = False

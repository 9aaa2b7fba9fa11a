"""The admin of the rules of retention: written, counted, and only then enabled."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from customers import retention
from customers.models import RetentionRule

if TYPE_CHECKING:
    AnyAdmin = admin.ModelAdmin[Any]
    AnyForm = forms.ModelForm[RetentionRule]
else:
    AnyAdmin = admin.ModelAdmin
    AnyForm = forms.ModelForm

SECONDS = 30.0


class RuleForm(AnyForm):
    source = forms.CharField(
        label=_("Source"), required=False, max_length=63, help_text=_("The short name; empty for any.")
    )
    channel = forms.CharField(label=_("Channel"), required=False, max_length=63, help_text=_("Empty for any."))
    kind = forms.CharField(label=_("Kind"), required=False, max_length=63, help_text=_("Empty for any."))
    days = forms.IntegerField(label=_("After how many days"), min_value=1, max_value=36_500)
    goes = forms.ChoiceField(
        label=_("What goes"),
        choices=[
            (RetentionRule.CONTENTS, _("text and files; that there was a contact stays")),
            (RetentionRule.LINE, _("the whole contact")),
        ],
    )
    enabled = forms.BooleanField(
        label=_("Enabled"),
        required=False,
        help_text=_("Count first what would go: choose the rule in the list, then «Count what would go»."),
    )

    class Meta:
        model = RetentionRule
        fields = ("source", "channel", "kind", "days", "goes", "enabled")


@admin.register(RetentionRule)
class RetentionRuleAdmin(AnyAdmin):
    form = RuleForm
    list_display = ("source", "channel", "kind", "days", "goes", "enabled")
    list_display_links = ("days",)
    actions = ("count",)

    @admin.action(description=_("Count what would go"))
    def count(self, request: HttpRequest, rules: QuerySet[RetentionRule]) -> None:
        asked = list(rules.order_by("pk"))
        done = retention.apply(asked, dry=True, seconds=SECONDS)
        for rule in asked:
            told = (
                gettext("%(rule)s: %(count)s contacts") if done.ended else gettext("%(rule)s: over %(count)s contacts")
            )
            messages.info(request, told % {"rule": rule, "count": done.lines.get(rule.pk, 0)})

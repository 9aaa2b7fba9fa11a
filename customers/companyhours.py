"""The admin of what a company means: when somebody is there, and what is lost, low and solved. Read by the folds."""

import re
from datetime import date, time
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import available_timezones

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.experience.calendar import DAYS
from customers.experience.journey import STAGES
from customers.models import BusinessHours, ExperienceSettings

if TYPE_CHECKING:
    AnyAdmin = admin.ModelAdmin[Any]
    HoursForm = ModelForm[BusinessHours]
    MeaningForm = ModelForm[ExperienceSettings]
else:
    AnyAdmin = admin.ModelAdmin
    HoursForm = MeaningForm = ModelForm

SPAN: Final = re.compile(r"(\d{1,2}):(\d\d)\s*[-–]\s*(\d{1,2}):(\d\d)", re.ASCII)
NAMES: Final = {
    "mon": gettext_lazy("Monday"),
    "tue": gettext_lazy("Tuesday"),
    "wed": gettext_lazy("Wednesday"),
    "thu": gettext_lazy("Thursday"),
    "fri": gettext_lazy("Friday"),
    "sat": gettext_lazy("Saturday"),
    "sun": gettext_lazy("Sunday"),
}


class Spans(forms.CharField):
    """`09:00-13:00, 14:00-18:00`; empty for a free day. Its value is `[["09:00", "13:00"], …]`."""

    def __init__(self, **more: Any) -> None:
        super().__init__(required=False, max_length=200, **more)

    def prepare_value(self, value: Any) -> Any:
        return ", ".join("-".join(pair) for pair in value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        found: list[list[str]] = []
        for part in filter(None, (one.strip() for one in re.split(r"[,;]", value or ""))):
            pair = span(part)
            if found and pair[0] < found[-1][1]:
                raise ValidationError(_("%(span)s begins before %(end)s.") % {"span": part, "end": found[-1][1]})
            found.append(pair)
        return found


def span(text: str) -> list[str]:
    """One span, checked; raises ValidationError with what is wrong with it."""
    match = SPAN.fullmatch(text)
    if match is None:
        raise ValidationError(_("«%(span)s» is no span of hours: write 09:00-18:00.") % {"span": text})
    opens, closes = (f"{int(match[at]):02}:{match[at + 1]}" for at in (1, 3))
    try:
        time.fromisoformat(opens)
        if closes != "24:00":
            time.fromisoformat(closes)
    except ValueError as error:
        raise ValidationError(_("«%(span)s» is no time of a day.") % {"span": text}) from error
    if closes <= opens:
        said = _("«%(span)s» ends before it begins; a night is two spans, until 24:00 and from 00:00 of the next day.")
        raise ValidationError(said % {"span": text})
    return [opens, closes]


class Days(forms.CharField):
    """Dates, one a line."""

    widget = forms.Textarea(attrs={"rows": 6})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(one.isoformat() for one in value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        found = set()
        for line in filter(None, re.split(r"[\s,;]+", value or "")):
            try:
                found.add(date.fromisoformat(line))
            except ValueError as error:
                raise ValidationError(_("«%(day)s» is no date: write 2026-12-25.") % {"day": line[:40]}) from error
        return sorted(found)


class BusinessHoursForm(HoursForm):
    source = forms.SlugField(
        label=gettext_lazy("Source"),
        required=False,
        max_length=63,
        help_text=gettext_lazy("Its short name; empty: all that have no hours of their own."),
    )
    time_zone = forms.CharField(label=gettext_lazy("Time zone"), help_text="Europe/Vilnius", max_length=64)
    mon, tue, wed, thu, fri, sat, sun = (Spans(label=NAMES[day]) for day in DAYS)
    holidays = Days(
        label=gettext_lazy("Holidays"), required=False, help_text=gettext_lazy("One a line, e.g. 2026-12-25.")
    )

    class Meta:
        model = BusinessHours
        fields = ("source", "time_zone", *DAYS, "holidays")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["mon"].help_text = _("09:00-13:00, 14:00-18:00; empty: closed")
        kept = self.instance.hours if isinstance(self.instance.hours, dict) else {}
        for day in DAYS:
            self.initial[day] = kept.get(day, [])

    def clean_time_zone(self) -> str:
        zone = str(self.cleaned_data["time_zone"]).strip()
        if zone not in available_timezones():
            raise ValidationError(_("There is no time zone «%(zone)s»: write e.g. Europe/Vilnius.") % {"zone": zone})
        return zone

    def save(self, commit: bool = True) -> Any:
        self.instance.hours = {day: spans for day in DAYS if (spans := self.cleaned_data.get(day))}
        return super().save(commit)


@admin.register(BusinessHours)
class BusinessHoursAdmin(AnyAdmin):
    """Promises in minutes, answer times and waiting are counted by these, the past too."""

    form = BusinessHoursForm
    fields = ("source", "time_zone", *DAYS, "holidays")
    list_display = ("__str__", "time_zone")


class ExperienceSettingsForm(MeaningForm):
    language = forms.ChoiceField(
        label=gettext_lazy("Language"),
        choices=[("en", "English"), ("ru", "Русский"), ("lt", "Lietuvių")],
        help_text=gettext_lazy("Of what is noted on timelines."),
    )

    class Meta:
        model = ExperienceSettings
        fields = "__all__"

    def clean(self) -> dict[str, Any]:
        super().clean()
        for name, low, high in (("low_nps", 0, 10), ("low_csat", 1, 5), ("low_ces", 1, 7)):
            value = self.cleaned_data.get(name)
            if value is not None and not low <= value <= high:
                self.add_error(name, _("The scale goes from %(low)s to %(high)s.") % {"low": low, "high": high})
        for name in ("solved_after_days", "lost_after_days", "follow_up_hours"):
            if self.cleaned_data.get(name) == 0:
                self.add_error(name, _("At least one."))
        return self.cleaned_data

    def clean_stage_names(self) -> dict[str, str]:
        given = self.cleaned_data["stage_names"] or {}
        if not isinstance(given, dict):
            raise ValidationError(_('Write an object: {"before": "Interested"}.'))
        for stage, name in given.items():
            if stage not in STAGES:
                said = _("There is no stage «%(stage)s»; the stages are %(stages)s.")
                raise ValidationError(said % {"stage": stage[:40], "stages": ", ".join(STAGES)})
            if not isinstance(name, str) or not 0 < len(name.strip()) <= 60:
                raise ValidationError(_("The name of «%(stage)s» has 1 to 60 characters.") % {"stage": stage})
        return given


@admin.register(ExperienceSettings)
class ExperienceSettingsAdmin(AnyAdmin):
    """One row; every customer is folded anew after a change."""

    form = ExperienceSettingsForm

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and not ExperienceSettings.objects.exists()

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

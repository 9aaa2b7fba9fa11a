"""The admin of business hours and of what the company means: what is wrong is said at its field."""

from datetime import date
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from customers.experience.calendar import calendars
from customers.models import BusinessHours, ExperienceSettings
from tests.support import COMMITTED
from tests.test_console import agent, words_of

pytestmark = COMMITTED
HOURS = "/admin/customers/businesshours/add/"
MEANING = "/admin/customers/experiencesettings/add/"


@pytest.fixture
def admin(committed: None) -> Client:
    client = agent("admin")
    User.objects.update(is_staff=True, is_superuser=True)
    return client


def week(**more: str) -> dict[str, str]:
    return {"source": "", "time_zone": "Europe/Vilnius", "mon": "9:00-13:00, 14:00-18:00", "sat": "22:00-24:00", **more}


def test_hours_are_written_as_people_write_them(admin: Client) -> None:
    answer = admin.post(HOURS, week(holidays="2026-12-25\n2026-12-26"))
    assert answer.status_code == 302, words_of(answer.content.decode())
    row = BusinessHours.objects.get()
    assert row.hours == {"mon": [["09:00", "13:00"], ["14:00", "18:00"]], "sat": [["22:00", "24:00"]]}
    assert row.holidays == [date(2026, 12, 25), date(2026, 12, 26)]
    assert calendars().of("any") is not None
    page = admin.get(f"/admin/customers/businesshours/{row.pk}/change/").content.decode()
    assert 'value="09:00-13:00, 14:00-18:00"' in page
    assert "2026-12-25\n2026-12-26" in page


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("mon", "9 to 5", "«9 to 5» is no span of hours: write 09:00-18:00."),
        ("tue", "18:00-09:00", "«18:00-09:00» ends before it begins"),
        ("wed", "09:00-25:00", "«09:00-25:00» is no time of a day."),
        ("thu", "09:00-13:00, 12:00-18:00", "12:00-18:00 begins before 13:00."),
        ("time_zone", "Vilnius", "There is no time zone «Vilnius»"),
        ("holidays", "25.12.2026", "«25.12.2026» is no date: write 2026-12-25."),
        ("source", "My shop!", "slug"),
    ],
)
def test_what_is_wrong_with_hours_is_said(admin: Client, field: str, value: str, said: str) -> None:
    answer = admin.post(HOURS, week(**{field: value}))
    assert answer.status_code == 200
    assert said in words_of(answer.content.decode())
    assert not BusinessHours.objects.exists()


def meaning(**more: Any) -> dict[str, Any]:
    usual = {field.name: field.get_default() for field in ExperienceSettings._meta.fields if field.name != "id"}
    return {**usual, "stage_names": "{}", **more}


def test_what_the_company_means_is_one_row(admin: Client) -> None:
    assert admin.post(MEANING, meaning(language="lt", stage_names='{"before": "Domisi"}')).status_code == 302
    row = ExperienceSettings.objects.get()
    assert (row.language, row.stage_names) == ("lt", {"before": "Domisi"})
    assert admin.get(MEANING).status_code == 403


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("low_nps", "11", "The scale goes from 0 to 10."),
        ("lost_after_days", "0", "At least one."),
        ("stage_names", '{"soon": "x"}', "There is no stage «soon»"),
        ("stage_names", '{"before": ""}', "has 1 to 60 characters"),
        ("stage_names", "[1]", "Write an object"),
        ("language", "de", "de is not one of the available choices"),
    ],
)
def test_what_is_wrong_with_the_meaning_is_said(admin: Client, field: str, value: str, said: str) -> None:
    answer = admin.post(MEANING, meaning(**{field: value}))
    assert answer.status_code == 200
    assert said in words_of(answer.content.decode())
    assert not ExperienceSettings.objects.exists()

"""Segments: what each condition means, how filters are refused, who is in the table; and the dates of the year."""

import csv
import io
from datetime import UTC, date, datetime
from typing import Any

import pytest

from customers.experience import dates, segments
from customers.experience.filters import BadFilter, compiled
from customers.experience.following import follow
from customers.models import BusinessHours, CardView, Customer, Experience
from customers.sql import cursor
from tests.support import COMMITTED, Api, event, everything, identifier, phone, problem_of, push_and_drain, shop

YES: Any = True


def condition(field: str, op: str, value: Any = None) -> dict[str, Any]:
    return {"field": field, "op": op, **({} if value is None else {"value": value})}


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ([], ""),
        ({}, "field"),
        ({"all": {}}, "all"),
        ({"all": [], "any": []}, ""),
        ({"all": [{"field": "joy", "op": "is", "value": 1}]}, "all.0.field"),
        ({"any": [condition("stage", "is", "before"), condition("stage", "is", "lost")]}, "any.1.value"),
        (condition("nps", "contains", 1), "op"),
        (condition("nps", "least", "9"), "value"),
        (condition("nps", "least", YES), "value"),
        (condition("nps", "set", 9), "value"),
        (condition("nps", "least"), "value"),
        ({"field": "nps", "op": "least", "value": 1, "or": 1}, "or"),
        (condition("attribute:", "is", "x"), "field"),
        (condition("attribute:city", "is", ["x"]), "value"),
        (condition("attribute:city", "is", "x" * 201), "value"),
        (condition("tag: ", "set"), "field"),
        (condition("stage", "is", [["before"]]), "value"),
        ({"not": {"not": {"not": {"not": {"not": condition("nps", "set")}}}}}, "not.not.not.not.not"),
        ({"all": [condition("nps", "set")] * 51}, "all.50"),
    ],
)
def test_what_is_wrong_in_a_filter_is_named(said: Any, field: str) -> None:
    with pytest.raises(BadFilter) as found:
        compiled(said)
    assert found.value.field == field


def test_nothing_of_a_filter_is_sql() -> None:
    evil = "'; DROP TABLE customers_customer; --"
    where, params = compiled(
        {"all": [condition(f"attribute:{evil}", "contains", evil), condition(f"tag:{evil}", "set")]}
    )
    assert "DROP" not in where
    assert sorted(params.values()) == sorted([evil, evil, f"tag:{evil}"])


class TestMembers:
    pytestmark = COMMITTED

    @pytest.fixture
    def api(self, committed: None) -> Api:
        shop()
        return everything()

    def person(self, api: Api, **attributes: Any) -> str:
        number = phone()
        who = {"identifiers": [identifier("phone", number)], "attributes": attributes}
        (receipt,) = push_and_drain(api, {**event(), "customer": who})
        return str(receipt["customer"])

    def means(self, said: Any) -> set[str]:
        with cursor() as sql:
            rows, ids, following = segments.members(sql, said, limit=200)
            assert segments.count(sql, said) == len(rows) == len(ids)
        assert following is None
        return {str(row["customer"]) for row in rows}

    def test_attributes_are_those_of_the_card(self, api: Api) -> None:
        here = self.person(api, city="Vilnius", points=7, vip=True)
        there = self.person(api, city="Kaunas")
        nowhere = self.person(api)
        moved = self.person(api, city="Vilnius")
        version = api.ok(f"customers/{moved}")["version"]
        patched = api.client.patch(
            f"/api/v1/customers/{moved}",
            {"attributes": {"city": "Klaipeda"}, "tags": {"add": ["vip"]}},
            content_type="application/json",
            headers={"If-Match": f'"{version}"'},
        )
        assert patched.status_code == 200, patched.content
        everybody = {here, there, nowhere, moved}
        assert self.means(condition("attribute:city", "is", "Vilnius")) == {here}
        assert self.means(condition("attribute:city", "not", "Vilnius")) == everybody - {here}
        assert self.means(condition("attribute:city", "contains", "KLAI")) == {moved}
        assert self.means(condition("attribute:city", "set")) == everybody - {nowhere}
        assert self.means(condition("attribute:city", "unset")) == {nowhere}
        assert self.means(condition("attribute:city", "before", "L")) == {there, moved}
        assert self.means(condition("attribute:city", "after", "L")) == {here}
        assert self.means(condition("attribute:points", "is", 7)) == {here}
        assert self.means(condition("attribute:vip", "is", YES)) == {here}
        assert self.means(condition("tag:vip", "set")) == {moved}
        assert self.means(condition("tag:vip", "unset")) == everybody - {moved}

    def test_measures_and_groups(self, api: Api) -> None:
        people = [self.person(api) for _ in range(4)]
        follow(60)
        ids = {str(one.public_id): one.pk for one in Customer.objects.all()}
        now = datetime.now(UTC)
        for place, one in enumerate(people):
            measures = {
                "nps": [None, 3, 9, 9][place],
                "purchases": place,
                "stage": ["", "before", "again", "left"][place],
            }
            Experience.objects.filter(pk=ids[one]).update(
                **measures, last_contact_at=now.replace(year=2020 + 2 * place)
            )
        nobody, low, high, lost = people
        assert self.means(condition("nps", "most", 6)) == {low}
        assert self.means({"not": condition("nps", "most", 6)}) == {nobody, high, lost}
        assert self.means(condition("nps", "unset")) == {nobody}
        assert self.means(condition("purchases", "least", 2)) == {high, lost}
        assert self.means(condition("stage", "is", ["before", "again"])) == {low, high}
        assert self.means(condition("stage", "not", "left")) == {nobody, low, high}
        assert self.means({"any": [condition("stage", "is", "left"), condition("nps", "is", 3)]}) == {low, lost}
        happy = [condition("nps", "least", 9), {"not": condition("stage", "is", "left")}]
        assert self.means({"all": happy}) == {high}
        assert self.means(condition("days_since_contact", "least", 365 * 5)) == {nobody}
        assert self.means(condition("days_since_contact", "most", 365 * 5)) == {low, high, lost}
        assert self.means({"all": []}) == set(people)
        assert self.means({"any": []}) == set()

    def test_merged_customers_are_one(self, api: Api) -> None:
        one, other = self.person(api, city="Vilnius"), self.person(api, city="Vilnius")
        assert len(self.means(condition("attribute:city", "is", "Vilnius"))) == 2
        assert api.post(f"customers/{one}/merge", {"with": other}).status_code == 201
        assert len(self.means(condition("attribute:city", "is", "Vilnius"))) == 1

    def test_segments_are_saved_counted_and_taken_away(self, api: Api) -> None:
        evil = self.person(api, city="Vilnius", note="=HYPERLINK(1)", name="=1+1")
        for _ in range(4):
            self.person(api, city="Vilnius")
        self.person(api, city="Kaunas")
        said = {"name": "Vilnius", "filter": condition("attribute:city", "is", "Vilnius")}
        assert api.post("segments/count", {"filter": said["filter"]}).json() == {"count": 5}
        made = api.post("segments", said)
        assert made.status_code == 201, made.content
        segment = made.json()
        assert (segment["count"], segment["name"], segment["created_by"]) == (5, "Vilnius", "test")
        assert problem_of(api.post("segments", said)) == (409, "conflict", "name")
        assert api.ok("segments")["results"] == [segment]
        path = f"segments/{segment['id']}"
        first = api.ok(f"{path}/customers", {"limit": 3})
        second = api.ok(f"{path}/customers", {"limit": 3, "cursor": first["next"]})
        assert [len(first["results"]), len(second["results"]), second["next"]] == [3, 2, None]
        before = CardView.objects.count()
        answer = api.get(f"{path}/export")
        assert answer.status_code == 200
        body = b"".join(answer.streaming_content).decode("utf-8-sig")
        table = list(csv.DictReader(io.StringIO(body, newline="")))
        assert len(table) == 5
        assert CardView.objects.count() == before + 5
        (row,) = [row for row in table if row["id"] == evil]
        assert row["identifiers"].startswith("phone:+7")
        assert not any(value.startswith(("=", "+", "-", "@")) for one in table for value in one.values())
        masked = Api("read:masked")
        assert problem_of(masked.get(f"{path}/export"))[0] == 403
        changed = api.client.put(f"/api/v1/{path}", {**said, "name": "Capital"}, content_type="application/json")
        assert changed.json()["name"] == "Capital"
        assert problem_of(Api("read").post("segments", said))[0] == 403
        assert api.client.delete(f"/api/v1/{path}").status_code == 200
        assert api.refused(path)[:2] == (404, "not_found")

    def test_a_bad_filter_is_named(self, api: Api) -> None:
        said = {"name": "Bad", "filter": {"all": [condition("joy", "is", 1)]}}
        assert problem_of(api.post("segments", said)) == (400, "invalid_value", "filter.all.0.field")
        assert api.ok("segments")["results"] == []

    def test_birthdays_of_leap_years_and_of_the_next_year(self, api: Api) -> None:
        leap = self.person(api, birthday="2000-02-29")
        plain = self.person(api, birthday="28.02.1990")
        winter = self.person(api, birthday="1985-01-02")
        self.person(api, birthday="no date")
        with cursor() as sql:
            found = [(str(one.customer), one.on, one.years) for one in dates.due(sql, 3, today=date(2026, 2, 27))]
            assert set(found) == {(leap, date(2026, 2, 28), 26), (plain, date(2026, 2, 28), 36)}
            found = [(str(one.customer), one.on, one.years) for one in dates.due(sql, 3, today=date(2028, 2, 27))]
            assert found == [(plain, date(2028, 2, 28), 38), (leap, date(2028, 2, 29), 28)]
            found = [(str(one.customer), one.on, one.years) for one in dates.due(sql, 7, today=date(2026, 12, 30))]
            assert found == [(winter, date(2027, 1, 2), 42)]
            assert dates.due(sql, 1, today=date(2026, 3, 1)) == []

    def test_anniversaries_are_days_of_the_company(self, api: Api) -> None:
        self.person(api)
        follow(60)
        Experience.objects.update(first_purchase_at=datetime(2024, 2, 28, 23, 30, tzinfo=UTC))
        with cursor() as sql:
            assert [one.on for one in dates.due(sql, 5, today=date(2026, 2, 26))] == [date(2026, 2, 28)]
            assert dates.due(sql, 5, today=date(2024, 2, 26)) == []
            BusinessHours.objects.create(time_zone="Europe/Vilnius", hours={})
            (one,) = dates.due(sql, 5, today=date(2026, 2, 26))
            assert (one.on, one.since, one.years) == (date(2026, 2, 28), date(2024, 2, 29), 2)
            (one,) = dates.due(sql, 5, today=date(2028, 2, 26))
            assert one.on == date(2028, 2, 29)
        (told,) = api.ok("dates", {"days": 366})["results"]
        assert told["what"] == "anniversary"
        assert api.refused("dates", {"days": 0})[2] == "days"


def test_a_masked_reader_does_not_guess_by_counting(committed: None) -> None:
    shop()
    api = everything()
    dirty = event(identifier("phone", phone()))
    dirty["customer"]["attributes"] = {"passport": "AB 1234567", "city": "Vilnius"}
    push_and_drain(api, dirty)
    masked = Api("read:masked", "write")

    def asked(op: str, value: str, field: str = "attribute:passport") -> int:
        filter_ = {"not": {"any": [{"field": field, "op": op, "value": value}]}}
        status = masked.post("segments/count", {"filter": filter_}).status_code
        assert api.post("segments/count", {"filter": filter_}).status_code == 200
        assert masked.post("segments", {"name": f"{op} {value}", "filter": filter_}).status_code in (status, 201)
        return int(status)

    for op, value in (("contains", "AB"), ("before", "B"), ("after", "A"), ("is", "AB 1234567"), ("contains", "1")):
        assert asked(op, value) == 403, (op, value)
    assert asked("is", "Vilnius", "attribute:city") == 200
    deep: dict[str, object] = {"field": "attribute:a", "op": "contains", "value": "1"}
    for _ in range(200):
        deep = {"not": deep}
    assert masked.post("segments/count", {"filter": deep}).status_code == 400

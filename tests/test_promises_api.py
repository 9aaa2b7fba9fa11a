"""Promises and expectations from the door to the lists: made, kept by what is pushed, broken by the sweep."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.management import call_command

from customers.experience import owed
from customers.experience.folding import fold_customers
from customers.experience.following import follow, freshen
from customers.models import BusinessHours, Customer, Expectation, ExperienceSettings, Interaction, Promise
from customers.sql import cursor
from tests.support import (
    COMMITTED,
    Api,
    at,
    event,
    identifier,
    pages,
    phone,
    problem_of,
    push_and_drain,
    unique,
)

pytestmark = COMMITTED


def ago(minutes: float) -> str:
    return (datetime.now(UTC) - timedelta(minutes=minutes)).isoformat()


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def written(number: str, minutes: float, text: str = "We will call you back.", **more: Any) -> Any:
    """A message of ours, so many minutes ago."""
    return event(
        identifier("phone", number), direction="outbound", occurred_at=ago(minutes), text=text,
        agent={"id": "ona", "name": "Ona"}, **more,
    )  # fmt: skip


def call(number: str, minutes: float, status: str = "completed", **more: Any) -> Any:
    return event(
        identifier("phone", number), channel="phone", kind="call", direction="outbound", occurred_at=ago(minutes),
        agent={"id": "petras"}, details={"call": {"status": status}}, **more,
    )  # fmt: skip


def promise(minutes: float, **more: Any) -> dict[str, Any]:
    """Due so many minutes ago."""
    return {"promise": {"what": "call with the price", "kind": "callback", "due_at": ago(minutes), **more}}


def customer_of(api: Api, number: str) -> str:
    return str(api.card("phone", number)["id"])


def promises_of(api: Api, number: str) -> list[Any]:
    found: list[Any] = api.ok(f"customers/{customer_of(api, number)}/promises")["results"]
    return found


def notes_of(api: Api, number: str) -> list[str]:
    lines = api.timeline("phone", number)
    return [one["text"] for one in lines if "outcome" in one["details"]]


class TestStory:
    def test_one_is_kept_by_a_pushed_call_and_another_breaks_by_itself(self, api: Api) -> None:
        kept, broken = phone(), phone()
        push_and_drain(api, written(kept, 120, details=promise(60)), written(broken, 120, details=promise(60)))
        push_and_drain(api, call(kept, 100, "busy"), call(kept, 90))
        since = api.ok(f"customers/{customer_of(api, broken)}/changes")["next"]
        call_command("sweep", "--once")
        (one,) = promises_of(api, kept)
        (line,) = [
            entry for entry in api.timeline("phone", kept) if entry["kind"] == "call" and entry["state"] == "completed"
        ]
        assert (one["state"], one["tries"], one["closed_line"], one["closed_by"]) == ("kept", 1, line["id"], "petras")
        (other,) = promises_of(api, broken)
        assert (other["state"], other["overdue"], other["settled_at"]) == ("broken", True, None)
        assert moment(other["closed_at"]) == moment(other["due_at"])
        assert notes_of(api, kept) == ["Promise kept: call with the price"]
        assert notes_of(api, broken) == ["Promise broken: call with the price"]
        news = api.ok(f"customers/{customer_of(api, broken)}/changes", {"since": since})["changed"]
        assert [entry["details"]["outcome"]["state"] for entry in news] == ["broken"]
        call_command("sweep", "--once")
        assert len(notes_of(api, kept)) == len(notes_of(api, broken)) == 1

    def test_a_call_that_is_told_late_keeps_it_after_all(self, api: Api) -> None:
        one = phone()
        push_and_drain(api, written(one, 120, details=promise(60)))
        follow()
        assert promises_of(api, one)[0]["state"] == "broken"
        push_and_drain(api, call(one, 90))
        follow()
        assert promises_of(api, one)[0]["state"] == "kept"
        told = "Promise kept after all, as was reported late: call with the price"
        assert sorted(notes_of(api, one)) == ["Promise broken: call with the price", told]
        follow()
        assert len(notes_of(api, one)) == 2

    def test_a_broken_one_that_is_made_good_says_how_late(self, api: Api) -> None:
        one = phone()
        push_and_drain(api, written(one, 300, details=promise(240)))
        follow()
        push_and_drain(api, call(one, 60))
        follow()
        (late,) = promises_of(api, one)
        assert (late["state"], late["late"], late["overdue"]) == ("broken", True, False)
        told = "Promise kept late, 3 h after it was due: call with the price"
        assert sorted(notes_of(api, one)) == ["Promise broken: call with the price", told]
        (note,) = [entry for entry in api.timeline("phone", one) if entry["text"] == told]
        assert note["details"]["outcome"]["by"] == late["closed_line"]
        assert moment(note["occurred_at"]) == moment(late["settled_at"])
        follow()
        assert len(notes_of(api, one)) == 2

    def test_a_broken_one_that_is_given_up_is_not_kept_late(self, api: Api) -> None:
        one = phone()
        push_and_drain(api, written(one, 300, details=promise(240)))
        follow()
        (row,) = promises_of(api, one)
        api.post(f"promises/{row['id']}/close", {"as": "cancelled"})
        follow()
        (row,) = promises_of(api, one)
        assert row["settled_at"]
        assert row["late"] is False
        assert notes_of(api, one) == ["Promise broken: call with the price"]

    def test_notes_are_in_the_language_of_the_company(self, api: Api) -> None:
        ExperienceSettings.objects.create(language="lt")
        one = phone()
        push_and_drain(api, written(one, 120, details=promise(60)))
        follow()
        assert notes_of(api, one) == ["Pažadas laiku neištesėtas: call with the price"]

    def test_pushed_words_close_and_move_a_promise_of_a_line_that_stands(self, api: Api) -> None:
        one, id_ = phone(), unique()
        many = {"promises": [{"id": "a", "what": "x", "due_at": ago(60)}, {"id": "b", "what": "y", "due_at": ago(60)}]}
        push_and_drain(api, written(one, 120, id=id_, details=many))
        closed = {"promises": [{"id": "a", "closed": {"as": "cancelled", "at": ago(100), "by": "crm", "why": "sold"}}]}
        push_and_drain(api, written(one, 99, id=id_, part="closed", details=closed))
        states = {row["what"]: (row["state"], row["closed_by"], row["why"]) for row in promises_of(api, one)}
        assert states == {"x": ("cancelled", "crm", "sold"), "y": ("broken", None, None)}

    def test_minutes_are_counted_in_business_hours(self, api: Api) -> None:
        week = {day: [["09:00", "18:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}
        BusinessHours.objects.create(source="shop", time_zone="Europe/Vilnius", hours=week)
        one = phone()
        made = {"promise": {"kind": "callback", "within_minutes": 30}}
        push_and_drain(api, written(one, 1, details=made) | {"occurred_at": "2026-03-06T17:50:00+02:00"})
        (row,) = promises_of(api, one)
        assert moment(row["due_at"]) == moment("2026-03-09T09:20:00+02:00")


def rows_of(customers: list[int]) -> list[Any]:
    fields = [field.attname for field in Promise._meta.concrete_fields if field.attname != "noted"]
    return sorted(Promise.objects.filter(customer_id__in=customers).values_list(*fields), key=repr)


class TestFolds:
    def test_merging_and_undoing_leaves_each_his_promises(self, api: Api) -> None:
        one, other = phone(), phone()
        push_and_drain(api, written(one, 120, details=promise(60)), call(other, 90))
        ids = [customer_of(api, one), customer_of(api, other)]
        before = {number: promises_of(api, number) for number in (one, other)}
        assert [row["state"] for row in before[one]] == ["broken"]
        merged = api.post(f"customers/{ids[0]}/merge", {"with": ids[1], "reason": "one person"})
        assert merged.status_code == 201, merged.content
        assert [row["state"] for row in promises_of(api, one)] == ["kept"]
        assert api.post(f"links/{merged.json()['link']}/undo", {}).status_code == 200
        assert {number: promises_of(api, number) for number in (one, other)} == before

    def test_a_rebuild_says_the_same_in_whatever_order_it_came(self, api: Api) -> None:
        one, chance = phone(), random.Random(5)
        events = [written(one, 300 - place, details=promise(240 - 3 * place)) for place in range(0, 90, 9)]
        events += [call(one, 250, "no-answer"), call(one, 233), call(one, 40)]
        events += [event(identifier("phone", one), occurred_at=ago(400 + place)) for place in range(300)]
        chance.shuffle(events)
        for start in range(0, len(events), 100):
            push_and_drain(api, *events[start : start + 100])
            follow()
        (customer,) = Customer.objects.filter(public_id=customer_of(api, one)).values_list("id", flat=True)
        freshen(customer)
        found = rows_of([customer])
        states = set(Promise.objects.filter(customer_id=customer).values_list("state", flat=True))
        assert states == {"kept", "broken"}
        fold_customers([customer], anew=True)
        assert rows_of([customer]) == found


class TestMade:
    def line(self, api: Api, number: str, text: str = "We will call you back within two hours.") -> str:
        push_and_drain(api, written(number, 5, text))
        return str(api.timeline("phone", number)[0]["id"])

    def test_on_a_line(self, api: Api) -> None:
        one = phone()
        line = self.line(api, one)
        wanted = {"what": "call back", "kind": "callback", "within_minutes": 30, "owner": "ona"}
        made = api.post(f"interactions/{line}/promises", wanted, Idempotency_Key="k")
        assert made.status_code == 201, made.content
        row = made.json()
        assert (row["line"], row["state"], row["owner"], row["origin"]) == (line, "open", "ona", "agent")
        assert moment(row["due_at"]) - moment(row["made_at"]) == timedelta(minutes=30)
        assert api.post(f"interactions/{line}/promises", wanted, Idempotency_Key="k").json() == row
        other = api.post(f"interactions/{line}/promises", wanted | {"what": "else"}, Idempotency_Key="k")
        assert problem_of(other) == (409, "conflict", "Idempotency-Key")
        assert api.ok(f"interactions/{line}/promises")["results"] == [row]
        assert api.ok(f"promises/{row['id']}") == row
        entry = api.ok(f"customers/{row['customer']}/timeline")["results"][0]
        assert entry["details"]["promises"][0]["what"] == "call back"
        push_and_drain(api, call(one, 0))
        assert promises_of(api, one)[0]["state"] == "kept"

    def test_without_a_line(self, api: Api) -> None:
        one = phone()
        self.line(api, one)
        customer = customer_of(api, one)
        wanted = {"what": "send the manual", "kind": "answer", "due": "within three hours"}
        row = api.post(f"customers/{customer}/promises", wanted, Idempotency_Key="k").json()
        assert moment(row["due_at"]) - moment(row["made_at"]) == timedelta(hours=3)
        assert api.post(f"customers/{customer}/promises", wanted, Idempotency_Key="k").json() == row
        entry = next(one for one in api.timeline("phone", one) if one["id"] == row["line"])
        assert (entry["kind"], entry["text"]) == ("note", "send the manual")

    def test_what_a_text_promises_is_suggested_until_somebody_says_it(self, api: Api) -> None:
        one = phone()
        line = self.line(api, one)
        found = api.ok(f"interactions/{line}/promises")
        assert found["results"] == []
        guess = found["suggestion"]
        assert (guess["kind"], guess["words"]) == ("callback", "within two hours")
        assert Promise.objects.count() == 0
        said = {name: guess[name] for name in ("what", "kind", "due_at")}
        assert api.post(f"interactions/{line}/promises", said).status_code == 201
        assert api.ok(f"interactions/{line}/promises")["suggestion"] is None

    def test_it_is_ended_taken_back_moved_and_handed_over(self, api: Api) -> None:
        one = phone()
        line = self.line(api, one)
        id_ = api.post(f"interactions/{line}/promises", {"what": "x", "within_minutes": 60}).json()["id"]

        def done(what: str, body: Any = None) -> Any:
            answer = api.post(f"promises/{id_}/{what}", body)
            assert answer.status_code == 200, answer.content
            return answer.json()

        assert done("assign", {"owner": "petras"})["owner"] == "petras"
        later = (datetime.now(UTC) + timedelta(days=1)).isoformat()
        moved = done("move", {"due_at": later, "why": "He is on a train."})
        assert (moment(moved["due_at"]), moved["moved"]) == (moment(later), 1)
        ended = done("close", {"as": "cancelled", "why": "He bought it elsewhere."})
        assert (ended["state"], ended["why"], ended["closed_by"]) == ("cancelled", "He bought it elsewhere.", "test")
        assert problem_of(api.post(f"promises/{id_}/close", {"as": "kept"}))[:2] == (409, "conflict")
        assert problem_of(api.post(f"promises/{id_}/move", {"due_at": later}))[:2] == (409, "conflict")
        back = done("reopen")
        assert (back["state"], back["owner"], back["moved"]) == ("open", "petras", 1)
        assert problem_of(api.post(f"promises/{id_}/reopen"))[:2] == (409, "conflict")
        assert done("close", {"as": "kept"})["state"] == "kept"

    def test_a_broken_one_is_made_good_by_a_word_and_stays_broken(self, api: Api) -> None:
        one = phone()
        push_and_drain(api, written(one, 120, details=promise(60)))
        (row,) = promises_of(api, one)
        later = (datetime.now(UTC) + timedelta(days=1)).isoformat()
        assert problem_of(api.post(f"promises/{row['id']}/move", {"due_at": later}))[:2] == (409, "conflict")
        ended = api.post(f"promises/{row['id']}/close", {"as": "kept"}).json()
        assert (ended["state"], ended["overdue"]) == ("broken", False)
        assert ended["settled_at"]
        early = api.post(f"promises/{row['id']}/reopen").json()
        assert early["overdue"]
        told = api.post(f"promises/{row['id']}/close", {"as": "kept", "at": ago(90), "why": "private telephone"}).json()
        assert told["state"] == "kept"

    @pytest.mark.parametrize(
        ("body", "problem"),
        [
            ({}, (400, "missing_field", "what")),
            ({"what": "x"}, (400, "missing_field", "due_at")),
            ({"what": "x", "due_at": "tomorrow"}, (400, "invalid_value", "due_at")),
            ({"what": "x", "due": "sooner or later"}, (400, "invalid_value", "due")),
            ({"what": "x", "due": "tomorrow", "within_minutes": 5}, (400, "invalid_value", "due")),
            ({"what": "x", "within_minutes": 0}, (400, "invalid_value", "within_minutes")),
            ({"what": " ", "within_minutes": 5}, (400, "invalid_value", "what")),
            ({"what": "x", "due_at": "2020-01-01T00:00:00Z"}, (400, "invalid_value", "due_at")),
            ({"what": "x", "within_minutes": 5, "at": "2099-01-01T00:00:00Z"}, (400, "invalid_value", "at")),
            ({"what": "x", "within_minutes": 5, "kind": "Call"}, (400, "invalid_value", "kind")),
            ({"what": "x", "within_minutes": 5, "more": 1}, (400, "invalid_value", "more")),
        ],
    )
    def test_what_is_no_promise_is_refused(self, api: Api, body: Any, problem: tuple[int, str, str]) -> None:
        line = self.line(api, phone())
        assert problem_of(api.post(f"interactions/{line}/promises", body)) == problem

    def test_what_is_not_there_is_not_found(self, api: Api) -> None:
        nobody = uuid4()
        good = {"what": "x", "within_minutes": 5}
        assert problem_of(api.post(f"interactions/{nobody}/promises", good))[0] == 404
        assert problem_of(api.post(f"customers/{nobody}/promises", good))[0] == 404
        assert problem_of(api.post(f"promises/{nobody}/close", {"as": "kept"}))[0] == 404
        assert problem_of(api.get(f"promises/{nobody}"))[0] == 404
        assert problem_of(api.post(f"expectations/{nobody}/outcome", {"outcome": "met"}))[0] == 404
        assert problem_of(api.get(f"interactions/{nobody}/promises"))[0] == 404

    def test_who_only_reads_promises_nothing(self, api: Api) -> None:
        line = self.line(api, phone())
        reader = Api("read")
        good = {"what": "x", "within_minutes": 5}
        assert problem_of(reader.post(f"interactions/{line}/promises", good))[0] == 403
        assert problem_of(reader.post(f"interactions/{line}/expectations", {"what": "x"}))[0] == 403
        assert reader.get("promises").status_code == 200


class TestLists:
    def test_what_is_due_is_listed_earliest_first_page_by_page(self, api: Api) -> None:
        numbers = [phone() for _ in range(9)]
        events = [
            written(number, 500, details=promise(200 - 40 * place, owner="ona" if place % 2 else "petras"))
            for place, number in enumerate(numbers)
        ]
        push_and_drain(api, *events)
        follow()
        whole = api.ok("promises")["results"]
        assert [row["overdue"] for row in whole] == [True] * 6 + [False] * 3
        assert [moment(row["due_at"]) for row in whole] == sorted(moment(row["due_at"]) for row in whole)
        paged = [row["id"] for page in pages(api, "promises", {"limit": 2}) for row in page]
        assert paged == [row["id"] for row in whole]
        assert {row["owner"] for row in api.ok("promises", {"owner": "ona"})["results"]} == {"ona"}
        assert [row["state"] for row in api.ok("promises", {"state": "open"})["results"]] == ["open"] * 3
        assert len(api.ok("promises", {"state": "overdue"})["results"]) == 6
        assert len(api.ok("promises", {"due_before": ago(100)})["results"]) == 3
        broken = api.ok("promises", {"state": "broken"})["results"]
        assert [moment(row["closed_at"]) for row in broken] == sorted(
            (moment(row["closed_at"]) for row in broken), reverse=True
        )
        paged = [row["id"] for page in pages(api, "promises", {"limit": 2, "state": "broken"}) for row in page]
        assert paged == [row["id"] for row in broken]
        assert api.refused("promises", {"state": "late"}) == (400, "invalid_value", "state")
        assert api.refused("promises", {"cursor": "x"}) == (400, "invalid_value", "cursor")
        with cursor() as sql:
            counts = owed.promise_counts(sql)
        assert counts == {
            "made": 9, "kept": 0, "broken": 6, "cancelled": 0, "tried": 0, "open": 3, "overdue": 6,
        }  # fmt: skip
        with cursor() as sql, sql.connection.transaction():
            sql.execute("SET LOCAL enable_seqscan = off")
            sql.execute("SET LOCAL enable_bitmapscan = off")
            sql.execute(f"EXPLAIN (COSTS off) {owed.COUNTS}".encode())
            plan = "\n".join(row[0] for row in sql.fetchall())
        scans = [line.strip(" ->").partition(" on ")[0] for line in plan.splitlines() if " Scan" in line]
        of_those_that_wait = {f"Index Only Scan using promise_{name}" for name in ("due", "owner")}
        assert len(scans) == 3, plan
        assert set(scans[:2]) <= of_those_that_wait, plan
        assert scans[2] == "Index Only Scan using promise_counts", plan


class TestExpectations:
    def test_one_is_stated_read_before_one_speaks_and_turns_out(self, api: Api) -> None:
        one = phone()
        push_and_drain(api, event(identifier("phone", one), text="Please only in person"))
        line, customer = str(Interaction.objects.get().id), customer_of(api, one)
        wanted = {"what": "prefers to meet in person", "lasting": True}
        made = api.post(f"interactions/{line}/expectations", wanted, Idempotency_Key="k")
        assert made.status_code == 201, made.content
        lasting = made.json()
        assert api.post(f"interactions/{line}/expectations", wanted, Idempotency_Key="k").json() == lasting
        matter = api.post(f"customers/{customer}/expectations", {"what": "answer within two days"}).json()
        ahead = api.ok(f"customers/{customer}/expectations", {"ahead": 1})["results"]
        assert [row["id"] for row in ahead] == [lasting["id"], matter["id"]]
        told = api.post(f"expectations/{matter['id']}/outcome", {"outcome": "missed", "emotion": -1}).json()
        assert (told["outcome"], told["emotion"], told["outcome_by"]) == ("missed", -1, "test")
        ahead = api.ok(f"customers/{customer}/expectations", {"ahead": 1})["results"]
        assert [row["id"] for row in ahead] == [lasting["id"]]
        assert [row["id"] for row in api.ok("expectations", {"outcome": "missed"})["results"]] == [matter["id"]]
        again = api.post(f"expectations/{matter['id']}/outcome", {"outcome": "met"}).json()
        assert (again["outcome"], again["emotion"]) == ("met", None)
        assert len(api.ok("expectations")["results"]) == 2
        assert problem_of(api.post(f"expectations/{matter['id']}/outcome", {"outcome": "good"})) == (
            400, "invalid_value", "outcome",
        )  # fmt: skip

    def test_one_is_pushed_and_folded_anew_the_same(self, api: Api) -> None:
        one = phone()
        said = {"what": "delivery on Friday", "outcome": {"as": "exceeded", "emotion": 1, "at": at(3)}}
        push_and_drain(api, event(identifier("phone", one), occurred_at=ago(60), details={"expectation": said}))
        follow()
        row = Expectation.objects.get()
        assert (row.what, row.outcome, row.emotion, row.lasting) == ("delivery on Friday", "exceeded", 1, False)
        fold_customers([row.customer_id], anew=True)
        again = Expectation.objects.values().get()
        assert again == Expectation.objects.filter(pk=row.pk).values().get()
        assert again["id"] == UUID(str(row.id))

"""The feed of what is new: nothing is skipped, nothing is told to those who have it, and no answer is too long."""

from typing import Any
from uuid import UUID

import orjson
import pytest
from django.db import connection

from customers.models import Candidate, Change, Customer, Identity, Interaction
from tests.support import (
    COMMITTED,
    Api,
    at,
    drained,
    event,
    identifier,
    other_connection,
    phone,
    push_and_drain,
)

pytestmark = COMMITTED


class Follower:
    """A live screen: it keeps the token, and gathers what it is told."""

    def __init__(self, api: Api, number: str) -> None:
        self.api = api
        self.path = f"customers/{api.card('phone', number)['id']}/changes"
        self.token = api.ok(self.path)["next"]
        self.changed: list[str] = []
        self.gone: list[str] = []

    def poll(self) -> Any:
        news = self.api.ok(self.path, {"since": self.token})
        self.token = news["next"]
        self.changed += [entry["id"] for entry in news["changed"]]
        self.gone += news["gone"]
        return news


def known(api: Api) -> str:
    number = phone()
    push_and_drain(api, event(identifier("phone", number), text="first"))
    return number


def test_without_since_there_is_only_the_token(api: Api) -> None:
    number = known(api)
    answer = api.get(f"customers/{api.card('phone', number)['id']}/changes")
    assert set(answer.json()) == {"next"}
    assert answer.headers["ETag"] == f'"{answer.json()["next"]}"'
    assert answer.headers["Cache-Control"] == "private, no-store"


def test_new_and_changed_lines_are_told_whole(api: Api) -> None:
    number = known(api)
    follower = Follower(api, number)
    assert follower.poll() == {"changed": [], "gone": [], "reset": False, "next": follower.token}
    thing = event(identifier("phone", number), text="new", revision=1)
    push_and_drain(api, thing)
    news = follower.poll()
    assert news["changed"] == [api.timeline("phone", number, q="new")[0]]
    assert (news["gone"], news["reset"]) == ([], False)
    push_and_drain(api, {**thing, "text": "edited", "revision": 2})
    assert [entry["text"] for entry in follower.poll()["changed"]] == ["edited"]
    push_and_drain(api, event(identifier("phone", number), text="late", occurred_at=at(-9999)))
    assert [entry["text"] for entry in follower.poll()["changed"]] == ["late"], "older lines that come late too"
    push_and_drain(api, {**thing, "text": "older", "revision": 0}, event(identifier("phone", phone())))
    assert [entry["text"] for entry in follower.poll()["changed"]] == ["edited"], "its edits are news"
    assert follower.poll()["changed"] == []


def test_the_token_of_a_timeline_is_one_of_the_feed(api: Api) -> None:
    number = known(api)
    follower = Follower(api, number)
    follower.token = api.ok(follower.path.replace("changes", "timeline"))["changes"]
    push_and_drain(api, event(identifier("phone", number), text="after"))
    assert [entry["text"] for entry in follower.poll()["changed"]] == ["after"]


def test_nothing_new_costs_a_304(api: Api) -> None:
    number = known(api)
    follower = Follower(api, number)
    push_and_drain(api, event(identifier("phone", number)))
    first = api.get(follower.path, {"since": follower.token}, If_None_Match=f'"{follower.token}"')
    assert first.status_code == 200, "there is something new"
    token = first.json()["next"]
    assert first.headers["ETag"] == f'"{token}"'
    again = api.get(follower.path, {"since": token}, If_None_Match=first.headers["ETag"])
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", f'"{token}"')
    plain = api.get(follower.path, {"since": token})
    assert (plain.status_code, plain.json()) == (200, {"changed": [], "gone": [], "reset": False, "next": token})
    push_and_drain(api, event(identifier("phone", number)))
    assert api.get(follower.path, {"since": token}, If_None_Match=f'"{token}"').status_code == 200


def test_others_are_none_of_its_business(api: Api) -> None:
    follower = Follower(api, known(api))
    token = follower.token
    push_and_drain(api, *(event(identifier("phone", phone())) for _ in range(3)))
    assert follower.poll()["changed"] == []
    assert api.get(follower.path, {"since": token}, If_None_Match=f'"{follower.token}"').status_code == 304


def test_more_than_a_page_is_told_page_by_page(api: Api) -> None:
    number = known(api)
    follower = Follower(api, number)
    shown = []
    for batch in (200, 1, 250):
        shown += push_and_drain(api, *(event(identifier("phone", number)) for _ in range(batch)))
    lengths = []
    while (news := follower.poll())["changed"]:
        lengths.append(len(news["changed"]))
    assert max(lengths) <= 200
    assert sorted(follower.changed) == sorted(one["interaction"] for one in shown), "each once, none left out"


def test_a_new_identity_resets(api: Api) -> None:
    number = known(api)
    follower = Follower(api, number)
    push_and_drain(api, event(identifier("phone", number), identifier("email", "new@mail.example"), text="mail"))
    news = follower.poll()
    assert news["reset"] is True
    assert follower.poll() == {"changed": [], "gone": [], "reset": False, "next": follower.token}


def test_an_identity_that_leaves_resets_both(api: Api) -> None:
    one, other = known(api), known(api)
    left, joined = Follower(api, one), Follower(api, other)
    identity = Identity.objects.get(value=one)
    to = Customer.objects.get(public_id=api.card("phone", other)["id"])
    Change.objects.create(what=Change.MOVED, identity_id=identity.pk, left_id=identity.customer_id, joined_id=to.pk)
    assert left.poll()["reset"] is True
    assert joined.poll()["reset"] is True


def test_what_people_change_of_a_card_resets_each_time(api: Api) -> None:
    (receipt,) = push_and_drain(api, event(identifier("phone", phone()), identifier("email", "ada@mail.example")))
    one = api.ok(f"customers/{receipt['customer']}")
    id_ = next(each["id"] for each in one["identities"] if each["kind"] == "phone")
    path, token = f"customers/{one['id']}", api.ok(f"customers/{one['id']}/changes")["next"]

    def said(name: str) -> None:
        version = api.ok(path)["version"]
        body = orjson.dumps({"name": name})
        headers = {"If-Match": f'"{version}"'}
        answer = api.client.patch(f"/api/v1/{path}", body, content_type="application/json", headers=headers)
        assert answer.status_code == 200

    for change in (
        lambda: said("Ada"),
        lambda: said("Adele"),
        lambda: api.post(f"identities/{id_}/share", {}),
        lambda: api.post(f"candidates/{Candidate.objects.get().pk}/accept", {}),
        lambda: api.post(f"identities/{id_}/unshare", {}),
    ):
        assert api.ok(f"{path}/changes", {"since": token})["reset"] is False
        change()
        told = api.ok(f"{path}/changes", {"since": token})
        assert (told["reset"], told["changed"]) == (True, [])
        token = told["next"]


def test_a_line_that_went_is_told(api: Api) -> None:
    number = known(api)
    follower = Follower(api, number)
    line = Interaction.objects.get()
    Change.objects.create(what=Change.GONE, identity_id=line.identity_id, line_id=line.pk)
    Interaction.objects.filter(pk=line.pk).delete()
    assert follower.poll()["gone"] == [str(line.pk)]
    assert follower.poll()["gone"] == []


def copied(cursor: Any, line: UUID, identity: int) -> None:
    """A recording as another worker makes it, still uncommitted."""
    cursor.execute(
        """INSERT INTO customers_interaction SELECT (jsonb_populate_record(t, jsonb_build_object('id', %s::text))).*
             FROM customers_interaction t LIMIT 1""",
        (line,),
    )
    cursor.execute(
        "INSERT INTO customers_change (what, identity_id, line_id) VALUES ('recorded', %s, %s)", (identity, line)
    )


def test_nothing_is_skipped_below_a_long_transaction(api: Api) -> None:
    number = known(api)
    follower = Follower(api, number)
    identity = Identity.objects.get(value=number).pk
    slow = UUID(int=1)
    with other_connection() as one, other_connection() as two:
        copied(one.cursor(), slow, identity)
        shown = push_and_drain(api, *(event(identifier("phone", number)) for _ in range(3)))
        follower.poll()
        follower.poll()
        copied(two.cursor(), UUID(int=2), identity)
        one.commit()
        follower.poll()
        shown += push_and_drain(api, event(identifier("phone", number)))
        follower.poll()
        two.rollback()
    follower.poll()
    wanted = [str(slow), *(one["interaction"] for one in shown)]
    assert sorted(follower.changed) == sorted(wanted), "each exactly once, whoever committed first"


def test_a_transaction_that_never_ends_delays_and_loses_nothing(api: Api) -> None:
    number = known(api)
    follower = Follower(api, number)
    with other_connection() as idle:
        idle.execute("SELECT pg_current_xact_id()")
        (shown,) = push_and_drain(api, event(identifier("phone", number)))
        assert follower.poll()["changed"] == []
    follower.poll()
    assert follower.changed == [shown["interaction"]]


def test_a_timeline_and_its_feed_leave_no_gap(api: Api) -> None:
    """What the timeline did not show yet, the feed tells, though it was begun before."""
    number = known(api)
    identity = Identity.objects.get(value=number).pk
    path = f"customers/{api.card('phone', number)['id']}/timeline"
    with other_connection() as slow:
        copied(slow.cursor(), UUID(int=3), identity)
        push_and_drain(api, event(identifier("phone", number)))
        page = api.ok(path)
        slow.commit()
    follower = Follower(api, number)
    follower.token = page["changes"]
    follower.poll()
    assert str(UUID(int=3)) in follower.changed


@pytest.mark.parametrize(
    "token", ["x", "1", ".", "1.", ".1", "-1.0", "1.0.0", "١.١", "1" * 60, f"{2**63}.0", f"0.{2**63}", "1.0\n", ""]
)
def test_tokens_that_nobody_made_are_400(api: Api, token: str) -> None:
    number = known(api)
    answer = api.refused(f"customers/{api.card('phone', number)['id']}/changes", {"since": token})
    assert answer == (400, "invalid_value", "since")


def test_a_token_from_a_future_that_was_restored_away_resets(api: Api) -> None:
    follower = Follower(api, known(api))
    follower.token = f"{2**40}.0"
    assert follower.poll()["reset"] is True
    assert follower.poll()["reset"] is False


def test_an_identical_change_is_no_news(api: Api) -> None:
    number = phone()
    thing = event(identifier("phone", number), text="x")
    push_and_drain(api, thing)
    follower = Follower(api, number)
    push_and_drain(api, {**thing, "occurred_at": thing["occurred_at"].replace("+00:00", "Z")})
    drained()
    assert follower.poll()["changed"] == []
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM customers_change WHERE line_id IS NOT NULL")
        assert cursor.fetchone() == (1,)

"""Feedback, segments and all other rows do not depend on the order of arrival: histories are drawn, not chosen.

Twins get the same contacts in two orders; what is said of them must be the same, also after a merge and its undo, and
after everything was folded from the beginning.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers import merging
from customers.experience import segments
from customers.experience.folding import fold_customers
from customers.experience.following import freshen
from customers.experience.tables import DERIVED, TOUCHES
from customers.models import Customer
from customers.sql import cursor
from tests.support import COMMITTED, Api, event, identifier, phone, push_and_drain

pytestmark = COMMITTED
BEGAN = datetime.now(UTC).replace(microsecond=0) - timedelta(days=300)
OURS = {"direction": "outbound", "agent": {"id": "ona", "name": "Ona", "type": "human"}}
FILTERS: tuple[Any, ...] = (
    *({"field": "stage", "op": "is", "value": one} for one in ("before", "purchase", "after", "again", "left")),
    *({"field": name, "op": "least", "value": 1} for name in ("purchases", "open_promises", "open_requests")),
    *({"field": name, "op": "least", "value": 5} for name in ("nps", "csat", "effort")),
    *({"field": "nps", "op": op} for op in ("set", "unset")),
    *({"field": f"days_since_{what}", "op": "most", "value": 100} for what in ("contact", "purchase")),
    *({"field": "attribute:city", "op": "is", "value": one} for one in ("Kaunas", "Vilnius")),
    {"not": {"all": [{"field": "tag:vip", "op": "set"}, {"field": "days_known", "op": "least", "value": 200}]}},
)
OWN = frozenset({"id", "customer_id", "line_id", "request_id", "promise_id", "answer_line", "last_line", "lines"})
"""Columns that name a twin's own lines."""
OWN_TOO = frozenset({"closed_line", "key", "noted"})


@st.composite
def contact(draw: st.DrawFn) -> dict[str, Any]:
    """One contact: reviews, complaints, what became of them, and what segments ask for."""
    thread = draw(st.sampled_from(["a", "b"]))
    mood = draw(st.sampled_from([-1, 0, 1]))
    state = draw(st.sampled_from(["new", "answered", "solved", "told"]))
    stars = {"metric": "stars", "value": draw(st.integers(1, 5))}
    return draw(
        st.sampled_from(
            [
                {"kind": "review", "channel": "reviews", "thread": thread, "details": {"score": stars}},
                {"kind": "comment", "channel": "reviews", "thread": thread, **OURS},
                {"kind": "comment", "channel": "reviews", "thread": thread, "details": {"emotion": mood}},
                {"details": {"tags": ["complaint"]}, "thread": thread},
                {"details": {"feedback": {"topic": "grind", "state": state, "sentiment": mood}}},
                {"thread": thread, **OURS},
                {"thread": thread, **OURS, "details": {"auto": True}},
                {"kind": "call", "channel": "phone", "state": draw(st.sampled_from(["completed", "missed"]))},
                {"kind": "purchase", "channel": "web", "details": {"order": {"number": draw(st.sampled_from("xyz"))}}},
                {"kind": "survey", "details": {"score": {"metric": "nps", "value": draw(st.integers(0, 10))}}},
                {"kind": "survey", "details": {"score": {"metric": "csat", "value": draw(st.integers(1, 5))}}},
                {"details": {"lost": "moved away"}},
                {"attributes": {"city": draw(st.sampled_from(["Kaunas", "Vilnius"]))}},
                {"attributes": {"tag:vip": draw(st.booleans())}},
            ]
        )
    )


@st.composite
def histories(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Contacts at moments of their own: of lines of one moment the id decides, and twins have other ids."""
    said = draw(st.lists(contact(), min_size=5, max_size=14))
    hours = draw(st.lists(st.integers(1, 7000), min_size=len(said), max_size=len(said), unique=True))
    return [
        {**one, "occurred_at": (BEGAN + timedelta(hours=at)).isoformat()} for one, at in zip(said, hours, strict=True)
    ]


def pushed(api: Api, history: list[dict[str, Any]], order: list[int], size: int) -> int:
    """A twin with this history, that came in this order, `size` at a time; folded in between."""
    who = identifier("phone", phone())
    told: list[Any] = []
    for start in range(0, len(order), size):
        batch = []
        for place in order[start : start + size]:
            said = dict(history[place])
            attributes = said.pop("attributes", None)
            one = event(who, **said)
            batch.append({**one, "customer": {**one["customer"], **({"attributes": attributes} if attributes else {})}})
        told += push_and_drain(api, *batch)
        freshen(number_of(told[0]["customer"]))
    return number_of(told[0]["customer"])


def number_of(public: str) -> int:
    return int(Customer.objects.values_list("pk", flat=True).get(public_id=public))


def rows(customer: int) -> dict[str, list[str]]:
    """All that is said of him, without what names his own lines."""
    freshen(customer)
    found = {}
    with connection.cursor() as sql:
        for table in (*DERIVED, TOUCHES):
            names = ", ".join(f"{name}::text" for name in table.columns if name not in OWN | OWN_TOO)
            sql.execute(f"SELECT {names} FROM {table.table} WHERE customer_id = %s", [customer])
            found[table.name] = sorted(map(str, sql.fetchall()))
        sql.execute(
            "SELECT stage, stage_since, first_contact_at, last_contact_at, last_inbound_at, purchases, nps, csat, ces,"
            " effort, open_promises, open_requests, next_at FROM customers_experience WHERE customer_id = %s",
            [customer],
        )
        found["summary"] = [str(row) for row in sql.fetchall()]
    return found


def means(customer: int) -> list[bool]:
    """Which of FILTERS mean him."""
    found = []
    with cursor() as sql:
        for one in FILTERS:
            ids = segments.members(sql, one, limit=200)[1]
            assert segments.count(sql, one) == len(ids)
            found.append(customer in ids)
    return found


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(histories(), st.data())
def test_twins_are_alike_whatever_came_first(api: Api, history: list[dict[str, Any]], data: st.DataObject) -> None:
    numbers = range(len(history))
    one = pushed(api, history, list(numbers), len(history))
    other = pushed(api, history, data.draw(st.permutations(numbers)), data.draw(st.integers(1, 4)))
    said, belongs = rows(one), means(one)
    assert rows(other) == said
    assert means(other) == belongs

    link = merging.merge(one, other, reason="twins", by="agent").link
    assert link is not None
    both = rows(min(one, other))
    assert both["summary"]
    assert not rows(max(one, other))["summary"]
    merging.undo(link, by="agent", reason="twins after all")
    assert rows(one) == rows(other) == said
    assert means(one) == means(other) == belongs

    fold_customers([one, other], anew=True)
    assert rows(one) == rows(other) == said

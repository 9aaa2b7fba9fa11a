"""Lines spread by identity: the same histories, the same pages, on keys that Citus could take apart."""

import random
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from channels import distributing
from customers.erasure import erase
from customers.models import Customer, Identity, Interaction, InteractionPart, LineHome
from customers.sql import cursor
from customers.timeline import Filters, read
from tests.support import COMMITTED, Api, at, drained, event, everything, identifier, phone, push_and_drain, shop

pytestmark = COMMITTED


@pytest.fixture
def prepared(committed: None, settings: Any) -> Iterator[None]:
    """Keys and ledger as `manage.py distribute` makes them, on one server."""
    call_command("distribute", prepare=True, stdout=StringIO())
    settings.CXHUB_DISTRIBUTED = True
    try:
        yield
    finally:
        settings.CXHUB_DISTRIBUTED = False
        call_command("distribute", back=True, stdout=StringIO())


def columns(table: str) -> list[tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE conrelid = %s::regclass AND contype IN ('p', 'u') ORDER BY 1",
            [table],
        )
        found: list[tuple[str, str]] = cursor.fetchall()
    return found


def pages(customer: int, filters: Filters, order: Any, limit: int) -> list[tuple[Any, ...]]:
    """All pages forwards, and from the last one backwards again."""
    found: list[tuple[Any, ...]] = []
    token: str | None = None
    way = "next"
    while len(found) < 200:
        with cursor("reading") as sql:
            page = read(sql, customer=customer, limit=limit, token=token, filters=filters, order=order)
        assert page is not None
        found.append((bytes(page.results).replace(b"\n", b"").replace(b" ", b""), page.next, page.previous))
        token = getattr(page, way)
        if token is None and way == "next" and page.previous:
            way, token = "previous", page.previous
        if token is None:
            return found
    raise AssertionError("pages without end")


@pytest.mark.parametrize("seed", range(4))
def test_both_reads_give_the_same_pages(committed: None, settings: Any, seed: int) -> None:
    """UNION ALL of one branch an identity, or LATERAL: random histories, filters, orders and sizes."""
    dice = random.Random(seed)
    shop()
    api = everything()
    names = [
        identifier("phone", phone()),
        identifier("email", f"union{seed}@mail.example"),
        identifier("phone", phone()),
    ]
    first = event(*names[: dice.randint(1, 3)], text="first", occurred_at=at(0))
    others = [
        event(
            dice.choice(names),
            channel=dice.choice(["sms", "email", "web"]),
            text=dice.choice(["order AB-12345", "доставка", ""]),
            occurred_at=at(dice.randint(0, 12)),  # many at the same time
        )
        for _ in range(40)
    ]
    push_and_drain(api, first, *others)
    sizes, orders = (1, 3, 7, 50), ("desc", "asc")
    choices = [Filters(), Filters(channel=["sms", "web"]), Filters(q="AB-12345"), Filters(since=None, kind=["call"])]
    compared = 0
    for customer in Customer.objects.filter(merged_into=None):
        for filters in choices:
            limit, order = dice.choice(sizes), dice.choice(orders)
            settings.CXHUB_DISTRIBUTED = False
            one = pages(customer.pk, filters, order, limit)
            settings.CXHUB_DISTRIBUTED = True
            other = pages(customer.pk, filters, order, limit)
            assert one == other
            compared += len(one)
    assert compared > 8


def test_preparing_and_going_back_leave_the_keys_as_they_were(committed: None) -> None:
    tables = ("customers_interaction", "customers_interactionpart")
    before = [columns(table) for table in tables]
    shop()
    push_and_drain(everything(), event(identifier("phone", phone()), text="kept"))
    said = StringIO()
    call_command("distribute", prepare=True, stdout=said)
    assert "CXHUB_DISTRIBUTED=1" in said.getvalue()
    assert columns("customers_interaction") == [("customers_interaction_pkey", "PRIMARY KEY (identity_id, id)")]
    assert list(LineHome.objects.values_list("id", "identity_id")) == list(
        Interaction.objects.values_list("id", "identity_id")
    )
    call_command("distribute", prepare=True, stdout=StringIO())  # Again: nothing is left to do.
    call_command("distribute", back=True, stdout=StringIO())
    assert [columns(table) for table in tables] == before
    assert Interaction.objects.count() == 1
    with pytest.raises(CommandError, match="Nothing was prepared"):
        call_command("distribute", back=True)


def test_without_citus_it_refuses_and_changes_nothing(committed: None) -> None:
    before = columns("customers_interaction")
    with pytest.raises(CommandError, match="Citus is not installed in this database"):
        call_command("distribute")
    assert columns("customers_interaction") == before


def test_a_dry_run_prints_what_would_be_run(committed: None) -> None:
    before = columns("customers_interaction")
    said = StringIO()
    call_command("distribute", dry_run=True, shards=128, stdout=said)
    printed = [line for line in said.getvalue().splitlines() if not line.startswith("--")]
    steps = (*distributing.PREPARE, *distributing.distribute_steps(128))
    assert printed == [f"{step.statement};" for step in steps]
    spread = [line for line in printed if "create_distributed_table" in line]
    assert [("identity_id" in line, "delivery_id" in line) for line in spread] == [
        (True, False),
        (True, False),
        (False, True),
    ]
    assert columns("customers_interaction") == before
    # Each function that it names is there.
    with connection.cursor() as cursor:
        for name in distributing.FUNCTIONS:
            cursor.execute("SELECT %s::regprocedure", [name])


def test_every_key_holds_what_the_rows_are_spread_by(prepared: None) -> None:
    """Citus refuses a unique index without it."""
    spread = {"customers_interaction": "identity_id", "customers_interactionpart": "identity_id"}
    spread["channels_deliverybody"] = "delivery_id"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index"
            " WHERE indisunique AND indrelid = ANY(%s::text[]::regclass[])",
            [list(spread)],
        )
        found = cursor.fetchall()
        assert {table for table, _ in found} == set(spread)
        assert [index for table, index in found if spread[table] not in index] == []
        cursor.execute(
            "SELECT conname FROM pg_constraint WHERE contype = 'f' AND"
            " (conrelid = ANY(%(all)s::text[]::regclass[]) OR confrelid = ANY(%(all)s::text[]::regclass[]))",
            {"all": list(spread)},
        )
        assert cursor.fetchall() == []


def in_step() -> None:
    """The ledger and the lines say the same, and parts lie beside their lines."""
    lines = dict(Interaction.objects.values_list("id", "identity_id"))
    assert dict(LineHome.objects.values_list("id", "identity_id")) == lines
    for line, identity in InteractionPart.objects.values_list("line_id", "identity_id"):
        assert lines[line] == identity


@pytest.fixture
def api(prepared: None) -> Api:
    shop()
    return everything()


def test_lines_come_grow_move_and_go_there(api: Api) -> None:
    number, address = phone(), "grows@mail.example"
    call = event(id="call", channel="phone", kind="call", text="", occurred_at=at(0))
    push_and_drain(api, call)
    in_step()
    anonymous = Interaction.objects.get().identity_id
    named = {**call, "part": "completed", "customer": {"identifiers": [identifier("phone", number)]}}
    push_and_drain(api, named)  # A hidden caller is named: his line moves to the number.
    in_step()
    assert Interaction.objects.get().identity_id != anonymous
    push_and_drain(
        api,
        event(identifier("phone", number), identifier("email", address), id="mail", text="one", occurred_at=at(1)),
        event(identifier("email", address), id="edited", text="before", occurred_at=at(2)),
    )
    push_and_drain(api, event(identifier("email", address), id="edited", revision=2, text="after", occurred_at=at(2)))
    again = push_and_drain(api, event(identifier("email", address), id="mail", text="one", occurred_at=at(1)))
    in_step()
    assert again[0]["status"] in ("duplicate", "conflict", "recorded")
    assert [entry["text"] for entry in api.timeline("phone", number)] == ["after", "one", ""]
    assert Interaction.objects.count() == 3


def test_a_line_is_one_whoever_brings_it_first(api: Api) -> None:
    """The same thing told of two persons at once: the ledger decides, as the key of lines does elsewhere."""
    one, other = phone(), phone()
    for number in (one, other):
        api.push(event(identifier("phone", number), id="same", part=number, text=number, occurred_at=at(1)))
    drained(waiting=True)
    in_step()
    assert Interaction.objects.count() == 1


def test_an_erased_person_leaves_nothing_in_the_ledger(api: Api) -> None:
    number = phone()
    push_and_drain(api, *(event(identifier("phone", number), text=f"{n}", occurred_at=at(n)) for n in range(5)))
    assert LineHome.objects.count() == 5
    customer = Identity.objects.get(kind="phone").customer
    erase(customer.pk, by="test", reason="asked")
    assert (LineHome.objects.count(), Interaction.objects.count()) == (0, 0)

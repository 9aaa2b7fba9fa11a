"""The drain under trouble: poison, lost leases, killed processes, a database that goes away."""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import time_machine
from django.db import connection
from django.db.models import Max

from channels.draining import ATTEMPTS, drain, drain_all, drain_alone, settle
from channels.leasing import BATCH, claim, hurry
from channels.models import Delivery
from customers.models import ContactCount, Customer, Interaction
from tests.support import (
    COMMITTED,
    Api,
    drained,
    due_again,
    event,
    identifier,
    other_connection,
    phone,
    push_and_drain,
    racers,
)

pytestmark = COMMITTED


def states() -> Counter[str]:
    return Counter(Delivery.objects.values_list("state", flat=True))


def execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


@contextmanager
def poisonous(word: str) -> Iterator[None]:
    """The database takes no line of this text."""
    execute(f"ALTER TABLE customers_interaction ADD CONSTRAINT poison CHECK (text <> '{word}')")
    try:
        yield
    finally:
        execute("ALTER TABLE customers_interaction DROP CONSTRAINT poison")


def test_one_poisonous_event_harms_none_of_499_others(api: Api) -> None:
    number = phone()
    api.push(*(event(identifier("phone", number), text="poison" if n == 321 else f"{n}") for n in range(500)))
    with poisonous("poison"):
        assert drain() == 500
        assert states() == {"recorded": 499, "accepted": 1}
        for attempt in range(1, ATTEMPTS + 1):
            due_again()
            assert drain() == 0, "it harms nobody any more"
            assert drain_alone() == 1
            assert Delivery.objects.aggregate(n=Max("attempts"))["n"] == attempt
        assert states() == {"recorded": 499, "quarantined": 1}
    bad = Delivery.objects.get(state="quarantined")
    receipt = api.ok(f"receipts/{bad.pk}")
    assert (receipt["attempts"], receipt["lines"]) == (ATTEMPTS, [])
    assert "IntegrityError" in receipt["reason"]
    due_again()
    assert drain_alone() == 0, "quarantine is the end until somebody replays it"
    assert api.post(f"deliveries/{bad.pk}/replay").status_code == 202
    drained()
    assert states() == {"recorded": 500}
    assert Interaction.objects.count() == 500


def test_pauses_grow_between_attempts(api: Api) -> None:
    (pushed,) = api.push(event(text="poison"))
    pauses = []
    with poisonous("poison"):
        drain()
        for _ in range(ATTEMPTS - 1):
            execute("UPDATE channels_delivery SET due_at = now()")
            drain_alone()
            with connection.cursor() as cursor:
                cursor.execute("SELECT extract(epoch FROM due_at - now()) FROM channels_delivery")
                pauses.append(float(cursor.fetchone()[0]))
    assert [round(pause) for pause in pauses] == [2, 5, 15, 15]
    assert api.ok(f"receipts/{pushed['receipt']}")["status"] == "accepted"


def test_a_lost_lease_writes_nothing(api: Api) -> None:
    number = phone()
    api.push(*(event(identifier("phone", number)) for _ in range(3)))
    claimed, lease = claim(BATCH, alone=False)
    assert len(claimed) == 3
    assert drain() == 0, "leased by somebody else"
    due_again()
    drained()
    assert states() == {"recorded": 3}
    before = list(Interaction.objects.order_by("pk").values())
    settle(claimed, lease)
    assert list(Interaction.objects.order_by("pk").values()) == before
    assert ContactCount.objects.get().count == 3
    assert Customer.objects.count() == 1


def test_a_late_owner_writes_nothing_while_the_new_one_works(api: Api) -> None:
    api.push(event(identifier("phone", phone())))
    old, old_lease = claim(1, alone=False)
    due_again()
    new, new_lease = claim(1, alone=True)
    settle(old, old_lease)
    assert states() == {"accepted": 1}
    assert Interaction.objects.count() == 0
    settle(new, new_lease)
    assert states() == {"recorded": 1}
    assert Interaction.objects.count() == 1


def test_a_killed_process_loses_and_doubles_nothing(api: Api) -> None:
    number = phone()
    push_and_drain(api, event(identifier("phone", number), text="before"))
    api.push(*(event(identifier("phone", number), text=f"{n}") for n in range(60)))
    with racers(1) as ((racer,), kill), other_connection() as lock:
        lock.execute("LOCK TABLE customers_contactcount IN EXCLUSIVE MODE")
        racer.tell("drain", seconds=30)
        blocked = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        deadline = time.monotonic() + 20
        while lock.execute(blocked).fetchone() == (0,):
            assert time.monotonic() < deadline, "it never came that far"
            time.sleep(0.05)
        kill()
    assert Delivery.objects.filter(state="accepted", lease__isnull=False).count() == 60
    due_again()
    drained()
    assert states() == {"recorded": 61}
    assert Interaction.objects.count() == 61
    assert ContactCount.objects.get().count == 61
    assert len(api.timeline("phone", number, limit=200)) == 61


def test_what_kills_its_process_each_time_is_quarantined(api: Api) -> None:
    api.push(event(), event())
    for _ in range(ATTEMPTS + 1):  # claimed, and never heard of again
        claim(BATCH, alone=False)
        claim(1, alone=True)
        claim(1, alone=True)
        due_again()
    drain_all(seconds=5)
    assert states() == {"quarantined": 2}
    for delivery in Delivery.objects.all():
        assert "died" in delivery.reason


def test_trouble_with_the_database_is_nobodys_attempt(api: Api) -> None:
    api.push(event(identifier("phone", phone())), event(identifier("phone", phone())))
    with other_connection() as lock:
        lock.execute("LOCK TABLE customers_interaction IN ACCESS EXCLUSIVE MODE")
        for _ in range(ATTEMPTS + 2):
            execute("SET statement_timeout = '150ms'")
            drain_all(seconds=1)
            due_again()
        assert states() == {"accepted": 2}
    drained()
    assert states() == {"recorded": 2}
    assert not Delivery.objects.filter(attempts__gt=1).exists()


def test_what_exceeds_a_limit_of_the_database_is_at_fault_itself(api: Api) -> None:
    """PostgreSQL tells a row too large for an index as it tells that its disk is full: as an operational error."""
    api.push(*(event(text="x" * (200_000 if n == 3 else 5)) for n in range(7)))
    execute(
        """CREATE FUNCTION too_much() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
           IF length(NEW.text) > 100000 THEN RAISE EXCEPTION 'too long' USING ERRCODE = '54000'; END IF;
           RETURN NEW; END $$"""
    )
    execute("CREATE TRIGGER too_much BEFORE INSERT ON customers_interaction FOR EACH ROW EXECUTE FUNCTION too_much()")
    try:
        drain_all(seconds=5)
        assert states() == {"recorded": 6, "accepted": 1}
        for _ in range(ATTEMPTS):
            due_again()
            drain_all(seconds=5)
        assert states() == {"recorded": 6, "quarantined": 1}
    finally:
        execute("DROP FUNCTION too_much CASCADE")


def test_a_lost_connection_is_nobodys_attempt(api: Api) -> None:
    api.push(*(event(identifier("phone", phone())) for _ in range(3)))
    with other_connection() as other:
        connection.ensure_connection()
        pid = connection.connection.info.backend_pid
        other.execute("SELECT pg_terminate_backend(%s)", (pid,))
        other.commit()
        drain_all(seconds=5)
    due_again()
    drained()
    assert states() == {"recorded": 3}


def test_a_deadlock_is_tried_again(api: Api) -> None:
    """Somebody else locks two customers the other way round; PostgreSQL shoots one of both."""
    one, other = phone(), phone()
    push_and_drain(api, event(identifier("phone", one)), event(identifier("phone", other)))
    api.push(event(identifier("phone", one), identifier("phone", other)))
    with other_connection() as stranger:
        stranger.execute("SET deadlock_timeout = '10s'")
        stranger.execute("SELECT id FROM customers_customer ORDER BY id DESC LIMIT 1 FOR UPDATE")
        with racers(1) as ((racer,), _):
            racer.tell("drain", seconds=20)
            time.sleep(0.7)
            try:
                stranger.execute("SELECT id FROM customers_customer ORDER BY id LIMIT 1 FOR UPDATE")
                stranger.commit()
            except psycopg.errors.DeadlockDetected:
                stranger.rollback()
            racer.answer()
    drained()
    assert states() == {"recorded": 3}


def test_a_batch_is_bounded(api: Api) -> None:
    api.push(*(event() for _ in range(BATCH + 1)))
    assert drain() == BATCH
    assert drain() == 1
    big: list[Any] = [event(text="x" * 250_000) for _ in range(18)]
    for start in range(0, 80, 16):
        api.push(*({**one, "id": f"{one['id']}-{start}"} for one in big[:16]))
    first = drain()
    assert 60 <= first <= 68, "16 MB at a time"
    drained()


def test_nothing_is_taken_before_it_is_due(api: Api) -> None:
    api.push(event())
    execute("UPDATE channels_delivery SET due_at = now() + interval '1 hour'")
    assert drain() == 0
    assert drain_alone() == 0


def test_the_order_of_events_is_the_senders(api: Api) -> None:
    """Two revisions of one thing in one batch, in two batches, the other way round: the higher stands."""
    number = phone()
    thing = event(identifier("phone", number), text="new", revision=2)
    api.push({**thing, "text": "old", "revision": 1})
    claimed, lease = claim(BATCH, alone=False)
    api.push(thing)
    drain()
    settle(claimed, lease)
    assert [entry["text"] for entry in api.timeline("phone", number)] == ["new"]


def test_a_clock_that_is_set_back_keeps_nothing_waiting(api: Api) -> None:
    """What was accepted, put off and leased before it: by the new time all of that is an hour ahead."""
    api.push(*(event(identifier("phone", phone())) for _ in range(3)))
    claim(1, alone=False)
    execute("UPDATE channels_delivery SET due_at = due_at + interval '1 h', lease_until = lease_until + interval '1 h'")
    assert drain() + drain_alone() == 0
    hurry()
    drained()
    assert states() == {"recorded": 3}


def test_the_clock_of_a_door_does_not_say_when_it_is_due(api: Api) -> None:
    with time_machine.travel(datetime.now(UTC) + timedelta(days=3), tick=True):
        api.push(event(identifier("phone", phone())))
    drained()
    assert states() == {"recorded": 1}

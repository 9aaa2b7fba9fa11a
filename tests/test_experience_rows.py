"""The rows of the experience are what the lines say: after whatever happened, in whatever order, by whatever way."""

import random
from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread

import pytest
from django.core.management import call_command
from django.db import connection, connections, transaction

from customers import erasure, merging, reassigning
from customers.experience import engine
from customers.experience.folding import Batch, fold_customers
from customers.experience.following import FEW, follow, freshen, in_batches
from customers.experience.framing import frame
from customers.experience.tables import DERIVED, TOUCHES
from customers.linking import Retry
from customers.models import Customer, Experience, Following, Interaction, Promise, Score, Touch
from customers.sql import cursor
from tests.experience_histories import END, PEOPLE, Life, differing, dump, moment, said, settle
from tests.long_history import long_history
from tests.support import COMMITTED, LONG, Api, event, everything, identifier, other_connection, push_and_drain, shop

pytestmark = COMMITTED


@pytest.fixture
def api() -> Api:
    shop()
    return everything()


@pytest.mark.parametrize("seed", range(8 if LONG else 3))
def test_following_and_rebuilding_say_the_same(api: Api, seed: int) -> None:
    life = Life(api, seed)
    did = [life.step() for _ in range(45)]
    settle()
    followed = dump()
    call_command("rebuild_experience", quiet=True)
    assert not differing(followed, dump()), did
    assert any(followed.values()), "an empty history proves nothing"


@pytest.mark.parametrize("seed", range(3 if LONG else 1))
def test_the_order_of_arrival_does_not_matter(api: Api, seed: int) -> None:
    rng = random.Random(seed)
    found = []
    events = []
    for _ in range(60):
        at = moment(rng)
        events.append(event(identifier("device", PEOPLE[0]), **{"occurred_at": at.isoformat(), **said(rng, at)}))
    for _ in range(2):
        for start in range(0, len(events), 7):
            push_and_drain(api, *events[start : start + 7])
            if rng.random() < 0.5:
                follow()
        settle()
        found.append(dump(owners=False))
        emptied()
        rng.shuffle(events)
    assert found[0] == found[1]
    assert found[0]["customers_request"]


def emptied() -> None:
    """As if nothing had ever come in; keys and sources stay."""
    keep = {"customers_apikey", "channels_source"}
    with connection.cursor() as sql:
        sql.execute("SELECT tablename FROM pg_tables WHERE tablename ~ '^(customers|channels)_'")
        tables = [row[0] for row in sql.fetchall() if row[0] not in keep]
        sql.execute(f"TRUNCATE {', '.join(tables)} CASCADE")


@pytest.mark.parametrize("seed", range(2 if LONG else 1))
def test_merge_and_undo_leave_no_trace(api: Api, seed: int) -> None:
    life = Life(api, seed)
    for _ in range(14):
        life.come()
    settle()
    before = dump()
    one, other, *_ = life.customers()
    link = merging.merge(one, other, reason="same", by="agent").link
    assert link is not None
    settle()
    assert dump() != before
    assert not Score.objects.filter(customer_id=max(one, other)).exists()
    merging.undo(link, by="agent", reason="not the same")
    settle()
    assert dump() == before


def test_a_promise_goes_where_its_line_goes(api: Api) -> None:
    at = END - timedelta(days=3)
    promise = {"what": "ring", "due_at": (END + timedelta(days=900)).isoformat()}
    first = event(identifier("device", PEOPLE[0]), occurred_at=at.isoformat(), details={"promise": promise})
    (told, other) = push_and_drain(api, first, event(identifier("device", PEOPLE[1]), occurred_at=at.isoformat()))
    settle()
    ids = {str(one.public_id): one.id for one in Customer.objects.all()}
    made = Promise.objects.get()
    assert made.customer_id == ids[told["customer"]]
    reassigning.assign(made.line_id, ids[other["customer"]], by="agent", reason="his")
    freshen(ids[other["customer"]])
    assert Promise.objects.get().customer_id == ids[other["customer"]]
    freshen(ids[told["customer"]])
    moved = Promise.objects.get()
    assert (moved.id, moved.customer_id) == (made.id, ids[other["customer"]])


class TestLong:
    def test_what_is_added_goes_on_from_a_checkpoint(self, api: Api) -> None:
        number, _ = long_history(api, 700)
        settle_long()
        first = Experience.objects.get()
        assert first.checkpoint is not None
        assert first.checkpoint["lines"] == 600
        for n in range(4):
            push_and_drain(api, event(identifier("phone", number), occurred_at=(END + timedelta(hours=n)).isoformat()))
            follow()
        went_on = Experience.objects.get()
        assert went_on.lines == first.lines + 4
        assert went_on.checkpoint == first.checkpoint, "it moves in steps"
        followed = dump()
        call_command("rebuild_experience", quiet=True)
        assert dump() == followed

    @pytest.mark.parametrize("what", ["late", "taken back", "moved"])
    def test_what_changes_before_the_checkpoint_is_seen(self, api: Api, what: str) -> None:
        number, _ = long_history(api, 700)
        settle_long()
        oldest = Interaction.objects.order_by("sorted_at").first()
        assert oldest is not None
        if what == "late":
            early = (oldest.sorted_at - timedelta(days=1)).isoformat()
            push_and_drain(api, event(identifier("phone", number), occurred_at=early, channel="viber"))
        elif what == "moved":
            push_and_drain(api, event(identifier("device", PEOPLE[0])))
            to = Customer.objects.order_by("-id").first()
            assert to is not None
            reassigning.assign(oldest.id, to.id, by="agent", reason="his")
        else:
            taken_back = event(identifier("phone", number), occurred_at=oldest.sorted_at.isoformat())
            push_and_drain(api, taken_back)
            follow()
            push_and_drain(api, {**taken_back, "deleted": True, "revision": 1})
        settle()
        followed = dump()
        call_command("rebuild_experience", quiet=True)
        assert dump() == followed

    def test_lives_over_a_long_history(self, api: Api) -> None:
        long_history(api, 500)
        settle_long()
        life = Life(api, 99)
        for _ in range(25):
            life.step()
        settle()
        followed = dump()
        call_command("rebuild_experience", quiet=True)
        assert dump() == followed


def settle_long() -> None:
    """The copies of a long history have no changes: whoever was followed already is folded once by hand."""
    settle()
    fold_customers([one.id for one in Customer.objects.all()], anew=True)


class TestSideBySide:
    def test_two_folders_do_not_stand_in_each_others_way(self, api: Api) -> None:
        life = Life(api, 5)
        for _ in range(10):
            life.come()
        ids = life.customers()
        troubles: list[BaseException] = []
        barrier = Barrier(3)

        def work(seed: int) -> None:
            rng = random.Random(seed)
            try:
                barrier.wait()
                for _ in range(15):
                    fold_customers(rng.sample(ids, 3), anew=rng.random() < 0.5)
            except BaseException as error:
                troubles.append(error)
            finally:
                connections.close_all()

        threads = [Thread(target=work, args=(seed,)) for seed in range(2)]
        for one in threads:
            one.start()
        barrier.wait()
        for turn in range(6):
            link = merging.merge(ids[0], ids[1], reason="race", by="agent").link
            assert link is not None
            merging.undo(link, by="agent", reason=f"race {turn}")
        for one in threads:
            one.join()
        assert not troubles
        settle()
        followed = dump()
        call_command("rebuild_experience", quiet=True)
        assert dump() == followed

    @pytest.mark.parametrize("ground", ["merge", "assign", "erase"])
    def test_a_fold_over_ground_that_moved_is_not_written(self, api: Api, ground: str) -> None:
        """It read before, and would write after, the fold of whoever has the lines now."""
        at = (END - timedelta(days=5)).isoformat()
        events = [event(identifier("device", one), occurred_at=at) for one in PEOPLE[:2]]
        push_and_drain(api, *events)
        one, other = sorted(Customer.objects.values_list("id", flat=True))
        line = Interaction.objects.filter(identity__customer_id=other).get()
        with pytest.raises(Retry), transaction.atomic(), cursor() as sql:  # noqa: PT012 - the moment is the point
            batch = Batch(sql, [other], frame(), anew=True)
            thread = Thread(target=lambda: move(ground, one, other, line))
            thread.start()
            thread.join()
            batch.fold(0)
        settle()
        assert Touch.objects.filter(customer_id=other).exists() == (ground == "erase")
        followed = dump()
        call_command("rebuild_experience", quiet=True)
        assert dump() == followed


def move(ground: str, one: int, other: int, line: Interaction) -> None:
    try:
        if ground == "merge":
            merging.merge(one, other, reason="race", by="agent")
        elif ground == "assign":
            reassigning.assign(line.id, one, by="agent", reason="race")
        else:
            with connection.cursor() as sql:
                # Erasure waits for the fold; whoever erased without a summary to wait for is seen by the feed.
                sql.execute(
                    "INSERT INTO customers_change (what, identity_id) VALUES ('erased', %s)", [line.identity_id]
                )
    finally:
        connections.close_all()


def test_who_was_erased_has_no_rows(api: Api) -> None:
    life = Life(api, 7)
    for _ in range(8):
        life.come()
    one, other, *rest = life.customers()
    merging.merge(one, other, reason="same", by="agent")
    erasure.erase(min(one, other), by="agent")
    settle()
    with connection.cursor() as sql:
        for table in (*DERIVED, TOUCHES):
            sql.execute(f"SELECT DISTINCT customer_id FROM {table.table}")
            assert {row[0] for row in sql.fetchall()} <= set(rest), table.table
    gone = Experience.objects.exclude(customer_id__in=rest)
    assert all(one.lines == 0 and not one.checkpoint and not one.first_touch for one in gone)


def test_a_restored_database_is_folded_anew(api: Api) -> None:
    """Its transactions are counted from lower numbers than those that were followed."""
    push_and_drain(api, event(identifier("device", PEOPLE[0])))
    settle()
    Experience.objects.update(as_of=2**50, lines=77)
    Following.objects.filter(name="changes").update(txid=2**50)
    push_and_drain(api, event(identifier("device", PEOPLE[0])))
    settle()
    assert Experience.objects.get().lines == 2


def test_a_long_transaction_hides_nothing(api: Api) -> None:
    with other_connection() as other:
        other.execute("SELECT pg_current_xact_id()")
        push_and_drain(api, event(identifier("device", PEOPLE[0])))
        follow()
        customer = Customer.objects.get().id
        freshen(customer)
        assert Experience.objects.get().lines == 1
        push_and_drain(api, event(identifier("device", PEOPLE[0])))
        freshen(customer)
        assert Experience.objects.get().lines == 2
    settle()
    assert Experience.objects.get().lines == 2


def test_a_short_round_goes_on_where_the_one_before_stopped(api: Api) -> None:
    """While events wait the follower takes few at a time; nobody is left out in the end."""
    push_and_drain(api, *(event(identifier("device", f"one-of-many-{n}")) for n in range(3 * FEW)))
    follow(60)
    push_and_drain(api, *(event(identifier("device", f"one-of-many-{n}")) for n in range(3 * FEW)))
    rounds = [follow(0) for _ in range(4)]
    assert rounds[:3] == [FEW] * 3
    assert set(Experience.objects.values_list("lines", flat=True)) == {2}


class TestWhileEventsWait:
    def test_a_long_history_is_left_and_folded_when_the_queue_is_empty(self, api: Api) -> None:
        number, _ = long_history(api, engine.LONG + 100)
        settle_long()
        long = Experience.objects.get()
        push_and_drain(api, event(identifier("phone", number)), event(identifier("device", PEOPLE[0])))
        for _ in range(3):
            follow(60, others_wait=lambda: True)
        short = Experience.objects.exclude(pk=long.pk).get()
        assert short.lines == 1, "short ones are folded meanwhile"
        assert Experience.objects.get(pk=long.pk).lines == long.lines
        follow(60)
        assert Experience.objects.get(pk=long.pk).lines == long.lines + 1
        assert not Following.objects.filter(name__startswith="left").exists()
        followed = dump()
        call_command("rebuild_experience", quiet=True)
        assert dump() == followed

    def test_whoever_is_read_meanwhile_is_not_folded_again(self, api: Api) -> None:
        number, _ = long_history(api, engine.LONG + 100)
        settle_long()
        push_and_drain(api, event(identifier("phone", number)))
        follow(60, others_wait=lambda: True)
        assert Following.objects.filter(name__startswith="left").exists()
        long = Experience.objects.get()
        freshen(long.pk)
        read = Experience.objects.get()
        assert read.lines == long.lines + 1
        follow(60)
        assert Experience.objects.get().as_of == read.as_of
        assert not Following.objects.filter(name__startswith="left").exists()

    def test_promises_ring_in_time(self, api: Api) -> None:
        """Of a long history too: what the clock says cannot wait."""
        number, _ = long_history(api, engine.LONG + 100)
        due = datetime.now(UTC) - timedelta(hours=1)
        promise = {"kind": "other", "what": "ring", "due_at": due.isoformat()}
        early = (due - timedelta(days=1)).isoformat()
        push_and_drain(api, event(identifier("phone", number), occurred_at=early, details={"promise": promise}))
        settle_long()
        fold_customers([Experience.objects.get().pk], due - timedelta(minutes=1), anew=True)
        assert Promise.objects.get().state == Promise.OPEN
        assert follow(60, others_wait=lambda: True) == 1
        assert Promise.objects.get().state == Promise.BROKEN

    def test_the_round_ends_soon_after_events_came(self, api: Api) -> None:
        """The first batch is folded whatever comes; then whoever waits is let before."""
        events = [event(identifier("device", f"one-of-many-{n}")) for n in range(3 * FEW)]
        push_and_drain(api, *events)
        settle()
        push_and_drain(api, *({**one, "id": f"{one['id']}-again"} for one in events))
        asked = iter([False])
        assert follow(0, others_wait=lambda: next(asked, True)) == FEW

    def test_batches_are_of_so_many_lines(self) -> None:
        assert list(in_batches([(1, 600), (2, 400), (3, 1), (4, 5000), (5, 0)], 100)) == [[1, 2], [3], [4], [5]]
        assert list(in_batches([(n, 1) for n in range(5)], 2)) == [[0, 1], [2, 3], [4]]

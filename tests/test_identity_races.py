"""Eight processes link, merge, undo and record at the same instant: no person is split, no line is lost."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

import orjson
import pytest
from django.db.models import Q

from channels.accepting import Pushed, accept_pushes
from channels.models import Delivery, Source
from customers import sharing
from customers.models import Candidate, Customer, Identity, Interaction, KeepApart, Link
from customers.sql import cursor
from customers.verifying import verify
from tests import identity_work as work
from tests.identity_work import said, tell
from tests.invariants import violations
from tests.support import COMMITTED, LONG, database_url, drained, due_again, event, identifier, shop
from tests.workers import WORKERS, Workers, workers

pytestmark = [*COMMITTED, pytest.mark.slow]
GROUPS = 400 if LONG else 100
FEW = 80 if LONG else 20


@pytest.fixture(scope="module")
def pool(django_db_setup: None, django_db_blocker: Any) -> Iterator[Workers]:
    with (
        django_db_blocker.unblock(),
        workers({**os.environ, "DATABASE_URL": database_url(), "CXHUB_RULES": "1"}) as pool,
    ):
        yield pool


@pytest.fixture(autouse=True)
def rules(settings: Any, committed: None) -> None:
    settings.CXHUB_RULES = True


def sound() -> None:
    with cursor() as sql:
        assert violations(sql) == []


def owners(prefix: str) -> dict[str, int]:
    return dict(Identity.objects.filter(value__startswith=prefix).values_list("value", "customer_id"))


def born(names: Sequence[str]) -> None:
    """Each of them somebody of his own."""
    tell(*(said(f"birth/{name}", name) for name in names))


def whole(groups: int, size: int) -> None:
    """One customer a group, none empty, all lines there."""
    homes: dict[str, set[int]] = {}
    for name, customer in owners("g").items():
        homes.setdefault(name.split("-")[0], set()).add(customer)
    assert len(homes) == groups
    assert Counter(len(one) for one in homes.values()) == {1: groups}, "nobody is split"
    assert Identity.objects.count() == groups * size
    sound()


KNOWN = pytest.mark.parametrize("known", [True, False], ids=["joins", "births"])


def chains(groups: int, *, known: bool) -> list[list[tuple[str, str]]]:
    """Worker i is to link the i-th of a group with the next: the naive way splits every group."""
    names = [[f"g{group}-{n}" for n in range(WORKERS + 1)] for group in range(groups)]
    if known:
        born([name for group in names for name in group])
    return [[(group[n], group[n + 1]) for n in range(WORKERS)] for group in names]


@KNOWN
def test_chains_link_by_link(pool: Workers, known: bool) -> None:
    pool.each(work.link_one_by_one, chains(FEW // 3, known=known))
    whole(FEW // 3, WORKERS + 1)
    assert Interaction.objects.count() == FEW // 3 * (WORKERS + (WORKERS + 1 if known else 0))


@KNOWN
def test_chains_in_batches(pool: Workers, known: bool) -> None:
    pool.each(work.link_in_batches, chains(GROUPS, known=known))
    whole(GROUPS, WORKERS + 1)
    assert Interaction.objects.count() == GROUPS * (WORKERS + (WORKERS + 1 if known else 0))


def test_stars(pool: Workers) -> None:
    names = [[f"g{group}-{n}" for n in range(WORKERS + 1)] for group in range(FEW)]
    born([name for group in names[: FEW // 2] for name in group])
    pool.each(work.link_one_by_one, [[(group[0], one) for one in group[1:]] for group in names])
    whole(FEW, WORKERS + 1)


def test_births(pool: Workers) -> None:
    """The same new id in eight events at once is one identity, one customer."""
    pool.each(work.link_one_by_one, [[(f"g{group}-0",)] * WORKERS for group in range(FEW)])
    whole(FEW, 1)
    assert Customer.objects.count() == FEW
    assert Interaction.objects.count() == FEW * WORKERS


def test_rings_of_three(pool: Workers) -> None:
    names = [[f"g{group}-{n}" for n in range(3)] for group in range(FEW)]
    born([name for group in names for name in group])
    pool.each(work.link_one_by_one, [[(a, b), (b, c), (c, a)] for a, b, c in names])
    whole(FEW, 3)


def test_a_join_among_two_hundred_events(pool: Workers) -> None:
    born(["g0-a", "g0-b"])
    pool.together(
        partial(work.merge, "g0-a", "g0-b"),
        *(partial(work.come_in, number, ("g0-a", "g0-b"), 29) for number in range(7)),
    )
    whole(1, 2)
    assert Interaction.objects.count() == 7 * 29 + 2


def test_undo_against_join_against_event(pool: Workers) -> None:
    born(["g0-a", "g0-b", "g0-c"])
    jobs = [partial(work.merge_and_undo, number, "g0-a", "g0-b", 12) for number in range(4)]
    jobs += [partial(work.link_again_and_again, number, "g0-b", "g0-c", 20) for number in range(2)]
    jobs += [partial(work.come_in, number, ("g0-a", "g0-b"), 20) for number in range(2)]
    pool.together(*jobs)
    sound()
    assert Interaction.objects.count() == 3 + 4 * 20
    assert owners("g0-b")["g0-b"] == owners("g0-c")["g0-c"], "what nobody undid holds"


def test_merges_in_both_directions(pool: Workers) -> None:
    pairs = [(f"g{n}-a", f"g{n}-b") for n in range(20)]
    born([name for pair in pairs for name in pair])
    for one, other in pairs:
        links = pool.together(*(partial(work.merge, *way) for way in ((one, other), (other, one))))
        assert sorted(link is None for link in links) == [False, True], "the second finds them one"
    whole(20, 2)


def test_splits_against_events(pool: Workers) -> None:
    names = [f"g0-{n}" for n in range(6)]
    tell(*(said(f"star/{name}", names[0], name) for name in names[1:]))
    jobs = [partial(work.split, name) for name in names[:4]]
    jobs += [partial(work.link_again_and_again, n, names[n], names[n + 1], 20) for n in range(2)]
    jobs += [partial(work.come_in, n, names, 20) for n in range(2)]
    pool.together(*jobs)
    sound()
    assert Interaction.objects.count() == 5 + 4 * 20


OUT_OF_TIME = """
SELECT t.id FROM customers_interaction t JOIN customers_identity i ON i.id = t.identity_id
 WHERE t.occurred_at < i.valid_from OR t.occurred_at >= i.valid_to
"""


@pytest.mark.parametrize("seed", range(3 if LONG else 1))
def test_releases_against_events(pool: Workers, seed: int) -> None:
    """Whoever had the number when a contact was made has the contact, whichever of the two came first."""
    names = [f"g{seed}-{n}" for n in range(3)]
    born(names)
    jobs = [partial(work.release_again_and_again, seed * 8 + n, names[n % 2], 8) for n in range(3)]
    jobs += [partial(work.come_at_all_times, seed * 8 + n, names, 40) for n in range(5)]
    pool.together(*jobs)
    sound()
    assert verify().total == 0
    assert Interaction.objects.count() == 3 + 5 * 40
    assert Identity.objects.filter(generation__gt=0).exists()
    with cursor() as sql:
        sql.execute(OUT_OF_TIME)
        assert sql.fetchall() == []


@pytest.mark.parametrize("seed", range(3 if LONG else 1))
def test_sharing_against_events(pool: Workers, seed: int) -> None:
    """A handle is shared or it links: what was linked by it before is asked about, what comes later links nobody."""
    names = [f"{seed + 1}00{n}" for n in range(4)]
    tell(*(said(f"birth/{name}", name) for name in names))
    numbers = [partial(work.share_again_and_again, n, names[0], 11) for n in range(2)]
    jobs = numbers + [partial(work.come_at_all_times, seed * 8 + n, names, 30) for n in range(6)]
    pool.together(*jobs)
    sound()
    assert verify().total == 0
    assert Interaction.objects.count() == 4 + 6 * 30
    shared = Identity.objects.get(value=names[0])
    sharing.share(shared.pk)
    links = Link.objects.filter(undone_at=None).filter(Q(a=shared) | Q(b=shared)).count()
    assert Candidate.objects.filter(value=names[0], reason="shared").exclude(identity=shared).count() == links
    tell(said("later", names[0], "nobody"))
    assert Link.objects.filter(undone_at=None).filter(Q(a=shared) | Q(b=shared)).count() == links


def standing(n: int) -> Any:
    """All that a test's n-th case left, without what differs between cases."""
    with cursor() as sql:
        sql.execute(
            """SELECT i.value, f.value, (SELECT count(*) FROM customers_interaction t WHERE t.identity_id = i.id),
                      (SELECT count(*) FROM customers_customer m WHERE m.founder_id = i.id)
                 FROM customers_identity i JOIN customers_customer c ON c.id = i.customer_id
                 JOIN customers_identity f ON f.id = c.founder_id WHERE i.value LIKE %(case)s ORDER BY 1""",
            {"case": f"%-{n}"},
        )
        identities = [(row[0].split("-")[0], row[1].split("-")[0], *row[2:]) for row in sql.fetchall()]
        sql.execute(
            """SELECT split_part(a.value, '-', 1), split_part(b.value, '-', 1), l.undone_at IS NULL, l.cause
                 FROM customers_link l JOIN customers_identity a ON a.id = l.a_id
                 JOIN customers_identity b ON b.id = l.b_id
                WHERE a.value LIKE %(case)s ORDER BY l.id""",
            {"case": f"%-{n}"},
        )
        return identities, sql.fetchall()


CASES = 40


def test_killed_at_every_statement_of_a_join(pool: Workers) -> None:
    """An event that joins two known customers and brings a new handle, killed anywhere and told again."""
    for n in range(CASES):
        tell(said(f"one/{n}", f"a-{n}"), said(f"two/{n}", f"b-{n}"), said(f"three/{n}", f"c-{n}", f"b-{n}"))
    jobs = [partial(work.tell, said(f"join/{n}", f"a-{n}", f"b-{n}", f"d-{n}")) for n in range(CASES)]
    (killed,) = pool.together(partial(work.kill_everywhere, jobs))
    assert 10 < killed < CASES, "each statement, and at least one case that was left alone"
    assert {repr(standing(n)) for n in range(CASES)} == {repr(standing(CASES - 1))}
    assert len(set(owners("a-").values())) == CASES
    assert Interaction.objects.count() == 4 * CASES
    sound()


def test_killed_at_every_statement_of_a_join_through_the_drain(pool: Workers) -> None:
    """The same from where the event is stored: it is worked off once, by whoever comes next."""
    shop()
    for n in range(CASES):
        push(("a", n), key=f"one/{n}")
        push(("b", n), key=f"two/{n}")
        push(("c", n), ("b", n), key=f"three/{n}")
    drained()
    (killed,) = pool.together(partial(work.kill_every_drain, CASES))
    assert 15 < killed < CASES
    for _ in range(2):
        due_again()
        drained()
    assert {repr(standing(n)) for n in range(CASES)} == {repr(standing(CASES - 1))}
    assert len(set(owners("a-").values()) | set(owners("d-").values())) == CASES
    assert Interaction.objects.count() == 4 * CASES
    assert set(Delivery.objects.values_list("state", flat=True)) == {"recorded"}
    sound()


def push(*names: tuple[str, int], key: str) -> None:
    handles = [identifier("device", f"{name}-{n}") for name, n in names]
    body = orjson.dumps(event(*handles, id=key))
    accept_pushes([Pushed(Source.objects.get().pk, key, "main", 0, body)], key_id=1, received_at=datetime.now(UTC))


def test_killed_at_every_statement_of_a_split(pool: Workers) -> None:
    for n in range(CASES):
        tell(said(f"one/{n}", f"a-{n}", f"b-{n}", f"c-{n}"), said(f"two/{n}", f"b-{n}", f"c-{n}"))
    (killed,) = pool.together(
        partial(work.kill_everywhere, [partial(work.split, f"b-{n}") for n in range(CASES)]),
    )
    assert 5 < killed < CASES
    assert {repr(standing(n)) for n in range(CASES)} == {repr(standing(CASES - 1))}
    assert len(set(owners("b-").values()) | set(owners("a-").values())) == 2 * CASES
    assert KeepApart.objects.count() == 2 * CASES
    sound()


def test_killed_at_every_statement_of_a_merge_and_of_its_undo(pool: Workers) -> None:
    for n in range(CASES):
        tell(said(f"one/{n}", f"a-{n}"), said(f"two/{n}", f"b-{n}", f"c-{n}"))
    (merged,) = pool.together(
        partial(work.kill_everywhere, [partial(work.merge, f"a-{n}", f"b-{n}") for n in range(CASES)])
    )
    assert 5 < merged < CASES
    assert {repr(standing(n)) for n in range(CASES)} == {repr(standing(CASES - 1))}
    with cursor() as sql:
        sql.execute("SELECT id FROM customers_link WHERE cause = 'agent' ORDER BY id")
        links = [row[0] for row in sql.fetchall()]
    assert len(links) == CASES, "merged once, however often it was tried"
    (undone,) = pool.together(partial(work.kill_everywhere, [partial(work.undo, link) for link in links]))
    assert 5 < undone < CASES
    assert {repr(standing(n)) for n in range(CASES)} == {repr(standing(CASES - 1))}
    assert len(set(owners("a-").values()) | set(owners("b-").values())) == 2 * CASES
    sound()

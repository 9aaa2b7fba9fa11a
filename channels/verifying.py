"""Whether every acknowledged event is in exactly one timeline, once: the ledger of receipts against the lines."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from uuid import UUID

from customers.sql import Cursor, cursor
from customers.suppression import AMONG, digest, line_key

TOLD = 50
BATCH = 2000

NEXT = "SELECT id FROM channels_delivery WHERE id > %s ORDER BY id LIMIT %s"
# A recorded delivery names its lines; each stands once, on an identity whose customer stands for himself.
FATES = """
SELECT d.id::text, d.state, d.external_id, l.line, t.id IS NOT NULL, c.id IS NOT NULL AND c.merged_into_id IS NULL
  FROM channels_delivery d
  LEFT JOIN LATERAL (SELECT (e->>'interaction')::uuid AS line FROM jsonb_array_elements(d.lines) AS e) l ON true
  LEFT JOIN customers_interaction t ON t.id = l.line
  LEFT JOIN customers_identity i ON i.id = t.identity_id
  LEFT JOIN customers_customer c ON c.id = i.customer_id
 WHERE d.id = ANY(%s) ORDER BY d.id
"""
DONE = ("recorded", "duplicate", "conflict")
OPEN = ("accepted", "waiting")


@dataclass(slots=True)
class Difference:
    """How many receipts were looked at, and what is wrong with the first of those that something is wrong with."""

    receipts: int = 0
    states: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    told: list[str] = field(default_factory=list)

    def tell(self, what: str, words: str) -> None:
        self.wrong[what] += 1
        if len(self.told) < TOLD:
            self.told.append(f"{what}: {words}")

    @property
    def total(self) -> int:
        return self.wrong.total()


def compare(receipts: Iterable[UUID] | None = None) -> Difference:
    """Look at these receipts, or at all that were ever given: missing, still open, without their line, or astray."""
    found = Difference()
    with cursor() as sql:
        for some in every(sql) if receipts is None else chunks(list(receipts)):
            look(sql, some, found)
    return found


def every(sql: Cursor) -> Iterator[list[UUID]]:
    """All receipts, however many there are."""
    after = UUID(int=0)
    while True:
        sql.execute(NEXT, (after, BATCH))
        if not (some := [row[0] for row in sql.fetchall()]):
            return
        yield some
        after = some[-1]


def chunks(ids: list[UUID]) -> Iterator[list[UUID]]:
    yield from (ids[start : start + BATCH] for start in range(0, len(ids), BATCH))


def look(sql: Cursor, receipts: list[UUID], found: Difference) -> None:
    found.receipts += len(receipts)
    sql.execute(FATES, (receipts,))
    seen: set[str] = set()
    lost: dict[bytes, str] = {}
    for receipt, state, external, line, stands, owned in sql.fetchall():
        if receipt not in seen:
            found.states[state] += 1
        seen.add(receipt)
        if state in OPEN:
            found.tell("open", f"{receipt} is {state}")
        elif state in DONE and line is not None and not stands:
            lost[digest(line_key(line))] = f"{receipt}: line {line} of {external[:60]!r} does not exist"
        elif state in DONE and not owned:
            found.tell("astray", f"{receipt}: nobody has line {line}" if line else f"{receipt} has no line")
    for receipt in sorted({str(one) for one in receipts} - seen):
        found.tell("missing", f"{receipt} was given out and is not known")
    if lost:  # What was erased is rightly gone.
        sql.execute(AMONG, (list(lost),))
        for known, _ in sql.fetchall():
            del lost[bytes(known)]
        for words in lost.values():
            found.tell("lost", words)

"""What agents say of matters: solved, open again, one with another, two of one; each a fact on a line of the matter.

Nothing is written to the matters themselves: the fold reads the facts, so that each can be taken back by a later one
(reopen after solve, split after merge, merge after split), and follows its line wherever that goes.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID, uuid4

from customers.experience.engine import row_id
from customers.experience.facts import NoSuchLine, say
from customers.experience.following import freshen
from customers.experience.matterlists import one
from customers.incoming import Agent
from customers.sql import Cursor

OWNER = """
SELECT i.customer_id FROM customers_request r JOIN customers_interaction t ON t.id = r.line_id
  JOIN customers_identity i ON i.id = t.identity_id WHERE r.id = %s
"""
IN_ORDER = "SELECT id FROM customers_interaction WHERE id = ANY(%s) ORDER BY sorted_at, rank, id"


class NoSuchMatter(LookupError):
    """There is no matter of this id (any more)."""


class Refused(Exception):
    """It makes no sense, e.g. to merge the matters of two customers."""


def fresh(sql: Cursor, id_: UUID) -> tuple[dict[str, Any], int]:
    """The matter as it is now, and whose it is; raises NoSuchMatter."""
    sql.execute(OWNER, (id_,))
    row = sql.fetchone()
    if row is None:
        raise NoSuchMatter
    freshen(row[0])
    found = one(sql, id_)
    if found is None:
        raise NoSuchMatter
    return found, row[0]


def settle(sql: Cursor, id_: UUID, do: Literal["solve", "reopen"], *, agent: Agent, why: str = "") -> int:
    """Say that it is solved, or that the customer waits again; whose it is. Raises NoSuchMatter, Refused."""
    matter, customer = fresh(sql, id_)
    closed = matter["state"] in ("solved", "abandoned")
    if do == "reopen" and not closed:
        raise Refused("This matter is open.")
    if do == "solve" and matter["state"] == "solved":
        raise Refused("This matter is solved already.")
    if do == "solve" and closed:  # Abandoned: it has to be open again before it can be solved.
        rule(sql, matter["interaction"], "reopen", agent=agent, why=why)
    rule(sql, matter["interaction"], do, agent=agent, why=why)
    freshen(customer)
    return customer


def merge(sql: Cursor, id_: UUID, other: UUID, *, agent: Agent, why: str = "") -> tuple[UUID, int]:
    """Say that two matters are one; the older stands: (its id, whose). Raises NoSuchMatter, Refused."""
    both = [fresh(sql, one_) for one_ in (id_, other)]
    if id_ == other:
        raise Refused("A matter cannot be merged with itself.")
    if both[0][1] != both[1][1]:
        raise Refused("These are matters of two customers.")
    matters = {matter["interaction"]: matter for matter, _ in both}
    older, younger = ordered(sql, matters)
    rule(sql, older, "merge", other=younger, agent=agent, why=why)
    freshen(both[0][1])
    return matters[older]["id"], both[0][1]


def split(sql: Cursor, id_: UUID, lines: Iterable[UUID], *, agent: Agent, why: str = "") -> tuple[UUID, int]:
    """Say that some contacts are a matter of their own: (the first of them, whose). Raises NoSuchMatter, Refused."""
    matter, customer = fresh(sql, id_)
    wanted = set(lines)
    known = ordered(sql, matter["interactions"])
    if not wanted or not wanted <= set(known):
        raise Refused("Name contacts of this matter; of a long one, of its latest hundred.")
    if matter["interaction"] in wanted:
        raise Refused("The contact that opened a matter stays in it; name the others.")
    first = next(one_ for one_ in known if one_ in wanted)
    # The split is said last: without it the joins change nothing, should we break off.
    for line in known[known.index(first) + 1 :]:
        rule(sql, line, "join", other=first if line in wanted else matter["interaction"], agent=agent, why=why)
    rule(sql, first, "split", agent=agent, why=why)
    freshen(customer)
    return first, customer


def rule(sql: Cursor, line: UUID, do: str, *, agent: Agent, why: str, other: UUID | None = None) -> None:
    """One fact on one line; raises NoSuchMatter if the line is gone."""
    id_ = str(uuid4())
    said = {"id": id_, "do": do, "at": datetime.now(UTC).isoformat(), "by": agent.name or agent.id}
    said |= {"with": str(other)} if other else {}
    said |= {"why": why} if why else {}
    try:
        say(sql, line, f"request:{id_}", {"requests": [said]}, agent=agent)
    except NoSuchLine as error:
        raise NoSuchMatter from error


def id_of(line: UUID) -> UUID:
    """The matter that a line opened."""
    return row_id(str(line), "request")


def ordered(sql: Cursor, lines: Iterable[UUID]) -> Sequence[UUID]:
    """As on the timeline, the oldest first."""
    sql.execute(IN_ORDER, (list(lines),))
    return [row[0] for row in sql.fetchall()]

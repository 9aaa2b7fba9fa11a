"""Rules of retention: of contacts that are older than their days the contents go, or the whole line.

Notes and whatever people added here never go by a rule, nor anything of a customer who is held. Of several rules that
fit a line the one that takes more counts. What goes is told to the change feed, counted off, refused when it comes
again, and whatever was derived from it is folded anew.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from customers import attachments, lines, suppression
from customers.erasure import erased
from customers.folding import Part, Version
from customers.lines import Line
from customers.models import Following, Interaction, RetentionRule
from customers.recording import attempt
from customers.sql import Cursor, as_json, cursor
from customers.tallies import Tally

PLACE: Final = "retention"
AT_ONCE = 500
"""Identities that are looked at together, and lines that go in one transaction."""
STAYS: Final = frozenset({"call", "outcome", "time_quality"})
"""Details that tell what happened, and nothing of what was said."""
SCORE: Final = frozenset({"metric", "value", "min", "max", "at"})

# The latest rule in this order wins: whole lines before contents.
FOUND = """
WITH rules AS (
    SELECT * FROM json_to_recordset(%(rules)s::json) AS x(id bigint, source text, channel text, kind text,
                                                          before timestamptz, line boolean)
), whose AS (
    SELECT i.id FROM customers_identity i
     WHERE i.id > %(after)s AND i.id <= %(upto)s AND i.kind NOT IN ('card', 'erased')
       AND NOT EXISTS (SELECT 1 FROM customers_hold h JOIN customers_identity o ON o.id = h.identity_id
                        WHERE o.customer_id = i.customer_id AND h.lifted_at IS NULL)
)
SELECT DISTINCT ON (t.id) t.id, r.id, r.line FROM whose w
  JOIN customers_interaction t ON t.identity_id = w.id
   AND t.sorted_at < (SELECT max(before) FROM rules) AND t.kind <> 'note' AND t.source <> 'cxhub'
  JOIN rules r ON t.sorted_at < r.before AND (r.source = '' OR r.source = t.source)
   AND (r.channel = '' OR r.channel = t.channel) AND (r.kind = '' OR r.kind = t.kind)
   AND (r.line OR t.text <> '' OR coalesce(t.subject, '') <> '' OR t.attachments <> '[]' OR t.edits <> '[]'
        OR (t.details - ARRAY['call', 'outcome', 'time_quality', 'score']) <> '{}'
        OR CASE WHEN jsonb_typeof(t.details->'score') <> 'object' THEN true
                ELSE (t.details->'score') - ARRAY['metric', 'value', 'min', 'max', 'at'] <> '{}' END)
 ORDER BY t.id, r.line DESC, r.id
"""
NEXT = """
SELECT max(id) FROM (SELECT id FROM customers_identity WHERE id > %s ORDER BY id LIMIT %s) x
"""
FREE = """
SELECT t.id FROM customers_interaction t JOIN customers_identity i ON i.id = t.identity_id
 WHERE t.id = ANY(%s) AND NOT EXISTS (SELECT 1 FROM customers_hold h JOIN customers_identity o ON o.id = h.identity_id
                                       WHERE o.customer_id = i.customer_id AND h.lifted_at IS NULL)
"""
ASSIGNED = "DELETE FROM customers_assignment WHERE line_id = ANY(%s)"


@dataclass(slots=True)
class Done:
    """`lines`: {rule: how many}; `after`: how far among the identities; `ended`: whether that was all."""

    lines: dict[int, int] = field(default_factory=dict)
    after: int = 0
    ended: bool = False


def rules() -> list[RetentionRule]:
    return list(RetentionRule.objects.filter(enabled=True).order_by("id"))


def nightly(seconds: float = 200.0, today: date | None = None) -> Done:
    """Go on where the last turn of this night stopped, for about so long; once a day each customer is looked at."""
    day = (today or datetime.now(UTC).date()).toordinal()
    place, _ = Following.objects.get_or_create(name=f"{PLACE} {day}")
    if place.txid < 0:
        return Done(ended=True)
    Following.objects.filter(name__startswith=f"{PLACE} ").exclude(pk=place.pk).delete()

    def note(done: Done) -> None:
        Following.objects.filter(pk=place.pk).update(txid=-1 if done.ended else done.after)

    return apply(rules(), after=int(place.txid), seconds=seconds, told=note)


def apply(
    wanted: Sequence[RetentionRule],
    *,
    dry: bool = False,
    after: int = 0,
    seconds: float | None = None,
    told: Callable[[Done], None] = lambda _: None,
) -> Done:
    """What these rules mean goes, batch by batch, or (`dry`) is only counted; `told` hears of each batch."""
    done, end = Done(after=after), time.monotonic() + seconds if seconds is not None else None
    asked = as_json([asked_of(rule) for rule in wanted])
    while not done.ended and (end is None or time.monotonic() < end):
        if not wanted or (upto := following(done.after)) is None:
            done.ended = True
        else:
            for rule, whole, ids in found(asked, done.after, upto):
                gone = len(ids) if dry else attempt(lambda ids=ids, whole=whole: take(ids, whole))  # type: ignore[misc]
                done.lines[rule] = done.lines.get(rule, 0) + gone
            done.after = upto
        told(done)
    return done


def asked_of(rule: RetentionRule) -> dict[str, Any]:
    return {
        "id": rule.pk,
        "source": rule.source,
        "channel": rule.channel,
        "kind": rule.kind,
        "before": datetime.now(UTC) - timedelta(days=rule.days),
        "line": rule.goes == RetentionRule.LINE,
    }


def following(after: int) -> int | None:
    with cursor() as sql:
        sql.execute(NEXT, (after, AT_ONCE))
        (upto,) = sql.fetchone() or (None,)
    return upto


def found(asked: str, after: int, upto: int) -> Iterator[tuple[int, bool, list[UUID]]]:
    """(rule, whether whole lines go, lines): at most AT_ONCE together."""
    with cursor() as sql:
        sql.execute(FOUND, {"rules": asked, "after": after, "upto": upto})
        rows = sql.fetchall()
    by_rule: dict[tuple[int, bool], list[UUID]] = {}
    for id_, rule, whole in rows:
        by_rule.setdefault((rule, whole), []).append(id_)
    for (rule, whole), ids in sorted(by_rule.items()):
        for start in range(0, len(ids), AT_ONCE):
            yield rule, whole, ids[start : start + AT_ONCE]


def take(ids: Sequence[UUID], whole: bool) -> int:
    """One batch in one transaction; lines that went meanwhile, or are held since, are left out."""
    with transaction.atomic(), cursor() as sql:
        sql.execute(FREE, (list(ids),))
        held = lines.hold(sql, [row[0] for row in sql.fetchall()])
        tally = Tally()
        gone = [line.id for line in held]
        forget_bytes(sql, held, gone)
        if whole:
            for line in held:
                tally.went(line)
            lines.delete(sql, held)
            sql.execute(ASSIGNED, (gone,))
            suppression.suppress(sql, map(suppression.line_key, gone), datetime.now(UTC))
        else:
            emptied = [without_contents(line) for line in held]
            for line in emptied:
                tally.note("changed", line)
            lines.update(sql, emptied)
        tally.write(sql, [])
    return len(held)


def forget_bytes(sql: Cursor, held: Sequence[Line], ids: Sequence[UUID]) -> None:
    """Files, and what was delivered: the contents lie there, too."""
    attachments.forget(ids)
    origins = {
        UUID(str(version.origin))
        for line in held
        for part in line.parts.values()
        for version in part.versions
        if version.origin
    }
    erased.send(sender=Interaction, sql=sql, lines=[], deliveries=sorted(origins), values=[])


def without_contents(line: Line) -> Line:
    """The same line with the same versions, so that the same event again is a duplicate, and nothing in it is said."""
    return replace(line, parts={name: emptied(part) for name, part in line.parts.items()})


def emptied(part: Part) -> Part:
    return Part(part.name, tuple(silent(version) for version in part.versions))


def silent(version: Version) -> Version:
    data = {**version.data, "subject": "", "text": "", "attachments": [], "details": kept(version.data["details"])}
    return Version(version.revision, version.digest, version.origin, data)


def kept(details: dict[str, Any]) -> dict[str, Any]:
    found = {name: value for name, value in details.items() if name in STAYS}
    score = details.get("score")
    if isinstance(score, dict):
        found["score"] = {name: value for name, value in score.items() if name in SCORE}
    return found

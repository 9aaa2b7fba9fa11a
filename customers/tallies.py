"""What the writer counts and tells while it writes lines: contacts, claims, changes, wanted files."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from customers import attachments, attributes, consents, names, references, replaying, sharing, threads
from customers.identification import Key, Suggestion
from customers.lines import Line
from customers.models import Candidate, Change
from customers.sql import Cursor, Rows

if TYPE_CHECKING:
    from customers.recording import Placed

COUNTS = Rows("customers_contactcount", identity_id="bigint", channel="text", month="date", count="int")
CHANGES = Rows("customers_change", what="text", identity_id="bigint", line_id="uuid")
CLAIMS = Rows(
    "customers_attributeclaim",
    identity_id="bigint",
    key="text",
    source="text",
    value="jsonb",
    folded="text",
    trust="smallint",
    claimed_at="timestamptz",
)
CANDIDATES = Rows(
    "customers_candidate",
    identity_id="bigint",
    kind="text",
    scope="text",
    value="text",
    reason="text",
    trust="smallint",
    source="text",
    interaction_id="uuid",
    seen_at="timestamptz",
    times="int",
    state="text",
    decided_by="text",
    decision="text",
)
ADD_COUNT = (
    "ON CONFLICT (identity_id, channel, month) DO UPDATE SET count = customers_contactcount.count + excluded.count"
)
LATER_CLAIM = """ON CONFLICT (identity_id, key, source) DO UPDATE SET value = excluded.value, folded = excluded.folded,
    trust = excluded.trust, claimed_at = excluded.claimed_at
    WHERE excluded.claimed_at > customers_attributeclaim.claimed_at"""
CLAIMED_ANEW = LATER_CLAIM.replace(" > ", " >= ")
"""A replay also replaces what its delivery said of the same moment."""
AGAIN = """ON CONFLICT (identity_id, kind, scope, value) DO UPDATE SET
    times = customers_candidate.times + excluded.times,
    state = CASE customers_candidate.state WHEN 'stale' THEN 'open' ELSE customers_candidate.state END,
    again = customers_candidate.again + CASE customers_candidate.state WHEN 'rejected' THEN excluded.times ELSE 0 END,
    reason = CASE excluded.reason WHEN 'rejected' THEN customers_candidate.reason ELSE excluded.reason END,
    trust = greatest(excluded.trust, customers_candidate.trust), interaction_id = excluded.interaction_id,
    seen_at = greatest(excluded.seen_at, customers_candidate.seen_at)"""


class Tally:
    """Gathers while lines are written, and writes each table once, in sorted order."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[int, str, str]] = Counter()
        self.words: list[threads.Word] = []
        self.taken_back: list[threads.Key] = []
        self.changes: list[dict[str, Any]] = []
        self.lines: list[Line] = []
        self.files: list[dict[str, Any]] = []
        self.moved: list[Line] = []
        self.corrections: list[replaying.Correction] = []

    def count(self, line: Line, by: int) -> None:
        data = line.columns
        self.counts[line.identity_id, data["channel"], data["sorted_at"][:7] + "-01"] += by

    def note(self, what: str, line: Line) -> None:
        self.changes.append({"what": what, "identity_id": line.identity_id, "line_id": line.id})

    def there(self, line: Line) -> None:
        if word := threads.word_of(line):
            self.words.append(word)
        self.files += files_of(line)

    def came(self, line: Line) -> None:
        self.count(line, 1)
        self.note(Change.RECORDED, line)
        self.there(line)

    def changed(self, old: Line, new: Line) -> None:
        self.lines.append(new)
        self.count(old, -1)
        self.count(new, 1)
        if old.identity_id != new.identity_id:
            self.note(Change.GONE, old)
            self.note(Change.RECORDED, new)
            self.moved.append(new)
        elif old.columns != new.columns:
            self.note(Change.CHANGED, new)
        self.there(new)
        self.take_back(old, new)

    def went(self, line: Line) -> None:
        self.count(line, -1)
        self.note(Change.GONE, line)
        self.take_back(line, None)

    def take_back(self, old: Line, new: Line | None) -> None:
        if key := threads.taken_back(old, new):
            self.taken_back.append(key)

    def touched(self) -> list[Line]:
        """The lines that stand already and must be written again."""
        return self.lines

    def write(self, sql: Cursor, placed: Sequence["Placed"]) -> None:
        counts = [
            {"identity_id": identity, "channel": channel, "month": month, "count": by}
            for (identity, channel, month), by in sorted(self.counts.items())
            if by
        ]
        COUNTS.insert(sql, counts, ADD_COUNT)
        threads.write(sql, self.words, self.taken_back)
        replaying.correct(sql, self.corrections)
        CLAIMS.insert(sql, claims([one for one in placed if not one.case.event.replay]), LATER_CLAIM)
        CLAIMS.insert(sql, claims([one for one in placed if one.case.event.replay]), CLAIMED_ANEW)
        CANDIDATES.insert(sql, candidates(placed), AGAIN)
        sharing.detect(sql, placed)
        references.write(sql, [one.case.event for one in placed])
        attachments.want(sql, self.files)
        consents.write(sql, placed)
        consents.move(sql, self.moved)
        attachments.move(sql, {line.id: line.identity_id for line in self.moved})
        CHANGES.insert(sql, self.changes)


def files_of(line: Line) -> list[dict[str, Any]]:
    """The files that a line's parts bring, with the delivery that has the bytes or tells where they are."""
    whose = {"line_id": line.id, "identity_id": line.identity_id, "source_id": line.source_id, "source": line.source}
    return [
        {**file, **whose, "delivery": part.stands.origin}
        for part in line.parts.values()
        for file in part.stands.data["attachments"]
    ]


def claims(placed: Sequence["Placed"]) -> list[dict[str, Any]]:
    """What the events say of whoever the handle belongs to, the latest per key and source."""
    rows: dict[tuple[int, str, str], dict[str, Any]] = {}
    for one in placed:
        event = one.case.event
        said = {**event.attributes, **({"name": event.name} if event.name else {})}
        for key, value in said.items() if one.real else ():
            if value is None:
                continue
            row = {
                "identity_id": one.identity_id,
                "key": key,
                "source": event.source,
                "value": attributes.normal(key, value),
                "folded": names.fold(str(value)) if key == "name" else "",
                "trust": int(one.case.evidence[0].trust),
                "claimed_at": one.version.data["occurred_at"],
            }
            kept = rows.setdefault((one.identity_id, key, event.source), row)
            if row["claimed_at"] > kept["claimed_at"]:
                rows[one.identity_id, key, event.source] = row
    return [rows[key] for key in sorted(rows)]


def asked_about(one: "Placed", suggestion: Suggestion) -> tuple[int, Key]:
    """The identity and the handle that may be one person's; whoever came with a shared handle is one question."""
    evidence, known, reason = suggestion
    if reason != "shared":
        return one.identity_id, evidence.key
    return (known.id, evidence.key) if known and known.shared else (one.identity_id, one.case.evidence[0].key)


def candidates(placed: Sequence["Placed"]) -> list[dict[str, Any]]:
    """What was not linked, for a person to decide on: one row per identity and handle."""
    rows: dict[tuple[int, Key], dict[str, Any]] = {}
    for one in sorted(placed, key=lambda one: str(one.version.data["occurred_at"])):
        for suggestion in one.suggested:
            evidence, _, reason = suggestion
            key = asked_about(one, suggestion)
            identity, handle = key
            rows[key] = {
                "identity_id": identity,
                **handle._asdict(),
                "reason": reason,
                "trust": int(evidence.trust),
                "source": one.case.event.source,
                "interaction_id": one.case.event.line,
                "seen_at": one.version.data["occurred_at"],
                "times": rows[key]["times"] + 1 if key in rows else 1,
                "state": Candidate.OPEN,
                "decided_by": "",
                "decision": "",
            }
    return [rows[key] for key in sorted(rows)]

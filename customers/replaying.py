"""What a replay no longer says: links that rest on it are put up for review, its claims are taken back."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from customers.identification import Key
from customers.lines import Line
from customers.models import Candidate
from customers.sql import Cursor, Rows, as_json

ROWS = Rows(
    "", line="uuid", identity_id="bigint", source="text", at="timestamptz", sorted_at="timestamptz", named="jsonb"
)
# The carrier is one end of every link that its line made. What other contacts said of the two since is not known,
# so that a person decides; nothing is undone silently.
DOUBT = f"""
INSERT INTO customers_candidate (identity_id, kind, scope, value, reason, trust, source, interaction_id, seen_at,
                                 times, state, decided_by, decision)
SELECT DISTINCT ON (i.id, o.kind, o.scope, o.value) i.id, o.kind, o.scope, o.value, '{Candidate.REVIEW}replayed',
       l.trust, x.source, x.line, l.created_at, 1, 'open', '', ''
  FROM {ROWS.source}
  JOIN customers_link l ON x.identity_id IN (l.a_id, l.b_id) AND l.undone_at IS NULL AND l.cause = 'event'
                       AND l.evidence->>'line' = x.line::text
  JOIN customers_identity i ON i.id = x.identity_id
  JOIN customers_identity o ON o.id = l.a_id + l.b_id - i.id
 WHERE NOT x.named @> jsonb_build_array(jsonb_build_array(i.kind, i.scope, i.value),
                                        jsonb_build_array(o.kind, o.scope, o.value))
 ORDER BY i.id, o.kind, o.scope, o.value, l.id
    ON CONFLICT (identity_id, kind, scope, value) DO UPDATE SET reason = excluded.reason, state = 'open'
 WHERE customers_candidate.state IN ('open', 'stale')
"""
# A claim is of the moment at which the contact was made; what another contact said then stays.
TAKE_BACK = f"""
DELETE FROM customers_attributeclaim a USING {ROWS.source}
 WHERE (a.identity_id, a.source, a.claimed_at) = (x.identity_id, x.source, x.at)
   AND NOT EXISTS (SELECT 1 FROM customers_interaction t WHERE t.identity_id = x.identity_id AND t.source = x.source
                      AND t.sorted_at = x.sorted_at AND t.id <> x.line)
"""


@dataclass(frozen=True, slots=True)
class Correction:
    """A line whose only delivery was replayed: as it stood, and the handles that the replay names."""

    stood: Line
    named: Collection[Key] = ()


def correct(sql: Cursor, corrections: Sequence[Correction]) -> None:
    """Before the replay's own claims are written."""
    if not corrections:
        return
    rows = list(rows_of(corrections))
    sql.execute(DOUBT.encode(), (as_json(rows),))
    sql.execute(TAKE_BACK.encode(), (as_json(rows),))


def rows_of(corrections: Iterable[Correction]) -> Iterable[dict[str, object]]:
    for one in corrections:
        versions = [version.data for part in one.stood.parts.values() for version in part.versions]
        said = {(data["occurred_at"], data["sorted_at"]) for data in versions}
        named = [list(key) for key in sorted(one.named)]
        for at, sorted_at in sorted(said):
            yield {
                "line": one.stood.id,
                "identity_id": one.stood.identity_id,
                "source": one.stood.source,
                "at": at,
                "sorted_at": sorted_at,
                "named": named,
            }

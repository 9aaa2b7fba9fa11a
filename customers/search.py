"""Finding: a customer by a handle or a half-remembered name, a line by the words that were said."""

import re
from collections.abc import Iterable
from typing import Any, Final

import psycopg

from customers import handles, masking, names, phones
from customers.identification import regions
from customers.sql import Cursor, as_json
from customers.stretches import nearest
from customers.timeline import ENTRY, Filters, Page, Position, end_of_page

# A handle that was released is no longer its old owner's; of a mailbox any spelling of its provider's finds it.
BY_HANDLE = """
SELECT DISTINCT ON (f.customer_id) f.customer_id, f.place FROM (
    SELECT i.customer_id, x.place
      FROM json_to_recordset(%(rows)s::json) AS x(place int, kind text, scope text, value text)
      JOIN customers_identity i ON i.value = x.value AND i.kind = x.kind AND (x.scope IS NULL OR i.scope = x.scope)
     WHERE i.valid_to IS NULL
     UNION ALL
    SELECT i.customer_id, x.place FROM json_to_recordset(%(mailboxes)s::json) AS x(place int, value text)
      JOIN customers_identity i ON i.match_key = x.value AND i.match_key <> '' AND i.kind = 'email'
     WHERE i.valid_to IS NULL
) f ORDER BY f.customer_id, f.place
"""


def handles_of(kind: str, value: str, scope: str | None) -> list[tuple[str, str | None, str]]:
    """(kind, scope or None for any, value) of every identity that a person may mean by this."""
    if kind == "phone":
        return [("phone", "", number) for number in phones.candidates(value, regions())]
    try:
        found = handles.normal(kind, value, scope or "", default_scope="")[:1]
    except handles.Refused:
        return []
    anywhere = kind not in handles.GLOBAL_KINDS and scope is None
    return [
        (one.kind, None if anywhere else one.scope, value)
        for one in found
        for value in dict.fromkeys((one.value, one.match_key or one.value))
    ]


def by_handles(sql: Cursor, wanted: Iterable[tuple[str, str, str | None]]) -> list[int]:
    """Customers that own one of these (kind, value, scope), in the order asked for."""
    rows = [
        {"place": place, "kind": kind, "scope": scope, "value": value}
        for place, one in enumerate(wanted)
        for kind, scope, value in handles_of(one[0], one[1], one[2])
    ]
    if not rows:
        return []
    mailboxes = [row for row in rows if row["kind"] == "email"]
    sql.execute(BY_HANDLE, {"rows": as_json(rows), "mailboxes": as_json(mailboxes)})
    return [row[0] for row in sorted(sql.fetchall(), key=lambda row: row[1])]


MOST = 1_000
"""Names and handles that are weighed against each other: half a common name fits a twentieth of all customers."""
# The subquery's `near` are names that hold the words themselves, or those that are only alike. For these the threshold
# is set for this statement alone, before the index is asked: behind a pooler the next may be another session's.
BY_NAME = """
SELECT i.customer_id, max(word_similarity(%(fold)s, n.folded)) AS score
  FROM ({}) n JOIN customers_identity i ON i.id = n.identity_id
 GROUP BY i.customer_id ORDER BY score DESC LIMIT %(limit)s
"""
HOLDING = BY_NAME.format(f"""
    SELECT a.identity_id, a.folded FROM customers_attributeclaim a
     WHERE a.key = 'name' AND a.folded LIKE %(like)s LIMIT {MOST}""")
BEGINNING = BY_NAME.format(f"""
    SELECT a.identity_id, a.folded FROM customers_attributeclaim a
     WHERE a.key = 'name' AND (a.folded LIKE %(fold)s || '%%' OR a.folded LIKE '%% ' || %(fold)s || '%%')
     LIMIT {MOST}""")
"""Two letters are looked for where a word begins: no index knows them elsewhere."""
ALIKE = BY_NAME.format(f"""
    SELECT a.identity_id, a.folded FROM customers_attributeclaim a
     WHERE a.key = 'name' AND %(fold)s <%% a.folded
       AND (SELECT set_config('pg_trgm.word_similarity_threshold', '0.5', true)) IS NOT NULL LIMIT {MOST}""")
MILLISECONDS: Final = 2_000
"""For each of these statements: how many names share letters with a word is known only after looking."""
ALIKE_LETTERS: Final = 40
"""As many letters of what was typed are compared with names: a pasted text has none that is like it."""
BY_PART = f"""
SELECT i.customer_id, max(length(%(part)s)::float / greatest(length(i.value), 1)) AS score FROM (
    SELECT customer_id, value FROM customers_identity
     WHERE kind NOT IN ('anonymous', 'card') AND value LIKE %(like)s LIMIT {MOST}) i
 GROUP BY i.customer_id ORDER BY score DESC LIMIT %(limit)s
"""


class Best(list[int]):
    """Customers, the best first."""

    cut = False
    """Whether so many are alike that not all of them are among these, or were looked at."""


def by_words(sql: Cursor, words: str, limit: int) -> Best:
    """Customers by a name (typos, ё/е, the other alphabet) or by part of a number or address, best first.

    Nobody for a reader of masked identifiers: those know whole values only.
    """
    if masking.READER.get():
        return Best()
    scores: dict[int, float] = {}
    best = Best()
    fold = names.fold(words[:300])
    if len(fold) >= 2:
        # Planned anew each time: how many fit hangs on the words. Who types a name that many have is not asked whether
        # he mistyped it: looking for what is only alike costs many times as much.
        for way, sought in ((HOLDING if len(fold) > 2 else BEGINNING, fold), (ALIKE, fold[:ALIKE_LETTERS])):
            if len(scores) < limit:
                found = in_time(sql, way, {"fold": sought, "like": like(fold), "limit": limit + 1})
                best.cut |= found is None
                scores = dict(found or ()) | scores
    for part in parts_of(words):
        found = in_time(sql, BY_PART, {"part": part, "like": like(part), "limit": limit + 1})
        best.cut |= found is None
        for customer, score in found or ():
            scores[customer] = max(scores.get(customer, 0), 0.5 + score)
    best += sorted(scores, key=lambda customer: (-scores[customer], customer))[:limit]
    best.cut |= len(scores) > limit
    return best


def in_time(sql: Cursor, statement: str, params: dict[str, Any]) -> list[tuple[int, float]] | None:
    """Its rows; None where it took too long. As one message of two statements, so that a pooler does not part them."""
    asked = psycopg.ClientCursor(sql.connection).mogrify(statement.encode(), params)
    try:
        sql.execute(f"SET LOCAL statement_timeout = {MILLISECONDS}; {asked}".encode())
    except psycopg.errors.QueryCanceled:
        return None
    sql.nextset()
    return sql.fetchall()


def like(part: str) -> str:
    """A pattern for what holds it anywhere."""
    return "%" + re.sub(r"([\\%_])", r"\\\1", part) + "%"


def parts_of(words: str) -> list[str]:
    """What may stand inside a number or address: digits without separators and trunk prefix, else the words."""
    words = words.strip().casefold()[:200]
    digits = re.sub(r"[\s()+.\-]", "", words)
    if digits.isdigit() and len(digits) >= 3:
        bare = digits[1:] if len(digits) >= 10 and digits[0] in "80" else digits
        return [bare]
    return [words] if len(words) >= 3 and " " not in words else []


PAGE = f"""
WITH page AS MATERIALIZED (
    SELECT t.*, i.kind AS identity_kind, i.value AS identity_value, i.customer_id
      FROM customers_interaction t JOIN customers_identity i ON i.id = t.identity_id WHERE t.id = ANY(%(found)s)
)
SELECT (SELECT coalesce(json_agg(jsonb_set({ENTRY}::jsonb, '{{customer}}', to_jsonb(c.public_id))
               ORDER BY t.sorted_at DESC, t.rank DESC, t.id DESC), '[]')
          FROM page t JOIN customers_identity i ON i.id = t.identity_id
          JOIN customers_customer c ON c.id = t.customer_id),
       first.sorted_at, first.rank, first.id, last.sorted_at, last.rank, last.id,
       ARRAY(SELECT DISTINCT customer_id FROM page)
  FROM (SELECT 1) one
  LEFT JOIN LATERAL ({end_of_page("DESC")}) first ON true
  LEFT JOIN LATERAL ({end_of_page("ASC")}) last ON true
"""


def lines(sql: Cursor, filters: Filters, *, limit: int, token: str | None) -> tuple[Page, list[int]]:
    """Lines of everybody that hold the words, newest first, each with its `customer`; and whom they show.

    Raises BadToken, and WholeOnly for a reader of masked identifiers: parts of addresses are words, too.
    """
    if filters.q and masking.READER.get():
        raise masking.WholeOnly
    at = Position.of(token, "desc") if token else None
    found = nearest(sql, filters, at, limit + 1)
    sql.execute(PAGE.encode(), {"found": found[:limit]})
    row = sql.fetchone()
    assert row is not None
    page = Page.of(row[0], row[1:4], row[4:7], len(found), limit, at, "desc")
    return page, row[7]

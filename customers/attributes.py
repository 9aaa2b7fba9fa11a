"""What is said of a customer: normal values, and the claims that agents make by hand.

A claim has a source, a trust and a time, and hangs on an identity. Of several the best trust wins, then the latest,
then the oldest row; an agent's claim is verified. A winner of null hides the attribute. Tags are claims too, with
keys `tag:…` and the values true and null.
"""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, Final

from customers import names
from customers.changes import card_changed
from customers.models.identity import Trust
from customers.sql import Cursor, as_json

TAG: Final = "tag:"
BIRTHDAY: Final = "birthday"
# What forms put where nobody said anything.
DUMMY_BIRTHDAYS: Final = frozenset({"1900-01-01", "1970-01-01", "0001-01-01"})
_DOTTED = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")

CLAIM = """
INSERT INTO customers_attributeclaim (identity_id, key, source, value, folded, trust, claimed_at)
VALUES (%(identity)s, %(key)s, 'cxhub', %(value)s::jsonb, %(folded)s, %(trust)s, clock_timestamp())
    ON CONFLICT (identity_id, key, source) DO UPDATE SET value = excluded.value, folded = excluded.folded,
       trust = excluded.trust, claimed_at = excluded.claimed_at
"""
CLAIMS = """
SELECT a.key, a.value, a.source, a.trust, a.claimed_at, i.id::text, i.kind
  FROM customers_attributeclaim a JOIN customers_identity i ON i.id = a.identity_id
 WHERE i.customer_id = %s ORDER BY a.key, a.trust DESC, a.claimed_at DESC, a.id
"""


def birthday(value: object) -> str:
    """ISO 8601, out of that or of day.month.year; "" for what is no birthday, or one that nobody has."""
    if not isinstance(value, str):
        return ""
    text = value.strip()
    if dotted := _DOTTED.fullmatch(text):
        text = f"{dotted[3]}-{int(dotted[2]):02}-{int(dotted[1]):02}"
    try:
        found = date.fromisoformat(text[:10]) if len(text) == 10 or text[10:11] in ("T", " ") else None
    except ValueError:
        return ""
    if found is None or found > datetime.now(UTC).date() or found.isoformat() in DUMMY_BIRTHDAYS:
        return ""
    return found.isoformat()


def normal(key: str, value: Any) -> Any:
    """The value as it is kept: birthdays in ISO 8601 where they are any, the rest as it was said."""
    return birthday(value) or value if key == BIRTHDAY else value


def claim(sql: Cursor, identity: int, said: Mapping[str, Any]) -> None:
    """An agent's claims, in the order of their keys; what he said before of the same is replaced."""
    for key, value in sorted(said.items()):
        row = {
            "identity": identity,
            "key": key,
            "value": as_json(value),
            "folded": names.fold(value) if key == "name" and value else "",
            "trust": int(Trust.VERIFIED),
        }
        sql.execute(CLAIM, row)
    card_changed(sql, identity)


def claims(sql: Cursor, customer: int) -> list[dict[str, Any]]:
    """Every claim of a customer's identities, the winner of each key first."""
    sql.execute(CLAIMS, (customer,))
    return [
        {
            "key": key,
            "value": value,
            "source": source,
            "trust": Trust(trust).label,
            "claimed_at": at,
            "identity": {"id": id_, "kind": kind},
        }
        for key, value, source, trust, at, id_, kind in sql.fetchall()
    ]

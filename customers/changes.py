"""What is new for one customer since a token: the feed behind live screens, ETags and outgoing hooks."""

from dataclasses import dataclass

from customers import replica
from customers.sql import Cursor, is_far
from customers.timeline import ENTRY

LIMIT = 200


class BadToken(ValueError):
    """A token that we did not make."""


@dataclass(frozen=True, slots=True)
class Changes:
    """`changed`: a JSON array as text; `reset`: an identity came or went, or the card changed; read both again."""

    changed: str
    gone: list[str]
    reset: bool
    next: str


# Below the oldest running transaction nothing can still appear, so nothing is ever skipped. Arrays, not INs: of two INs
# with an OR between them no index is asked, and each poll read the whole feed.
SINCE = f"""
WITH mine AS (
    SELECT %(customer)s::bigint AS id UNION SELECT id FROM customers_customer WHERE merged_into_id = %(customer)s
), below AS (
    SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS txid
), lines AS (
    SELECT c.txid, c.id, c.what, c.line_id FROM customers_identity i CROSS JOIN LATERAL (
        SELECT c.txid, c.id, c.what, c.line_id, c.identity_id FROM customers_change c, below
         WHERE c.identity_id = i.id AND c.line_id IS NOT NULL AND c.txid < below.txid
           AND (c.txid, c.id) > (%(txid)s::bigint, %(id)s::bigint)
         ORDER BY c.txid, c.id LIMIT {LIMIT}
    ) c WHERE i.customer_id = %(customer)s ORDER BY c.txid, c.id LIMIT {LIMIT}
), moves AS (
    SELECT c.txid, c.id FROM customers_change c, below
     WHERE (c.joined_id = ANY(ARRAY(SELECT id FROM mine)) OR c.left_id = ANY(ARRAY(SELECT id FROM mine)))
       AND c.txid < below.txid AND (c.txid, c.id) > (%(txid)s::bigint, %(id)s::bigint)
), upto AS (
    SELECT txid, id FROM (SELECT txid, id FROM lines UNION ALL SELECT txid, id FROM moves) a
    ORDER BY txid DESC, id DESC LIMIT 1
), touched AS (
    SELECT DISTINCT line_id FROM lines
), shown AS (
    SELECT t.* FROM customers_interaction t JOIN customers_identity i ON i.id = t.identity_id
     WHERE t.id IN (SELECT line_id FROM touched) AND i.customer_id = %(customer)s
)
SELECT (SELECT coalesce(json_agg({ENTRY} ORDER BY t.sorted_at DESC, t.rank DESC, t.id DESC), '[]')::text
          FROM shown t JOIN customers_identity i ON i.id = t.identity_id),
       ARRAY(SELECT line_id::text FROM touched WHERE line_id NOT IN (SELECT id FROM shown) ORDER BY 1),
       EXISTS (SELECT 1 FROM moves),
       (SELECT count(*) FROM lines), (SELECT txid FROM upto), (SELECT id FROM upto),
       (SELECT max(txid) FROM lines), (SELECT max(id) FROM lines WHERE txid = (SELECT max(txid) FROM lines)),
       below.txid, pg_snapshot_xmax(pg_current_snapshot())::text::bigint,
       coalesce((SELECT txid FROM customers_following WHERE name = 'pruned'), 0)
  FROM below
"""
CARD = """
INSERT INTO customers_change (what, identity_id, joined_id)
SELECT 'card', id, customer_id FROM customers_identity WHERE id = ANY(%s) ORDER BY id
"""
NOW = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text"


def token_now(sql: Cursor) -> str:
    """A token after which everything is new."""
    sql.execute(NOW, prepare=True)
    row = sql.fetchone()
    return f"{row[0]}.0" if row else "0.0"


def card_changed(sql: Cursor, *identities: int) -> None:
    """Tell whoever looks at the customers of these identities that their cards say something else now."""
    sql.execute(CARD, (list(identities),))


def since(sql: Cursor, customer: int, token: str) -> Changes:
    """At most 200 entries; `next` is the same token while nothing is new. Raises BadToken.

    A token that is too old, or from before a backup was restored, is answered with `reset`: start over.
    """
    txid, id_ = position(token)
    sql.execute(SINCE.encode(), {"customer": customer, "txid": txid, "id": id_}, prepare=True)
    row = sql.fetchone()
    assert row is not None
    changed, gone, moved, count, last_txid, last_id, line_txid, line_id, below, ahead, begins = row
    if txid > ahead and is_far(sql):  # The token is newer than the replica.
        replica.stay_on_primary()
        return since(sql, customer, token)
    # A restored database counts its transactions anew; of what was pruned nothing can be told.
    if txid > ahead or txid < begins:
        return Changes("[]", [], reset=True, next=f"{below}.0")
    if count == LIMIT:  # More lines wait behind this page: moves beyond it are told with them.
        last_txid, last_id = line_txid, line_id
    return Changes(changed, gone, moved, f"{last_txid}.{last_id}" if last_txid is not None else token)


def position(token: str) -> tuple[int, int]:
    txid, dot, id_ = token.partition(".")
    if not (dot and txid.isascii() and id_.isascii() and txid.isdigit() and id_.isdigit() and len(token) < 40):
        raise BadToken("This token was not made by this service.")
    if max(int(txid), int(id_)) >= 2**63:
        raise BadToken("This token was not made by this service.")
    return int(txid), int(id_)

"""A customer of very many contacts, written by PostgreSQL itself: a second where pushing them takes a minute."""

from django.db import connection

from tests.support import Api, event, identifier, phone, push_and_drain

COPIES = """
INSERT INTO customers_interaction (id, identity_id, source_id, source, channel, kind, direction, sorted_at, rank,
       occurred_at, recorded_at, thread, subject, text, agent, details, attachments, state, edits, part, revision,
       digest)
SELECT md5(t.id::text || n)::uuid, t.identity_id, t.source_id, t.source,
       (ARRAY['sms', 'telegram', 'email'])[1 + n %% 3], 'message', (ARRAY['inbound', 'outbound'])[1 + n %% 2],
       t.sorted_at - n / 2 * interval '7 minutes', n, t.occurred_at - n / 2 * interval '7 minutes', t.recorded_at, '',
       '', 'contact ' || n, NULL, '{}', '[]', '', '[]', 'main', 0, ''
  FROM customers_interaction t, generate_series(1, %(more)s) AS n WHERE t.identity_id = %(identity)s
"""
COUNTED = """
INSERT INTO customers_contactcount (identity_id, channel, month, count)
SELECT identity_id, channel, date_trunc('month', sorted_at)::date, count(*) FROM customers_interaction
 WHERE identity_id = %(identity)s GROUP BY 1, 2, 3
    ON CONFLICT (identity_id, channel, month) DO UPDATE SET count = excluded.count
"""


def long_history(api: Api, lines: int) -> tuple[str, str]:
    """(number, public id) of somebody with so many contacts, two of them at each moment; the newest is «contact 0»."""
    number = phone()
    push_and_drain(api, event(identifier("phone", number), name="Long Known", text="contact 0"))
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM customers_identity WHERE kind = 'phone' AND value = %s", [number])
        (identity,) = cursor.fetchone()
        cursor.execute(COPIES, {"more": lines - 1, "identity": identity})
        cursor.execute(COUNTED, {"identity": identity})
        cursor.execute("ANALYZE customers_interaction")
    return number, api.card("phone", number)["id"]

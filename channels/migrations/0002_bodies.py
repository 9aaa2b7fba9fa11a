"""The raw bytes, one partition a day (`manage.py sweep` makes them), and room for updates of deliveries."""

from django.db import migrations

BODIES = """
CREATE TABLE channels_deliverybody (
    received_at timestamptz NOT NULL,
    delivery_id uuid NOT NULL,
    body bytea NOT NULL,
    headers jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (received_at, delivery_id)
) PARTITION BY RANGE (received_at);
CREATE TABLE channels_deliverybody_default PARTITION OF channels_deliverybody DEFAULT;
ALTER TABLE channels_delivery SET (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.02);
"""


class Migration(migrations.Migration):
    dependencies = [("channels", "0001_nouns")]
    operations = [migrations.RunSQL(BODIES, "DROP TABLE channels_deliverybody")]

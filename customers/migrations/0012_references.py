"""Lines by the numbers of other systems; those of lines that stand, as far as their details have them."""

from django.db import migrations, models

KNOWN = """
INSERT INTO customers_reference (kind, value, line_id)
SELECT DISTINCT said.kind, left(regexp_replace(lower(said.value), '[^[:alnum:]]+', '', 'g'), 200), t.id
  FROM customers_interaction t CROSS JOIN LATERAL (
       SELECT 'order' AS kind, t.details->'order'->>'number' AS value
        UNION ALL
       SELECT 'call', t.details->'call'->>name FROM unnest(ARRAY['id', 'call_id', 'sid', 'uniqueid', 'linkedid']) name
        UNION ALL
       SELECT 'call', leg->>'id' FROM jsonb_array_elements(
           CASE jsonb_typeof(t.details->'call'->'legs') WHEN 'array' THEN t.details->'call'->'legs' ELSE '[]' END) leg
  ) said
 WHERE (t.details ? 'order' OR t.details ? 'call') AND said.value ~ '[[:alnum:]]'
    ON CONFLICT DO NOTHING
"""


class Migration(migrations.Migration):
    dependencies = [("customers", "0011_link_indexes")]
    operations = [
        migrations.CreateModel(
            name="Reference",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.TextField()),
                ("value", models.TextField(help_text="Letters and digits only, in lower case.")),
                ("line_id", models.UUIDField()),
            ],
            options={
                "indexes": [models.Index(fields=["line_id"], name="reference_line")],
                "constraints": [models.UniqueConstraint(fields=("kind", "value", "line_id"), name="reference")],
            },
        ),
        migrations.RunSQL(KNOWN, migrations.RunSQL.noop),
    ]

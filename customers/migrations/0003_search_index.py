"""The search index over all lines, and room on the pages of rows that are updated in place."""

from django.db import migrations

INDEX = """
CREATE INDEX interaction_search ON customers_interaction USING gin (identity_id, cxhub_vector(subject, text));
ALTER TABLE customers_interactionpart SET (fillfactor = 80);
ALTER TABLE customers_contactcount SET (fillfactor = 50);
ALTER TABLE customers_thread SET (fillfactor = 50);
"""


class Migration(migrations.Migration):
    dependencies = [("customers", "0002_nouns")]
    operations = [migrations.RunSQL(INDEX, "DROP INDEX interaction_search")]

"""An index from which promises are counted at every scrape of the metrics; made beside whoever writes."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("customers", "0027_aliases")]
    operations = [AddIndexConcurrently("promise", models.Index(fields=["state", "tries"], name="promise_counts"))]

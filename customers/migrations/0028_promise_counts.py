"""An index from which promises are counted at every scrape of the metrics."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("customers", "0027_aliases")]
    operations = [
        migrations.AddIndex(model_name="promise", index=models.Index(fields=["state", "tries"], name="promise_counts"))
    ]

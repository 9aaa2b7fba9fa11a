"""One index per column: the pairs' indexes begin with `a` already."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("customers", "0010_lookups")]

    operations = [
        migrations.AlterField(
            model_name=name,
            name="a",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="customers.identity",
            ),
        )
        for name in ("link", "keepapart")
    ]

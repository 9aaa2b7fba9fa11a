"""What masked readers looked up, and their role."""

from typing import Any

from django.db import migrations, models


def make(apps: Any, schema_editor: Any) -> None:
    apps.get_model("auth", "Group").objects.get_or_create(name="masked")


class Migration(migrations.Migration):
    dependencies = [("customers", "0009_experience")]
    operations = [
        migrations.CreateModel(
            name="Lookup",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("viewer", models.TextField(help_text="key:ID or user:ID")),
                ("hour", models.DateTimeField()),
                ("digest", models.BinaryField(help_text="Of what was asked, under a key.", max_length=32)),
                ("asked", models.TextField(help_text="Masked.")),
                ("asked_at", models.DateTimeField(help_text="The first time in this hour.")),
                ("granted", models.BooleanField(help_text="False: the quota of the hour was used up.")),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("viewer", "hour", "digest"), name="lookup_once")],
            },
        ),
        migrations.RunPython(make, migrations.RunPython.noop),
    ]

"""Files of lines, kept by hash."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("customers", "0003_search_index")]

    operations = [
        migrations.CreateModel(
            name="Attachment",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        help_text="uuid5 of the line and the file's ref or url.", primary_key=True, serialize=False
                    ),
                ),
                ("line_id", models.UUIDField()),
                ("identity_id", models.BigIntegerField()),
                ("source_id", models.BigIntegerField()),
                ("source", models.TextField()),
                ("name", models.TextField(default="")),
                ("content_type", models.TextField(default="")),
                ("size", models.BigIntegerField(help_text="As the provider says.", null=True)),
                ("url", models.TextField(default="")),
                ("ref", models.TextField(default="")),
                ("delivery", models.UUIDField(help_text="Opaque: the delivery that it came with.", null=True)),
                ("state", models.TextField(default="wanted")),
                ("sha256", models.CharField(default="", max_length=64)),
                ("stored_size", models.BigIntegerField(null=True)),
                ("attempts", models.SmallIntegerField(default=0)),
                ("due_at", models.DateTimeField()),
                ("reason", models.TextField(default="", help_text="Why it failed or is gone; never an address.")),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "wanted")), fields=["due_at", "id"], name="attachment_wanted"
                    ),
                    models.Index(fields=["line_id"], name="attachment_line"),
                    models.Index(
                        condition=models.Q(("sha256", ""), _negated=True), fields=["sha256"], name="attachment_sha256"
                    ),
                ]
            },
        ),
    ]

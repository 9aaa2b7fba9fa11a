"""Sessions that say whose they are; nobody is signed out by it."""

from django.db import migrations, models

COPY = """
INSERT INTO customers_session (session_key, session_data, expire_date)
SELECT session_key, session_data, expire_date FROM django_session WHERE expire_date > now()
"""


class Migration(migrations.Migration):
    dependencies = [("customers", "0031_waiting_and_unsolved"), ("sessions", "0001_initial")]
    operations = [
        migrations.CreateModel(
            name="Session",
            fields=[
                (
                    "session_key",
                    models.CharField(max_length=40, primary_key=True, serialize=False, verbose_name="session key"),
                ),
                ("session_data", models.TextField(verbose_name="session data")),
                ("expire_date", models.DateTimeField(db_index=True, verbose_name="expire date")),
                ("user_id", models.BigIntegerField(null=True)),
            ],
            options={"verbose_name": "session", "verbose_name_plural": "sessions", "abstract": False},
        ),
        migrations.RunSQL(COPY, migrations.RunSQL.noop),
    ]

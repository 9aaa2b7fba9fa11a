"""Indexes of what is open of one customer: his brief must not read all that was ever promised to him."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("customers", "0030_steps_and_abandoned")]
    operations = [
        AddIndexConcurrently(
            "promise",
            models.Index(
                fields=["customer_id", "due_at", "id"],
                name="promise_waiting",
                condition=models.Q(settled_at__isnull=True),
            ),
        ),
        AddIndexConcurrently(
            "request",
            models.Index(
                fields=["customer_id", "-at", "-id"],
                name="request_unsolved",
                condition=models.Q(state__in=["open", "answered"]),
            ),
        ),
    ]

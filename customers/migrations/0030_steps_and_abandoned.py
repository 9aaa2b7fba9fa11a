"""Indexes from which alone is counted who left and who was never answered; made beside whoever writes."""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models

STEP = ("stage", "was", "reason", "customer_id")


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("customers", "0029_request_counts")]
    operations = [
        AddIndexConcurrently("stagechange", models.Index(fields=["at"], include=STEP, name="stagechange_steps")),
        RemoveIndexConcurrently("stagechange", "stagechange_at"),
        AddIndexConcurrently(
            "request",
            models.Index(fields=["customer_id"], name="request_abandoned", condition=models.Q(state="abandoned")),
        ),
    ]

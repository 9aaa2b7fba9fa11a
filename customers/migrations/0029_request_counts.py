"""The index of the newest matters carries what is counted of a period; made beside whoever writes."""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models

COUNTED = (
    *("channel", "state", "answer_s", "answer_business_s", "solution_s", "solution_business_s"),
    *("missed", "inbound", "switches", "handovers", "reopened", "effort", "by_channel"),
)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("customers", "0028_promise_counts")]
    operations = [
        AddIndexConcurrently("request", models.Index(fields=["-at", "-id"], include=COUNTED, name="request_counts")),
        RemoveIndexConcurrently("request", "request_newest"),
    ]

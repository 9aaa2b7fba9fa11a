"""One pushed event, one webhook POST, one mail: what came in, and what became of it."""

from django.db import models
from uuid_utils.compat import uuid7


class Delivery(models.Model):
    """Written before we answer; its id is the receipt. The bytes lie apart in `DeliveryBody`.

    `ACCEPTED` and `WAITING` rows are work: claimed with a lease when due. All other states are final until
    somebody replays the delivery.
    """

    ACCEPTED, WAITING = "accepted", "waiting"
    RECORDED, DUPLICATE, CONFLICT = "recorded", "duplicate", "conflict"
    IGNORED, UNSUPPORTED, QUARANTINED = "ignored", "unsupported", "quarantined"
    ERASED = "erased"
    STATES = (ACCEPTED, WAITING, RECORDED, DUPLICATE, CONFLICT, IGNORED, UNSUPPORTED, QUARANTINED, ERASED)
    OPEN = (ACCEPTED, WAITING)
    TROUBLE = (WAITING, CONFLICT, UNSUPPORTED, QUARANTINED)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    source = models.ForeignKey("channels.Source", models.PROTECT, related_name="deliveries", db_index=False)
    push = models.BooleanField(default=False)
    key_id = models.BigIntegerField(null=True, help_text="The API key that pushed it.")
    external_id = models.TextField(default="")
    part = models.TextField(default="main")
    revision = models.BigIntegerField(default=0)
    digest = models.BinaryField(max_length=16)
    size = models.IntegerField()
    received_at = models.DateTimeField()
    state = models.TextField(default=ACCEPTED)
    attempts = models.SmallIntegerField(default=0, help_text="Only those made alone count.")
    failed = models.BooleanField(default=False, help_text="Claimed alone from now on.")
    replays = models.IntegerField(default=0)
    due_at = models.DateTimeField()
    lease = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    recorded_at = models.DateTimeField(null=True)
    reason = models.TextField(default="")
    lines = models.JSONField(default=list, help_text="[{interaction, status, matched_by}]")
    refused = models.JSONField(default=list, help_text="[{identifier, reason}]")

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = [
            models.UniqueConstraint(
                fields=["source", "external_id", "part", "revision", "digest"],
                condition=models.Q(push=True),
                name="delivery_push",
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at", "id"], name="delivery_open", condition=models.Q(state__in=["accepted", "waiting"])
            ),
            models.Index(fields=["source", "id"], name="delivery_source"),
            models.Index(
                fields=["state", "id"],
                name="delivery_trouble",
                condition=models.Q(state__in=["waiting", "conflict", "unsupported", "quarantined"]),
            ),
        ]


class DeliveryBody(models.Model):
    """The raw bytes, partitioned by day; no foreign key, pruned after a retention."""

    pk = models.CompositePrimaryKey("received_at", "delivery_id")
    received_at = models.DateTimeField()
    delivery_id = models.UUIDField()
    body = models.BinaryField()
    headers = models.JSONField(default=dict)

    class Meta:
        managed = False
        db_table = "channels_deliverybody"

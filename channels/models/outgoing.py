"""What is told to other systems: who wants to hear what, each message to him, and every attempt to hand it over."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models.functions import Now


class Subscription(models.Model):
    """One address that is told of changes. `txid` and `change` say how far in the change feed its messages reach.

    Whoever sends to it holds `lease`: one at a time, so that messages arrive in their order.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    url = models.TextField()
    description = models.TextField(default="", blank=True)
    types = ArrayField(models.TextField(), default=list, blank=True, help_text="Empty: all.")
    sources = ArrayField(models.TextField(), default=list, blank=True, help_text="Slugs; empty: all.")
    enabled = models.BooleanField(default=True)
    disabled_why = models.TextField(default="", blank=True, editable=False)
    secret = models.TextField(editable=False, help_text="whsec_ and the key in Base64.")
    previous_secret = models.TextField(default="", blank=True, editable=False)
    previous_until = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    created_by = models.TextField(default="", blank=True, editable=False)
    txid = models.BigIntegerField(default=0, editable=False)
    change = models.BigIntegerField(default=0, editable=False)
    failures = models.IntegerField(default=0, editable=False, help_text="In a row.")
    failing_since = models.DateTimeField(null=True, editable=False)
    paused_until = models.DateTimeField(null=True, editable=False)
    delivered_at = models.DateTimeField(null=True, editable=False, help_text="The last one.")
    lease = models.UUIDField(null=True, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)

    def __str__(self) -> str:
        return self.description or self.url.partition("?")[0]


class Message(models.Model):
    """One message to one subscription; its body is kept as it is signed, so that it is the same every time."""

    PENDING, DELIVERED, FAILED = "pending", "delivered", "failed"
    STATES = (PENDING, DELIVERED, FAILED)

    id = models.BigAutoField(primary_key=True)
    name = models.UUIDField(unique=True, default=uuid.uuid4, help_text="What receivers know it by.")
    subscription = models.ForeignKey(Subscription, models.CASCADE, related_name="messages", db_index=False)
    type = models.TextField()
    body = models.TextField()
    state = models.TextField(default=PENDING, db_default=PENDING)
    attempts = models.SmallIntegerField(default=0, db_default=0, help_text="Of the schedule that runs.")
    created_at = models.DateTimeField(db_default=Now())
    due_at = models.DateTimeField(db_default=Now())
    settled_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "outgoing message"
        indexes = [
            models.Index(fields=["subscription", "id"], name="message_of_subscription"),
            models.Index(fields=["subscription", "id"], name="message_pending", condition=models.Q(state="pending")),
            BrinIndex(fields=["created_at"], name="message_time", pages_per_range=16),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.webhook_id}"

    @property
    def webhook_id(self) -> str:
        return f"msg_{self.name.hex}"


class Attempt(models.Model):
    """What the receiver answered, or why he could not be asked."""

    message = models.ForeignKey(Message, models.CASCADE, related_name="log")
    at = models.DateTimeField(db_default=Now())
    status = models.SmallIntegerField(null=True)
    milliseconds = models.IntegerField()
    said = models.TextField(default="", help_text="The beginning of the answer, or what went wrong.")

    class Meta:
        verbose_name = "attempt to deliver"
        verbose_name_plural = "attempts to deliver"

"""One line of the timeline, the parts it is folded from, and what is counted of it."""

from django.db import models


class Interaction(models.Model):
    """One contact; it hangs on the identity it came by, never on a customer.

    Sorted by (`sorted_at`, `rank`, `id`); `sorted_at` is `occurred_at`, but at most five minutes after the
    delivery was received. Nothing that changes often is indexed, so that updates stay HOT.
    No foreign key is enforced: the table can be distributed, the writer guarantees the reference.
    """

    id = models.UUIDField(primary_key=True)
    identity = models.ForeignKey(
        "customers.Identity", models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    source_id = models.BigIntegerField()
    source = models.TextField()
    channel = models.TextField()
    kind = models.TextField()
    direction = models.TextField()
    sorted_at = models.DateTimeField()
    rank = models.BigIntegerField(default=0)
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    thread = models.TextField(default="")
    subject = models.TextField(default="")
    text = models.TextField(default="")
    agent = models.JSONField(null=True)
    details = models.JSONField(default=dict)
    attachments = models.JSONField(default=list)
    state = models.TextField(default="")
    edits = models.JSONField(default=list)
    deleted_at = models.DateTimeField(null=True)
    part = models.TextField(default="", help_text="The name of its only part; empty when its parts have rows.")
    revision = models.BigIntegerField(default=0)
    digest = models.TextField(default="")
    origin = models.UUIDField(null=True, help_text="Opaque: the delivery that gave the only part.")

    class Meta:
        indexes = [
            models.Index(
                fields=["identity", "-sorted_at", "-rank", "-id"],
                include=["channel", "kind", "direction"],
                name="interaction_timeline",
            ),
            models.Index(fields=["-sorted_at", "-rank", "-id"], name="interaction_newest"),
            models.Index(fields=["identity", "thread"], name="interaction_thread", condition=~models.Q(thread="")),
            # interaction_search, a GIN index over an expression, is made by hand in the first migration.
        ]


class InteractionPart(models.Model):
    """One part of a line that grows, e.g. `status:ringing` or `recording:RE…`, at its highest revision."""

    line_id = models.UUIDField()
    identity_id = models.BigIntegerField()
    part = models.TextField()
    revision = models.BigIntegerField()
    data = models.JSONField()
    digest = models.TextField()
    origin = models.UUIDField(null=True)
    earlier = models.JSONField(default=list, help_text="What the part said before, lowest revision first.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["line_id", "part"], name="interaction_part")]


class LineHome(models.Model):
    """The identity that a line hangs on, while lines are spread over several servers (`customers.homes`)."""

    id = models.UUIDField(primary_key=True)
    identity_id = models.BigIntegerField(db_index=True)


class ContactCount(models.Model):
    """Contacts per identity, channel and month, kept by the writer."""

    identity_id = models.BigIntegerField()
    channel = models.TextField()
    month = models.DateField(help_text="The first day of the month, UTC.")
    count = models.IntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["identity_id", "channel", "month"], name="contact_count")]


class Thread(models.Model):
    """The last word of each side in one conversation: open when the last inbound has no later outbound."""

    identity_id = models.BigIntegerField()
    channel = models.TextField()
    thread = models.TextField(default="")
    inbound_at = models.DateTimeField(null=True)
    inbound_line = models.UUIDField(null=True)
    outbound_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["identity_id", "channel", "thread"], name="thread")]

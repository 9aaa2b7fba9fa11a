"""What remains of whoever was erased, what a person allowed, what must be kept, and what goes after its time."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now


class Erasure(models.Model):
    """The tombstone of one person: no personal data, only ids, counts, who and why."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    customers = ArrayField(models.UUIDField(), help_text="Every public id that the person ever had.")
    erased_at = models.DateTimeField()
    erased_by = models.TextField()
    reason = models.TextField(default="", blank=True)
    counts = models.JSONField(default=dict)
    applied_at = models.DateTimeField(auto_now_add=True, help_text="Later than erased_at after a restored backup.")

    class Meta:
        indexes = [models.Index(fields=["-erased_at"], name="erasure_newest")]


class Suppressed(models.Model):
    """The HMAC of a handle whose owner was erased: what happened to him before `until` is not recorded again."""

    hmac = models.BinaryField(primary_key=True, max_length=32)
    until = models.DateTimeField()

    class Meta:
        verbose_name_plural = "suppressed handles"


class Consent(models.Model):
    """What a person allowed or took back, by whom it was noted and where he said it: added to, never changed.

    Of one channel and purpose the latest counts. It hangs on an identity, so that it goes with it wherever that goes.
    """

    GIVEN, WITHDRAWN = "given", "withdrawn"
    STATES = (GIVEN, WITHDRAWN)

    identity = models.ForeignKey("customers.Identity", models.CASCADE, related_name="consents", db_index=False)
    channel = models.TextField(help_text="* stands for all.")
    purpose = models.TextField()
    state = models.TextField(choices=[(GIVEN, "given"), (WITHDRAWN, "withdrawn")])
    at = models.DateTimeField()
    source = models.TextField(help_text="The slug; cxhub for what is noted here.")
    line_id = models.UUIDField(null=True, help_text="The contact in which it was said.")
    evidence = models.TextField(default="", blank=True)
    by = models.TextField(default="", blank=True)
    noted_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["line_id", "channel", "purpose", "state", "at"], name="consent_of_line")
        ]
        indexes = [models.Index(fields=["identity", "channel", "purpose", "-at"], name="consent_of_identity")]


class Hold(models.Model):
    """Nothing of this person may go, by no rule and no erasure, until somebody lifts it: a court asks, a claim runs."""

    identity = models.ForeignKey("customers.Identity", models.CASCADE, related_name="holds")
    reason = models.TextField()
    begun_at = models.DateTimeField(db_default=Now())
    begun_by = models.TextField()
    lifted_at = models.DateTimeField(null=True)
    lifted_by = models.TextField(default="")
    lifted_why = models.TextField(db_default="")


class RetentionRule(models.Model):
    """What goes of contacts that are older than so many days; notes never do. Empty fields mean any."""

    CONTENTS, LINE = "contents", "line"

    source = models.TextField(default="", blank=True, help_text="The slug; empty for any.")
    channel = models.TextField(default="", blank=True, help_text="Empty for any.")
    kind = models.TextField(default="", blank=True, help_text="Empty for any.")
    days = models.PositiveIntegerField()
    goes = models.TextField(choices=[(CONTENTS, "contents"), (LINE, "line")], default=CONTENTS)
    enabled = models.BooleanField(default=False)

    def __str__(self) -> str:
        means = [self.source or "*", self.channel or "*", self.kind or "*"]
        return f"{' '.join(means)} > {self.days} d: {self.goes}"

"""What remains of whoever was erased: that it happened, and keyed hashes by which it stays so."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models


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

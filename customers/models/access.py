"""Who may do what: keys of integrations, and the log of who viewed which card."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex
from django.db import models


class ApiKey(models.Model):
    """A random key, kept as its SHA-256; names its sources by slug."""

    name = models.TextField()
    prefix = models.CharField(max_length=12, help_text="The first characters, to tell keys apart.")
    digest = models.BinaryField(unique=True, max_length=32)
    scopes = ArrayField(models.TextField())
    source = models.TextField(default="", blank=True, help_text="The slug of the key's own source.")
    sources = ArrayField(
        models.TextField(), default=list, blank=True, help_text="Other slugs it may push for; * for all."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.TextField(default="", blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    wrote = models.BigIntegerField(
        default=0, db_default=0, editable=False, help_text="How far the log of writes was after the last with this key."
    )

    class Meta:
        verbose_name = "API key"

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


class CardView(models.Model):
    """Somebody saw a customer's data; logged once per viewer, card and five minutes."""

    viewer = models.TextField(help_text="key:ID or user:ID")
    customer_id = models.BigIntegerField(db_index=True)
    period = models.DateTimeField(help_text="The start of the five minutes.")
    viewed_at = models.DateTimeField()
    path = models.TextField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["viewer", "customer_id", "period"], name="card_view")]
        # Rows come in the order of time: for the supervisor's question of a day this is enough, and costs no writer.
        indexes = [BrinIndex(fields=["viewed_at"], name="card_view_time", pages_per_range=32)]


class Lookup(models.Model):
    """A reader who is shown masked identifiers asked for somebody; a question of the same hour is one row."""

    viewer = models.TextField(help_text="key:ID or user:ID")
    hour = models.DateTimeField()
    digest = models.BinaryField(max_length=32, help_text="Of what was asked, under a key.")
    asked = models.TextField(help_text="Masked.")
    asked_at = models.DateTimeField(help_text="The first time in this hour.")
    granted = models.BooleanField(help_text="False: the quota of the hour was used up.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["viewer", "hour", "digest"], name="lookup_once")]


class Unmasking(models.Model):
    """A reader of masked identifiers was shown those of one card in the clear, for a while and for a reason."""

    viewer = models.TextField(help_text="key:ID or user:ID")
    customer_id = models.BigIntegerField(db_index=True)
    at = models.DateTimeField(db_index=True)
    until = models.DateTimeField()
    reason = models.TextField()

    class Meta:
        indexes = [models.Index(fields=["viewer", "-at"], name="unmasking_of")]

"""One normalised handle (a phone number, an address, a messenger id), and what was said about its owner."""

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models


class Trust(models.IntegerChoices):
    """How well a handle is proven to belong to whoever used it."""

    CLAIMED = 1, "claimed"
    ASSERTED = 2, "asserted"
    VERIFIED = 3, "verified"


class Identity(models.Model):
    """A handle in normal form; it belongs to one customer at a time.

    `customer` is a cache: the component of the standing links decides. A handle that changes hands starts
    a new `generation`, chosen by the time of an event within `valid_from` (inclusive) and `valid_to`.
    """

    kind = models.TextField()
    scope = models.TextField(default="", blank=True)
    value = models.TextField()
    generation = models.IntegerField(default=0)
    raw = models.TextField(default="", blank=True, help_text="As it was written when first seen.")
    match_key = models.TextField(default="", blank=True, help_text="Folded by the mail provider's rules.")
    linkable = models.BooleanField(default=True, help_text="False for role addresses, toll-free numbers and the like.")
    shared = models.BooleanField(
        default=False, db_default=False, help_text="Used by several persons: nothing is linked by it."
    )
    normaliser_version = models.IntegerField(default=1)
    trust = models.SmallIntegerField(choices=Trust.choices, default=Trust.ASSERTED, help_text="The best trust seen.")
    customer = models.ForeignKey("customers.Customer", models.PROTECT, related_name="identities")
    valid_from = models.DateTimeField(null=True, blank=True)
    valid_to = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "identities"
        constraints = [
            models.UniqueConstraint(fields=["kind", "scope", "value", "generation"], name="identity_handle"),
        ]
        indexes = [
            models.Index(fields=["value", "kind"], name="identity_value"),
            models.Index(fields=["match_key"], name="identity_match_key", condition=~models.Q(match_key="")),
            GinIndex(
                OpClass("value", "gin_trgm_ops"),
                name="identity_value_trgm",
                condition=~models.Q(kind__in=["anonymous", "card"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind}:{self.value}"


class Candidate(models.Model):
    """Evidence that did not link: a handle that was claimed, or that a rule refused. A person decides.

    `interaction_id` is the last line in which the two came together; the handle may be nobody's identity yet.
    """

    OPEN, ACCEPTED, REJECTED, STALE = "open", "accepted", "rejected", "stale"
    REVIEW = "review:"

    identity = models.ForeignKey(Identity, models.CASCADE, related_name="candidates")
    kind = models.TextField()
    scope = models.TextField(default="", blank=True)
    value = models.TextField()
    reason = models.TextField(help_text="claimed, or the rule that objected; review:… doubts a link.")
    trust = models.SmallIntegerField(choices=Trust.choices)
    source = models.TextField()
    interaction_id = models.UUIDField()
    seen_at = models.DateTimeField()
    times = models.IntegerField(default=1)
    again = models.IntegerField(default=0, db_default=0, help_text="How often it was seen since it was rejected.")
    state = models.TextField(default=OPEN)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.TextField(default="", blank=True)
    decision = models.TextField(default="", blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["identity", "kind", "scope", "value"], name="candidate"),
        ]
        indexes = [
            models.Index(fields=["value", "kind"], name="candidate_value"),
            models.Index(fields=["-id"], name="candidate_open", condition=models.Q(state="open")),
        ]


class AttributeClaim(models.Model):
    """What one source says of the owner of an identity, e.g. his name: the card shows the winner."""

    identity = models.ForeignKey(Identity, models.CASCADE, related_name="claims")
    key = models.TextField()
    source = models.TextField()
    value = models.JSONField()
    folded = models.TextField(default="", blank=True, help_text="Names only: the spelling-independent key.")
    trust = models.SmallIntegerField(choices=Trust.choices)
    claimed_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["identity", "key", "source"], name="attribute_claim")]
        indexes = [
            GinIndex(OpClass("folded", "gin_trgm_ops"), name="attribute_claim_trgm", condition=models.Q(key="name")),
            # What segments and birthdays ask for, over all customers.
            models.Index(fields=["key", "identity"], name="attribute_claim_key", condition=~models.Q(key="name")),
        ]


class SeenRegion(models.Model):
    """A region of a source: a look-up that names none tries them all."""

    region = models.CharField(max_length=2, primary_key=True)

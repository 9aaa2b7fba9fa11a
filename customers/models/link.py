"""Evidence that two identities are one person, and the word of an agent that they are not."""

from django.db import models

from customers.models.identity import Identity, Trust


class Link(models.Model):
    """An edge between two identities (`a` has the lower id); never deleted, only undone."""

    a = models.ForeignKey(Identity, models.PROTECT, db_index=False, related_name="+")
    b = models.ForeignKey(Identity, models.PROTECT, related_name="links_b")
    cause = models.TextField(help_text="event, agent, note, renormalise …")
    evidence = models.JSONField(default=dict, help_text="Ids only, never personal data.")
    trust = models.SmallIntegerField(choices=Trust.choices)
    rules_version = models.IntegerField(default=1)
    created_at = models.DateTimeField()
    created_by = models.TextField()
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.TextField(default="", blank=True)
    undo_reason = models.TextField(default="", blank=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(a__lt=models.F("b")), name="link_ordered")]
        indexes = [models.Index(fields=["a", "b"], name="link_pair")]


class KeepApart(models.Model):
    """Two identities that no path of standing links may join; only an agent lifts it."""

    a = models.ForeignKey(Identity, models.PROTECT, db_index=False, related_name="+")
    b = models.ForeignKey(Identity, models.PROTECT, related_name="kept_apart_b")
    reason = models.TextField()
    created_at = models.DateTimeField()
    created_by = models.TextField()
    lifted_at = models.DateTimeField(null=True, blank=True)
    lifted_by = models.TextField(default="", blank=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(a__lt=models.F("b")), name="keep_apart_ordered")]
        indexes = [models.Index(fields=["a", "b"], name="keep_apart_pair")]

"""Handles that people added to the built-in lists of what names nobody, or took from them."""

from django.db import models


class BlockedHandle(models.Model):
    """One handle in normal form and why it names no customer; `allowed` overrides the built-in lists.

    Rows with a `source_id` are the company's own numbers and addresses, kept by that source.
    """

    BLOCKED, ROLE, NO_REPLY, ALLOWED = "blocked", "role", "no_reply", "allowed"
    WHY = [
        (BLOCKED, "blocked: names nobody"),
        (ROLE, "role: carries contacts, links nobody"),
        (NO_REPLY, "no_reply: a machine"),
        (ALLOWED, "allowed: a person after all"),
    ]

    kind = models.TextField()
    value = models.TextField(help_text="In normal form: +79121234567, ivan@example.com.")
    why = models.CharField(max_length=8, choices=WHY, default=BLOCKED)
    note = models.TextField(default="", blank=True)
    source_id = models.BigIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.TextField(default="", blank=True, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "value", "source_id"], name="blocked_handle")]

    def __str__(self) -> str:
        return f"{self.kind}:{self.value}"

"""The numbers by which other systems know a line: of an order, of a call."""

from django.db import models


class Reference(models.Model):
    """Written with its line and gone with it; what an edit took back is still found. No line is found by it alone:
    whose it is follows from the line's identity.
    """

    CALL, ORDER = "call", "order"

    kind = models.TextField()
    value = models.TextField(help_text="Letters and digits only, in lower case.")
    line_id = models.UUIDField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "value", "line_id"], name="reference")]
        indexes = [models.Index(fields=["line_id"], name="reference_line")]

    def __str__(self) -> str:
        return f"{self.kind} {self.value}"

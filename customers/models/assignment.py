"""A line that an agent moved to another customer."""

from django.db import models


class Assignment(models.Model):
    """Where a line came from and whose `card` it hangs on since; of one line the latest that stands counts."""

    line_id = models.UUIDField(db_index=True)
    from_identity_id = models.BigIntegerField()
    to_identity_id = models.BigIntegerField()
    reason = models.TextField(default="", blank=True)
    assigned_at = models.DateTimeField()
    assigned_by = models.TextField()
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.TextField(default="", blank=True)

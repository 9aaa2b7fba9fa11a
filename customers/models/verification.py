"""What `manage.py verify_identity` found."""

from django.db import models


class Verification(models.Model):
    """One run: how much was looked at, and the first troubles in words without personal data."""

    at = models.DateTimeField(auto_now_add=True)
    seconds = models.FloatField()
    counts = models.JSONField(default=dict)
    trouble = models.IntegerField(default=0)
    found = models.JSONField(default=list)

    class Meta:
        get_latest_by = "id"

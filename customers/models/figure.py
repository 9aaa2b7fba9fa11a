"""What is counted for those who run cxhub."""

from django.db import models


class Figure(models.Model):
    """One count, kept over all processes: `series` is a JSON array of its name and its labels, never of anybody's data.

    Few rows, updated often: without an index besides the key they stay HOT.
    """

    series = models.TextField(primary_key=True)
    value = models.FloatField()

    def __str__(self) -> str:
        return self.series

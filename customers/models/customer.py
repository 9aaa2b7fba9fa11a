"""A customer: a person, as a connected component of identities."""

from django.db import models
from uuid_utils.compat import uuid7


class Customer(models.Model):
    """Nothing but identities hangs on a customer.

    Of the customers whose founders lie in one component the oldest (lowest id) stands for all;
    the others name it in `merged_into`, which is a cache of what the standing links say.
    """

    public_id = models.UUIDField(unique=True, default=uuid7, editable=False)
    founder = models.OneToOneField("customers.Identity", models.PROTECT, related_name="founded")
    merged_into = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="merged")
    created_at = models.DateTimeField()
    erased_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return str(self.public_id)

"""How an agent wants to see things, and when he last looked at whom."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models


class AgentProfile(models.Model):
    """Language and time zone of one user; an empty one leaves the choice to the browser and to UTC.

    `aliases`: what other systems call him. The folds take him for one person under all of them.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="agent_profile"
    )
    language = models.CharField(max_length=10, default="", blank=True)
    time_zone = models.CharField(max_length=64, default="", blank=True)
    aliases = ArrayField(models.TextField(), default=list, db_default=[], blank=True)


class LastLook(models.Model):
    """When an agent last opened a card: what was recorded after `seen_until` is new to him.

    No foreign key on the customer: nothing but identities hangs on one.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", db_index=False)
    customer_id = models.BigIntegerField()
    seen_until = models.DateTimeField(help_text="The end of the visit before this one.")
    looked_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "customer_id"], name="last_look")]
        indexes = [models.Index(fields=["user", "-looked_at"], name="last_look_recent")]

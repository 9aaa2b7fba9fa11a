"""The append-only feed of what was recorded, changed, moved and erased."""

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models.functions import Cast, Now


class CurrentTransaction(models.Func):
    """The 64-bit id of the writing transaction (`pg_current_xact_id`)."""

    function = "pg_current_xact_id"
    arity = 0
    output_field = models.TextField()


class Change(models.Model):
    """What a live screen asks for; read below the oldest running transaction, so nothing is ever skipped.

    A line's change names its identity. An identity that moves writes one row with the customer it `left` and
    the one it `joined`, which both read; what a person changes of a card (`card`) names the customer as joined.
    """

    RECORDED, CHANGED, GONE, MOVED, CARD = "recorded", "changed", "gone", "moved", "card"

    txid = models.BigIntegerField(
        db_default=Cast(Cast(CurrentTransaction(), models.TextField()), models.BigIntegerField())
    )
    at = models.DateTimeField(db_default=Now())
    what = models.TextField()
    identity_id = models.BigIntegerField()
    line_id = models.UUIDField(null=True)
    left_id = models.BigIntegerField(null=True)
    joined_id = models.BigIntegerField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["identity_id", "txid", "id"], name="change_of_identity"),
            models.Index(
                fields=["left_id", "txid", "id"], name="change_left", condition=models.Q(left_id__isnull=False)
            ),
            models.Index(
                fields=["joined_id", "txid", "id"], name="change_joined", condition=models.Q(joined_id__isnull=False)
            ),
            # Who follows the whole feed asks by transaction; the table only grows, so this costs next to nothing.
            BrinIndex(fields=["txid"], name="change_txid", pages_per_range=16),
        ]

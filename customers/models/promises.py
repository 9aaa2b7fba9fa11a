"""What was promised to a customer, and what he expects: rows that folds over the lines make (see `experience`)."""

from django.db import models

from customers.models.experience import Derived

OPEN_STATE = models.Q(settled_at__isnull=True)


class Promise(Derived):
    """What was promised in a line, until when, and what became of it.

    A broken one waits to be made good: `settled_at` is when nobody has to do anything any more.
    """

    OPEN, KEPT, BROKEN, CANCELLED = "open", "kept", "broken", "cancelled"
    LATE = "late"

    key = models.TextField(default="", help_text="Its id within the line; empty for the only one.")
    what = models.TextField(default="")
    kind = models.TextField(default="any", help_text="callback, answer, message, visit, any; others end by hand.")
    origin = models.TextField(default="agent", help_text="agent, event, score")
    owner = models.TextField(default="")
    channel = models.TextField(default="")
    source = models.TextField(default="")
    request_id = models.UUIDField(null=True)
    made_at = models.DateTimeField()
    made_by = models.TextField(default="")
    due_at = models.DateTimeField()
    moved = models.IntegerField(default=0, help_text="How often another time was agreed.")
    state = models.TextField(default=OPEN)
    tried_at = models.DateTimeField(null=True)
    tries = models.IntegerField(default=0)
    closed_at = models.DateTimeField(null=True, help_text="Since when it is in its state; of a broken one, when due.")
    settled_at = models.DateTimeField(null=True, help_text="When it was kept, cancelled, or made good late.")
    closed_line = models.UUIDField(null=True, help_text="The contact that kept it or made it good.")
    closed_by = models.TextField(default="")
    why = models.TextField(default="")
    outcome = models.TextField(default="", help_text="What the timeline should tell: kept, broken, late (made good).")
    noted = models.TextField(default="", help_text="The outcome of which the timeline has a note.")

    class Meta:
        indexes = [
            models.Index(fields=["customer_id", "-at"], name="promise_of"),
            models.Index(fields=["customer_id", "due_at", "id"], name="promise_waiting", condition=OPEN_STATE),
            models.Index(fields=["due_at", "id"], name="promise_due", condition=OPEN_STATE),
            models.Index(fields=["owner", "due_at", "id"], name="promise_owner", condition=OPEN_STATE),
            models.Index(fields=["state", "-closed_at", "-id"], name="promise_state"),
            models.Index(fields=["owner", "state", "-closed_at", "-id"], name="promise_owner_state"),
            models.Index(fields=["state", "tries"], name="promise_counts"),  # Seven bytes a row: few values, many rows.
            models.Index(
                fields=["id"],
                name="promise_unnoted",
                condition=~models.Q(outcome="") & ~models.Q(noted=models.F("outcome")),
            ),
        ]


class Expectation(Derived):
    """What a customer expects, for one matter or lasting, and whether it was met."""

    key = models.TextField(default="", help_text="Its id within the line; empty for the only one.")
    what = models.TextField(default="")
    lasting = models.BooleanField(default=False)
    stated_at = models.DateTimeField()
    stated_by = models.TextField(default="")
    request_id = models.UUIDField(null=True)
    outcome = models.TextField(default="", help_text="missed, met, exceeded")
    emotion = models.SmallIntegerField(null=True, help_text="-1, 0, +1")
    outcome_at = models.DateTimeField(null=True)
    outcome_by = models.TextField(default="")

    class Meta:
        indexes = [
            models.Index(fields=["customer_id", "-at"], name="expectation_of"),
            models.Index(fields=["-outcome_at", "-id"], name="expectation_outcome", condition=~models.Q(outcome="")),
            models.Index(fields=["-stated_at", "-id"], name="expectation_newest"),
        ]

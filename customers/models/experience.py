"""What the timeline means: rows that folds over the lines make, and could make again at any time.

`customer_id` names whoever stands for the person when the fold ran; nothing here is evidence, so nothing hangs on a
customer. `at` is the sort time of the line that a row comes from.
"""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.utils import timezone


class Experience(models.Model):
    """How far one customer's lines are folded, and the summary that lists and segments ask for."""

    customer_id = models.BigIntegerField(primary_key=True)
    rules = models.TextField(default="", help_text="Of which rules and settings the rows are.")
    members = models.JSONField(default=list, help_text="The identities that were folded, sorted.")
    as_of = models.BigIntegerField(default=0, help_text="Changes of transactions below this one are folded.")
    lines = models.IntegerField(default=0)
    checkpoint = models.JSONField(null=True, help_text="{at, lines, state}: long histories go on from here.")
    next_at = models.DateTimeField(null=True, help_text="When the clock alone changes something.")
    stage = models.TextField(default="")
    stage_since = models.DateTimeField(null=True)
    first_touch = models.JSONField(null=True)
    first_contact_at = models.DateTimeField(null=True)
    last_contact_at = models.DateTimeField(null=True)
    last_inbound_at = models.DateTimeField(null=True)
    purchases = models.IntegerField(default=0)
    first_purchase_at = models.DateTimeField(null=True)
    last_purchase_at = models.DateTimeField(null=True)
    nps = models.FloatField(null=True)
    csat = models.FloatField(null=True)
    ces = models.FloatField(null=True)
    effort = models.SmallIntegerField(null=True)
    open_promises = models.IntegerField(default=0)
    open_requests = models.IntegerField(default=0)
    more = models.JSONField(default=dict, help_text="What only the brief and the card show.")

    class Meta:
        indexes = [
            models.Index(fields=["next_at"], name="experience_next", condition=models.Q(next_at__isnull=False)),
            models.Index(fields=["stage", "-last_contact_at"], name="experience_stage"),
            models.Index(
                fields=["first_purchase_at"],
                name="experience_first",
                condition=models.Q(first_purchase_at__isnull=False),
            ),
        ]


class Derived(models.Model):
    """A row that a fold makes of one line."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    customer_id = models.BigIntegerField()
    line_id = models.UUIDField()
    at = models.DateTimeField()

    class Meta:
        abstract = True


COUNTED = (
    *("channel", "state", "answer_s", "answer_business_s", "solution_s", "solution_business_s"),
    *("missed", "inbound", "switches", "handovers", "reopened", "effort", "by_channel"),
)


class Request(Derived):
    """One matter of a customer over all channels; `line_id` is the contact that opened it."""

    OPEN, ANSWERED, SOLVED, ABANDONED = "open", "answered", "solved", "abandoned"

    state = models.TextField(default=OPEN, help_text="open: the customer waits; abandoned: silent without any answer.")
    external = models.TextField(default="", help_text="The number that a pushing system gave it.")
    subject = models.TextField(default="")
    source = models.TextField(default="")
    channel = models.TextField(default="", help_text="Of the first contact.")
    channels = ArrayField(models.TextField(), default=list)
    agents = ArrayField(models.TextField(), default=list)
    last_at = models.DateTimeField()
    last_line = models.UUIDField()
    waiting_since = models.DateTimeField(null=True, help_text="The first contact that nobody answered yet.")
    answered_at = models.DateTimeField(null=True)
    answer_line = models.UUIDField(null=True)
    solved_at = models.DateTimeField(null=True)
    solved_by = models.TextField(default="", help_text="agent, event, silence")
    reopened = models.IntegerField(default=0)
    inbound = models.IntegerField(default=0)
    outbound = models.IntegerField(default=0)
    missed = models.IntegerField(default=0, help_text="Calls of the customer that nobody took.")
    switches = models.IntegerField(default=0)
    handovers = models.IntegerField(default=0)
    repeated = models.IntegerField(default=0, help_text="How often data were given again.")
    waited_s = models.BigIntegerField(default=0, help_text="Seconds that the customer waited for the company.")
    answer_s = models.BigIntegerField(null=True)
    answer_business_s = models.BigIntegerField(null=True)
    solution_s = models.BigIntegerField(null=True)
    solution_business_s = models.BigIntegerField(null=True)
    effort = models.SmallIntegerField(default=0)
    effort_parts = models.JSONField(default=dict)
    by_channel = models.JSONField(default=dict, help_text='{"phone": {"in": 2, "unanswered": 1, …}, …}')
    lines = ArrayField(models.UUIDField(), default=list, help_text="The latest hundred.")

    class Meta:
        indexes = [
            models.Index(fields=["customer_id", "-at"], name="request_of"),
            # With what the manager's page counts of a period: the rows themselves are wide and lie anywhere.
            models.Index(fields=["-at", "-id"], include=COUNTED, name="request_counts"),
            models.Index(fields=["state", "-at", "-id"], name="request_state"),
            models.Index(
                fields=["waiting_since", "id"], name="request_waiting", condition=models.Q(waiting_since__isnull=False)
            ),
            GinIndex(fields=["agents"], name="request_agents"),
            models.Index(fields=["customer_id"], name="request_abandoned", condition=models.Q(state="abandoned")),
            models.Index(
                fields=["customer_id", "-at", "-id"],
                name="request_unsolved",
                condition=models.Q(state__in=["open", "answered"]),
            ),
        ]


class Score(Derived):
    """One answer to a survey, with where in the journey and by whose work it was given."""

    metric = models.TextField()
    value = models.FloatField()
    low = models.FloatField(null=True)
    high = models.FloatField(null=True)
    given_at = models.DateTimeField(default=timezone.now)
    why = models.TextField(default="", help_text="Why it is not counted: scale, range, fraction.")
    channel = models.TextField(default="")
    source = models.TextField(default="")
    stage = models.TextField(default="")
    agent = models.TextField(default="", help_text="The last person who served the customer before.")
    request_id = models.UUIDField(null=True)
    bad = models.BooleanField(default=False, help_text="So low that somebody should call.")
    promise_id = models.UUIDField(null=True, help_text="The promise that closes the loop.")
    effort = models.SmallIntegerField(null=True, help_text="The effort of the request, to be seen against a CES.")

    class Meta:
        indexes = [
            models.Index(fields=["customer_id", "-at"], name="score_of"),
            models.Index(fields=["metric", "-given_at", "-id"], name="score_metric"),
            models.Index(fields=["-given_at", "-id"], name="score_newest"),
            models.Index(fields=["-given_at", "-id"], name="score_bad", condition=models.Q(bad=True)),
        ]


class Feedback(Derived):
    """A review, complaint, mention or comment, and how far it was taken care of."""

    NEW, ANSWERED, SOLVED, TOLD = "new", "answered", "solved", "told"

    kind = models.TextField(default="")
    channel = models.TextField(default="")
    source = models.TextField(default="")
    topic = models.TextField(default="")
    sentiment = models.SmallIntegerField(null=True, help_text="-1, 0, +1")
    state = models.TextField(default=NEW)
    state_at = models.DateTimeField(null=True)
    state_by = models.TextField(default="")
    stage = models.TextField(default="")
    urgency = models.SmallIntegerField(default=1, help_text="0 for what is negative and unanswered, then by state.")

    class Meta:
        indexes = [
            models.Index(fields=["customer_id", "-at"], name="feedback_of"),
            models.Index(fields=["urgency", "-at", "-id"], name="feedback_urgency"),
            models.Index(
                fields=["topic", "urgency", "-at", "-id"], name="feedback_topic", condition=~models.Q(topic="")
            ),
        ]


class StageChange(Derived):
    """One step of the journey, with its reason and the line that shows it."""

    was = models.TextField(default="")
    stage = models.TextField()
    reason = models.TextField()

    class Meta:
        indexes = [
            models.Index(fields=["customer_id", "-at"], name="stagechange_of"),
            models.Index(fields=["at"], include=["stage", "was", "reason", "customer_id"], name="stagechange_steps"),
        ]


class Touch(models.Model):
    """How often one customer met the company by one channel in one stage and month, and how that was."""

    customer_id = models.BigIntegerField()
    month = models.DateField(help_text="The first day of the month, UTC.")
    stage = models.TextField()
    channel = models.TextField()
    contacts = models.IntegerField(default=0)
    inbound = models.IntegerField(default=0)
    emotion_sum = models.IntegerField(default=0)
    emotion_n = models.IntegerField(default=0)
    waited_s = models.BigIntegerField(default=0)
    waited_n = models.IntegerField(default=0)
    exits = models.IntegerField(default=0, help_text="Whether this was the last touch before the customer left.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["customer_id", "month", "stage", "channel"], name="touch")]
        indexes = [
            models.Index(fields=["month"], name="touch_month"),
            models.Index(fields=["stage", "channel", "customer_id"], name="touch_of"),
        ]


class Following(models.Model):
    """How far the change feed was followed."""

    name = models.TextField(primary_key=True)
    txid = models.BigIntegerField(default=0)
    at = models.DateTimeField(auto_now=True)


class BusinessHours(models.Model):
    """When a source is served; the row without a source is for all others."""

    source = models.TextField(default="", blank=True, unique=True, help_text="The slug; empty for all others.")
    time_zone = models.CharField(max_length=64, default="UTC")
    hours = models.JSONField(
        default=dict, blank=True, help_text='{"mon": [["09:00", "18:00"]], …}; a day that is left out is free.'
    )
    holidays = ArrayField(models.DateField(), default=list, blank=True)

    class Meta:
        verbose_name_plural = "business hours"

    def __str__(self) -> str:
        return self.source or "*"


class ExperienceSettings(models.Model):
    """What one company means by solved, returned, lost, low: one row, edited in the admin."""

    solved_after_days = models.PositiveIntegerField(default=7, help_text="Silence that solves a request.")
    reopened_within_days = models.PositiveIntegerField(default=7)
    lost_after_days = models.PositiveIntegerField(default=180, help_text="No contact or purchase for so long: lost.")
    low_nps = models.FloatField(default=6)
    low_csat = models.FloatField(default=2)
    low_ces = models.FloatField(default=3, help_text="Agreement from 1 to 7 that it was easy: the lower, the harder.")
    follow_up_hours = models.PositiveIntegerField(default=24, help_text="Within which a low score is answered.")
    stage_names = models.JSONField(default=dict, blank=True, help_text='{"before": "Interested", …}')
    language = models.CharField(max_length=10, default="en", help_text="Of what is noted on timelines: en, ru, lt.")

    class Meta:
        verbose_name_plural = "experience settings"


class Segment(models.Model):
    """A saved filter over customers."""

    name = models.TextField(unique=True)
    filter = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.TextField(default="", blank=True)

    def __str__(self) -> str:
        return self.name

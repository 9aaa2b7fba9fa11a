"""Our words for stages, scores, feedback and segments, in the reader's language."""

from typing import Any

from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

Words = dict[str, Any]

STAGES: Words = {
    "before": pgettext_lazy("stage", "Before the purchase"),
    "purchase": pgettext_lazy("stage", "Purchase"),
    "after": pgettext_lazy("stage", "After the purchase"),
    "again": pgettext_lazy("stage", "Buying again"),
    "left": pgettext_lazy("stage", "Left"),
}
REASONS: Words = {
    "first_contact": _("first contact"),
    "first_order": _("first order"),
    "second_order": _("another order"),
    "delivered": _("order delivered"),
    "support": _("asked for help"),
    "came_back": _("came back"),
    "silence": _("gave no sign for long"),
    "reported": _("a system or a colleague said so"),
}
GRAINS: Words = {"day": _("by day"), "week": _("by week"), "month": _("by month")}
PARTS: Words = {"channel": _("By channel"), "stage": _("By stage"), "agent": _("By colleague")}
METRIC_NAMES: Words = {
    "nps": "NPS",
    "nps_1": _("NPS, asked from 1 to 10"),
    "csat": "CSAT",
    "ces": "CES",
    "stars": pgettext_lazy("score", "Stars"),
}
METRIC_ABOUT: Words = {
    "nps": _("Would they recommend us? Share of 9 and 10 minus share of 6 and less; from −100 to 100."),
    "csat": _("Were they content? Share of those who answered 4 or 5 of 5."),
    "ces": _("Was it easy? Mean of the answers from 1 (hard) to 7 (easy)."),
    "stars": _("Mean of the stars in reviews, from 1 to 5."),
}
WHY_NOT: Words = {
    "scale": _("not counted: another scale"),
    "range": _("not counted: out of the scale"),
    "fraction": _("not counted: no whole number"),
}
MET: Words = {
    "broken": _("A promise to them was broken"),
    "abandoned": _("A question stayed without any answer"),
    "low": _("They gave a low score"),
    "negative": _("They complained, or wrote something bad"),
    "hard": _("Their latest matters took much effort (40 or more of 100)"),
}
FEEDBACK_STATES: Words = {
    "new": pgettext_lazy("feedback", "new"),
    "answered": pgettext_lazy("feedback", "answered"),
    "solved": pgettext_lazy("feedback", "solved"),
    "told": pgettext_lazy("feedback", "told what changed"),
}
FEEDBACK_STEPS: Words = {
    "answered": _("Answered"),
    "solved": _("Solved"),
    "told": _("Told the customer what changed"),
}
FEEDBACK_KINDS: Words = {
    "review": pgettext_lazy("kind", "Review"),
    "complaint": pgettext_lazy("kind", "Complaint"),
    "mention": pgettext_lazy("kind", "Mention"),
    "comment": pgettext_lazy("kind", "Comment"),
}
SENTIMENTS: Words = {"-1": _("negative"), "0": _("neutral"), "1": _("positive")}
FOLLOW_UPS: Words = {
    "open": pgettext_lazy("follow-up", "somebody is to come back"),
    "kept": pgettext_lazy("follow-up", "somebody came back"),
    "broken": pgettext_lazy("follow-up", "nobody came back in time"),
    "cancelled": pgettext_lazy("follow-up", "taken back"),
}
MATTERS: Words = {
    "open": pgettext_lazy("matter", "waits for an answer"),
    "abandoned": pgettext_lazy("matter", "never answered"),
    "answered": pgettext_lazy("matter", "answered"),
    "solved": pgettext_lazy("matter", "solved"),
}
SOLVERS: Words = {
    "agent": pgettext_lazy("solved by", "a colleague said so"),
    "event": pgettext_lazy("solved by", "another system said so"),
    "silence": pgettext_lazy("solved by", "the customer said nothing more"),
    "customer": pgettext_lazy("solved by", "the customer gave it up"),
}
EFFORT: Words = {
    "repeats": _("came again"),
    "switches": _("changed the channel"),
    "handovers": _("was handed over"),
    "waited": _("waited"),
    "given_again": _("gave the same data again"),
}
REALMS: Words = {
    "physical": _("Places and things"),
    "social": _("People"),
    "digital": _("Screens"),
}
FIELDS: Words = {
    "stage": _("Stage"),
    "purchases": _("Purchases"),
    "days_since_purchase": _("Days since the last purchase"),
    "days_since_contact": _("Days since the last contact"),
    "days_known": _("Days since the first contact"),
    "nps": "NPS",
    "csat": "CSAT",
    "ces": "CES",
    "effort": _("Effort, 0 to 100"),
    "open_promises": _("Open promises"),
    "open_requests": _("Open matters"),
    "attribute": _("Attribute"),
    "tag": _("Tag"),
}
OPERATIONS: Words = {
    "is": pgettext_lazy("condition", "is"),
    "not": pgettext_lazy("condition", "is not"),
    "least": pgettext_lazy("condition", "at least"),
    "most": pgettext_lazy("condition", "at most"),
    "contains": pgettext_lazy("condition", "contains"),
    "before": pgettext_lazy("condition", "before"),
    "after": pgettext_lazy("condition", "after"),
    "set": pgettext_lazy("condition", "is known"),
    "unset": pgettext_lazy("condition", "is not known"),
}
DATES: Words = {"birthday": _("Birthday"), "anniversary": _("Customer since")}


def reason_of(reason: str) -> str:
    """Why a stage began; what a system said stays in its words."""
    kind, _colon, said = reason.partition(": ")
    name = str(REASONS.get(kind, kind))
    return _now("%(reason)s: “%(said)s”") % {"reason": name, "said": said} if said else name

"""What stands beside the timeline: who the customer is in brief, what is open, how he is reached, how often he came."""

from collections.abc import Sequence
from typing import Any

import orjson
from django.http import Http404

from customers import cards, consents, holds, masking
from customers.access import Principal
from customers.console import knowledge, pictures, promised, suggestions
from customers.console.consenting import consented
from customers.console.feelings import feelings
from customers.console.journeys import path_of
from customers.console.lines import Line, mark_new
from customers.console.looking import LOOKED, SINCE, look, seen
from customers.console.matters import open_of
from customers.console.pages import user_id
from customers.console.personal import described
from customers.console.promised import expectation, promise
from customers.experience import brief, expected, feedbacklists, journeymap, matterlists, owed, scorelists
from customers.sql import Cursor, is_far

WHO = cards.card("id", "identities", "first_contact", "last_contact", "open_threads")
PANELS = {
    "claims": knowledge.CLAIMED,
    "channels": pictures.BY_CHANNEL,
    "maybe": suggestions.OF_CUSTOMER,
    "path": journeymap.PATH,
    "promises": owed.WAITING_OF,
    "expects": expected.AHEAD_SHORTLY,
    "scores": scorelists.LATEST_OF,
    "feedback": feedbacklists.FIRST_OF,
    "matters": matterlists.OPEN_OF,
    "consents": consents.OF.replace("%s", "%(customer)s"),
    "held": holds.OF.replace("%s", "%(customer)s"),
    "said": owed.SAID,
}
"""Each asks for the rows of one `%(customer)s`, some for a few of them, the last for what was said in `%(lines)s`."""
MOST = "5"
ROWS = "(SELECT coalesce(json_agg(x), '[]') FROM ({}) x)"
ALSO = f"json_build_array({', '.join([WHO, *(ROWS.format(panel) for panel in PANELS.values())])})".replace(
    "%(limit)s", MOST
)
ALL = brief.asking(ALSO)
"""With the brief in one statement: most of the panels are empty, and asking costs more than answering."""
ALL_LOOKING = brief.asking(ALSO, since=SINCE, after=LOOKED)
"""And the agent's look at it."""


def side_of(
    sql: Cursor, root: int, principal: Principal, lines: Sequence[Line] = (), *, looks: bool = False
) -> dict[str, Any]:
    """For the template; what was folded is made true first, so that the panels say the same as the brief.

    The `lines` beside it learn what was said in them and which are new; `looks`: it is noted that the agent looks.
    """
    user, since, statement = user_id(principal), None, ALL
    if not looks:
        since = seen(sql, user, root)
    elif is_far(sql):
        since = look(sql, user, root)
    else:
        statement = ALL_LOOKING
    asked = {"lines": owed.array(one.id for one in lines), "user": user}
    found = brief.brief(root, since=since, statement=statement, asked=asked)
    if found is None:
        raise Http404
    mark_new(lines, found.since, principal.viewer)
    who, *rest = orjson.loads(found.also)
    panels = dict(zip(PANELS, rest, strict=True))
    who = masking.shown(who | knowledge.named_and_known(panels["claims"]))
    offered = found.frame.calendars if principal.may("write") else None
    promised.put(lines, [(one["kind"], one["said"]) for one in panels["said"]], lambda: offered)
    return {
        "card": who,
        "profile": described(who),
        "brief": [masking.shown(line.shape()) for line in found.lines],
        "feelings": feelings(panels["scores"], panels["feedback"]),
        "rows": pictures.rows(panels["channels"]),
        "matters": open_of(panels["matters"]),
        "path": path_of(panels["path"], found.first_touch, found.frame.meaning.stage_names),
        "tags": knowledge.tags(panels["claims"]),
        "maybe": suggestions.of_ids(sql, [one["id"] for one in panels["maybe"]], who["id"]),
        "promises": [promise(one["promise"]) for one in panels["promises"]],
        "expects": [expectation(one["expectation"]) for one in panels["expects"]],
        **consented(panels["consents"], panels["held"]),
        "may_write": principal.may("write"),
        "may_hold": principal.supervises,
        "may_unmask": getattr(principal, "may_unmask", False),
        "may_correct": principal.may("write") and not principal.masked,
    }

"""What a customer allows, beside the timeline: the last word of each channel and purpose, and a new one noted."""

from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext as _

from customers import consents
from customers.access import Principal
from customers.byhand import card_beside_founder
from customers.console import words
from customers.console.compiled import channel_options
from customers.console.lines import moment
from customers.console.outcomes import done, public_ids
from customers.console.pages import Unreadable, customer_of, page, word
from customers.console.personal import source
from customers.masking import shown
from customers.merging import holding
from customers.models import Consent
from customers.recording import attempt
from customers.sql import cursor

LONGEST = 200
STATES: dict[str, Any] = {
    Consent.GIVEN: pgettext_lazy("consent", "given"),
    Consent.WITHDRAWN: pgettext_lazy("consent", "taken back"),
}


def consented(said: list[dict[str, Any]], held: list[dict[str, Any]]) -> dict[str, Any]:
    """For the card, from the rows of `consents.OF` and `holds.OF`."""
    noted = [dict(zip(consents.NAMES, one.values(), strict=True)) for one in said]
    last = [shown({**one, "at": moment(one["at"])}) for one in noted if one["counts"]]
    return {
        "consents": [
            {
                **one,
                "words": words.said(STATES)[one["state"]],
                "on": _("all channels") if one["channel"] == consents.ANY else channel(one["channel"]),
                "source": source(one["source"]),
            }
            for one in last
        ],
        "held": [shown({"reason": one["reason"]}) for one in held],
        "consent_channels": channel_options(get_language()),
    }


def channel(slug: str) -> str:
    return str(words.CHANNELS.get(slug, slug))


@page("POST", scope="write")
def consent(request: HttpRequest, principal: Principal, customer: str) -> HttpResponse:
    """`/customers/{id}/consent`: note one; nothing that was noted before changes."""
    state, purpose = word(request.POST, "state", 20), word(request.POST, "purpose", LONGEST)
    if state not in Consent.STATES or not purpose:
        raise Unreadable
    on = word(request.POST, "channel", LONGEST) or consents.ANY
    said = consents.Said(on, purpose, state, datetime.now(UTC), word(request.POST, "evidence", LONGEST))

    def work() -> str:
        with cursor("reading") as sql:
            root = customer_of(sql, customer)
        with holding(root) as (sql, _homes):
            card, _handle = card_beside_founder(sql, root, by=principal.viewer)
            consents.note(sql, card, said, by=principal.viewer)
            return public_ids(sql, [root])[root]

    return done(request, attempt(work), _("Noted."))

"""One colleague under several names: who answers, who hands over, and whose promises are whose."""

from typing import Any

import pytest
from django.contrib.auth.models import User

from customers.experience.following import follow, freshen
from customers.models import AgentProfile, Experience, Following, Promise, Request
from tests.support import COMMITTED, Api, at, event, everything, identifier, push_and_drain, shop

pytestmark = COMMITTED
DUE = "2030-01-02T10:00:00+00:00"


@pytest.fixture
def api(committed: None) -> Api:
    shop()
    return everything()


def story(api: Api) -> None:
    """A question, two answers by the same person as two systems name her, and a promise that a third one pushed."""

    def said(minute: int, **more: Any) -> dict[str, Any]:
        return event(identifier("device", "asks-twice"), occurred_at=at(60 * minute - 3600), kind="message", **more)

    by_mail = {"agent": {"id": "Vera@Shop.example"}, "details": {"promise": {"due_at": DUE, "owner": "ext 204"}}}
    push_and_drain(
        api,
        said(1, direction="inbound", channel="email"),
        said(2, direction="outbound", channel="email", **by_mail),
        said(3, direction="outbound", channel="email", agent={"id": "vera"}),
    )


def settled() -> tuple[int, list[str], str]:
    while follow(60):
        pass
    row = Request.objects.get()
    return row.handovers, row.agents, Promise.objects.get().owner


def test_aliases_make_one_person_of_two_names(api: Api) -> None:
    user = User.objects.create_user("vera")
    story(api)
    apart = (1, ["Vera@Shop.example", "vera"], "ext 204")
    assert settled() == apart
    profile = AgentProfile.objects.create(user=user, aliases=["vera@shop.example", "EXT 204"])
    assert settled() == (0, ["vera"], "vera"), "the follower counts anew by itself"
    profile.aliases = []
    profile.save()
    assert settled() == apart, "and again, back under rules that it has had before"
    assert Following.objects.filter(name__startswith="rules ").count() == 1
    AgentProfile.objects.update(aliases=["vera@shop.example"])
    freshen(Experience.objects.get().customer_id)
    assert Request.objects.get().handovers == 0, "whoever is read is counted at once"

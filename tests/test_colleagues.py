"""One colleague under several names: who answers, who hands over, and whose promises are whose."""

from typing import Any

from django.contrib.auth.models import User

from customers.experience.following import follow, freshen
from customers.models import AgentProfile, Experience, Following, Promise, Request, Score
from tests.support import COMMITTED, Api, at, event, identifier, push_and_drain

pytestmark = COMMITTED
DUE = "2030-01-02T10:00:00+00:00"


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


def test_whoever_asks_by_one_name_gets_what_is_told_under_all(api: Api) -> None:
    user = User.objects.create_user("vera")
    story(api)
    score = {"score": {"metric": "csat", "value": 5, "agent": "Ext 204"}}
    asks = identifier("device", "asks-twice")
    push_and_drain(api, event(asks, occurred_at=at(-100), kind="survey", direction="inbound", details=score))
    names = ["vera", "vera@shop.example", "VERA@Shop.example", "ext 204", f"user:{user.pk}"]
    year = {"since": "2026-01-01T00:00:00Z", "until": "2027-01-01T00:00:00Z"}

    def told(name: str) -> list[int]:
        """How many promises, matters, scores and sums of scores are his."""
        promises = api.ok("promises", {"owner": name, "state": "kept"})
        others = [api.ok(path, {"agent": name, **year}) for path in ("requests", "scores", "experience/scores")]
        return [len(one["results"]) for one in (promises, *others)]

    settled()
    assert [told(name) for name in ("vera", "ext 204", "nobody")] == [[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]], "apart"
    AgentProfile.objects.create(user=user, aliases=["Vera@Shop.example", "ext 204", "Ext 204"])
    assert [told(name) for name in names] == [[1, 1, 1, 1]] * 5, "before anything is counted anew"
    settled()
    assert Score.objects.get().agent == "vera"
    assert [told(name) for name in names] == [[1, 1, 1, 1]] * 5
    assert told("nobody") == [0, 0, 0, 0]

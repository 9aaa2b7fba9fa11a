"""One customer with everything that an address can name, so that every page and answer about him is there."""

from dataclasses import dataclass
from typing import Any

from channels.models import Subscription
from channels.outgoing.subscribing import begin, try_now
from customers import attachments
from customers.experience.following import freshen
from customers.models import (
    Attachment,
    Candidate,
    Customer,
    Expectation,
    Feedback,
    Identity,
    Interaction,
    Link,
    Promise,
    Request,
    Segment,
)
from tests.support import Api, at, event, identifier, push_and_drain, shop

PHONE, EMAIL, OTHER = "+79125550101", "whole@client.example", "+79125550199"


@dataclass(frozen=True, slots=True)
class World:
    """What stands in the path of an address, by the name that it has there."""

    api: Api
    names: dict[str, str]

    def path(self, route: str, **other: str) -> str:
        """The address of a route, with the ids that there are."""
        path = "" if route.startswith("^") else route
        for name, value in {**self.names, **self.of(route), **other}.items():
            for kind in ("", "str:", "uuid:", "int:"):
                path = path.replace(f"<{kind}{name}>", value)
        assert "<" not in path, route
        return "/api/nothing" if route.startswith("^") else f"/{path}"

    def of(self, route: str) -> dict[str, str]:
        """The pages call several things by `number`."""
        start = route.partition("/<uuid:number>")[0].rpartition("/")[2].rstrip("s")
        kind = {"promise": "promise", "expectation": "expectation", "request": "matter"}.get(start, "segment")
        found = {"number": self.names[kind], "interaction": self.names["line"]}
        if route.endswith(("/letter", "/conversation")):
            found["interaction"] = self.names["letter"]
        if route.endswith("/assign/undo"):
            found["line"] = self.names["assigned"]
        return found

    def params(self, route: str) -> dict[str, str]:
        """What an address has to be asked, beside its path."""
        known = {
            "api/v1/customers": {"q": "Ada"},
            "api/v1/lookup": {"phone": PHONE},
            "api/v1/search": {"q": "grinder"},
            "api/v1/customers/<str:customer>/changes": {"since": "0.0"},
            "api/v1/customers/<str:customer>/merge-preview": {"with": self.names["other"]},
            "customers/<customer>/merge": {"with": self.names["other"]},
            "customers/<customer>/news": {"since": "0.0"},
            "experience/journey/customers": {"stage": "before"},
            "api/v1/experience/journey/customers": {"stage": "before"},
        }
        return known.get(route, {})


def whole_world(api: Api) -> World:
    """Everything is made by the doors; `api` may do all."""
    shop()
    handles = [identifier("phone", PHONE), identifier("email", EMAIL)]
    told = {
        "promises": [{"id": "p", "what": "call back", "within_minutes": 30}],
        "expectations": [{"id": "e", "what": "an answer today"}],
    }
    said: dict[str, Any] = {"subject": "The grinder", "text": "Where is it?", "thread": "t", "occurred_at": at(1)}
    letter = event(handles[1], channel="email", kind="email", details={"html": "<p>Where is it?</p>"}, **said)
    letter["attachments"] = [{"name": "photo.png", "content_type": "image/png", "url": "https://files.example/1"}]
    stars = {"score": {"metric": "stars", "value": 1}}
    events = [
        event(*handles, name="Ada Lovelace", text="The grinder?", details=told),
        letter,
        event(handles[0], channel="reviews", kind="review", text="Slow", occurred_at=at(2), details=stars),
        event(handles[0], channel="store", kind="purchase", text="bought", occurred_at=at(3)),
        event(identifier("phone", OTHER), name="Bea Other", text="grinder"),
    ]
    receipts = push_and_drain(api, *events)
    push_and_drain(api, event(identifier("phone", OTHER), {**handles[1], "verified": False}, text="claims"))
    who, other = api.card("phone", PHONE)["id"], api.card("phone", OTHER)["id"]
    for one in (who, other):
        freshen(Customer.objects.get(public_id=one).pk)
    file = Attachment.objects.get()
    assert attachments.store(file, [b"the bytes"])
    segment = Segment.objects.create(name="all", filter={"all": []}, created_by="test")
    told_to = begin(Subscription(url="https://127.0.0.1/"), "test")
    message = try_now(told_to).message
    first = Interaction.objects.get(text="The grinder?")
    assigned = api.post(f"interactions/{receipts[3]['interaction']}/assign", {"customer": other})
    assert assigned.status_code == 201, assigned.content
    names: dict[str, Any] = {
        "customer": who,
        "other": other,
        "line": first.pk,
        "assigned": receipts[3]["interaction"],
        "letter": receipts[1]["interaction"],
        "identity": Identity.objects.get(kind="phone", value=PHONE).pk,
        "handle": Identity.objects.get(kind="phone", value=PHONE).pk,
        "link": Link.objects.order_by("pk")[0].pk,
        "candidate": Candidate.objects.order_by("pk")[0].pk,
        "promise": Promise.objects.get().pk,
        "expectation": Expectation.objects.get().pk,
        "matter": Request.objects.order_by("at", "pk")[0].pk,
        "feedback": Feedback.objects.get().pk,
        "segment": segment.pk,
        "attachment": file.pk,
        "subscription": told_to.pk,
        "message": message.webhook_id,
        "receipt": receipts[0]["receipt"],
        "provider": "push",
        "key": "x",
    }
    return World(api, {name: str(value) for name, value in names.items()})

"""Subscriptions over the API: who is told of changes, what was told, and told again."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request

from channels.api import subscribing as shapes
from channels.models import Message, Subscription
from channels.outgoing import subscribing
from customers.api.authentication import Whole, needs
from customers.api.problems import Problem
from customers.api.query import Query
from customers.api.shapes import UP_TO_200, responses, validated
from customers.api.views import View, body_of, json_response

MOST = 100
PENDING = 10_000
"""Counted up to here."""
ATTEMPTS = 50


class Subscribed(View):
    """For administrators; nobody who is shown masked values, since secrets are shown here."""

    permission_classes = [needs("admin"), Whole]


def found(id_: UUID) -> Subscription:
    one = Subscription.objects.filter(pk=id_).first()
    if one is None:
        raise Problem("not_found", "There is no such subscription.")
    return one


def checked(url: str, types: list[str], sources: list[str]) -> None:
    try:
        subscribing.check(url, types, sources)
    except subscribing.BadSubscription as error:
        raise Problem("invalid_value", str(error), field=error.field) from None


def told(one: Subscription) -> dict[str, Any]:
    waiting = Message.objects.filter(subscription=one, state=Message.PENDING)
    return shapes.told(one, len(waiting.values_list("pk")[:PENDING]))


class SubscriptionsView(Subscribed):
    @extend_schema(operation_id="subscriptions", responses=responses(shapes.Subscriptions))
    def get(self, request: Request) -> HttpResponse:
        """Whoever is told of changes, the oldest first."""
        Query(request.query_params)
        return json_response({"results": [told(one) for one in Subscription.objects.order_by("created_at", "pk")]})

    @extend_schema(
        operation_id="subscriptions_make",
        request=shapes.NewSubscription,
        responses=responses(shapes.MadeSubscription, 409, status=201),
    )
    def post(self, request: Request) -> HttpResponse:
        """Tell an address of what happens from now on, by messages signed as Standard Webhooks has it."""
        Query(request.query_params)
        wanted = validated(shapes.NewSubscription, body_of(request))
        checked(wanted.url, wanted.types, wanted.sources)
        if Subscription.objects.count() >= MOST:
            raise Problem("conflict", f"There may be {MOST} subscriptions.")
        made = subscribing.begin(Subscription(**wanted.model_dump()), self.principal(request).viewer)
        made.refresh_from_db()
        return json_response({**told(made), "secret": made.secret}, status=201)


class SubscriptionView(Subscribed):
    @extend_schema(operation_id="subscriptions_read", responses=responses(shapes.SubscriptionShape, 404))
    def get(self, request: Request, subscription: UUID) -> HttpResponse:
        """How one of them does."""
        Query(request.query_params)
        return json_response(told(found(subscription)))

    @extend_schema(
        operation_id="subscriptions_change",
        request=shapes.ChangedSubscription,
        responses=responses(shapes.SubscriptionShape, 404),
    )
    def patch(self, request: Request, subscription: UUID) -> HttpResponse:
        """Change what is given; `enabled: true` makes it go on where it stopped."""
        Query(request.query_params)
        wanted = validated(shapes.ChangedSubscription, body_of(request))
        one = found(subscription)
        given = {name: value for name, value in wanted.model_dump().items() if value is not None}
        enabled = given.pop("enabled", None)
        for name, value in given.items():
            setattr(one, name, value)
        checked(one.url, one.types, one.sources)
        if given:
            one.save(update_fields=list(given))
        if enabled:
            subscribing.enable(one)
        elif enabled is False:
            Subscription.objects.filter(pk=one.pk).update(enabled=False)
        return json_response(told(found(subscription)))

    @extend_schema(operation_id="subscriptions_remove", responses=responses(shapes.SubscriptionShape, 404))
    def delete(self, request: Request, subscription: UUID) -> HttpResponse:
        """Forget it with all its messages; answers what it was."""
        Query(request.query_params)
        gone = found(subscription)
        said = told(gone)
        subscribing.remove(gone)
        return json_response(said)


class RotateView(Subscribed):
    @extend_schema(operation_id="subscriptions_rotate", request=shapes.Rotate, responses=responses(shapes.Secret, 404))
    def post(self, request: Request, subscription: UUID) -> HttpResponse:
        """A new secret, shown only now; the one before signs as well for a while."""
        Query(request.query_params)
        wanted = validated(shapes.Rotate, body_of(request, empty=True))
        secret = subscribing.rotate(found(subscription), timedelta(hours=wanted.keep_hours))
        return json_response({"secret": secret})


class TryView(Subscribed):
    @extend_schema(operation_id="subscriptions_test", request=None, responses=responses(shapes.AttemptShape, 404))
    def post(self, request: Request, subscription: UUID) -> HttpResponse:
        """Send `cxhub.test` now, and answer what the receiver said; also where the subscription is off."""
        Query(request.query_params)
        validated(shapes.Nothing, body_of(request, empty=True))
        return json_response(shapes.attempt(subscribing.try_now(found(subscription))))


class AgainView(Subscribed):
    @extend_schema(
        operation_id="subscriptions_again", request=shapes.Again, responses=responses(shapes.Count, 404, status=202)
    )
    def post(self, request: Request, subscription: UUID) -> HttpResponse:
        """Send all messages since a moment once more, each under its own id."""
        Query(request.query_params)
        one = found(subscription)
        wanted = validated(shapes.Again, body_of(request))
        count = subscribing.again(subscribing.since(one, wanted.since, wanted.state or ""), one)
        return json_response({"count": count}, status=202)


class MessagesView(Subscribed):
    @extend_schema(
        operation_id="subscriptions_messages",
        parameters=[
            OpenApiParameter("state", OpenApiTypes.STR, enum=Message.STATES),
            OpenApiParameter("limit", UP_TO_200),
            OpenApiParameter("cursor", OpenApiTypes.STR),
        ],
        responses=responses(shapes.Messages, 404),
    )
    def get(self, request: Request, subscription: UUID) -> HttpResponse:
        """The messages to one of them, newest first, each with its latest attempts."""
        query = Query(request.query_params, "state", "limit", "cursor")
        limit = query.number("limit", 50, least=1, most=200)
        waiting = Message.objects.filter(subscription=found(subscription)).order_by("-pk")
        if state := query.choice("state", Message.STATES, ""):
            waiting = waiting.filter(state=state)
        if token := query.text("cursor"):
            if not (token.isascii() and token.isdigit() and len(token) < 19):
                raise Problem("invalid_value", "This cursor was not made by this service.", field="cursor")
            waiting = waiting.filter(pk__lt=int(token))
        page = list(waiting.prefetch_related("log")[: limit + 1])
        more = len(page) > limit
        page = page[:limit]
        return json_response({"results": [shown(one) for one in page], "next": str(page[-1].pk) if more else None})


class MessageAgainView(Subscribed):
    @extend_schema(
        operation_id="subscriptions_message_again",
        request=None,
        responses=responses(shapes.MessageShape, 404, status=202),
    )
    def post(self, request: Request, message: str) -> HttpResponse:
        """Send one message once more, under its own id."""
        Query(request.query_params)
        validated(shapes.Nothing, body_of(request, empty=True))
        meant = named(message)
        one = meant.select_related("subscription").first()
        if one is None:
            raise Problem("not_found", "There is no such message.")
        subscribing.again(meant, one.subscription)
        return json_response(shown(meant.get()), status=202)


def named(text: str) -> QuerySet[Message]:
    try:
        return Message.objects.filter(name=UUID(text.removeprefix("msg_")))
    except ValueError:
        raise Problem("not_found", "There is no such message.") from None


def shown(one: Message) -> dict[str, Any]:
    log = sorted(one.log.all(), key=lambda attempt: -attempt.pk)[:ATTEMPTS]
    return {
        "id": one.webhook_id,
        "type": one.type,
        "state": one.state,
        "created_at": one.created_at,
        "due_at": one.due_at if one.state == Message.PENDING else None,
        "settled_at": one.settled_at,
        "body": orjson.loads(one.body),
        "attempts": [shapes.attempt(attempt) for attempt in log],
    }

"""What people do with subscriptions: make them, change the secret, try them, and have messages sent again."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import uuid4

import orjson
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from channels.fetching import FetchError, split
from channels.models import Attempt, Message, Source, Subscription
from channels.outgoing.delivering import Due, Receiver, hand_over
from channels.outgoing.signing import new_secret
from channels.outgoing.spreading import TEST, TYPES
from customers.changes import token_now
from customers.sql import cursor

KEEP = timedelta(hours=24)
"""For how long the secret before still signs, too."""

ATTEMPTS = """
DELETE FROM channels_attempt a USING channels_message m WHERE m.id = a.message_id AND m.subscription_id = %s
"""


class BadSubscription(ValueError):
    """Cannot be told anything; `field` says which part is wrong."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field = field


def check(url: str, types: Sequence[str], sources: Sequence[str]) -> None:
    """Raises BadSubscription. Where the host leads is checked at each attempt: names change where they lead."""
    try:
        split(url, settings.CXHUB_OUTGOING_INSIDE)
    except FetchError as error:
        raise BadSubscription("url", f"This address cannot be told anything: {error}.") from None
    if unknown := sorted(set(types) - set(TYPES)):
        raise BadSubscription("types", f"There is no «{unknown[0]}»; known are {', '.join(TYPES)}.")
    known = Source.objects.filter(slug__in=sources).values_list("slug", flat=True)
    if unknown := sorted(set(sources) - set(known)):
        raise BadSubscription("sources", f"There is no source «{unknown[0]}».")


def begin(subscription: Subscription, by: str) -> Subscription:
    """A new one: it hears of what happens from now on."""
    subscription.secret, subscription.created_by = new_secret(), by
    with cursor() as sql:
        subscription.txid = int(token_now(sql).partition(".")[0])
    subscription.save(force_insert=True)
    return subscription


def rotate(subscription: Subscription, keep: timedelta = KEEP) -> str:
    """A new secret; for a while the one before signs as well, so that receivers change when they like."""
    subscription.previous_secret, subscription.previous_until = subscription.secret, timezone.now() + keep
    subscription.secret = new_secret()
    subscription.save(update_fields=["secret", "previous_secret", "previous_until"])
    return subscription.secret


def enable(subscription: Subscription) -> None:
    """It goes on where it stopped."""
    subscription.enabled, subscription.disabled_why = True, ""
    subscription.failures, subscription.failing_since, subscription.paused_until = 0, None, None
    subscription.save(update_fields=["enabled", "disabled_why", "failures", "failing_since", "paused_until"])


def remove(subscription: Subscription) -> None:
    """With its messages, in few statements: there may be many."""
    with transaction.atomic(), cursor() as sql:
        sql.execute("SELECT 1 FROM channels_subscription WHERE id = %s FOR UPDATE", (subscription.pk,))
        sql.execute(ATTEMPTS, (subscription.pk,))
        sql.execute("DELETE FROM channels_message WHERE subscription_id = %s", (subscription.pk,))
        sql.execute("DELETE FROM channels_subscription WHERE id = %s", (subscription.pk,))


def again(messages: QuerySet[Message], subscription: Subscription) -> int:
    """Have these sent again, each under its own id and with the whole schedule before it; returns how many."""
    count = messages.filter(subscription=subscription).update(
        state=Message.PENDING, attempts=0, due_at=timezone.now(), settled_at=None
    )
    Subscription.objects.filter(pk=subscription.pk).update(paused_until=None)
    return count


def since(subscription: Subscription, at: datetime, state: str = "") -> QuerySet[Message]:
    found = Message.objects.filter(subscription=subscription, created_at__gte=at)
    return found.filter(state=state) if state else found


def try_now(subscription: Subscription) -> Attempt:
    """A message that says nothing of anybody, sent at once, also where the subscription is off."""
    name, now = uuid4(), timezone.now()
    body = orjson.dumps({"type": TEST, "timestamp": now, "data": {"subscription": subscription.pk}}).decode()
    overlaps = subscription.previous_until is not None and subscription.previous_until > now
    previous = subscription.previous_secret if overlaps else ""
    receiver = Receiver(subscription.pk, subscription.url, subscription.secret, previous, uuid4())
    answer = hand_over(receiver, Due(0, name, body, 0))
    state = Message.DELIVERED if answer.taken else Message.FAILED
    message = Message.objects.create(
        name=name, subscription=subscription, type=TEST, body=body, state=state, attempts=1, settled_at=now
    )
    return Attempt.objects.create(
        message=message, status=answer.status, milliseconds=answer.milliseconds, said=answer.said
    )

"""What became of a delivery: the receipt of a pushed event, and the list of what needs a person."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import F, QuerySet
from django.db.models.functions import Now

from channels.models import Delivery, DeliveryBody
from customers import replica
from customers.timeline import customers_of


def shown(deliveries: Sequence[Delivery]) -> list[dict[str, Any]]:
    """Receipts as JSON; each line's customer is whoever it belongs to now."""
    replica.stay_on_primary()  # A receipt that says «recorded» names the customer, too.
    ids = [UUID(line["interaction"]) for delivery in deliveries for line in delivery.lines]
    owners = customers_of(ids)
    return [receipt(delivery, owners) for delivery in deliveries]


def receipt(delivery: Delivery, owners: dict[UUID, UUID]) -> dict[str, Any]:
    lines = [
        {
            "interaction": line["interaction"],
            "customer": str(owner) if (owner := owners.get(UUID(line["interaction"]))) else None,
            "status": line["status"],
            "matched_by": line["matched_by"] or None,
        }
        for line in delivery.lines
    ]
    first = lines[0] if lines and lines[0]["customer"] else {"interaction": None, "customer": None}
    return {
        "receipt": str(delivery.pk),
        "id": delivery.external_id or None,
        "source": delivery.source.slug,
        "status": delivery.state,
        "interaction": first["interaction"],
        "customer": first["customer"],
        "lines": lines,
        "refused": delivery.refused,
        "received_at": delivery.received_at,
        "recorded_at": delivery.recorded_at,
        "reason": delivery.reason or None,
        "attempts": delivery.attempts,
    }


def replay(deliveries: QuerySet[Delivery]) -> int:
    """Put final deliveries back to work: parsed again, they replace what they wrote. Returns how many.

    Those whose bytes were pruned stay as they are.
    """
    final = deliveries.exclude(state__in=Delivery.OPEN)
    kept = [
        id_
        for id_, received_at in final.values_list("pk", "received_at")
        if DeliveryBody.objects.filter(received_at=received_at, delivery_id=id_).exists()
    ]
    return (
        Delivery.objects.filter(pk__in=kept)
        .exclude(state__in=Delivery.OPEN)
        .update(
            state=Delivery.ACCEPTED,
            replays=F("replays") + 1,
            attempts=0,
            failed=False,
            lease=None,
            lease_until=None,
            due_at=Now(),
            reason="",
        )
    )

"""What people added to the lists of `blocked`, and took from them: read again every five seconds."""

import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Final

from customers import handles
from customers.identification import regions
from customers.models import BlockedHandle, Identity

SECONDS: Final = 5.0
_LOCK: Final = threading.Lock()
_read: tuple[float, dict[tuple[str, str], str]] = (-SECONDS, {})


def verdict(kind: str, value: str) -> str:
    """Why this normal form is on the list, one of BlockedHandle.WHY; "" when it is not."""
    return known().get((kind, value), "")


def known() -> dict[tuple[str, str], str]:
    global _read
    at, rows = _read
    if time.monotonic() - at < SECONDS:
        return rows
    with _LOCK:
        if _read[0] == at:
            # What a person entered goes before what a source keeps.
            listed = BlockedHandle.objects.order_by("-source_id").values_list("kind", "value", "why")
            _read = (time.monotonic(), {(kind, value): why for kind, value, why in listed})
        return _read[1]


def forget() -> None:
    """This process reads the list again at once; the others within five seconds."""
    global _read
    _read = (-SECONDS, {})


def entry(kind: str, value: str, region: str = "") -> str:
    """The normal form under which a handle is listed; what has none is listed trimmed and casefolded.

    A number without a region is read by those in use, the first that knows it wins.
    """
    for one in [region or None, *(regions() if kind == "phone" and not region else [])]:
        with suppress(handles.Refused):
            return handles.normal(kind, value, "-", region=one)[0].value
    return value.strip().casefold()


def block(kind: str, value: str, *, why: str, note: str, by: str) -> None:
    """List a normal form, or change why it is listed."""
    BlockedHandle.objects.update_or_create(
        kind=kind, value=value, source_id=0, defaults={"why": why, "note": note, "created_by": by}
    )
    settle(kind, value)


def unblock(kind: str, value: str) -> None:
    BlockedHandle.objects.filter(kind=kind, value=value, source_id=0).delete()
    settle(kind, value)


def settle(kind: str, value: str) -> None:
    """The list changed: whether identities that stand may link is what it says now."""
    forget()
    try:
        linkable = handles.normal(kind, value, "-")[0].linkable
    except handles.Refused:
        linkable = False
    if said := verdict(kind, value):
        linkable = said == BlockedHandle.ALLOWED
    Identity.objects.filter(kind=kind, value=value).exclude(linkable=linkable).update(linkable=linkable)


def own(source_id: int, addresses: Iterable[str], region: str = "") -> None:
    """The numbers and addresses that are the company's own, as one source has them: no customer is reached there."""
    wanted = {
        (kind, entry(kind, address, region))
        for address in addresses
        for kind in ("email" if "@" in address else "phone",)
    }
    mine = BlockedHandle.objects.filter(source_id=source_id)
    listed = {(row.kind, row.value): row.pk for row in mine}
    mine.filter(pk__in=[pk for key, pk in listed.items() if key not in wanted]).delete()
    fresh = [
        BlockedHandle(kind=kind, value=value, source_id=source_id, note="the company's own")
        for kind, value in sorted(wanted - set(listed))
    ]
    BlockedHandle.objects.bulk_create(fresh, ignore_conflicts=True)
    if wanted or listed:
        forget()

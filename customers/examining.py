"""What an event's handles are: normal forms, how far each is to be believed, and what is none at all."""

from collections.abc import Iterator
from dataclasses import replace

from django.conf import settings

from customers import blocklist, handles
from customers.handles import NormalHandle
from customers.identification import ANONYMOUS, OURS, Case, Evidence, Key
from customers.incoming import ChannelEvent, Handle, Trust
from customers.models import BlockedHandle

REFUSED = frozenset({BlockedHandle.BLOCKED, BlockedHandle.NO_REPLY})


def examine(event: ChannelEvent) -> Case:
    """Normal forms of the event's handles; what is blocked or no handle at all is refused, not lost."""
    evidence: dict[Key, Evidence] = {}
    refused = []
    for handle in event.handles:
        try:
            found = list(as_it_stands(handle) if event.source_id == OURS else evidence_of(handle, event))
        except handles.Refused as refusal:
            refused.append({"identifier": f"{handle.kind}:{handle.value[:200]}", "reason": refusal.reason})
            continue
        for one in found:
            best = evidence.get(one.key)
            if best is None or (not best.spells, best.trust) < (not one.spells, one.trust):
                evidence[one.key] = one
    if not evidence and event.beside is None and (event.handles or event.part == "main"):
        nobody = NormalHandle(kind=ANONYMOUS, scope=event.source, value=str(event.line), raw="", linkable=False)
        return Case(event, [Evidence(nobody, Trust.ASSERTED)], refused)
    return Case(event, list(evidence.values()), refused)


def as_it_stands(handle: Handle) -> Iterator[Evidence]:
    """What we wrote ourselves."""
    yield Evidence(NormalHandle(handle.kind, handle.scope, handle.value, raw=""), handle.trust)


def evidence_of(handle: Handle, event: ChannelEvent) -> Iterator[Evidence]:
    """The handle and its other spellings; raises Refused where it names nobody."""
    for place, normal in enumerate(normal_forms(handle, event)):
        said = blocklist.verdict(normal.kind, normal.value)
        if said in REFUSED and not place:
            raise handles.Refused(said)
        if said in REFUSED:
            continue
        if said:
            normal = replace(normal, linkable=said == BlockedHandle.ALLOWED)
        # Whoever signed the mail did not sign for the address inside its wrapping.
        trust = Trust.CLAIMED if "unwrapped" in normal.flags else handle.trust
        one = Evidence(normal, trust)
        yield one
        if settings.CXHUB_RULES and normal.linkable:
            yield from spellings(one)


def spellings(of: Evidence) -> Iterator[Evidence]:
    """The same mailbox in its provider's spelling; a number as it was dialled before its country changed its plan."""
    normal = of.handle
    bare = replace(normal, match_key="", aliases=())
    if normal.match_key and normal.match_key != normal.value:
        yield Evidence(replace(bare, value=normal.match_key), of.trust, spells=of.key)
    for alias in normal.aliases:
        yield Evidence(replace(bare, value=alias), of.trust, spells=of.key, only_known=True)


def normal_forms(handle: Handle, event: ChannelEvent) -> tuple[NormalHandle, ...]:
    """As `handles` says; what it takes for nobody is somebody where the list says `allowed`."""
    try:
        return handles.normal(
            handle.kind, handle.value, handle.scope, region=event.region or None, default_scope=event.source
        )
    except handles.Refused as refusal:
        value = handle.value.strip().casefold()[:200]
        if refusal.reason == "invalid" or blocklist.verdict(handle.kind, value) != BlockedHandle.ALLOWED:
            raise
        scope = "" if handle.kind in handles.GLOBAL_KINDS else handle.scope or event.source
        return (NormalHandle(handle.kind, scope, value, handle.value[:200]),)

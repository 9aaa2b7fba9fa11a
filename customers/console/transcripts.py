"""What was said in a call, where its details have it as text: one text, or turns with who spoke and when."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from customers.console.facts import length

TURNS, MOST = 40, 5_000
"""Turns and characters that are shown before somebody asks for all of it."""
TURNS_IN_ALL, MOST_IN_ALL = 2_000, 200_000
SPEAKERS: dict[str, Any] = {"agent": _("Agent"), "customer": _("Customer")}


@dataclass(frozen=True, slots=True)
class Turn:
    who: str
    at: str
    text: str


@dataclass(frozen=True, slots=True)
class Transcript:
    turns: list[Turn]
    cut: bool


def transcript(details: dict[str, Any], *, whole: bool) -> Transcript | None:
    """From `details.transcript`, else from that of the call or of its recording."""
    call = details.get("call")
    recording = call.get("recording") if isinstance(call, dict) else None
    for place in (details, call, recording):
        said = place.get("transcript") if isinstance(place, dict) else None
        found = turns([said] if isinstance(said, str) else said if isinstance(said, list) else [], whole=whole)
        if found:
            return found
    return None


def turns(said: list[Any], *, whole: bool) -> Transcript | None:
    """Whatever of it is words."""
    most, left = (TURNS_IN_ALL, MOST_IN_ALL) if whole else (TURNS, MOST)
    found: list[Turn] = []
    for one in (turn(each) for each in said):
        if one is None:
            continue
        if left <= 0 or len(found) == most:
            return Transcript(found, cut=True)
        found.append(Turn(one.who, one.at, one.text[:left]))
        left -= len(one.text)
    return Transcript(found, cut=left < 0) if found else None


def turn(said: object) -> Turn | None:
    if isinstance(said, str):
        said = {"text": said}
    if not isinstance(said, dict) or not isinstance(said.get("text"), str) or not said["text"].strip():
        return None
    who = str(said.get("speaker") or said.get("who") or "")[:120]
    return Turn(str(SPEAKERS.get(who, who)), length(said.get("at_s")), said["text"])

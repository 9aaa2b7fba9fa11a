"""The journey map: a picture that the server draws (mood above, losses below), and a table whose numbers are links."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from math import sqrt
from typing import Any, Final
from urllib.parse import urlencode

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from customers.console import meanings, words
from customers.console.measures import amount, length, stages
from customers.experience.journeymap import JourneyMap, Sums, journey_map
from customers.experience.periods import Period
from customers.sql import Cursor

SIDE, WIDE, ROW, HEAD, MOOD, FOOT = 120, 148, 46, 34, 70, 54
BIGGEST: Final = 19
GLAD, SAD = 0.25, -0.25
"""From which mean on a mood is shown as good or bad; the sign says it without colour."""


@dataclass(frozen=True, slots=True)
class Names:
    """What stages, channels and realms are called, and the words of the picture."""

    stages: Mapping[str, str]
    channels: Mapping[str, str]
    mood: str
    lost: str


def mood_of(sums: Sums) -> tuple[str, str]:
    """(class, sign)"""
    if sums.emotion is None:
        return "unknown", ""
    if sums.emotion >= GLAD:
        return "glad", "+"
    return ("sad", "−") if sums.emotion <= SAD else ("even", "0")


def drawn(found: JourneyMap, names: Names) -> SafeString:
    """A circle each, as large as there were contacts; the table beside it says the same in numbers."""
    stages = list(found.stages)
    high = HEAD + MOOD + ROW * len(found.channels) + FOOT
    wide = SIDE + WIDE * len(stages)
    parts = [f'<svg class="map" viewBox="0 0 {wide} {high}" aria-hidden="true" focusable="false">']
    for place, stage in enumerate(stages):
        x = SIDE + WIDE * place + WIDE // 2
        parts.append(f'<text class="stage" x="{x}" y="20">{short(names.stages.get(stage, stage), 20)}</text>')
        if place:
            parts.append(f'<path class="grid" d="M{x - WIDE // 2} {HEAD}V{high - 8}"/>')
    parts += moods(found, names)
    most = max((one.contacts for one in found.cells.values()), default=1) or 1
    for row, (_realm, channel) in enumerate(found.channels):
        y = HEAD + MOOD + ROW * row + ROW // 2
        parts.append(f'<path class="grid" d="M0 {y - ROW // 2}H{wide}"/>')
        parts.append(f'<text class="row" x="4" y="{y + 4}">{short(names.channels.get(channel, channel), 17)}</text>')
        for place, stage in enumerate(stages):
            if cell := found.cells.get((stage, channel)):
                parts.append(circle(cell, SIDE + WIDE * place + WIDE // 2, y, most))
    parts += losses(found, names, high - FOOT)
    return mark_safe("".join(parts) + "</svg>")  # nosec B308 B703 # noqa: S308 - every word is escaped


def circle(cell: Sums, x: int, y: int, most: int) -> str:
    radius = max(3.0, round(BIGGEST * sqrt(cell.contacts / most), 1))
    kind, sign = mood_of(cell)
    found = f'<circle class="{kind}" cx="{x}" cy="{y}" r="{radius}"/>'
    if sign and radius >= 7:
        found += f'<text class="sign" x="{x}" y="{y + 4}">{sign}</text>'
    if cell.exits:
        found += f'<text class="exits" x="{x + radius + 5}" y="{y + 4}">→ {cell.exits}</text>'
    return found


def moods(found: JourneyMap, names: Names) -> list[str]:
    """The mean mood from stage to stage, as a line; a stage without a word is a gap."""
    middle, reach = HEAD + MOOD // 2, MOOD // 2 - 8
    parts = [
        f'<text class="row" x="4" y="{middle + 4}">{short(names.mood, 17)}</text>',
        f'<path class="grid" d="M{SIDE} {middle}H{SIDE + WIDE * len(found.stages)}"/>',
    ]
    run: list[str] = []
    for place, sums in enumerate(found.stages.values()):
        if sums.emotion is None:
            run = []
            continue
        x, y = SIDE + WIDE * place + WIDE // 2, round(middle - reach * sums.emotion, 1)
        if run:
            parts.append(f'<path class="mood" d="M{run[-1]}L{x} {y}"/>')
        run.append(f"{x} {y}")
        parts.append(f'<circle class="{mood_of(sums)[0]}" cx="{x}" cy="{y}" r="5"/>')
    return parts


def losses(found: JourneyMap, names: Names, top: int) -> list[str]:
    """A bar for each stage: of how many customers it was the last."""
    parts = [f'<text class="row" x="4" y="{top + 30}">{short(names.lost, 17)}</text>']
    most = max([20.0, *(sums.drop_off or 0 for sums in found.stages.values())])
    for place, sums in enumerate(found.stages.values()):
        if sums.exits and sums.drop_off is not None:
            tall = max(2, round(28 * sums.drop_off / most))
            x = SIDE + WIDE * place + WIDE // 2
            parts.append(f'<rect class="lost" x="{x - 14}" y="{top + 36 - tall}" width="28" height="{tall}"/>')
            parts.append(f'<text class="exits" x="{x + 20}" y="{top + 32}">{sums.drop_off:.0f} %</text>')
    return parts


def short(text: str, most: int) -> str:
    return escape(text if len(text) <= most else text[: most - 1] + "…")


def mapped(sql: Cursor, within: Period) -> dict[str, Any]:
    """The map for the template: its picture, its table, the moves, all with links to whom they count."""
    found = journey_map(sql, within.since, within.until)
    names = stages()
    channels = {channel: str(words.CHANNELS.get(channel, channel)) for _realm, channel in found.channels}
    said = Names(names, channels, str(_("Mood")), str(_("Left here")))
    days = {"since": within.day(within.since), "until": within.day(within.until - timedelta(microseconds=1))}
    whole = [{"name": names[stage], **cell(sums, {**days, "stage": stage})} for stage, sums in found.stages.items()]
    return {
        "picture": drawn(found, said) if found.cells else "",
        "stages": whole,
        "rows": rows(found, channels, days),
        "moves": [(names.get(was, was), names.get(stage, stage), count) for was, stage, count in found.moves],
        "first": found.first,
        "last": found.after - timedelta(days=1),
    }


def rows(found: JourneyMap, channels: dict[str, str], days: dict[str, Any]) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    for realm, channel in found.channels:
        cells = []
        for stage in found.stages:
            sums = found.cells.get((stage, channel))
            cells.append(cell(sums, {**days, "stage": stage, "channel": channel}) if sums else None)
        new = not made or made[-1]["of"] != realm
        made.append(
            {"of": realm, "realm": meanings.REALMS[realm] if new else "", "name": channels[channel], "cells": cells}
        )
    return made


def cell(sums: Sums, query: dict[str, Any]) -> dict[str, Any]:
    """One stage and touchpoint in words."""
    return {
        "contacts": sums.contacts,
        "customers": sums.customers,
        "mood": mood_of(sums)[0] if sums.emotion is not None else "",
        "emotion": None if sums.emotion is None else f"{'+' if sums.emotion > 0 else ''}{amount(sums.emotion, 2)}",
        "emotion_n": sums.emotion_n,
        "waited": None if sums.waited is None else length(sums.waited),
        "exits": sums.exits,
        "drop_off": None if sums.drop_off is None else amount(sums.drop_off),
        "query": urlencode(query),
        "left_query": urlencode({**query, "left": 1}),
    }

"""What is worth a word beside the text of a line: lengths, legs, orders, scores, reactions, verdicts."""

from typing import Any

from customers.console import words
from customers.console.words import spoken as _


def listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def length(seconds: object) -> str:
    """7:48, 1:02:03"""
    if not isinstance(seconds, int | float) or isinstance(seconds, bool) or not 0 <= seconds < 10**9:
        return ""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def facts(details: dict[str, Any], kind: str) -> list[str]:
    """What is worth a word beside the text: lengths, legs, orders, scores, reactions, verdicts."""
    found: list[str] = []
    for name, tell in TELLERS.items():
        value = details.get(name)
        if value and kind in ONLY.get(name, (kind,)) and (name, kind) != ("time_quality", "note"):
            found += tell(value)
    return found


def of_call(value: object) -> list[str]:
    if not isinstance(value, dict):
        return []
    found = []
    if talk := length(value.get("talk_s")):
        found.append(_("talked %(length)s") % {"length": talk})
    if (whole := length(value.get("duration_s"))) and whole != talk:
        found.append(_("%(length)s in all") % {"length": whole})
    for leg in listed(value.get("legs")):
        if isinstance(leg, dict):
            found.append(of_leg(leg))
    recording = value.get("recording")
    if isinstance(recording, dict) and (taped := length(recording.get("duration_s"))):
        found.append(_("recording %(length)s") % {"length": taped})
    return found


def of_leg(leg: dict[str, Any]) -> str:
    who = leg.get("agent") or leg.get("name") or leg.get("to") or ""
    status = str(leg.get("status") or "")
    said = [str(who)[:80], str(words.CALL_STATES.get(status, status)), length(leg.get("duration_s"))]
    return _("leg: %(said)s") % {"said": ", ".join(one for one in said if one)}


def of_order(value: object) -> list[str]:
    if not isinstance(value, dict) or not value.get("number"):
        return []
    total = " ".join(str(value[name]) for name in ("total", "currency") if value.get(name))
    said = _("order %(number)s") % {"number": str(value["number"])[:80]}
    return [f"{said}, {total[:60]}" if total else said]


def of_score(value: object) -> list[str]:
    if not isinstance(value, dict) or value.get("value") is None:
        return []
    metric = str(value.get("metric") or "")
    said = f"{words.METRICS.get(metric, metric)} {value['value']}"
    return [
        _("%(score)s of %(most)s") % {"score": said, "most": value["max"]} if value.get("max") is not None else said
    ]


def of_campaign(value: object) -> list[str]:
    return [str(value["name"])[:120]] if isinstance(value, dict) and value.get("name") else []


def of_reactions(value: object) -> list[str]:
    given = (
        [str(one) for each in value.values() if isinstance(each, list) for one in each]
        if isinstance(value, dict)
        else []
    )
    return [_("reaction: %(what)s") % {"what": " ".join(given[:12])}] if given else []


def of_location(value: object) -> list[str]:
    if not isinstance(value, dict) or "latitude" not in value:
        return []
    return [_("location: %(what)s") % {"what": f"{value.get('latitude')}, {value.get('longitude')}"}]


def of_poll(value: object) -> list[str]:
    if not isinstance(value, dict) or not value.get("question"):
        return []
    options = [str(one.get("text")) for one in listed(value.get("options")) if isinstance(one, dict)]
    return [_("poll: %(what)s") % {"what": f"{value['question']} ({' / '.join(options[:12])})"}]


def of_bounce(value: object) -> list[str]:
    said = value.get("diagnostic") or value.get("status") if isinstance(value, dict) else None
    return [_("the mail server says: %(what)s") % {"what": str(said)[:300]}] if said else []


def of_authentication(value: object) -> list[str]:
    if not isinstance(value, dict) or "dmarc" not in value:
        return []
    return [_("sender verified")] if value["dmarc"] == "pass" else [_("sender not verified")]


def of_auto(_value: object) -> list[str]:
    return [_("sent by a machine")]


def of_time(value: object) -> list[str]:
    return [_("time of receipt, the sender gave none")] if value == "received" else []


ONLY = {"call": ("call",)}
TELLERS = {
    "call": of_call,
    "order": of_order,
    "score": of_score,
    "campaign": of_campaign,
    "reactions": of_reactions,
    "location": of_location,
    "poll": of_poll,
    "bounce": of_bounce,
    "auto": of_auto,
    "authentication": of_authentication,
    "time_quality": of_time,
}

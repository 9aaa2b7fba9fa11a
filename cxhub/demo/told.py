"""What a line of a story says of the customer's experience: promises, expectations, matters, feedback, moods.

A word after the facts of a line says each: `promise=callback due=42h owner=anna what=Перезвонить_о_цене`,
`expect=Ответ_за_день lasting`, `outcome=missed`, `mood=-1`, `request=R-1:solved`, `topic=Доставка`, `feeling=-1`,
`told=solved`, `utm=yandex:cpc:winter`, `lost=Переехала`, `given=serial:7781` (what he had to name), `passed=igor:anna`,
`birthday=63` (days after this line), `arrived`; `allow=newsletter:email:A_box` and `deny=…` (for what, by which
channel, how it was said).
Times count from the line, so that something is due soon whenever the demo begins; `_` stands for a blank.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from cxhub.demo.screenplay import Contact

BORN = 1987
CONSENTS = {"allow": "given", "deny": "withdrawn"}


def told(contact: Contact) -> dict[str, Any]:
    """Members of `details`."""
    values = contact.values
    found: dict[str, Any] = {}
    if "promise" in values:
        found["promise"] = {
            "kind": values["promise"],
            "what": blanks(values["what"]),
            "due_at": later(contact, values["due"]),
            "owner": values.get("owner", contact.agent),
        }
    if "expect" in values:
        found["expectation"] = {"what": blanks(values["expect"]), "lasting": "lasting" in contact.words}
        if "outcome" in values:
            outcome = {"as": values["outcome"], "at": later(contact, values.get("seen", "1h"))}
            found["expectation"]["outcome"] = outcome | {"emotion": int(values.get("mood", "0"))}
    if "mood" in values and "outcome" not in values:
        found["emotion"] = int(values["mood"])
    if "request" in values:
        number, _, state = values["request"].partition(":")
        found["request"] = {"id": number, "state": state or "open"}
    names = {"topic": "topic", "told": "state", "feeling": "sentiment"}
    if said := {ours: values[name] for name, ours in names.items() if name in values}:
        felt = {"sentiment": int(said["sentiment"])} if "sentiment" in said else {}
        found["feedback"] = said | felt | {"topic": blanks(said.get("topic", ""))}
    if "utm" in values:
        found["campaign"] = dict(zip(("source", "medium", "campaign"), values["utm"].split(":"), strict=True))
    if "lost" in values:
        found["lost"] = blanks(values["lost"])
    if "complaint" in contact.words:
        found["tags"] = ["complaint"]
    return found | toil(values) | allowed(values)


def allowed(values: Mapping[str, str]) -> dict[str, Any]:
    """What he allowed or took back."""
    found = []
    for word, state in CONSENTS.items():
        if word in values:
            purpose, channel, evidence = blanks(values[word]).split(":")
            found.append({"purpose": purpose, "channel": channel, "evidence": evidence, "state": state})
    return {"consents": found} if found else {}


def toil(values: Mapping[str, str]) -> dict[str, Any]:
    """What he had to say again, and through whose hands he went."""
    found: dict[str, Any] = {}
    if "given" in values:
        name, _, value = values["given"].partition(":")
        found["given"] = {name: value}
    if "passed" in values:
        found["transfer"] = [dict(zip(("from", "to"), values["passed"].split(":"), strict=True))]
    return found


def attributes(contact: Contact) -> dict[str, Any]:
    """What the CRM knows: the birthday lies so many days after the line."""
    if "birthday" not in contact.values:
        return {}
    day = contact.at.date() + timedelta(days=int(contact.values["birthday"]))
    return {"birthday": date(BORN, day.month, min(day.day, 28)).isoformat()}


def later(contact: Contact, span: str) -> str:
    """`42h` or `90m` after the line."""
    unit = {"h": "hours", "m": "minutes"}[span[-1]]
    return (contact.at + timedelta(**{unit: int(span[:-1])})).isoformat()


def blanks(words: str) -> str:
    return words.replace("_", " ")

"""What the tests of identity share: one push, and the agent's doors."""

from typing import Any

from tests.support import Api, Event, event, identifier, push_and_drain, unique

Handle = tuple[str, str]


def mail(word: str = "ada") -> str:
    return f"{unique(word)}@mail.example"


def came(api: Api, *handles: Handle, **fields: Any) -> Any:
    """The receipt of a contact by these handles."""
    named: list[Event] = [identifier(kind, value) for kind, value in handles]
    (receipt,) = push_and_drain(api, event(*named, **fields))
    assert receipt["status"] == "recorded", receipt
    return receipt


def reasons(receipt: Any) -> list[str]:
    return [one["reason"] for one in receipt["refused"]]


def card(api: Api, receipt_or_id: Any) -> Any:
    id_ = receipt_or_id if isinstance(receipt_or_id, str) else receipt_or_id["customer"]
    return api.ok(f"customers/{id_}")


def did(api: Api, path: str, body: Any = None, status: int = 200, **headers: str) -> Any:
    answer = api.post(path, body or {}, **headers)
    assert answer.status_code == status, answer.content
    return answer.json()


def identity(api: Api, receipt: Any, kind: str) -> str:
    """The id of the only identity of this kind on the card."""
    (found,) = [one["id"] for one in card(api, receipt)["identities"] if one["kind"] == kind]
    return str(found)


def texts(api: Api, receipt_or_id: Any) -> list[str]:
    """What was said on a customer's timeline, in the order of the alphabet."""
    id_ = receipt_or_id if isinstance(receipt_or_id, str) else receipt_or_id["customer"]
    return sorted(entry["text"] for entry in api.ok(f"customers/{id_}/timeline")["results"])

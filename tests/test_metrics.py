"""`/metrics`: there for whoever has the token, and for nobody else."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from customers.experience.following import follow
from customers.verifying import RULES, verify_and_store
from tests.identity_support import came
from tests.support import COMMITTED, event, everything, identifier, phone, push_and_drain, shop

pytestmark = COMMITTED
TOKEN = "a token of this test"


def scraped(token: str | None = TOKEN) -> Any:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return Client().get("/metrics", headers=headers)


def samples() -> dict[tuple[str, str], float]:
    answer = scraped()
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain")
    return {
        (sample.name, "".join(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.content.decode())
        for sample in family.samples
    }


def test_without_a_token_there_is_nothing(committed: None) -> None:
    assert scraped().status_code == scraped(None).status_code == 404


@pytest.mark.parametrize("token", [None, "", "another", TOKEN + " "])
def test_whoever_has_not_the_token_is_sent_away(committed: None, settings: Any, token: str | None) -> None:
    settings.CXHUB_METRICS_TOKEN = TOKEN
    answer = scraped(token)
    assert (answer.status_code, answer.headers["WWW-Authenticate"], answer.content) == (401, "Bearer", b"")


def test_what_the_last_verification_found(committed: None, settings: Any) -> None:
    settings.CXHUB_METRICS_TOKEN = TOKEN
    assert not [name for name, _ in samples() if name.startswith("cxhub_identity")]
    shop()
    came(everything(), ("phone", phone()), ("email", "ada@mail.example"))
    verify_and_store()
    found = samples()
    assert {found["cxhub_identity_troubles", rule] for rule in RULES} == {0}
    assert found["cxhub_identity_rows", "identities"] == 2
    assert found["cxhub_identity_verified_timestamp_seconds", ""] > 1_700_000_000
    with connection.cursor() as cursor:
        cursor.execute("UPDATE customers_contactcount SET count = 7")
    verify_and_store()
    assert samples()["cxhub_identity_troubles", "counts"] == 1


def test_what_became_of_promises(committed: None, settings: Any) -> None:
    settings.CXHUB_METRICS_TOKEN = TOKEN
    shop()
    past, ahead = "2026-03-02T10:00:00+00:00", "2999-03-02T10:00:00+00:00"
    made = {"promises": [{"id": "a", "due_at": past}, {"id": "b", "due_at": ahead}]}
    push_and_drain(everything(), event(identifier("phone", phone()), occurred_at="2026-03-02T09:00:00Z", details=made))
    follow()
    found = {state: count for (name, state), count in samples().items() if name == "cxhub_promises"}
    assert found == {"made": 2, "kept": 0, "broken": 1, "cancelled": 0, "tried": 0, "open": 1, "overdue": 1}

"""`/metrics`: there for whoever has the token, and for nobody else, and what it says of all processes."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from channels.models import Delivery
from customers import figures
from customers.experience.following import follow
from customers.verifying import RULES, verify_and_store
from cxhub import health
from tests.identity_support import came
from tests.support import (
    COMMITTED,
    database_away,
    event,
    everything,
    identifier,
    other_connection,
    phone,
    push_and_drain,
    shop,
)

pytestmark = COMMITTED
TOKEN = "a token of this test"
BUCKET = "cxhub_request_seconds_bucket"


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


@pytest.fixture
def counted(committed: None, settings: Any) -> None:
    """Nothing was counted yet."""
    settings.CXHUB_METRICS_TOKEN = TOKEN
    figures.gathered.take()


def test_what_came_in_and_what_became_of_it(counted: None) -> None:
    shop()
    api, one = everything(), event(identifier("phone", phone()))
    push_and_drain(api, one, one, event(identifier("phone", phone())), {"id": "no event"})
    figures.flush()
    found = samples()
    accepts = {label: value for (name, label), value in found.items() if name == "cxhub_accepts_total"}
    assert accepts == {"acceptedpush": 2, "duplicatepush": 1, "rejectedpush": 1}
    assert {label: value for (name, label), value in found.items() if name == "cxhub_drained_total"} == {"recorded": 2}
    assert found["cxhub_visible_seconds_count", ""] == found["cxhub_visible_seconds_bucket", "+Inf"] == 2
    assert found["cxhub_visible_seconds_sum", ""] > 0
    assert found["cxhub_drain_deliveries_total", ""] == 2
    assert found["cxhub_drain_batches_total", ""] == 1
    assert found["cxhub_drain_seconds_total", ""] > 0
    assert found["cxhub_request_seconds_count", "POSTapi/v1/events2xx"] == 1
    buckets = [
        value for (name, label), value in found.items() if name == BUCKET and label.endswith("POSTapi/v1/events2xx")
    ]
    assert buckets == sorted(buckets)
    assert buckets[-1] == 1


def test_links_made_refused_and_undone(counted: None) -> None:
    shop()
    api, number = everything(), phone()
    came(api, ("phone", number))
    came(api, ("phone", number), ("email", "ada@mail.example"))
    came(api, ("phone", "not a number at all"), ("phone", number))
    card = api.card("phone", number)
    (link,) = api.ok(f"customers/{card['id']}/links")["results"]
    assert api.post(f"links/{link['id']}/undo", {"reason": "two people"}).status_code == 200
    figures.flush()
    found = samples()
    assert found["cxhub_links_total", "made"] == 1
    assert found["cxhub_links_total", "undone"] == 1
    assert sum(value for (name, _), value in found.items() if name == "cxhub_links_refused_total") == 1


def test_a_preview_undoes_nothing(counted: None) -> None:
    shop()
    api, number = everything(), phone()
    came(api, ("phone", number), ("email", "ada@mail.example"))
    (link,) = api.ok(f"customers/{api.card('phone', number)['id']}/links")["results"]
    assert api.post(f"links/{link['id']}/undo?dry_run=1", {"reason": "only a look"}).status_code == 200
    figures.flush()
    assert ("cxhub_links_total", "undone") not in samples()


def test_counts_add_up_over_processes_and_outlive_a_database_that_is_away(counted: None) -> None:
    figures.add("accepts", "push", "accepted")
    figures.flush()
    figures.add("accepts", "push", "accepted", by=2)
    with database_away(), pytest.raises(OperationalError):
        figures.flush()
    assert samples()["cxhub_accepts_total", "acceptedpush"] == 1
    figures.flush()
    assert samples()["cxhub_accepts_total", "acceptedpush"] == 3


def test_what_is_open_and_what_is_in_trouble(counted: None) -> None:
    shop()
    everything().push(*(event(identifier("phone", phone())) for _ in range(7)))
    for state, delivery in zip(
        ("waiting", "conflict", "unsupported", "quarantined"), Delivery.objects.all(), strict=False
    ):
        Delivery.objects.filter(pk=delivery.pk).update(state=state)
    Delivery.objects.filter(pk__in=Delivery.objects.filter(state="accepted").values("pk")[:1]).update(failed=True)
    found = {label: value for (name, label), value in samples().items() if name == "cxhub_deliveries"}
    assert found == {"accepted": 2, "failing": 1, "waiting": 1, "conflict": 1, "unsupported": 1, "quarantined": 1}


def test_each_metric_is_told_once(counted: None) -> None:
    """Prometheus refuses a scrape in which one comes twice."""
    told = [line.split()[2] for line in scraped().content.decode().splitlines() if line.startswith("# TYPE ")]
    assert len(told) == len(set(told)) > 20


def test_a_source_that_fell_silent(counted: None) -> None:
    for slug in ("talks", "silent"):
        shop(slug)
        everything(slug).push(event(identifier("phone", phone())))
    Delivery.objects.filter(source__slug="silent").update(received_at=datetime.now(UTC) - timedelta(days=2))
    found = samples()
    assert (found["cxhub_source_silent", "pushtalks"], found["cxhub_source_silent", "pushsilent"]) == (0, 1)


def test_an_old_transaction_is_seen(counted: None) -> None:
    with other_connection() as other:
        other.execute("SELECT 1")
        assert samples()["cxhub_oldest_transaction_seconds", ""] > 0


def test_one_subject_that_fails_takes_no_other_along(counted: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cxhub.standing.DELIVERIES", "SELECT wrong")
    found = samples()
    assert found["cxhub_subject_failed", "deliveries"] == 1
    assert found["cxhub_subject_failed", "queues"] == 0
    assert found["cxhub_candidates_open", ""] == 0


def test_without_a_database_it_still_says_so(counted: None) -> None:
    with database_away():
        health._kept["at"] = 0.0
        found = samples()
    assert found["cxhub_check", "database"] == 0
    assert found["cxhub_subject_failed", "counted"] == 1

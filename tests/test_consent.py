"""What a person allows: noted, pushed, never changed, and with the person wherever he goes."""

from typing import Any

import pytest
from pytest_django import Settings

from customers.models import Consent, Hold
from tests.support import (
    COMMITTED,
    Api,
    at,
    drained,
    event,
    everything,
    identifier,
    phone,
    problem_of,
    push_and_drain,
    shop,
)
from tests.test_console import agent

pytestmark = COMMITTED


@pytest.fixture
def api(committed: None, settings: Settings, tmp_path: Any) -> Api:
    settings.CXHUB_ERASURE_JOURNAL = str(tmp_path / "erasures.jsonl")
    shop()
    return everything()


def somebody(api: Api, **fields: Any) -> Any:
    (receipt,) = push_and_drain(api, event(identifier("phone", phone()), **fields))
    return receipt


def said(purpose: str = "newsletter", state: str = "given", **fields: Any) -> dict[str, Any]:
    return {"channel": "email", "purpose": purpose, "state": state, **fields}


def noted(api: Api, customer: str, **fields: Any) -> list[Any]:
    answer = api.post(f"customers/{customer}/consents", said(**fields))
    assert answer.status_code == 201, answer.content
    results: list[Any] = answer.json()["results"]
    return results


def counting(api: Api, customer: str) -> set[tuple[str, str, str]]:
    found = api.ok(f"customers/{customer}/consents")["results"]
    return {(one["channel"], one["purpose"], one["state"]) for one in found if one["counts"]}


def test_the_latest_word_counts_and_none_is_lost(api: Api) -> None:
    one = somebody(api)["customer"]
    noted(api, one)
    noted(api, one, state="withdrawn", evidence="on the phone")
    results = noted(api, one, purpose="surveys", channel="*")
    assert counting(api, one) == {("email", "newsletter", "withdrawn"), ("*", "surveys", "given")}
    assert len(results) == 3
    late = noted(api, one, at="2026-01-01T00:00:00Z")
    assert counting(api, one) == {("email", "newsletter", "withdrawn"), ("*", "surveys", "given")}
    assert len(late) == 4
    assert {row["by"] for row in late} == {f"key:{api.key.pk}"}


def test_events_say_it_once_however_often_they_come(api: Api) -> None:
    told = event(
        identifier("phone", phone()),
        channel="web",
        details={"consent": {"state": "given", "purpose": "newsletter", "evidence": "box on the form"}},
    )
    (receipt,) = push_and_drain(api, told)
    push_and_drain(api, told)
    (found,) = api.ok(f"customers/{receipt['customer']}/consents")["results"]
    assert (found["channel"], found["source"], found["interaction"]) == ("web", "shop", receipt["interaction"])
    assert found["evidence"] == "box on the form"
    answer = api.push({**told, "id": "other", "details": {"consent": {"state": "perhaps", "purpose": "x"}}})
    assert answer[0]["status"] == "rejected"


def test_it_goes_along_when_customers_are_joined_and_comes_back(api: Api) -> None:
    one, other = somebody(api)["customer"], somebody(api)["customer"]
    noted(api, one)
    noted(api, other, purpose="surveys")
    merged = api.post(f"customers/{one}/merge", {"with": other, "reason": "one"}).json()
    assert counting(api, other) == {("email", "newsletter", "given"), ("email", "surveys", "given")}
    undone = api.post(f"links/{merged['link']}/undo", {"reason": "two"})
    assert undone.status_code in (200, 201), undone.content
    assert counting(api, one) == {("email", "newsletter", "given")}
    assert counting(api, other) == {("email", "surveys", "given")}


def test_it_goes_with_the_contact_in_which_it_was_said(api: Api) -> None:
    details = {"consents": [{"state": "given", "purpose": "calls"}]}
    receipt, other = somebody(api, details=details), somebody(api)["customer"]
    assert api.post(f"interactions/{receipt['interaction']}/assign", {"customer": other}).status_code == 201
    assert counting(api, receipt["customer"]) == set()
    assert counting(api, other) == {("sms", "calls", "given")}


def test_it_is_in_the_dossier_and_goes_with_the_person(api: Api) -> None:
    one = somebody(api)["customer"]
    noted(api, one, evidence="letter of Monday")
    dossier = b"".join(api.get(f"customers/{one}/dossier").streaming_content).decode()
    assert "letter of Monday" in dossier
    assert api.post(f"customers/{one}/erase", {}).status_code == 200
    assert not Consent.objects.exists()
    assert api.get(f"customers/{one}/consents").status_code == 410


def test_what_cannot_be_is_refused(api: Api) -> None:
    one, other = somebody(api), somebody(api)
    path = f"customers/{one['customer']}/consents"
    elsewhere = said(interaction=other["interaction"])
    assert problem_of(api.post(path, elsewhere)) == (400, "invalid_value", "interaction")
    assert problem_of(api.post(path, said(interaction="x")))[2] == "interaction"
    assert problem_of(api.post(path, said(state="maybe")))[2] == "state"
    assert problem_of(api.post(path, said(purpose="")))[2] == "purpose"
    assert problem_of(api.post(path, said(at="yesterday")))[2] == "at"
    assert api.post(path, said(interaction=one["interaction"])).status_code == 201
    assert Api("read").post(path, said()).status_code == 403


def test_the_card_shows_it_and_notes_it(api: Api) -> None:
    one = somebody(api)["customer"]
    client = agent("agent", name="ann")
    form = {"purpose": "<b>calls</b>", "channel": "*", "state": "given", "evidence": "said so"}
    answer = client.post(f"/customers/{one}/consent", form, follow=True)
    page = answer.content.decode()
    assert "&lt;b&gt;calls&lt;/b&gt;" in page
    assert "<b>calls</b>" not in page
    assert "all channels" in page
    assert client.post(f"/customers/{one}/consent", {"state": "given"}).status_code == 400
    assert Consent.objects.get().by.startswith("user:")


def test_a_hold_keeps_a_person_through_joining_until_it_is_lifted(api: Api) -> None:
    one, other = somebody(api)["customer"], somebody(api)["customer"]
    path = f"customers/{one}/hold"
    assert problem_of(api.post(path, {"held": True})) == (400, "missing_field", "reason")
    assert Api("write").post(path, {"held": True, "reason": "x"}).status_code == 403
    assert api.post(path, {"held": True, "reason": "Claim 17"}).json() == {"held": True, "reasons": ["Claim 17"]}
    api.post(f"customers/{one}/merge", {"with": other, "reason": "one"})
    assert "Claim 17" in agent("agent", name="ann").get(f"/customers/{other}", follow=True).content.decode()
    assert problem_of(api.post(f"customers/{other}/erase", {}))[1] == "conflict"
    drained()
    assert api.post(f"customers/{other}/hold", {"held": False, "reason": "settled"}).json() == {
        "held": False,
        "reasons": [],
    }
    lifted = Hold.objects.get()
    assert (lifted.lifted_by, lifted.lifted_why) == (f"key:{api.key.pk}", "settled")
    assert api.post(f"customers/{other}/erase", {}).status_code == 200


def test_supervisors_begin_and_lift_holds_on_the_card_and_see_who_is_kept(api: Api) -> None:
    one, other = (somebody(api, name=name)["customer"] for name in ("Ada Lovelace", "Bea Other"))
    boss, path = agent("supervisor", name="boss"), f"/customers/{one}/hold"
    assert "Nobody is kept by order." in boss.get("/queue/holds").content.decode()
    assert f'href="{path}"' in boss.get(f"/customers/{one}").content.decode()
    plain = agent("agent", name="ann")
    assert f'href="{path}"' not in plain.get(f"/customers/{one}").content.decode()
    assert plain.post(path, {"done": "begin", "reason": "x"}).status_code == 403
    for reason in ("Claim <b>17</b>", "Claim <b>17</b>", "Court"):  # sent twice it is one
        assert boss.post(path, {"done": "begin", "reason": reason}).status_code == 302
    assert boss.post(path, {"done": "begin", "reason": " "}).status_code == 400
    assert boss.post(path, {"done": "everything", "reason": "x"}).status_code == 400
    claim, court = Hold.objects.order_by("pk")
    html = boss.get("/queue/holds").content.decode()
    assert html.count("Ada Lovelace") == 2
    assert "Claim &lt;b&gt;17&lt;/b&gt;" in html
    assert "boss" in html
    elsewhere = {"done": "lift", "hold": claim.pk, "reason": "not his"}
    boss.post(f"/customers/{other}/hold", elsewhere)
    silent = boss.post(path, {"done": "lift", "hold": claim.pk, "reason": ""})
    assert f'id="trouble-{claim.pk}"' in silent.content.decode()
    assert boss.post(path, {"done": "lift", "hold": claim.pk, "reason": "settled"}).status_code == 302
    claim.refresh_from_db()
    assert (claim.lifted_by, claim.lifted_why) == (claim.begun_by, "settled")
    assert problem_of(api.post(f"customers/{one}/erase", {}))[1] == "conflict", "the other stands"
    assert "settled" in boss.get("/queue/holds?state=lifted").content.decode()
    assert boss.get("/queue/holds").content.decode().count("Ada Lovelace") == 1
    assert "settled" in boss.get(path).content.decode()
    assert boss.post(path, {"done": "lift", "hold": court.pk, "reason": "done"}).status_code == 302
    assert "Nothing stands" in boss.get(path).content.decode()


def test_supervisors_are_told_who_looked(api: Api) -> None:
    one = somebody(api, occurred_at=at(1))["customer"]
    api.ok(f"customers/{one}/timeline")
    agent("agent", name="ann").get(f"/customers/{one}")
    whole = api.ok(f"customers/{one}/views")
    assert {row["viewer"].partition(":")[0] for row in whole["results"]} == {"key", "user"}
    first = api.ok(f"customers/{one}/views", {"limit": 1})
    rest = api.ok(f"customers/{one}/views", {"limit": 1, "cursor": first["next"]})
    assert first["results"] + rest["results"] == whole["results"]
    assert agent("supervisor", name="boss").get(f"/api/v1/customers/{one}/views").status_code == 200
    assert agent("agent", name="bob").get(f"/api/v1/customers/{one}/views").status_code == 403

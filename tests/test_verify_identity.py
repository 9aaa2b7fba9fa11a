"""`manage.py verify_identity` finds what was bent by hand, and `renormalise` follows a change of the normal forms."""

from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from customers import handles, renormalising
from customers.models import Customer, Identity, KeepApart, Link, Verification
from customers.verifying import latest, verify
from tests.identity_support import came, card, did, mail
from tests.support import COMMITTED, Api, everything, phone, shop

pytestmark = COMMITTED


@pytest.fixture
def api(committed: None, settings: Any) -> Api:
    settings.CXHUB_RULES = True
    shop()
    return everything()


def history(api: Api) -> tuple[Any, Any]:
    """Links, a merge, a split and notes."""
    number, address = phone(), mail()
    one, other = came(api, ("phone", number), ("email", address)), came(api, ("telegram", "5551234"))
    merged = did(api, f"customers/{one['customer']}/merge", {"with": other["customer"]}, 201)
    api.post(f"customers/{one['customer']}/notes", {"text": "hello"})
    came(api, ("telegram", "5551234"))
    did(api, f"links/{merged['link']}/undo", {"reason": "no"})
    did(api, f"customers/{one['customer']}/merge", {"with": other["customer"]}, 201)
    return one, other


def test_a_sound_database_is_sound(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    history(api)
    call_command("verify_identity")
    assert "in trouble 0" in capsys.readouterr().out
    last = latest()
    assert last is not None
    assert (last.trouble, last.counts["interactions"]) == (0, 4)


BENT = {
    "home": "UPDATE customers_identity SET customer_id = (SELECT max(id) FROM customers_customer) WHERE kind = 'email'",
    "merged_into": "UPDATE customers_customer SET merged_into_id = NULL",
    "keep_apart": "UPDATE customers_keepapart SET lifted_at = NULL",
    "counts": "DELETE FROM customers_contactcount",
    "interactions": "UPDATE customers_interaction SET identity_id = 1000000000 WHERE channel = 'note'",
    "answers": "UPDATE customers_cardview SET customer_id = 1000000000 WHERE customer_id = (SELECT max(id) FROM"
    " customers_customer)",
    "generations": (
        "INSERT INTO customers_identity (kind, scope, value, generation, raw, match_key, linkable, normaliser_version,"
        " trust, customer_id, created_at) SELECT kind, scope, value, 1, raw, match_key, linkable, normaliser_version,"
        " trust, customer_id, created_at FROM customers_identity WHERE kind = 'email'"
    ),
}


@pytest.mark.parametrize("rule", BENT)
def test_it_finds(api: Api, rule: str, capsys: pytest.CaptureFixture[str]) -> None:
    history(api)
    with connection.cursor() as cursor:
        cursor.execute(BENT[rule])
    with pytest.raises(SystemExit) as exit_:
        call_command("verify_identity")
    assert exit_.value.code == 1
    assert rule in verify().by_rule
    told = capsys.readouterr().err
    assert rule in told
    assert "@" not in told, "no personal data"
    assert Verification.objects.get().trouble > 0


def test_it_finds_what_exceeds_the_caps_unless_an_agent_did_it(api: Api) -> None:
    crm = [came(api, ("phone", phone())) for _ in range(12)]
    first, *others = crm
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO customers_link (a_id, b_id, cause, evidence, trust, rules_version, created_at, created_by,"
            " undone_by, undo_reason) SELECT (SELECT min(id) FROM customers_identity), id, 'event', '{}', 2, 2, now(),"
            " '', '', '' FROM customers_identity WHERE id > (SELECT min(id) FROM customers_identity)"
        )
        cursor.execute("UPDATE customers_identity SET customer_id = (SELECT min(id) FROM customers_customer)")
        cursor.execute(
            "UPDATE customers_customer SET merged_into_id = (SELECT min(id) FROM customers_customer)"
            " WHERE id > (SELECT min(id) FROM customers_customer)"
        )
    assert dict(verify().by_rule) == {"cap": 1}
    Link.objects.update(cause="agent")
    assert dict(verify().by_rule) == {}
    assert card(api, others[-1])["id"] == first["customer"]


def test_two_ids_of_one_crm_are_two_persons_unless_an_agent_says_else(api: Api, settings: Any) -> None:
    came(api, ("loyalty", "L-1"), ("loyalty", "L-2"))
    assert verify().total == 0
    Identity.objects.update(kind="crm_id")
    assert dict(verify().by_rule) == {"cap": 1}
    settings.CXHUB_RULES = False
    assert verify().total == 0, "nobody promised it"
    settings.CXHUB_RULES = True
    Link.objects.update(cause="agent")
    assert verify().total == 0


def test_a_new_normal_form_is_linked_to_the_old_one(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if mails were once kept with their capitals."""
    old = came(api, ("email", "ada@mail.example"), name="Ada")
    Identity.objects.filter(kind="email").update(value="ADA@mail.example", normaliser_version=0)
    new = came(api, ("email", "ada@mail.example"))
    only = came(api, ("email", "bob@mail.example"))
    Identity.objects.filter(value="bob@mail.example").update(value="BOB@mail.example", normaliser_version=0)
    found = {one.what for one in renormalising.renormalise()}
    assert found == {"linked", "born"}
    assert card(api, new)["id"] == card(api, old)["id"]
    assert came(api, ("email", "bob@mail.example"))["customer"] == only["customer"]
    assert not list(renormalising.renormalise()), "once is enough"
    assert verify().total == 0
    link = Link.objects.filter(cause="renormalise").earliest("id")
    did(api, f"links/{link.pk}/undo", {"reason": "no"})
    assert card(api, new)["id"] == new["customer"]
    assert KeepApart.objects.filter(lifted_at=None).count() == 1


def test_a_new_normal_form_joins_nobody_whom_a_rule_parts(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    came(api, ("email", "ada@mail.example"), name="Иван")
    Identity.objects.filter(kind="email").update(value="ADA@mail.example", normaliser_version=0)
    came(api, ("email", "ada@mail.example"), name="Мария")
    call_command("renormalise")
    assert "contradiction" in capsys.readouterr().out
    assert Customer.objects.filter(merged_into=None).count() == 2
    assert set(Identity.objects.values_list("normaliser_version", flat=True)) == {handles.NORMALISER_VERSION}

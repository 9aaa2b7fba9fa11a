"""The pitfalls P1 to P30 of identity resolution, each met by the rule that answers it.

P7 (forwarded mail) is met in tests/test_email.py, P22 (races) by real processes in tests/test_identity_races.py.
"""

from typing import Any

import pytest
from django.apps import apps
from django.db import connection

from customers.models import Customer, Identity, Interaction, Link
from customers.rules import RULES_VERSION
from tests.identity_support import came, card, did, identity, mail, reasons, texts
from tests.support import COMMITTED, Api, at, everything, identifier, phone, shop, unique

pytestmark = COMMITTED


@pytest.fixture
def api(committed: None, settings: Any) -> Api:
    settings.CXHUB_RULES = True
    shop()
    shop("form", trust="claimed")
    return everything()


def persons(*receipts: Any) -> int:
    return len({receipt["customer"] for receipt in receipts})


def one_person(api: Api, *receipts: Any) -> bool:
    return len({card(api, receipt)["id"] for receipt in receipts}) == 1


def test_p1_a_family_phone_joins_nobody(api: Api) -> None:
    number = phone()
    family = [
        came(api, ("email", mail(word)), ("phone", number), name=name)
        for word, name in (("ivan", "Иван Петров"), ("maria", "Мария Петрова"), ("petr", "Пётр Петров"))
    ]
    assert [reasons(one) for one in family] == [[], ["contradiction"], ["contradiction"]]
    assert persons(*family) == 3
    assert Identity.objects.get(kind="phone").shared


def test_p2_a_switchboard_turns_shared_and_an_extension_is_its_owners(api: Api) -> None:
    number = phone()
    staff = [came(api, ("crm_id", f"c-{n}"), ("phone", number)) for n in range(8)]
    assert persons(*staff) == 8
    assert Identity.objects.get(kind="phone").shared
    desk = came(api, ("phone", f"{number};ext=12"), ("crm_id", "c-1"))
    assert one_person(api, desk, staff[1])
    assert reasons(desk) == []


@pytest.mark.parametrize("hidden", ["anonymous", "Restricted", "unknown", "+266696687", "+7378742833", "0000000000"])
def test_p3_hidden_callers_never_meet(api: Api, hidden: str) -> None:
    assert persons(*(came(api, ("phone", hidden)) for _ in range(3))) == 3


@pytest.mark.parametrize("value", ["null", "undefined", "[object Object]", "NaN", "0", "guest", "11111111", "-1"])
def test_p4_default_ids_are_nobodys(api: Api, value: str) -> None:
    both = [came(api, ("crm_id", value), ("phone", phone())) for _ in range(2)]
    assert [reasons(one) for one in both] == [["blocked"], ["blocked"]]
    assert persons(*both) == 2


def test_p5_a_role_is_a_contact_point_and_a_machine_is_nobody(api: Api) -> None:
    both = [came(api, ("email", "info@firm.example"), ("phone", phone())) for _ in range(2)]
    assert [reasons(one) for one in both] == [["not_linkable"], ["not_linkable"]]
    assert len(card(api, both[0])["identities"]) == 1
    machines = [came(api, ("email", "noreply@firm.example")) for _ in range(2)]
    assert [reasons(one) for one in machines] == [["no_reply"], ["no_reply"]]
    assert persons(*machines) == 2


def test_p6_a_spoofed_sender_links_nobody(api: Api) -> None:
    address, number = mail(), phone()
    real = came(api, ("email", address))
    spoofed = came(api, ("email", address), ("phone", number), source="form")
    assert spoofed["customer"] == real["customer"], "the line is that address's, and said to be claimed"
    assert reasons(spoofed) == ["claimed"]
    assert api.ok("customers", {"phone": number})["results"] == []


def test_p8_a_typed_handle_hands_nothing_over(api: Api) -> None:
    address = mail()
    owner = came(api, ("email", address), text="private")
    stranger = came(api, ("device", "cookie-1"), ("email", address), source="form", text="I am she")
    assert not one_person(api, owner, stranger)
    assert texts(api, stranger) == ["I am she"]


def test_p9_every_contact_names_the_handle_to_reply_to(api: Api) -> None:
    one, other = came(api, ("telegram", "5551234")), came(api, ("telegram", "5551235"))
    did(api, f"customers/{one['customer']}/merge", {"with": other["customer"]}, 201)
    shown = api.ok(f"customers/{one['customer']}/timeline")["results"]
    assert {entry["identity"]["value"] for entry in shown} == {"5551234", "5551235"}


def test_p10_a_recycled_number_is_the_new_owners(api: Api) -> None:
    number = phone()
    old = came(api, ("phone", number), occurred_at=at(0))
    did(api, f"identities/{identity(api, old, 'phone')}/release", {"at": at(60)})
    assert persons(old, came(api, ("phone", number), occurred_at=at(90))) == 2


def test_p11_dots_and_plus_are_one_mailbox_at_gmail_only(api: Api) -> None:
    tail = unique("x").replace("-", "")
    spellings = (f"ivan.{tail}@gmail.com", f"ivan{tail}@googlemail.com", f"i.van{tail}+shop@gmail.com")
    assert one_person(api, *(came(api, ("email", one)) for one in spellings))
    assert api.card("email", f"iv.an{tail}@gmail.com")["id"] == api.card("email", f"ivan{tail}@gmail.com")["id"]
    firm = [came(api, ("email", one)) for one in ("ivan.p@firm.example", "ivanp@firm.example", "ivanp+a@firm.example")]
    assert persons(*firm) == 3


def test_p11_a_typed_spelling_is_the_same_mailbox_and_links_nobody_else(api: Api) -> None:
    tail, number = unique("x").replace("-", ""), phone()
    real = came(api, ("email", f"ivan{tail}@gmail.com"))
    typed = came(api, ("email", f"i.van{tail}@gmail.com"), ("phone", number), source="form")
    assert one_person(api, real, typed)
    assert reasons(typed) == ["claimed"]


def test_p12_one_yandex_mailbox_has_many_domains(api: Api) -> None:
    tail = unique("x").replace("-", "")
    spellings = (f"ivan.{tail}@ya.ru", f"ivan-{tail}@yandex.ru", f"ivan.{tail}@yandex.kz")
    assert one_person(api, *(came(api, ("email", one)) for one in spellings))


def test_p13_scripts_of_a_domain_are_one_and_lookalikes_never_link(api: Api) -> None:
    assert one_person(
        api, came(api, ("email", "ada@münchen.example")), came(api, ("email", "ADA@xn--mnchen-3ya.example"))
    )
    fake = came(api, ("phone", phone()), ("email", "ivan@yаndex.ru"))  # with a Cyrillic а
    assert reasons(fake) == ["not_linkable"]


@pytest.mark.parametrize("spelling", ["8 (912) 345-67-89", "+8 912 345-67-89", "79123456789", "sip:+79123456789@pbx"])
def test_p14_a_russian_number_is_one_in_every_spelling(api: Api, spelling: str) -> None:
    assert one_person(api, came(api, ("phone", "+79123456789")), came(api, ("phone", spelling)))


@pytest.mark.parametrize("spelling", ["8 612 34567", "0 612 34567", "+370 (8-612) 34567", "0037061234567"])
def test_p15_a_lithuanian_number_with_the_old_and_the_new_prefix(api: Api, spelling: str) -> None:
    shop("vilnius", region="LT")
    known = came(api, ("phone", "+37061234567"), source="vilnius")
    assert one_person(api, known, came(api, ("phone", spelling), source="vilnius"))


def test_p16_a_number_kept_before_the_plan_changed_is_found_again(api: Api) -> None:
    """Brazil's ninth digit: as imported by an older normaliser."""
    old = came(api, ("phone", "+5511987654321"))
    Identity.objects.filter(kind="phone").update(value="+551187654321")
    assert one_person(api, old, came(api, ("phone", "+55 11 98765-4321")))


def test_p17_a_whatsapp_bsuid_is_of_its_portfolio(api: Api) -> None:
    def by(scope: str) -> Any:
        return came(api, customer={"identifiers": [identifier("wa_bsuid", "US.1234", scope=scope)]})

    assert persons(by("portfolio-1"), by("portfolio-2")) == 2
    assert persons(by("portfolio-1"), by("portfolio-1")) == 1


def test_p18_a_whatsapp_lid_is_no_phone(api: Api) -> None:
    digits = phone()[1:]
    assert persons(came(api, ("wa_lid", digits)), came(api, ("phone", f"+{digits}"))) == 2


def test_p19_viber_and_page_ids_do_not_meet_across_bots(api: Api) -> None:
    shop("second")
    for kind in ("viber", "messenger"):
        assert persons(came(api, (kind, "abc=")), came(api, (kind, "abc="), source="second")) == 2


def test_p20_a_telegram_username_is_no_identity(api: Api) -> None:
    assert reasons(came(api, ("telegram", "@ivan"), ("phone", phone()))) == ["invalid"]
    assert came(api, ("telegram", "4503599627370497"))["refused"] == []


def test_p21_a_name_in_another_alphabet_does_not_contradict(api: Api) -> None:
    number, address = phone(), mail()
    one = came(api, ("phone", number), name="Щербакова Юлия")
    other = came(api, ("email", address), name="Julia Scherbakova")
    assert reasons(came(api, ("phone", number), ("email", address))) == []
    assert one_person(api, one, other)


def test_p23_no_loops_and_no_merge_with_oneself(api: Api) -> None:
    ids = [came(api, ("phone", phone()))["customer"] for _ in range(3)]
    for one, other in ((0, 1), (1, 2), (2, 0)):
        answer = api.post(f"customers/{ids[one]}/merge", {"with": ids[other]})
        assert answer.status_code == (201 if (one, other) != (2, 0) else 200)
    assert {card(api, id_)["id"] for id_ in ids} == {ids[0]}
    assert api.post(f"customers/{ids[0]}/merge", {"with": ids[0]}).status_code == 400
    assert not Customer.objects.filter(merged_into__merged_into__isnull=False).exists()


def test_p24_a_merge_and_its_undo_update_no_contact(api: Api) -> None:
    one, other = came(api, ("phone", phone())), came(api, ("phone", phone()))

    def versions() -> list[Any]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT id, xmin::text, ctid::text FROM customers_interaction ORDER BY id")
            return list(cursor.fetchall())

    before = versions()
    link = did(api, f"customers/{one['customer']}/merge", {"with": other["customer"]}, 201)["link"]
    did(api, f"links/{link}/undo")
    assert versions() == before


def test_p25_nothing_but_identities_hangs_on_a_customer() -> None:
    found = {
        f"{model.__name__}.{field.name}"
        for app in ("channels", "customers")
        for model in apps.get_app_config(app).get_models()
        for field in model._meta.get_fields()
        if not field.auto_created and field.related_model is Customer
    }
    assert found == {"Identity.customer", "Customer.merged_into"}


def test_p26_every_id_ever_given_out_answers(api: Api) -> None:
    ids = [came(api, ("phone", phone()), text=str(n))["customer"] for n in range(3)]
    for other in ids[1:]:
        did(api, f"customers/{ids[0]}/merge", {"with": other}, 201)
    for id_ in ids:
        shown = card(api, id_)
        assert (shown["id"], shown["ids"]) == (ids[0], ids)
        assert texts(api, id_) == ["0", "1", "2"]


def test_p27_suggestions_are_never_closed_over_a_third(api: Api) -> None:
    numbers = [phone() for _ in range(3)]
    ones = [came(api, ("phone", number)) for number in numbers]
    for a, b in ((0, 1), (1, 2)):
        came(api, ("phone", numbers[a]), ("phone", numbers[b]), source="form")
    (second, _) = api.ok("candidates")["results"]
    did(api, f"candidates/{second['id']}/accept")
    assert len({card(api, one)["id"] for one in ones}) == 2


def test_p28_any_merge_can_be_undone_not_only_the_last(api: Api) -> None:
    ids = [came(api, ("phone", phone()))["customer"] for _ in range(3)]
    first, _ = (did(api, f"customers/{ids[0]}/merge", {"with": other}, 201)["link"] for other in ids[1:])
    did(api, f"links/{first}/undo")
    assert [card(api, id_)["id"] for id_ in ids] == [ids[0], ids[1], ids[0]]


def test_p29_a_later_message_of_an_old_conversation_is_read_by_whoever_it_is_now(api: Api) -> None:
    number = phone()
    one, other = came(api, ("phone", phone())), came(api, ("phone", number), thread="t-1", text="old")
    did(api, f"customers/{one['customer']}/merge", {"with": other["customer"]}, 201)
    came(api, ("phone", number), thread="t-1", text="new")
    assert {"old", "new"} <= set(texts(api, one))


def test_p30_each_link_keeps_the_version_of_its_rules(api: Api) -> None:
    came(api, ("phone", phone()), ("email", mail()))
    assert set(Link.objects.values_list("rules_version", flat=True)) == {RULES_VERSION}
    assert Interaction.objects.count() == 1

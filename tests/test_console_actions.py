"""What agents do from the card: each form against the real database, what it shows before and says after."""

import re
from datetime import timedelta
from html import unescape
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.utils import timezone

from customers.cards import Erased, standing
from customers.console.sides import side
from customers.erasure import erase
from customers.models import Candidate, CardView, KeepApart, Link
from customers.sql import cursor
from customers.verifying import verify
from tests.identity_support import came, card, identity, mail, texts
from tests.support import COMMITTED, Api, event, everything, identifier, phone, push_and_drain, shop
from tests.test_console import agent, ids, ok, words_of

pytestmark = COMMITTED


@pytest.fixture
def api(committed: None, settings: Any) -> Api:
    settings.CXHUB_RULES = True
    shop()
    return everything()


def two(api: Api) -> tuple[str, str]:
    """Ivan and Maria, of whom one contact had both handles: the rules refused."""
    number, address = phone(), mail()
    one = came(api, ("phone", number), name="Иван Петров", text="mine")["customer"]
    other = came(api, ("email", address), name="Мария Петрова", text="yours")["customer"]
    came(api, ("phone", number), ("email", address), text="both")
    return one, other


def hidden(html: str, form: str = "confirm") -> dict[str, list[str]]:
    """The hidden fields of the form with this id, as a browser would send them."""
    start = html.index(f'id="{form}"') if form else 0
    part = html[start : html.index("</form>", start)]
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', part):
        if name != "csrfmiddlewaretoken":
            found.setdefault(name, []).append(unescape(value))
    return found


def sent(client: Client, path: str, data: Any, status: int = 302) -> str:
    """The page that a form leads to, or the one that says why it did not."""
    answer = client.post(path, data)
    assert answer.status_code == status, (path, answer.status_code, words_of(answer.content.decode())[:500])
    if status != 302:
        return answer.content.decode()
    return ok(client, answer["Location"])


def back_link(html: str) -> str:
    found = re.search(r'id="take-back" href="([^"]+)"', html)
    assert found, words_of(html)[:300]
    return unescape(found[1])


def test_a_merge_is_previewed_confirmed_and_taken_back(api: Api) -> None:
    one, other = two(api)
    client = agent()
    found = ok(client, f"/customers/{other}/merge", {"q": "Иван Петров"})
    assert f"?with={one}" in found
    page = ok(client, f"/customers/{other}/merge", {"with": one})
    said = words_of(page)
    assert "not linked: different names or birthdays" in said
    assert "Their birthdays differ, or their first names are known and different." in said
    assert "1 contact" in said
    assert "Name Иван Петров Мария Петрова" in said, "the field that clashes"
    form = hidden(page)
    assert "Say why" in words_of(sent(client, f"/customers/{other}/merge", form, 200))
    assert Link.objects.filter(cause="agent").count() == 0

    merged = sent(client, f"/customers/{other}/merge", {**form, "reason": "one family name"})
    assert "Merged: one person now." in words_of(merged)
    assert texts(api, one) == ["both", "mine", "yours"]
    sent(client, f"/customers/{other}/merge", {**form, "reason": "one family name"})
    assert Link.objects.filter(cause="agent").count() == 1, "a form that is sent twice merges once"

    undo = back_link(merged)
    preview = words_of(ok(client, undo))
    assert "Where everything goes" in preview
    assert "« one family name »" in preview
    assert "Мария Петрова E-mail" in preview, "by the name that comes back"
    assert texts(api, one) == ["both", "mine", "yours"], "the preview did nothing"
    assert "they are two again" in words_of(sent(client, undo, {"reason": "a couple"}))
    assert texts(api, one) == ["both", "mine"]
    assert texts(api, other) == ["yours"]
    assert verify().total == 0


def test_a_card_that_changed_is_shown_again_before_anything_is_merged(api: Api) -> None:
    one, other = two(api)
    client = agent()
    form = hidden(ok(client, f"/customers/{one}/merge", {"with": other}))
    sent(agent(), f"/customers/{one}/known", known(client, one, about="tag", value="vip"))
    html = sent(client, f"/customers/{one}/merge", {**form, "reason": "I think so"}, 409)
    assert "A card changed since you looked" in words_of(html)
    assert 'value="I think so"' in html
    assert card(api, other)["id"] == other
    assert "Merged" in words_of(sent(client, f"/customers/{one}/merge", {**hidden(html), "reason": "I still do"}))


def test_merging_more_than_a_person_can_be_is_refused_calmly(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = two(api)
    client = agent()
    form = hidden(ok(client, f"/customers/{one}/merge", {"with": other}))
    monkeypatch.setattr("customers.merging.IDENTITIES", 1)
    html = sent(client, f"/customers/{one}/merge", {**form, "reason": "all of them"}, 409)
    assert "These two cannot be merged" in words_of(html)
    assert card(api, other)["id"] == other


def test_one_person_already(api: Api) -> None:
    one, _ = two(api)
    assert "They are one person already." in words_of(ok(agent(), f"/customers/{one}/merge", {"with": one}))


def test_an_undo_that_parts_nobody_says_what_still_connects(api: Api) -> None:
    number, address, handle = phone(), mail(), ("telegram", str(8_100_000_001))
    one = came(api, ("phone", number), ("email", address))["customer"]
    came(api, ("phone", number), handle)
    came(api, ("email", address), handle)
    client = agent()
    links = ok(client, f"/customers/{one}/links")
    undos = re.findall(r'href="(/customers/[^"]+/undo)"', links)
    assert len(undos) == Link.objects.count() == 3
    preview = ok(client, undos[0])
    assert "They would still be one person" in words_of(preview)
    assert len(set(re.findall(r'href="(/customers/[^"]+/undo)"', preview))) == 2
    assert "Other evidence still connects the two" in words_of(sent(client, undos[0], {"reason": "wrong"}))
    assert "This link was taken back." in words_of(ok(client, undos[0]))
    assert "taken back" in words_of(ok(client, f"/customers/{one}/links"))


def test_handles_are_split_off_to_somebody_new_or_known(api: Api) -> None:
    number, address, other_address = phone(), mail(), mail()
    one = came(api, ("phone", number), text="his")["customer"]
    mine = came(api, ("phone", number), ("email", address), text="his, too")
    came(api, ("email", address), text="hers")
    hers = identity(api, mine, "email")
    client = agent()
    everything_ = {"identity": [hers, identity(api, mine, "phone")], "chosen": "1"}
    assert "and not all" in words_of(ok(client, f"/customers/{one}/split", everything_))
    assert "Choose at least one." in words_of(ok(client, f"/customers/{one}/split", {"chosen": "1"}))
    preview = ok(client, f"/customers/{one}/split", {"identity": hers, "whose": "new", "chosen": "1"})
    assert "2 contacts in all" in words_of(preview)
    assert "1 contact in all" in words_of(preview)
    assert texts(api, one) == ["hers", "his", "his, too"], "the preview did nothing"
    form = hidden(preview)
    assert "Say why" in words_of(sent(client, f"/customers/{one}/split", form, 200))
    assert "Taken apart" in words_of(sent(client, f"/customers/{one}/split", {**form, "reason": "his wife's"}))
    assert texts(api, one) == ["his", "his, too"]
    assert "somebody else's already" in words_of(sent(client, f"/customers/{one}/split", {**form, "reason": "again"}))

    wife = came(api, ("email", other_address), name="Ольга Новикова", text="by another address")["customer"]
    both = came(api, ("phone", number), ("loyalty", "L-77"), text="with her card")
    loyalty = identity(api, both, "loyalty")
    asked = {"identity": loyalty, "whose": "known", "chosen": "1"}
    assert f"with={wife}" in ok(client, f"/customers/{one}/split", {**asked, "q": "Ольга Новикова"})
    form = hidden(ok(client, f"/customers/{one}/split", {**asked, "with": wife}))
    sent(client, f"/customers/{one}/split", {**form, "reason": "her card"})
    assert {one["kind"] for one in card(api, wife)["identities"]} == {"email", "loyalty"}
    assert verify().total == 0


def test_a_candidate_is_accepted_and_taken_back_from_the_card(api: Api) -> None:
    one, other = two(api)
    client = agent()
    for whose in (one, other):
        assert "different names or birthdays" in words_of(ok(client, f"/customers/{whose}")), "on both cards"
    (link,) = re.findall(r'href="(/candidates/\d+\?from=[^"]+)"', ok(client, f"/customers/{one}"))
    page = words_of(ok(client, link))
    assert "Иван Петров" in page
    assert "Мария Петрова" in page
    assert "both" in page, "the contact that speaks for it"
    assert "Say why" in words_of(sent(client, link, {"decision": "accept"}, 200))
    accepted = sent(client, link, {"decision": "accept", "reason": "she said so"})
    assert "Accepted: one person now." in words_of(accepted)
    assert texts(api, one) == ["both", "mine", "yours"]
    sent(client, back_link(accepted), {"reason": "a mistake"})
    assert texts(api, other) == ["yours"]


def test_a_rejected_candidate_keeps_them_apart_until_it_is_accepted(api: Api) -> None:
    one, other = two(api)
    client = agent()
    (link,) = re.findall(r'href="(/candidates/\d+\?from=[^"]+)"', ok(client, f"/customers/{one}"))
    rejected = sent(client, link, {"decision": "reject", "reason": "a couple"})
    assert "Rejected: they stay two." in words_of(rejected)
    assert "Perhaps the same person" not in words_of(rejected)
    assert KeepApart.objects.count() == 1
    again = back_link(rejected)
    page = words_of(ok(client, again))
    assert "« a couple »" in page
    assert "Two persons" not in page, "rejected already"
    sent(client, again, {"decision": "accept", "reason": "one, after all"})
    assert card(api, other)["id"] == one


def known(client: Client, customer: str, **fields: str) -> dict[str, str]:
    """A form of the page of what is known, with the version that it was shown with."""
    html = ok(client, f"/customers/{customer}/known")
    (version,) = set(re.findall(r'name="version" value="([^"]+)"', html))
    return {"version": version, **fields}


def test_an_agents_word_goes_first_and_every_source_is_shown(api: Api) -> None:
    number = identifier("phone", phone())
    (receipt,) = push_and_drain(api, event(customer={"identifiers": [number], "attributes": {"city": "Kaunas"}}))
    one = receipt["customer"]
    client = agent()
    path = f"/customers/{one}/known"
    sent(client, path, known(client, one, about="attribute", key="city", value="Vilnius", done="say"))
    sent(client, path, known(client, one, about="name", value="Jonas Petraitis"))
    sent(client, path, known(client, one, about="tag", value="vip"))
    sent(client, path, known(client, one, about="attribute", key="birthday", value="17.05.1990"))
    now = card(api, one)
    assert (now["name"], now["attributes"]["city"]["value"], now["tags"]) == ("Jonas Petraitis", "Vilnius", ["vip"])
    assert now["attributes"]["birthday"]["value"] == "1990-05-17"
    said = words_of(ok(client, path))
    assert re.search(r"Vilnius an agent , verified,[^K]+counts Kaunas shop , stated", said), said
    assert "vip an agent , verified" in words_of(ok(client, f"/customers/{one}"))
    sent(client, path, known(client, one, about="tag", value="vip", done="hide"))
    sent(client, path, known(client, one, about="attribute", key="city", done="hide"))
    now = card(api, one)
    assert now["tags"] == []
    assert "city" not in now["attributes"]
    assert "removed" in words_of(ok(client, path))


def test_a_correction_of_a_card_that_changed_is_not_taken(api: Api) -> None:
    one = came(api, ("phone", phone()), name="Jonas")["customer"]
    client = agent()
    old = known(client, one, about="name", value="Jonas Jonaitis")
    sent(client, f"/customers/{one}/known", known(client, one, about="name", value="Jonas Petraitis"))
    html = sent(client, f"/customers/{one}/known", old, 409)
    assert "The card changed since you opened this page" in words_of(html)
    assert 'value="Jonas Jonaitis"' in html, "what was written is not lost"
    assert card(api, one)["name"] == "Jonas Petraitis"


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"about": "name", "value": "  "}, "Write something first."),
        ({"about": "attribute", "key": "birthday", "value": "soon"}, "A birthday is a date"),
        ({"about": "attribute", "key": "Ключ", "value": "x"}, "small Latin letters"),
        ({"about": "attribute", "key": "tag:x", "value": "x"}, "small Latin letters"),
        ({"about": "attribute", "key": "notes", "value": "x" * 5000}, "too long"),
    ],
)
def test_what_is_no_correction_is_said(api: Api, fields: dict[str, str], says: str) -> None:
    one = came(api, ("phone", phone()))["customer"]
    client = agent()
    assert says in words_of(sent(client, f"/customers/{one}/known", known(client, one, **fields), 400))


def test_a_handle_turns_shared_and_back(api: Api) -> None:
    number, address = phone(), mail()
    came(api, ("phone", number))
    receipt = came(api, ("phone", number), ("email", address))
    one, handle = receipt["customer"], identity(api, receipt, "phone")
    client = agent()
    path = f"/customers/{one}/handles/{handle}"
    assert path in ok(client, f"/customers/{one}")
    page = words_of(ok(client, path))
    assert "1 link rests on it" in page
    assert "falls into 2 parts" in page
    assert "It links nobody any more".casefold() in words_of(sent(client, path, {"done": "share"})).casefold()
    assert next(i for i in card(api, one)["identities"] if i["id"] == handle)["shared"]
    assert "1 open question about it is settled by that." in words_of(ok(client, path))
    assert "used by several people" in words_of(ok(client, f"/customers/{one}"))
    sent(client, path, {"done": "unshare"})
    assert not next(i for i in card(api, one)["identities"] if i["id"] == handle)["shared"]


def test_a_handle_is_put_on_the_list_and_taken_off(api: Api) -> None:
    receipt = came(api, ("phone", phone()))
    client = agent()
    path = f"/customers/{receipt['customer']}/handles/{identity(api, receipt, 'phone')}"
    page = words_of(sent(client, path, {"done": "block", "why": "blocked", "note": "the lift"}))
    assert "Listed as: nobody: made up or withheld" in page
    assert "the lift" in page
    assert "Listed as" not in words_of(sent(client, path, {"done": "unblock"}))
    assert client.post(path, {"done": "block", "why": "nonsense"}).status_code == 400
    assert client.post(path, {"done": "nonsense"}).status_code == 400


def test_a_number_changes_hands(api: Api) -> None:
    number = phone()
    receipt = came(api, ("phone", number), text="before")
    client = agent(zone="Europe/Vilnius")
    path = f"/customers/{receipt['customer']}/handles/{identity(api, receipt, 'phone')}"
    tomorrow = (timezone.now() + timedelta(days=1)).isoformat()
    for never in (tomorrow, "soon"):
        assert "Name a time in the past" in words_of(sent(client, path, {"done": "release", "at": never}, 400))
    html = sent(client, path, {"done": "release", "at": "2000-01-01T00:00"})
    assert "this is the new card" in words_of(html)
    assert "before" in words_of(html)
    assert texts(api, receipt["customer"]) == []


def test_one_contact_is_moved_and_put_back(api: Api) -> None:
    one, other = two(api)
    client = agent()
    html = ok(client, f"/customers/{one}")
    line = next(found for found in ids(html) if f"/move/{found}" in html)
    path = f"/customers/{one}/move/{line}"
    assert f"?with={other}" in ok(client, path, {"q": "Мария Петрова"})
    asked = {"with": other}
    assert "Say why" in words_of(sent(client, path, asked, 200))
    html = sent(client, path, {**asked, "reason": "she wrote it"})
    assert "Moved: the contact is on this card now." in words_of(html)
    assert line in ids(html)
    assert len(texts(api, other)) == 2
    undo = back_link(html)
    page = words_of(ok(client, undo))
    assert "It was moved here" in page
    assert "« she wrote it »" in page
    html = sent(client, undo, {"done": "back"})
    assert "back where it came from" in words_of(html)
    assert texts(api, other) == ["yours"]
    assert texts(api, one) == ["both", "mine"]


def test_a_contact_stays_movable_when_the_one_it_came_from_is_erased(api: Api) -> None:
    one, other = two(api)
    client = agent()
    html = ok(client, f"/customers/{one}")
    line = next(found for found in ids(html) if f"/move/{found}" in html)
    undo = back_link(sent(client, f"/customers/{one}/move/{line}", {"with": other, "reason": "she wrote it"}))
    with cursor("reading") as sql:
        was = standing(sql, UUID(one))
    erase(was, by="key:0")
    assert "It was moved here" not in words_of(ok(client, undo))
    with cursor("reading") as sql, pytest.raises(Erased):
        side(sql, was)


def test_open_cards_hear_of_a_merge_an_undo_and_a_split(api: Api) -> None:
    """The page of somebody else who has the card open is told to read itself again."""
    one, other = two(api)
    client, watcher = agent(), agent()

    def watch(card: str) -> str:
        return str(re.findall(r'data-since="([^"]+)"', ok(watcher, f"/customers/{card}"))[0])

    def told(card: str, since: str) -> bool:
        news = ok(watcher, f"/customers/{card}/news", {"since": since})
        return "data-reset" in news

    tokens = {card: watch(card) for card in (one, other)}
    assert not any(told(card, since) for card, since in tokens.items())
    form = hidden(ok(client, f"/customers/{one}/merge", {"with": other}))
    merged = sent(client, f"/customers/{one}/merge", {**form, "reason": "one"})
    assert all(told(card, since) for card, since in tokens.items())
    tokens = {card: watch(card) for card in (one, other)}
    assert not any(told(card, since) for card, since in tokens.items())
    sent(client, back_link(merged), {"reason": "two"})
    assert all(told(card, since) for card, since in tokens.items())

    number, address = phone(), mail()
    his = came(api, ("phone", number), ("email", address), text="both again")
    since = watch(his["customer"])
    asked = {"identity": identity(api, his, "email"), "chosen": "1"}
    assert not told(his["customer"], since), "a preview is no news"
    form = hidden(ok(client, f"/customers/{his['customer']}/split", asked))
    assert not told(his["customer"], since), "a preview is no news"
    sent(client, f"/customers/{his['customer']}/split", {**form, "reason": "hers"})
    assert told(his["customer"], since)


def test_who_may_only_read_is_offered_nothing_and_refused(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    from customers import access

    monkeypatch.setitem(access.ROLES, "reader", "read")
    one, other = two(api)
    client = agent("reader")
    html = ok(client, f"/customers/{one}")
    for word in ("Decide", "Merge with another", "Take apart", "Somebody else's?", "Correct, add tags"):
        assert word not in words_of(html)
    assert "Take it back" not in words_of(ok(client, f"/customers/{one}/links"))
    line = ids(html)[0]
    for path in (
        f"/customers/{one}/merge?with={other}",
        f"/customers/{one}/split",
        f"/customers/{one}/known",
        f"/customers/{one}/move/{line}",
        "/candidates/1",
    ):
        for answer in (client.get(path), client.post(path, {"reason": "x"})):
            assert answer.status_code == 403
            assert "Your role may not see this." in words_of(answer.content.decode())


def test_forms_need_their_token_and_garbage_is_no_trouble_of_ours(api: Api) -> None:
    one, other = two(api)
    client = agent()
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = client.cookies
    assert strict.post(f"/customers/{one}/merge", {"with": other, "reason": "x"}).status_code == 403
    assert client.post(f"/customers/{one}/merge", {"with": other, "reason": "x"}).status_code == 400, "no key"
    for path in (
        f"/customers/{one}/merge?with=nobody",
        f"/customers/{one}/links/x/undo",
        f"/customers/{one}/links/999999999/undo",
        f"/customers/{one}/handles/x",
        f"/customers/{one}/handles/999999999",
        f"/customers/{one}/move/x",
        f"/customers/{one}/split?identity=1&with=nobody",
        "/candidates/x",
        "/candidates/999999999",
    ):
        assert client.get(path).status_code == 404, path
    odd = {"identity": ["x", "²", "9" * 30], "chosen": "1", "q": "\x00'", "before": "x"}
    for path in (f"/customers/{one}/split", f"/customers/{one}/links", f"/customers/{one}/merge"):
        ok(client, path, odd)


def test_every_page_of_a_decision_is_a_look_at_both(api: Api) -> None:
    one, other = two(api)
    client = agent()
    CardView.objects.all().delete()
    ok(client, f"/customers/{one}/merge", {"with": other})
    assert CardView.objects.filter(viewer__startswith="user:").count() == 2


def test_a_link_that_is_doubted_is_asked_about_on_its_one_card(api: Api) -> None:
    """A handle that turned shared: what rests on it is one card, and may be parted."""
    number, address = phone(), mail()
    came(api, ("phone", number), text="mine")
    receipt = came(api, ("phone", number), ("email", address), text="both")
    came(api, ("email", address), text="hers")
    one = receipt["customer"]
    api.post(f"identities/{identity(api, receipt, 'phone')}/share")
    Candidate.objects.update(reason="review:replayed")
    client = agent()
    (link,) = re.findall(r'href="(/candidates/\d+\?from=[^"]+)"', ok(client, f"/customers/{one}"))
    page = words_of(ok(client, link))
    assert "the contact it rested on says otherwise now" in page.casefold()
    assert "They are one card now." in page
    assert "they stay two" in words_of(sent(client, link, {"decision": "reject", "reason": "hers"}))
    assert texts(api, one) == ["both", "mine"]
    boss = agent("supervisor")
    assert "hers" in words_of(ok(boss, "/queue", {"state": "rejected", "reason": "review:replayed"}))

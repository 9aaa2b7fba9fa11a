"""The manager's page of a company with many contacts: there at once, and its parts one after the other."""

import re
from html import unescape

import pytest
from django.core.cache import cache

from customers.console import experience as page_of_experience
from tests.support import COMMITTED, Api
from tests.test_console import agent, ok
from tests.test_experience_pages import hrefs, story

pytestmark = COMMITTED


def test_the_page_of_many_stands_at_once_and_its_parts_follow(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.clear()
    story(api)
    supervisor = agent("supervisor")
    whole = ok(supervisor, "/experience", {"period": "week"})
    monkeypatch.setattr(page_of_experience, "MANY", -2)  # PostgreSQL says −1 of what it has not counted yet
    frame = ok(supervisor, "/experience", {"period": "week", "channel": "email"})
    asked = [unescape(one) for one in re.findall(r'hx-get="([^"]+)"', frame)]
    assert [one.rpartition("part=")[2] for one in asked] == ["lost", "map", "scores", "answers", "promises", "effort"]
    assert set(asked) <= set(hrefs(frame, "?")), "without JavaScript each is a link"
    assert '<option value="email" selected>' in frame
    found = []
    for one in asked:
        query = one.replace("channel=email&", "")
        part = supervisor.get(f"/experience{query}", headers={"HX-Request": "true"}).content.decode()
        assert part.lstrip().startswith("<section")
        assert part in whole, "no part says anything else"
        alone = ok(supervisor, f"/experience{query}")
        assert part in alone
        assert alone.count("<section") == 1
        found.append(part)
    assert len(set(found)) == 6
    assert supervisor.get("/experience", {"part": "nothing"}).status_code == 400
    monkeypatch.setattr(page_of_experience, "LONG", 0.0)
    monkeypatch.setattr(page_of_experience, "TIMES", 1e9)
    ok(supervisor, "/experience", {"part": "map"})
    kept = ok(supervisor, "/experience")
    assert kept.count("hx-get=") == 5, "what was counted a while ago needs no asking"
    assert "Counted at" in kept
    cache.clear()

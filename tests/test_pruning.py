"""What only grows is kept for so many days, and nobody who follows it misses anything in silence."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from channels.models import Subscription
from channels.tasks import prune as prune_task
from customers import pruning
from customers.access import log_views
from customers.experience.following import FEED, follow
from customers.models import CardView, Change, Following
from customers.sql import cursor
from tests.support import COMMITTED, Api, at, event, identifier, phone, push_and_drain

pytestmark = COMMITTED
DAYS = 30


def aged(days: float = DAYS + 1) -> None:
    """All that was changed and seen so far was so long ago."""
    past = timezone.now() - timedelta(days=days)
    Change.objects.update(at=past)
    CardView.objects.update(viewed_at=past, period=past)


def told(api: Api, number: str, token: str) -> Any:
    return api.ok(f"customers/{api.card('phone', number)['id']}/changes", {"since": token})


def test_an_old_token_is_told_to_start_over_and_a_new_one_misses_nothing(api: Api) -> None:
    number = phone()
    push_and_drain(api, event(identifier("phone", number), text="first", occurred_at=at(0)))
    old = told(api, number, "1.0")["next"]
    push_and_drain(api, event(identifier("phone", number), text="second", occurred_at=at(1)))
    between = told(api, number, old)
    assert [entry["text"] for entry in between["changed"]] == ["second"]
    follow(60)
    aged()
    push_and_drain(api, event(identifier("phone", number), text="third", occurred_at=at(2)))
    after_third = told(api, number, between["next"])["next"]
    follow(60)
    gone = pruning.prune()
    assert gone["customers_change"] > 0
    assert [one.what for one in Change.objects.filter(line_id__isnull=False)] == ["recorded"]

    started_over = told(api, number, old)
    assert (started_over["changed"], started_over["reset"]) == ([], True)
    assert told(api, number, started_over["next"])["reset"] is False
    push_and_drain(api, event(identifier("phone", number), text="fourth", occurred_at=at(3)))
    for token, new in ((started_over["next"], ["fourth"]), (after_third, ["fourth"])):
        news = told(api, number, token)
        assert ([entry["text"] for entry in news["changed"]], news["reset"]) == (new, False)


def test_nothing_goes_that_a_follower_has_not_seen(api: Api) -> None:
    push_and_drain(api, event(identifier("phone", phone()), text="first"))
    aged()
    there = Change.objects.count()
    assert pruning.prune()["customers_change"] == 0  # Nobody has begun to follow.
    follow(60)
    least = Change.objects.order_by("txid").values_list("txid", flat=True)[0]
    assert pruning.prune(followed=least)["customers_change"] == 0
    Following.objects.create(name="left 7", txid=least)  # A long history that is to be folded later.
    assert pruning.prune()["customers_change"] == 0
    Following.objects.filter(name="left 7").delete()
    assert pruning.prune(followed=Following.objects.get(name=FEED).txid)["customers_change"] == there


def test_in_batches(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "BATCH", 2)
    push_and_drain(api, *(event(identifier("phone", phone())) for _ in range(5)))
    follow(60)
    aged()
    there = Change.objects.count()
    assert there > 4
    assert pruning.prune()["customers_change"] == there
    assert pruning.prune()["customers_change"] == 0


def test_views_are_kept_as_long_as_said(api: Api, settings: Any) -> None:
    with cursor() as sql:
        log_views(sql, "key:1", [1, 2], "/a")
        aged(100)
        log_views(sql, "key:1", [3], "/b")
    settings.CXHUB_VIEW_DAYS = 0
    assert "customers_cardview" not in pruning.prune()
    settings.CXHUB_VIEW_DAYS = 101
    assert pruning.prune()["customers_cardview"] == 0
    settings.CXHUB_VIEW_DAYS = 99
    assert pruning.prune()["customers_cardview"] == 2
    assert list(CardView.objects.values_list("customer_id", flat=True)) == [3]


def test_the_task_minds_the_slowest_subscription(api: Api) -> None:
    push_and_drain(api, event(identifier("phone", phone())))
    follow(60)
    aged()
    slow = Subscription.objects.create(url="https://hook.example/a", secret="whsec_x")
    prune_task()
    assert Change.objects.exists()
    slow.enabled = False
    slow.save()
    prune_task()
    assert not Change.objects.exists()
    assert datetime.now(UTC) > Following.objects.get(name=pruning.PRUNED).at

"""What is leaner than Django's own: language and zone belong to a thread."""

from concurrent.futures import ThreadPoolExecutor
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone, translation
from django.utils.translation import gettext

from cxhub import lean


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name in lean.ASKED_OFTEN:
        monkeypatch.setattr(module, name, getattr(module, name))
    lean.of_threads()


def said() -> tuple[str | None, str, str]:
    return translation.get_language(), gettext("Today"), timezone.get_current_timezone_name()


@pytest.mark.usefixtures("threads")
def test_each_thread_speaks_its_own_language() -> None:
    before = said()
    with ThreadPoolExecutor(1) as other, translation.override("ru"), timezone.override(ZoneInfo("Asia/Omsk")):
        assert said() == ("ru", "Сегодня", "Asia/Omsk")
        assert other.submit(said).result() == before
        other.submit(translation.activate, "lt").result()
        assert other.submit(said).result()[:2] == ("lt", "Šiandien")
        with translation.override(None):
            assert gettext("Today") == "Today"
        assert said()[0] == "ru"
    assert said() == before


def test_another_django_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name in lean.ASKED_OFTEN:
        monkeypatch.setattr(module, name, getattr(module, name))
    monkeypatch.setattr(timezone, "_active", object())
    with pytest.raises(ImproperlyConfigured, match=r"timezone\._active"):
        lean.of_threads()

"""What `manage.py verify_history` finds: receipts that are open, unknown, without their line, or of nobody."""

from io import StringIO
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from channels.verifying import compare
from customers.models import Interaction
from tests.support import COMMITTED, Api, event, everything, identifier, phone, push_and_drain, shop

pytestmark = COMMITTED


@pytest.fixture
def api(committed: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Api:
    monkeypatch.setattr(settings, "CXHUB_ERASURE_JOURNAL", str(tmp_path / "erasures.jsonl"))
    shop()
    return everything()


def told(*argv: str) -> tuple[str, int]:
    out = StringIO()
    try:
        call_command("verify_history", *argv, stdout=out)
    except SystemExit as ended:
        return out.getvalue(), int(ended.code or 0)
    return out.getvalue(), 0


def test_a_whole_history_is_said_to_be_whole(api: Api, tmp_path: Path) -> None:
    receipts = push_and_drain(api, *(event(identifier("phone", phone())) for _ in range(3)))
    assert compare().receipts == 3
    ledger = tmp_path / "ledger"
    ledger.write_text(f'{receipts[0]["receipt"]}\n\n{{"id": "x", "receipt": "{receipts[1]["receipt"]}"}}\n')
    assert told("--ledger", str(ledger)) == ("2 receipts: 2 recorded\neach is in one timeline, once\n", 0)


def test_what_is_lost_open_or_unknown_is_named(api: Api) -> None:
    (lost,) = push_and_drain(api, event(identifier("phone", phone())))
    Interaction.objects.all().delete()
    (waits,) = api.push(event(identifier("phone", phone())))
    unknown = uuid4()
    found = compare([UUID(lost["receipt"]), UUID(waits["receipt"]), unknown])
    assert found.wrong == {"lost": 1, "open": 1, "missing": 1}
    assert any(str(unknown) in line for line in found.told)
    out, code = told()
    assert code == 1
    assert "does not exist" in out
    assert waits["receipt"] in out


def test_a_line_of_nobody_is_astray(api: Api) -> None:
    push_and_drain(api, event(identifier("phone", phone())))
    Interaction.objects.update(identity_id=10**9)
    assert compare().wrong == {"astray": 1}


def test_whoever_was_erased_is_rightly_gone(api: Api) -> None:
    (receipt,) = push_and_drain(api, event(identifier("phone", phone())))
    assert api.post(f"customers/{receipt['customer']}/erase", {}).status_code == 200
    assert compare().total == 0


def test_all_receipts_are_looked_at_however_many(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("channels.verifying.BATCH", 2)
    push_and_drain(api, *(event(identifier("phone", phone())) for _ in range(5)))
    assert compare().receipts == 5


def test_a_ledger_that_is_none_is_refused(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger"
    ledger.write_text("no receipt\n")
    with pytest.raises(CommandError, match=":1 has no receipt"):
        call_command("verify_history", "--ledger", str(ledger))

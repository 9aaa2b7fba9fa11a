"""What must hold a minute after a fault."""

import json
import time
from pathlib import Path

from tests.faults.sender import ENOUGH, Sender
from tests.faults.stack import Stack

HEAL = 60
"""Seconds within which all is well again after a fault."""
OPEN = "SELECT count(*) FROM channels_delivery WHERE state IN ('accepted', 'waiting')"


def settled(stack: Stack, sender: Sender, tmp_path: Path, *, late: bool = False) -> None:
    """All is recorded within a minute, each acknowledged event in one timeline once; answers were right and in time.

    `late`: whoever is just being served when his process dies hears nothing.
    """
    begun = time.monotonic()
    try:
        stack.wait_until(lambda: stack.ask(OPEN) == 0, "events wait after a minute", HEAL)
    except AssertionError:
        print(stack.diagnosis())
        raise
    print(f"settled after {time.monotonic() - begun:.1f} s, {dict(sender.answers)}, slowest {sender.slowest:.2f} s")
    assert sender.wrong == []
    assert len(sender.ledger) >= ENOUGH, sender.answers
    file = tmp_path / "ledger"
    file.write_text(
        "".join(json.dumps({"id": id_, "receipt": receipt}) + "\n" for id_, receipt in sender.ledger.items())
    )
    told = stack.manage("verify_history", "--ledger", str(file), check=False)
    assert "each is in one timeline, once" in told, told
    lines = f"FROM customers_interaction WHERE text LIKE '{sender.name} says %'"
    assert stack.ask(f"SELECT count(*) {lines}") == len(sender.ledger)
    assert stack.ask(f"SELECT count(DISTINCT text) {lines}") == len(sender.ledger)
    assert late or not sender.late, f"answers that took longer than allowed: {sender.late}"

"""The demo history: invented customers, pushed through the doors that providers use."""

from typing import Any


def push(url: str, state: dict[str, Any]) -> None:
    """Push it, unless it is there already."""

"""The demo history: invented customers, pushed through the doors that providers use.

Whether it is there already is asked of the API: the first contact says on which day the history ends, the last
customer says that everything before him was taken. A push that broke off is repeated with the same bytes.
"""

import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

from cxhub.demo import cast
from cxhub.demo.administered import administer
from cxhub.demo.doors import DemoFailed, Web, mail, open_smtp
from cxhub.demo.screenplay import PHASES, Parcel

__all__ = ["DemoFailed", "push"]

BATCH = 500
SETTLED_SECONDS = 30


def push(url: str, state: dict[str, Any]) -> None:
    """Push the history, wait until it is recorded, and tell what came of it; nothing if it is there already."""
    started = time.monotonic()
    web = Web(url)
    try:
        if known(web, state, cast.LAST):
            return
        settle(web, state)  # What an earlier push left behind, for the anchor.
        parcels = cast.parcels(anchor(web, state))
        for phase in PHASES:
            if phase == PHASES[-1]:
                administer(web, state)
            send(url, state, [parcel for parcel in parcels if parcel.phase == phase], phase)
            if phase != PHASES[1]:
                settle(web, state)
        told(web, state, started)
    finally:
        web.close()


def known(web: Web, state: dict[str, Any], crm: str) -> dict[str, Any] | None:
    found = web.get(f"/api/v1/customers?crm_id={crm}", state["read_key"])["results"]
    return found[0] if found else None


def anchor(web: Web, state: dict[str, Any]) -> date:
    """The day from which the stories count back: today, or that of a push that broke off."""
    card = known(web, state, cast.FIRST)
    if card is None:
        return datetime.now(UTC).date()
    path = f"/api/v1/customers/{card['id']}/timeline?order=asc&limit=1"
    (first,) = web.get(path, state["read_key"])["results"]
    return datetime.fromisoformat(first["occurred_at"]).date() + timedelta(days=cast.FIRST_DAY)


def send(url: str, state: dict[str, Any], parcels: Sequence[Parcel], phase: int) -> None:
    """Everything of one phase, each door on a connection of its own."""
    sources = state["sources"]
    absent = {parcel.door for parcel in parcels if parcel.door not in ("push", "mail") and parcel.door not in sources}
    if any(parcel.door == "mail" for parcel in parcels) and not has_mail(url, state):
        absent.add("mail")
    for door in sorted(absent):
        say(f"demo history: no {door} here yet, its contacts are left out", end="\n")
    wanted = [parcel for parcel in parcels if parcel.door not in absent]
    hooks = [parcel for parcel in wanted if parcel.door in ("telegram", "voice", "sms")]
    letters = [parcel.what for parcel in wanted if parcel.door == "mail"]
    events = [parcel.what for parcel in wanted if parcel.door == "push"]
    say(f"demo history: step {phase} of {len(PHASES)}, {len(wanted)} to push")
    with ThreadPoolExecutor(4) as threads:
        work = [threads.submit(post, url, state, half) for half in (hooks[::2], hooks[1::2]) if half]
        if letters:
            work.append(threads.submit(mail, urlsplit(url).hostname or "", state["smtp_port"], letters))
        work.append(threads.submit(push_all, url, state, events))
        for one in work:
            one.result()


def has_mail(url: str, state: dict[str, Any]) -> bool:
    port = state.get("smtp_port")
    return bool(port and "mail" in state["sources"] and open_smtp(urlsplit(url).hostname or "", port))


def post(url: str, state: dict[str, Any], parcels: Iterable[Parcel]) -> None:
    web = Web(url)
    for parcel in parcels:
        source = state["sources"][parcel.door]
        if parcel.door == "telegram":
            web.update(source, parcel.what)
        else:
            web.form(source, parcel.what)
    web.close()


def push_all(url: str, state: dict[str, Any], events: Sequence[dict[str, Any]]) -> None:
    web = Web(url)
    for start in range(0, len(events), BATCH):
        web.push(events[start : start + BATCH], state["ingest_key"])
    web.close()


def settle(web: Web, state: dict[str, Any]) -> None:
    """Until no delivery is left to be recorded: what comes next builds on the customers of this step."""
    end = time.monotonic() + SETTLED_SECONDS
    while waiting(web, state):
        if time.monotonic() > end:
            raise DemoFailed(f"not everything was recorded within {SETTLED_SECONDS} s")
        time.sleep(0.05)


def waiting(web: Web, state: dict[str, Any]) -> bool:
    path = "/api/v1/deliveries?limit=1&status="
    return any(web.get(path + status, state["admin_key"])["results"] for status in ("accepted", "waiting"))


def told(web: Web, state: dict[str, Any], started: float) -> None:
    """Counted where an agent would look: on the cards."""
    query = urlencode(cast.handles(), doseq=True)
    cards = web.get(f"/api/v1/customers?{query}", state["read_key"])["results"]
    counts: Counter[str] = Counter()
    for card in cards:
        counts.update(card["counts"])
    channels = ", ".join(f"{channel} {count}" for channel, count in counts.most_common())
    seconds = time.monotonic() - started
    say(
        f"demo history: {len(cards)} customers, {counts.total()} contacts in {seconds:.1f} s ({channels})",
        end="\n",
    )


def say(words: str, *, end: str = "") -> None:
    """One line that is written over; whoever reads a log gets the last one only."""
    if sys.stdout.isatty():
        print(f"\r\033[K{words}", end=end, flush=True)
    elif end:
        print(words, flush=True)

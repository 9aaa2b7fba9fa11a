"""`make screenshots`: a throw-away demo, each page photographed in both themes; with `--keep` the best go into docs.

They land in `screenshots` below CXHUB_VAR (or var). Nothing of the demo is left behind.
"""

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote
from urllib.request import Request, urlopen

ROOT = Path(__file__).resolve().parent.parent
CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--font-render-hinting=none"]
WIDE, NARROW, HIGH = 1280, 360, 800
START_SECONDS = 600
KEPT = {"card-light": "card", "card-dark": "card-dark", "results-light": "find", "now-light": "now"}
"""Those that the README shows."""


@contextmanager
def demo() -> Iterator[dict[str, Any]]:
    """What `make demo` prints, of a demo of our own."""
    var = Path(tempfile.mkdtemp(prefix="cxhub-photos-"))
    environment = {**os.environ, "CXHUB_VAR": str(var), "CXHUB_PORT": "0", "CXHUB_MFA": "1"}
    company = {"CXHUB_OIDC_URL": "http://127.0.0.1:1", "CXHUB_OIDC_NAME": "Example Works"}
    environment |= company | {"CXHUB_OIDC_CLIENT_ID": "cxhub", "CXHUB_OIDC_CLIENT_SECRET": "for the picture"}
    argv = [sys.executable, "-m", "cxhub.launcher", "demo"]
    with (var / "launcher.log").open("wb") as log:
        run = subprocess.Popen(argv, cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True)
    try:
        state, end = var / "demo.json", time.monotonic() + START_SECONDS
        while not state.exists():
            assert run.poll() is None, (var / "launcher.log").read_text()
            assert time.monotonic() < end, "the demo does not start"
            time.sleep(0.3)
        yield json.loads(state.read_text())
    finally:
        run.send_signal(signal.SIGTERM)
        run.wait(60)
        shutil.rmtree(var, ignore_errors=True)


def asked(state: dict[str, Any], path: str) -> Any:
    key = {"Authorization": f"Bearer {state['read_key']}"}
    request = Request(f"{state['url']}/api/v1/{path}", headers=key)  # noqa: S310 - our own address
    with urlopen(request, timeout=60) as answer:  # noqa: S310
        return json.load(answer)


def signed_in(browser: Any, state: dict[str, Any], role: str, scheme: str, width: int = WIDE) -> Any:
    user = state["users"][role]
    where = {"base_url": state["url"], "viewport": {"width": width, "height": HIGH}, "color_scheme": scheme}
    page = browser.new_context(**where, locale="en-GB", timezone_id="Europe/Vilnius").new_page()
    page.goto("/login/")
    page.fill("[name=username]", user["username"])
    page.fill("[name=password]", user["password"])
    page.press("[name=password]", "Enter")
    page.wait_for_selector("#q")
    page.goto("/profile")
    page.select_option("[name=language]", "en")
    page.select_option("[name=time_zone]", "Europe/Vilnius")
    page.click("form.sheet button")
    return page


def pages(state: dict[str, Any], page: Any) -> dict[str, str]:
    """Name of the photograph: its address."""
    page.goto("/now")
    seen = list(dict.fromkeys(re.findall(r'href="/customers/([0-9a-f-]{36})', page.content())))
    cards = {one: asked(state, f"customers/{one}") for one in seen}
    best = max(cards, key=lambda one: (len(cards[one]["counts"]), sum(cards[one]["counts"].values())))
    doubtful = next((one for one in cards if cards[one]["candidates"]), best)
    other = next(one for one in cards if one != best)
    entries = asked(state, f"customers/{best}/timeline?limit=50")["results"]
    line = max(entries, key=lambda one: len(one["text"]))["id"]
    return {
        "find": "/",
        "results": "/?q=" + quote("morozova"),
        "unknown": "/?q=%2B79990009999",
        "now": "/now",
        "card": f"/customers/{best}",
        "doubtful": f"/customers/{doubtful}",
        "line": f"/customers/{best}/lines/{line}",
        "filtered": f"/customers/{best}?channel=email",
        "nobody-yet": "/lookup?phone=%2B79990009999",
        "choice": "/lookup?q=an",
        "merge": f"/customers/{best}/merge?with={other}",
        "split": f"/customers/{best}/split",
        "links": f"/customers/{best}/links",
        "known": f"/customers/{best}/known",
        "queue": "/queue",
        "deliveries": "/queue/deliveries",
        "sources": "/queue/sources",
        "views": "/queue/views",
        "clear-list": "/queue/clear",
        "holds": "/queue/holds",
        "hold": f"/customers/{best}/hold",
        "matters": "/requests",
        "promises": "/promises",
        "feedback": "/feedback",
        "segments": "/segments",
        "segment-new": "/segments/new",
        "experience": "/experience",
        "scores": "/experience/scores",
        "left": "/experience/left",
        "waiting": "/experience/matters",
        "journey": "/experience/journey",
        "profile": "/profile",
        "missing": "/nothing/here",
    }


def photograph(page: Any, folder: Path, name: str, path: str) -> None:
    page.goto(path)
    page.wait_for_load_state("networkidle" if path in ("/profile",) else "load")
    page.wait_for_timeout(300)
    page.screenshot(path=str(folder / f"{name}.png"))


def main() -> None:
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(prog="python -m tests.screenshots", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="the best into docs/screenshots")
    given = parser.parse_args()
    folder = Path(os.environ.get("CXHUB_VAR") or ROOT / "var") / "screenshots"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with demo() as state, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        found: dict[str, str] = {}
        for scheme in ("light", "dark"):
            page = signed_in(browser, state, "supervisor", scheme)
            found = found or pages(state, page)
            for name, path in found.items():
                photograph(page, folder, f"{name}-{scheme}", path)
            photograph(
                signed_in(browser, state, "supervisor", scheme, NARROW), folder, f"card-{scheme}-narrow", found["card"]
            )
            masked = signed_in(browser, state, "masked", scheme)
            photograph(masked, folder, f"masked-{scheme}", found["card"])
            admin = signed_in(browser, state, "admin", scheme)
            photograph(admin, folder, f"admin-{scheme}", "/admin/channels/source/add/?provider=twilio_sms")
            where = {"base_url": state["url"], "viewport": {"width": WIDE, "height": HIGH}, "color_scheme": scheme}
            bare = browser.new_context(**where).new_page()
            photograph(bare, folder, f"login-{scheme}", "/login/")
            photograph(bare, folder, f"refused-{scheme}", "/login/oidc")
            photograph(masked, folder, f"clear-{scheme}", f"{found['card']}/clear")
            photograph(page, folder, f"again-{scheme}", "/profile/factor")
            page.fill("[name=password]", state["users"]["supervisor"]["password"])
            page.press("[name=password]", "Enter")
            page.wait_for_selector("code.key")
            page.screenshot(path=str(folder / f"factor-{scheme}.png"))
        browser.close()
    print(f"{len(list(folder.iterdir()))} photographs in {folder}")
    if given.keep:
        kept = ROOT / "docs" / "screenshots"
        kept.mkdir(exist_ok=True)
        for name, short in KEPT.items():
            shutil.copyfile(folder / f"{name}.png", kept / f"{short}.png")


if __name__ == "__main__":
    main()

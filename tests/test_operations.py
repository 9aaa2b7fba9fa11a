"""What those who run cxhub read is so: alarms and dashboard ask for metrics that exist, each alarm is explained."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import call_command, get_commands
from django.test import Client

from customers import figures
from customers.verifying import verify_and_store
from cxhub import health, heartbeats, roster
from tests.support import event, everything, identifier, phone, push_and_drain, shop

ROOT = Path(__file__).resolve().parent.parent
OPERATIONS = ROOT / "docs" / "operations"
TOKEN = "a token of this test"
PROMTOOL = shutil.which("promtool")


def alerts() -> list[dict[str, Any]]:
    found = yaml.safe_load((OPERATIONS / "alerts.yml").read_text())
    return [rule for group in found["groups"] for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((OPERATIONS / "grafana.json").read_text())["panels"]
    return found


def page() -> str:
    return (ROOT / "docs" / "operations.md").read_text()


def selected(expression: str) -> list[tuple[str, dict[str, str]]]:
    """The metrics that an expression names, each with the labels it asks for."""
    return [
        (name, dict(re.findall(r'(\w+)[=!]~?"([^"]*)"', labels)))
        for name, labels in re.findall(r"(cxhub_\w+)(?:\{([^}]*)\})?", expression)
    ]


@pytest.fixture
def exported(committed: None, settings: Any) -> dict[str, list[dict[str, str]]]:
    """Name of each sample that /metrics shows after a day's work → its labels."""
    settings.CXHUB_METRICS_TOKEN = TOKEN
    settings.CXHUB_PUBLIC_URL = "http://testserver"
    shop()
    api, number = everything(), phone()
    push_and_drain(api, event(identifier("phone", number)))
    push_and_drain(api, event(identifier("phone", number), identifier("email", "ada@mail.example")))
    push_and_drain(api, event(identifier("phone", "no number"), identifier("phone", phone())))
    api.timeline("phone", number)
    call_command("sweep", once=True)
    verify_and_store()
    figures.flush()
    health._kept["at"] = 0.0
    answer = Client().get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    found: dict[str, list[dict[str, str]]] = {}
    for line in answer.content.decode().splitlines():
        if line.startswith("# TYPE "):
            found.setdefault(line.split()[2], [])
        elif not line.startswith("#"):
            name, labels = re.fullmatch(r"(\w+)(?:\{(.*)\})? \S+", line).groups()  # type: ignore[union-attr]
            found.setdefault(name, []).append(dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', labels or "")))
    return found


# Exported where the log of the database is archived, and where there is a replica: not by the test server.
ARCHIVE = {"cxhub_wal_archived_timestamp_seconds", "cxhub_wal_archive_failing", "cxhub_replica_lag_seconds"}


@pytest.mark.usefixtures("committed")
@pytest.mark.filterwarnings("ignore:No directory at")
def test_alarms_and_dashboard_ask_for_what_there_is(exported: dict[str, list[dict[str, str]]]) -> None:
    asked = [expression for rule in alerts() for expression in selected(rule["expr"])]
    asked += [one for panel in panels() for target in panel["targets"] for one in selected(target["expr"])]
    assert len(asked) > 40
    for name, labels in asked:
        if name in ARCHIVE:
            continue
        assert name in exported, f"nobody exports {name}"
        for sample in exported[name]:
            assert set(labels) <= set(sample), f"{name} has no label {set(labels) - set(sample)}"


def test_the_archive_is_asked_for_by_the_names_that_it_has() -> None:
    source = (ROOT / "cxhub" / "standing.py").read_text()
    assert all(f'"{name.removeprefix("cxhub_")}"' in source for name in ARCHIVE)


@pytest.mark.usefixtures("committed")
@pytest.mark.filterwarnings("ignore:No directory at")
def test_checks_and_states_in_rules_exist(exported: dict[str, list[dict[str, str]]]) -> None:
    known = {"check": {sample["check"] for sample in exported["cxhub_check"]} | {"smtpd", "replica"}}
    known["state"] = {sample["state"] for sample in exported["cxhub_deliveries"]}
    for rule in alerts():
        for _, labels in selected(rule["expr"]):
            for label in known.keys() & labels.keys():
                assert set(labels[label].split("|")) <= known[label], rule["alert"]


def test_each_alarm_is_explained_and_nothing_else_is() -> None:
    explained = re.findall(r"^### (Cxhub\w+)$", page(), re.MULTILINE)
    assert explained == [rule["alert"] for rule in alerts()]
    for rule in alerts():
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert rule["annotations"]["summary"]


def test_what_may_make_it_degraded_raises_an_alarm() -> None:
    listened = {
        check
        for rule in alerts()
        for name, labels in selected(rule["expr"])
        if name == "cxhub_check"
        for check in labels["check"].split("|")
    }
    assert listened | {"backlog"} == {"database", "schema", "broker", "backlog", "replica", *heartbeats.LATE}


def test_the_dashboard_has_no_address_and_no_twin() -> None:
    ids = [panel["id"] for panel in panels()]
    assert len(ids) == len(set(ids))
    assert {panel["datasource"]["uid"] for panel in panels()} == {"${source}"}


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not here (Debian: prometheus)")
def test_promtool_reads_the_rules() -> None:
    subprocess.run([str(PROMTOOL), "check", "rules", str(OPERATIONS / "alerts.yml")], check=True, capture_output=True)


def test_the_page_names_commands_and_files_that_exist() -> None:
    commands = set(re.findall(r"manage\.py (\w+)", page()))
    assert commands <= set(get_commands()), commands - set(get_commands())
    assert {"verify_history", "createsuperuser", "replay"} <= commands
    for path in re.findall(r"\]\((?!https?:)([^)#]+)\)", page()):
        assert (ROOT / "docs" / path).exists(), path
    for path in re.findall(r"docs/operations/[\w./-]*\w", page()):
        assert (ROOT / path).exists(), path
    for name in re.findall(r"(?:/operations/|`)([\w-]+\.sh)", page()):
        assert (OPERATIONS / name).exists(), name


def test_the_page_names_variables_and_processes_that_exist() -> None:
    compose = (ROOT / "docker-compose.yml").read_text()
    for name in set(re.findall(r"`((?:CXHUB|POSTGRES)_[A-Z_]+)", page())):
        assert name in compose, name
    rows = set(re.findall(r"^\| `(\w+)` \|", page().partition("## Start")[0], re.MULTILINE))
    assert rows == set(roster.processes(roster.Place(Path("/v"), "127.0.0.1", 8000, "")))


def test_scripts_have_no_errors_of_syntax() -> None:
    for path in OPERATIONS.glob("*.sh"):
        subprocess.run(["sh", "-n", str(path)], check=True)

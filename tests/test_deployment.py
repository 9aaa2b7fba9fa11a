"""Container file, compose file and units of systemd start what the embedded run starts, by the same settings."""

import ast
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings
from psycopg.conninfo import conninfo_to_dict

from cxhub import heartbeats, postgres, roster, valkey
from cxhub.ports import free_port
from tests.support import database_url as database_url_of_tests

ROOT = Path(__file__).resolve().parent.parent
OPERATIONS = ROOT / "docs" / "operations"
SERVERS = {"postgres", "valkey", "backup-folder", "migrate"}
# Of the embedded run alone, of the machine, or for tests.
NOT_FOR_PRODUCTION = {
    "CXHUB_DEBUG",
    "CXHUB_FETCH_ALLOW_LOOPBACK",
    "CXHUB_LMTP_PORT",
    "CXHUB_PG_OPTIONS",
    "CXHUB_PORT",
    "CXHUB_SMTP_HOST",
    "CXHUB_SMTP_PORT",
}
SIZES = {"shared_buffers"}
"""Options that depend on the machine."""


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return found


def test_nothing_is_said_twice() -> None:
    """YAML's readers take the last of two; the schema's check takes neither."""
    lines = [line for line in (ROOT / "docker-compose.yml").read_text().splitlines() if ": ${CXHUB_" in line]
    assert len(lines) == len(set(lines)) > 20


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    return roster.processes(roster.Place(Path("/var/lib/cxhub"), "0.0.0.0", 8000, "", 2525, 0))  # noqa: S104


def ours(compose: dict[str, Any]) -> dict[str, Any]:
    return {name: one for name, one in compose["services"].items() if name not in SERVERS}


def read_variables() -> set[str]:
    """What the code takes from the environment."""
    found = set()
    for path in [ROOT / "manage.py", *sorted((ROOT / "cxhub").glob("*.py"))]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found |= set(re.findall(r"^(?:CXHUB_[A-Z_]+|DATABASE_URL|DATABASE_REPLICA_URL|REDIS_URL)$", node.value))
    return {name.removesuffix("_FILE") for name in found}


def test_the_same_processes(compose: dict[str, Any], table: dict[str, list[str]]) -> None:
    assert set(ours(compose)) == set(table)
    for name, service in ours(compose).items():
        assert service["command"] == ["python", "-m", "cxhub.roster", name]
        assert service["healthcheck"]["test"]
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]


def test_every_service_has_limits_and_a_rotated_log(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        assert service["deploy"]["resources"]["limits"]["memory"], name
        assert name == "backup-folder" or service["logging"]["options"]["max-size"], name


@pytest.mark.parametrize("name", ["web", "worker", "beat", "sweep", "smtpd"])
def test_the_one_door_becomes_the_process(name: str, table: dict[str, list[str]]) -> None:
    """Executed in place of Python, so that signals reach the process itself."""
    said = subprocess.run(
        [
            sys.executable,
            "-c",
            f"import os\nos.execv = lambda path, argv: print(*argv)\nfrom cxhub import roster\nroster.main([{name!r}])",
        ],
        cwd=ROOT,
        env={
            **os.environ,
            "CXHUB_VAR": "/var/lib/cxhub",
            "CXHUB_HOST": "0.0.0.0",  # noqa: S104
            "CXHUB_PORT": "8000",
            "CXHUB_LMTP_PORT": "0",
            "CXHUB_SMTP_PORT": "2525",
        },
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    assert said == " ".join(table[name])


def test_an_unknown_process_is_one_line() -> None:
    said = subprocess.run(
        [sys.executable, "-m", "cxhub.roster", "webb"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert said.returncode == 1
    assert "web|smtpd|worker|beat|sweep" in said.stderr


def test_each_heart_that_is_listened_to_is_a_process(compose: dict[str, Any], table: dict[str, list[str]]) -> None:
    assert set(heartbeats.LATE) <= set(table)
    for name, service in ours(compose).items():
        if "cxhub.heartbeats" in service["healthcheck"]["test"]:
            assert service["healthcheck"]["test"][-1] == name


def test_the_same_variables(compose: dict[str, Any]) -> None:
    wanted = read_variables() - NOT_FOR_PRODUCTION
    assert {"DATABASE_URL", "CXHUB_ERASURE_KEY", "CXHUB_LOG"} <= wanted, "the code was not read"
    for name, service in {**ours(compose), "migrate": compose["services"]["migrate"]}.items():
        given = {variable.removesuffix("_FILE") for variable in service["environment"]}
        assert wanted <= given, f"{name} lacks {sorted(wanted - given)}"
        assert given <= wanted | NOT_FOR_PRODUCTION | {"AWS_SHARED_CREDENTIALS"}, name


def test_secrets_come_from_files(compose: dict[str, Any], tmp_path: Path) -> None:
    named = set()
    for service in compose["services"].values():
        for variable, value in service.get("environment", {}).items():
            assert not re.search(
                "(KEY|SECRET|TOKEN|PASSWORD|DATABASE_.*URL|REDIS_URL)$", variable
            ) or variable.endswith("_FILE"), variable
            if variable.endswith("_FILE"):
                assert value.removeprefix("/run/secrets/") in service["secrets"], variable
        named |= set(service.get("secrets", []))
    assert named == set(compose["secrets"])
    script = [shutil.which("sh") or "sh", str(OPERATIONS / "secrets.sh"), str(tmp_path / "secrets")]
    subprocess.run(script, check=True)
    files = {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()}
    assert set(files) == {Path(one["file"]).name for one in compose["secrets"].values()} == named
    assert stat.S_IMODE((tmp_path / "secrets").stat().st_mode) == 0o700
    assert len(set(files.values())) == len(files) - 2, "three are empty, all others differ"
    assert len(files["secret_key"]) > 50
    assert conninfo_to_dict(files["database_url"].strip())["password"] == files["postgres_password"].strip()
    assert f":{files['valkey_conf'].split()[1]}@" in files["redis_url"]
    subprocess.run(script, check=True)
    assert files == {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()}, "kept"


def options(command: list[str]) -> dict[str, str]:
    found = {}
    for flag, setting in zip(command[1::2], command[2::2], strict=True):
        assert flag == "-c"
        name, _, value = setting.partition("=")
        found[name] = re.sub(r"\$\{\w+:-(.*)\}", r"\1", value)
    return found


def test_the_same_options_of_postgres(compose: dict[str, Any]) -> None:
    given = options(compose["services"]["postgres"]["command"])
    embedded = {name: value for name, value in postgres.SETTINGS.items() if not name.startswith("unix_socket")}
    assert set(embedded) <= set(given)
    assert {name for name in embedded if given[name] != embedded[name]} <= SIZES
    assert {name for name in given if name not in embedded} == {"archive_mode", "archive_command", "archive_timeout"}
    assert "/operations/archive-wal.sh %p /backup/wal/%f" in given["archive_command"]
    arguments = compose["services"]["postgres"]["environment"]["POSTGRES_INITDB_ARGS"].split()
    assert {"--encoding=UTF8", postgres.LOCALES[0][0]} <= set(arguments)
    assert compose["services"]["postgres"]["image"] == "postgres:18"


def test_the_same_options_of_valkey(compose: dict[str, Any]) -> None:
    command = compose["services"]["valkey"]["command"]
    given = {command[place][2:]: command[place + 1] for place in range(2, len(command), 2)}
    embedded = dict(line.split(" ", 1) for line in valkey.CONFIGURATION.splitlines())
    for name in ("appendonly", "maxmemory-policy"):
        assert given[name] == embedded[name]
    assert f'"{given["save"]}"' == embedded["save"]
    assert "requirepass" in embedded
    assert command[:2] == ["valkey-server", "/run/secrets/valkey_conf"]


def test_the_image_has_what_the_compose_file_relies_on(compose: dict[str, Any]) -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert re.search(r"^USER 10001$", dockerfile, re.MULTILINE)
    for volume in ours(compose)["web"]["volumes"]:
        assert volume.partition(":")[2] in dockerfile, "a fresh volume has the owner that the folder has in the image"
    assert json.loads(dockerfile.rpartition("CMD ")[2]) == ours(compose)["web"]["command"]
    allowed = set((ROOT / ".dockerignore").read_text().split())
    for copied in re.findall(r"^COPY (\S+) ", dockerfile, re.MULTILINE):
        assert copied.startswith("--from") or f"!{copied}" in allowed, copied


def test_granian_logs_as_the_others_do(monkeypatch: pytest.MonkeyPatch) -> None:
    from granian import log

    known: dict[str, Any] = dict(log.LOGGING_CONFIG)
    monkeypatch.setenv("CXHUB_LOG", "json")
    web = roster.processes(roster.Place(Path("/v"), "127.0.0.1", 8000, ""))["web"]
    file: dict[str, Any] = json.loads(Path(web[web.index("--log-config") + 1]).read_text())
    assert set(file["formatters"]) == set(known["formatters"])
    assert set(file["handlers"]) == set(known["handlers"])
    shape = file["formatters"]["generic"]["fmt"] % {"asctime": "t", "levelname": "INFO", "message": "m"}
    assert json.loads(shape)["message"] == "m"


@pytest.mark.slow
@pytest.mark.usefixtures("committed")
def test_web_serves_with_what_a_container_gives_it(tmp_path: Path) -> None:
    """Secrets from files, JSON lines, one process that ends when it is asked to."""
    secrets = {"DATABASE_URL": database_url_of_tests(), "REDIS_URL": settings.REDIS_URL, "CXHUB_SECRET_KEY": "k" * 60}
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CXHUB_", "DATABASE_", "REDIS_"))}
    port = free_port()
    environment = {**kept, "CXHUB_VAR": str(tmp_path), "CXHUB_LOG": "json", "CXHUB_LOG_REQUESTS": "1"}
    environment |= {
        "CXHUB_PORT": str(port),
        "CXHUB_WEB_WORKERS": "1",
        "CXHUB_REPLICA_LAG": "",
        "CXHUB_MFA_REQUIRED": "",
    }
    for name, value in secrets.items():
        (tmp_path / name).write_text(value + "\n")
        environment[f"{name}_FILE"] = str(tmp_path / name)
    with (tmp_path / "log").open("wb") as log:
        web = subprocess.Popen(
            [sys.executable, "-m", "cxhub.roster", "web"], cwd=ROOT, env=environment, stdout=log, stderr=log
        )
    try:
        place = roster.Place(tmp_path, "127.0.0.1", port, "")
        deadline = time.monotonic() + 90
        while not place.serves():
            assert web.poll() is None, (tmp_path / "log").read_text()
            assert time.monotonic() < deadline, (tmp_path / "log").read_text()
            time.sleep(0.1)
        with urllib.request.urlopen(f"{place.url}/readyz", timeout=30) as answer:  # noqa: S310
            assert json.loads(answer.read())["checks"]["database"] == {"status": "ok"}
            id_ = answer.headers["X-Request-Id"]
    finally:
        web.terminate()
        code = web.wait(30)
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert code == 0
    assert [line["route"] for line in lines if line.get("request_id") == id_] == ["readyz"]


# Units of systemd


def unit(name: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in (OPERATIONS / "systemd" / name).read_text().splitlines():
        key, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(key, []).append(value)
    return found


def test_units_start_the_same_processes(table: dict[str, list[str]]) -> None:
    assert set(unit("cxhub.target")["Wants"][0].split()) == {f"cxhub@{name}.service" for name in table}
    assert unit("cxhub@.service")["ExecStart"] == ["/opt/cxhub/.venv/bin/python -m cxhub.roster %i"]
    assert "migrate" in unit("cxhub-migrate.service")["ExecStart"][0]


def test_units_set_what_the_compose_file_sets(compose: dict[str, Any]) -> None:
    service = compose["services"]["web"]["environment"]
    fixed = {name for name, value in service.items() if not re.fullmatch(r"\$\{\w+:-\}", str(value))}
    given = unit("cxhub.env")
    optional = {"DATABASE_REPLICA_URL_FILE", "CXHUB_OIDC_CLIENT_SECRET_FILE", "AWS_SHARED_CREDENTIALS_FILE"}
    assert fixed - optional <= set(given)
    assert set(given) - fixed <= {"CXHUB_PORT", "CXHUB_SMTP_PORT", "CXHUB_LMTP_PORT"}
    for name in ("CXHUB_VAR", "CXHUB_ERASURE_JOURNAL", "CXHUB_LOG", "CXHUB_STATIC"):
        assert given[name] == [service[name]]


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not here")
def test_units_are_valid(tmp_path: Path) -> None:
    for path in (OPERATIONS / "systemd").iterdir():
        text = path.read_text().replace("/opt/cxhub/.venv/bin/python", sys.executable)
        (tmp_path / path.name).write_text(text)
    (tmp_path / "cxhub@web.service").write_text((tmp_path / "cxhub@.service").read_text())
    said = subprocess.run(
        [
            "systemd-analyze",
            "verify",
            "--man=no",
            *(str(tmp_path / name) for name in ("cxhub.target", "cxhub@web.service", "cxhub-migrate.service")),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    mine = [line for line in (said.stdout + said.stderr).splitlines() if "cxhub" in line]
    assert (said.returncode, mine) == (0, [])

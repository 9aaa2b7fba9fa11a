"""The shape that everything relies on, kept by reading the code."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.db.models import ForeignKey

ROOT = Path(__file__).resolve().parent.parent
OURS = ("customers", "channels", "cxhub")
PROVIDERS_MAY = {
    "channels.provider",
    "channels.signatures",
    "channels.mime",
    # What the two shared subjects, reading and mail, were split into.
    "channels.reading",
    "channels.bounded",
    "channels.bounces",
    "channels.mail",
    "channels.mailheaders",
    # What a push is made of.
    "channels.fields",
    "channels.experience",
    "customers.incoming",
}
VAGUE = {"utils", "util", "helpers", "helper", "common", "services", "service", "misc", "base", "core", "lib", "shared"}
LINES = 300
DJANGOS = Path("cxhub/patient/base.py")
"""What Django calls the module of a database backend."""


def tracked() -> list[Path]:
    """The files of the repository; all files where git knows nothing of them."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode:
        skipped = {".venv", "var", ".git", "__pycache__"}
        return [path for path in ROOT.rglob("*") if path.is_file() and not skipped & set(path.parts)]
    return [path for name in listed.stdout.decode().split("\0") if name and (path := ROOT / name).is_file()]


def sources(app: str) -> list[Path]:
    return sorted(path for path in tracked() if path.suffix == ".py" and path.relative_to(ROOT).parts[0] == app)


def imported(path: Path) -> Iterator[str]:
    """The modules that a file imports, wherever in it; `from a import b` gives both a and a.b."""
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            module = ".".join(filter(None, (above, node.module)))
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def belongs(module: str, packages: tuple[str, ...]) -> bool:
    return module.split(".")[0] in packages


def strings(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


@pytest.mark.parametrize("path", sources("customers"), ids=lambda path: str(path.relative_to(ROOT)))
def test_customers_knows_nothing_of_channels(path: Path) -> None:
    found = [module for module in imported(path) if belongs(module, ("channels", "cxhub"))]
    assert not found, f"{path.name} imports {found}"
    named = [text for text in strings(path) if re.search(r"\bchannels[._]", text) or "cxhub.settings" in text]
    assert not named, f"{path.name} names {named}"


@pytest.mark.parametrize("path", sources("channels"), ids=lambda path: str(path.relative_to(ROOT)))
def test_apps_know_nothing_of_the_project(path: Path) -> None:
    assert not [module for module in imported(path) if belongs(module, ("cxhub",))]


def providers() -> list[Path]:
    return [path for path in sources("channels") if path.parent.name == "providers" and path.name != "__init__.py"]


@pytest.mark.parametrize("path", providers(), ids=lambda path: path.name)
def test_a_provider_translates_and_does_nothing_else(path: Path) -> None:
    def allowed(module: str) -> bool:
        return module in PROVIDERS_MAY or module.rpartition(".")[0] in PROVIDERS_MAY

    ours = [module for module in imported(path) if belongs(module, OURS) and module not in ("channels", "customers")]
    assert not [module for module in ours if not allowed(module)]
    reaching = {"django", "celery", "redis", "psycopg", "requests", "urllib3", "httpx", "socket", "subprocess", "os"}
    assert not [module for module in imported(path) if belongs(module, tuple(reaching))]
    assert "urllib.request" not in imported(path)


def test_every_provider_is_listed() -> None:
    from channels.providers import PROVIDERS

    written = {path.stem for path in providers()}
    listed = {type(provider).__module__.rpartition(".")[2] for provider in PROVIDERS.values()}
    assert listed == written
    assert all(name == provider.name for name, provider in PROVIDERS.items())


def test_nothing_but_identities_hangs_on_a_customer() -> None:
    found = {
        f"{model._meta.app_label}.{model.__name__}.{field.name}"
        for model in apps.get_models(include_auto_created=True)
        for field in model._meta.get_fields()
        if isinstance(field, ForeignKey) and field.related_model._meta.label == "customers.Customer"
    }
    assert found == {"customers.Identity.customer", "customers.Customer.merged_into"}


def test_no_model_reaches_across_the_apps() -> None:
    for model in apps.get_models():
        if model._meta.app_label == "customers":
            for field in model._meta.get_fields():
                if isinstance(field, ForeignKey):
                    assert field.related_model._meta.app_label != "channels"


def test_files_are_short() -> None:
    long = {}
    for app in OURS:
        for path in sources(app):
            count = len(path.read_text().splitlines())
            if count > LINES and "migrations" not in path.parts:
                long[str(path.relative_to(ROOT))] = count
    assert not long


def test_files_are_named_for_what_happens_in_them() -> None:
    paths = [path.relative_to(ROOT) for path in tracked() if path.suffix == ".py"]
    ours = [path for path in paths if path.parts[0] in OURS and path != DJANGOS]
    assert not [path for path in ours if VAGUE & {path.stem, *path.parts[:-1]}]


def test_every_module_says_what_it_is() -> None:
    silent = []
    for app in (*OURS, "tests"):
        for path in sources(app):
            text = path.read_text()
            if text.strip() and "migrations" not in path.parts and not ast.get_docstring(ast.parse(text)):
                silent.append(str(path.relative_to(ROOT)))
    assert not silent


MACHINE = re.compile(
    r"/(?:home|Users)/\w+|/root/|/work/|/tmp/\w+\.\w+/"
    r"|(?:index-url|extra-index-url|find-links|trusted-host)[ =]+\S+://"
    r"|files\.pythonhosted\.org|pypi\.org/simple|registry\.npmjs\.org"
    r"|\b(?:10|192\.168)(?:\.\d{1,3}){2,3}:\d{2,5}",
)
BINARY = {
    ".png",
    ".jpg",
    ".gif",
    ".webp",
    ".ico",
    ".woff",
    ".woff2",
    ".mo",
    ".pdf",
    ".ogg",
    ".oga",
    ".mp3",
    ".eml",
    ".zip",
}


def test_no_file_tells_of_the_machine_it_was_written_on() -> None:
    found = []
    for path in tracked():
        if path.suffix in BINARY or path == Path(__file__):
            continue
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), start=1):
            if match := MACHINE.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {match.group()}")
    assert not found, "\n".join(found)


def test_no_lock_file_records_addresses() -> None:
    names = {path.name for path in tracked()}
    assert not names & {"uv.lock", "poetry.lock", "pylock.toml", "Pipfile.lock"}
    for path in ROOT.glob("requirements*.txt"):
        assert "://" not in path.read_text(), path.name


def test_the_writer_is_the_only_writer() -> None:
    """Lines are inserted, updated and deleted where `recording` has them, and nowhere else."""
    writes = re.compile(r"(?:INSERT INTO|UPDATE|DELETE FROM)\s+customers_interaction\b", re.IGNORECASE)
    writers = {
        path.stem
        for app in ("customers", "channels")
        for path in sources(app)
        if "migrations" not in path.parts and any(writes.search(text) for text in strings(path))
    }
    assert writers <= {"lines", "erasure"}

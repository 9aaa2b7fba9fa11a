"""Every word of the console in every language: nothing untranslated, nothing half done, the compiled files in step."""

import gettext
import re
import shutil
import subprocess
from pathlib import Path
from string import Formatter

import pytest

LOCALE = Path(__file__).resolve().parent.parent / "customers" / "locale"
LANGUAGES = ("ru", "lt")
SAME = {"%(score)s of %(most)s"}


def catalogue(language: str) -> dict[object, str]:
    with (LOCALE / language / "LC_MESSAGES" / "django.mo").open("rb") as file:
        found: dict[object, str] = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]
    return {key: text for key, text in found.items() if key}


def written(language: str) -> str:
    return (LOCALE / language / "LC_MESSAGES" / "django.po").read_text()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_string_is_translated(language: str) -> None:
    text = written(language).partition("\n\n")[2]
    assert not re.findall(r'^msgstr(?:\[\d\])? ""\n(?!")', text, re.MULTILINE)
    assert "fuzzy" not in text
    for key, said in catalogue(language).items():
        assert said.strip(), key


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_compiled_files_are_those_of_the_written_ones(language: str) -> None:
    plain = {key[0] if isinstance(key, tuple) else key for key in catalogue(language)}
    listed = set(re.findall(r'^msgid "(.+)"$', written(language).partition("\n\n")[2], re.MULTILINE))
    assert {str(key).rpartition("\x04")[2] for key in plain} == {text.replace('\\"', '"') for text in listed}


@pytest.mark.parametrize("language", LANGUAGES)
def test_placeholders_survive(language: str) -> None:
    def names(text: str) -> set[str]:
        return set(re.findall(r"%\(\w+\)s", text)) | {name for _, name, _, _ in Formatter().parse(text) if name}

    for key, said in catalogue(language).items():
        original = str(key[0] if isinstance(key, tuple) else key)
        assert names(original) == names(said), original


@pytest.mark.skipif(not shutil.which("xgettext"), reason="SKIPPED: xgettext is not installed; new strings go unnoticed")
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_string_is_missing(language: str, tmp_path: Path, root: Path) -> None:
    """What the sources say today, against what the catalogues hold."""
    copy = tmp_path / "customers"
    shutil.copytree(root / "customers", copy, ignore=shutil.ignore_patterns("__pycache__", "migrations", "api"))
    for part in ("console", "templates"):  # The catalogues are the only ones: they hold the words of `channels`, too.
        shutil.copytree(root / "channels" / part, copy / "channels" / part)
    argv = ["django-admin", "makemessages", "-l", language, "--no-location", "--no-wrap", "--no-obsolete"]
    program = root / ".venv" / "bin" / "django-admin"
    if not program.exists():
        pytest.skip("SKIPPED: no django-admin in .venv")
    environment = {"PATH": "/usr/bin:/bin"}
    subprocess.run([str(program), *argv[1:]], cwd=copy, env=environment, check=True, capture_output=True)
    text = (copy / "locale" / language / "LC_MESSAGES" / "django.po").read_text().partition("\n\n")[2]
    missing = re.findall(r'^msgid "(.*)"\n(?:msgid_plural.*\n)?msgstr(?:\[0\])? ""$(?!\n")', text, re.MULTILINE)
    assert not missing
    assert "fuzzy" not in text

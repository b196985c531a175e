"""The command line's group: quick help, errors in a sentence."""

import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from connectors.errors import MiantiError
from deploy.cli import main
from tests.support.codes import uscc


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> type[click.Command]:
    """The group with one verb, `fail`, that raises what its class attribute says."""

    class Fail(click.Command):
        error: Exception = MiantiError("It failed.", "失败了。")

        def invoke(self, ctx: click.Context) -> None:
            raise self.error

    monkeypatch.setattr(main, "VERBS", {"fail": "fails"})
    monkeypatch.setattr(main.LazyGroup, "get_command", lambda *_: Fail("fail"))
    return Fail


def test_the_table_of_verbs_is_the_directory_of_modules() -> None:
    modules = {path.stem for path in Path(main.__file__).parent.glob("[!_]*.py")} - {"main"}
    commands = {name for name in modules if "\ndef command(" in source(name)}
    assert set(main.VERBS) == commands


def source(verb: str) -> str:
    return (Path(main.__file__).parent / f"{verb}.py").read_text(encoding="utf-8")


@pytest.mark.parametrize("verb", main.VERBS)
def test_every_verb_has_its_help(verb: str) -> None:
    shown = CliRunner().invoke(main.cli, [verb, "--help"])
    assert shown.exit_code == 0, shown.output


#: Each takes from a tenth of a second to two to import.
HEAVY = {
    "boto3", "botocore", "cryptography", "deltalake", "fastapi", "fastavro", "httpx", "kafka",
    "openpyxl", "polars", "prefect", "rich", "sqlalchemy", "uvicorn",
}  # fmt: skip
#: Prints after each command line what of HEAVY it was the first to import.
IMPORTED = """
import contextlib, io, json, sys
from deploy.cli.main import cli
heavy, seen, told = {*json.loads(sys.argv[1])}, set(), {}
for words in json.loads(sys.argv[2]):
    with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
        cli(words, standalone_mode=False)
    told[words[0]], seen = sorted(heavy & {*sys.modules} - seen), heavy & {*sys.modules}
print(json.dumps(told))
"""


def imported(home: Path, *lines: list[str]) -> dict[str, list[str]]:
    """Return what some command lines import in one process, by their first word."""
    asked = [sys.executable, "-c", IMPORTED, json.dumps(sorted(HEAVY)), json.dumps(lines)]
    alone = {n: v for n, v in os.environ.items() if not n.startswith(("MIANTI_", "KAFKA_"))}
    told = subprocess.run(
        asked, capture_output=True, text=True, check=True, env=alone | {"MIANTI_HOME": str(home)}
    )
    found: dict[str, list[str]] = json.loads(told.stdout)
    return found


def test_help_of_any_verb_imports_nothing_that_takes_long(tmp_path: Path) -> None:
    lines = [["--help"], *([verb, "--help"] for verb in main.VERBS)]
    found = imported(tmp_path, *lines)
    assert {first: names for first, names in found.items() if names} == {}
    assert len(found) == len(lines)


@pytest.mark.parametrize(
    "words",
    [
        ["query", "licence", "--subject", uscc(1)],
        ["ask", "--subject", uscc(1), "--matter", "start-building"],
    ],
    ids=["query", "ask"],
)
def test_a_question_imports_the_tables_alone(tmp_path: Path, words: list[str]) -> None:
    [found] = imported(tmp_path, words).values()
    assert found == ["deltalake", "fastavro", "polars"]


def test_a_foreseen_error_is_told_in_both_languages_without_a_trace(failing: object) -> None:
    ended = CliRunner().invoke(main.cli, ["fail"])
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert ended.stderr == "It failed.\n失败了。\n"


def test_an_unforeseen_error_shows_its_kind_and_none_of_its_text(
    failing: type[click.Command], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(failing, "error", KeyError("a value of a row"))
    ended = CliRunner().invoke(main.cli, ["fail"])
    assert ended.exit_code == 2
    assert "KeyError" in ended.stderr
    assert "a value of a row" not in ended.output
    assert "Traceback" not in ended.output


def test_with_debug_the_error_comes_through(failing: object) -> None:
    ended = CliRunner().invoke(main.cli, ["--debug", "fail"])
    assert isinstance(ended.exception, MiantiError)

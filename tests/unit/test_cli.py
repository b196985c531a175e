"""The command line's group: quick help, errors in a sentence."""

import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from connectors.errors import MiantiError
from deploy.cli import main


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


def test_help_imports_nothing_that_takes_long() -> None:
    program = (
        "import sys; from deploy.cli.main import cli; cli(['--help'], standalone_mode=False); "
        "print(sorted({'polars', 'prefect', 'kafka', 'pydantic', 'deltalake'} & {*sys.modules}))"
    )
    shown = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert "up " in shown.stdout
    assert shown.stdout.splitlines()[-1] == "[]"


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

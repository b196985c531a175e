"""Every command of README and docs, typed as it stands after the demo, in the demo's folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from connectors.settings import Settings
from connectors.stack import Stack
from deploy.local.lifecycle import down
from tests.support.docs import ROOT, blocks, commands

pytestmark = pytest.mark.timeout(900)

#: How a command begins that is not typed here, and why.
NOT_TYPED: Final = {
    "make ": "needs a clone of its own, and tests or measures all of the project",
    ".venv/bin/pytest ": "a test run of its own",
    "MIANTI_FAULT_ROWS=": "takes hours",
    "mianti window serve ": "serves until it is stopped; the demo has one running",
    "mianti window follow ": "follows until it is stopped; the demo has one running",
    "mianti window rebuild ": "what follows must be stopped: test_replica.py rebuilds",
    "mianti window new-key ": "the window must be stopped: test_window.py changes the key",
    "mianti down": "the other documents are typed into the same town",
    "mianti up": "runs already",
}
#: Documents that begin with files of the reader's own.
NOT_THIS: Final = {"dialects.md": "its files are tried by tests/unit/test_joining.py"}
#: Some rows of the sample are wrong on purpose, which these say by their exit code.
SOME_REFUSED: Final = ("mianti publish ", "mianti collect", "sleep 30; mianti collect")
PROGRAMS_NOT_RUN: Final = {"SparkSession": "Spark's jar is fetched, and it is not among the tools"}
MOST_LINES: Final = 40


@dataclass(frozen=True)
class Town:
    """The folder a person stands in after `make demo`, and what the demo printed."""

    folder: Path
    settings: Settings
    environment: dict[str, str]
    told: str

    def type(self, lines: list[str]) -> list[tuple[str, int, str]]:
        """Type some lines into one shell; return each with its exit code and what it printed."""
        script = "".join(f"{line}\nprintf '\\n@@%s@@\\n' $?\n" for line in lines)
        shell = subprocess.run(
            ["bash"],
            input=script,
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        said = re.split(r"\n@@(\d+)@@\n", shell.stdout)
        return [(line, int(said[2 * n + 1]), said[2 * n]) for n, line in enumerate(lines)]


@pytest.fixture(scope="module")
def town(new_home: Callable[[], Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A clone after `make demo`: its home, its virtual environment, its schemas."""
    folder, home = tmp_path_factory.mktemp("town"), new_home()
    links = {".mianti": home, ".venv": Path(sys.prefix), "schemas": ROOT / "schemas"}
    for name, place in links.items():
        (folder / name).symlink_to(place)
    foreign = ("MIANTI_", "KAFKA_", "PREFECT_", "AWS_")
    environment = {n: v for n, v in os.environ.items() if not n.startswith(foreign)}
    environment |= {"HOME": str(folder)}
    with pytest.MonkeyPatch.context() as patched:
        for name in os.environ.keys() - environment.keys():
            patched.delenv(name)
        settings = Settings(mianti_home=folder / ".mianti")
    try:
        demo = subprocess.run(
            [Path(sys.executable).parent / "mianti", "demo"],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert demo.returncode == 0, demo.stdout
        yield Town(folder, settings, environment, demo.stdout)
    finally:
        down(settings)


def is_right(line: str, code: int) -> bool:
    """Return whether a command ended as it should."""
    return code == 0 or (code == 3 and line.startswith(SOME_REFUSED))


def documents() -> list[Path]:
    """Return README and docs; what they say in Chinese is the same (test_docs_pairs.py)."""
    found = [ROOT / "README.md", *sorted((ROOT / "docs").glob("[!.]*.md"))]
    return [one for one in found if ".zh-CN" not in one.name and one.name not in NOT_THIS]


def test_the_demo_says_in_forty_lines_what_came_out_and_which_faults_are_meant(town: Town) -> None:
    assert len(town.told.splitlines()) <= MOST_LINES
    assert town.told.count("all meant · 均为有意放入") == 3
    rows = re.findall(r"^  (registration|licence|credit) +(\d+) rows", town.told, re.MULTILINE)
    assert [int(count) > 0 for _, count in rows] == [True] * 3


def test_what_the_demo_says_to_try_can_be_typed(town: Town) -> None:
    lines = re.findall(r"^  (mianti .*|\. \.venv.*)$", town.told, re.MULTILINE)
    assert len(lines) > 4
    wrong = [done for done in town.type(lines) if not is_right(done[0], done[1])]
    assert wrong == []


@pytest.mark.parametrize("document", documents(), ids=lambda one: one.name)
def test_every_command_can_be_typed_after_the_demo(town: Town, document: Path) -> None:
    lines = [one for one in commands(document) if not one.startswith(tuple(NOT_TYPED))]
    stack = Stack.read(town.settings.mianti_home)
    server = stack.prefect if document.name == "operator.md" else stack.window
    assert server is not None
    port = re.findall(r":(\d+)", server.address)[0]
    # What a person reads off: the port of the UI or of the window.
    lines = [re.sub(r"\bPORT\b", port, line) for line in lines]
    for table in (one for one in blocks(document, "yaml") if one.startswith("operators:")):
        (town.settings.mianti_home / "operators.yaml").write_text(table)  # as the reader is told
    done = town.type([". .venv/bin/activate", *lines])
    assert [one for one in done if not is_right(one[0], one[1])] == []


def test_make_clean_names_all_that_the_demo_has_put_into_its_home(town: Town) -> None:
    """A key of the window that stays behind would keep the next demo's window shut."""
    [told] = re.findall(r"^DATA := (.*?[^\\])$", (ROOT / "Makefile").read_text(), re.M | re.DOTALL)
    home = {one.name for one in town.settings.mianti_home.iterdir()}
    persons_own = {"zone", "operators.yaml"}
    cleaned_within = {"kafka"}  # tests/unit/test_makefile.py
    assert home - persons_own - cleaned_within - {*told.replace("\\", "").split()} == set()


def test_every_program_of_the_readme_runs(town: Town) -> None:
    programs = blocks(ROOT / "README.md", "python")
    programs = [one for one in programs if not any(name in one for name in PROGRAMS_NOT_RUN)]
    assert len(programs) >= 3
    for program in programs:
        ran = subprocess.run(
            [sys.executable, "-c", program],
            cwd=town.folder,
            env=town.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, f"{program}\n{ran.stderr}"

"""A department joins by typing what `docs/dialects.md` says, in a fresh folder."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.settings import Settings
from tests.support import kafka as raw

PAGE = (Path(__file__).parents[2] / "docs" / "dialects.md").read_text("utf-8")
CHINESE = (Path(__file__).parents[2] / "docs" / "dialects.zh-CN.md").read_text("utf-8")
#: A row of the example is refused on purpose.
SOME_REFUSED = 3


def example(page: str) -> str:
    """Return the page up to where it explains the words."""
    return page[: page.index("\n## ", page.index("mianti ingest"))]


def commands(page: str) -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", example(page), re.S)
    return [line for block in blocks for line in block.splitlines()]


class Reader:
    """Who has the page and an empty folder."""

    def __init__(self, folder: Path, kafka: str) -> None:
        self.folder = folder
        own = {name.upper() for name in Settings.model_fields}
        kept = {name: value for name, value in os.environ.items() if name not in own}
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        self._env = kept | {"PATH": path, "KAFKA_BOOTSTRAP_SERVERS": kafka}

    def write(self) -> None:
        """Put each block into the file that its first line names, and the export into its own."""
        shown = example(PAGE)
        files = re.findall(r"```(?:yaml|toml)\n# (\S+)\n(.*?)```", shown, re.S)
        [export] = re.findall(r"as `(\S+\.csv)`:\n\n```csv\n(.*?)```", shown, re.S)
        for name, text in [*files, export]:
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / name).write_text(text, "utf-8")

    def type(self, command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            shell=True,
            cwd=self.folder,
            env=self._env,
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def reader(tmp_path: Path, kafka: str) -> Iterator[Reader]:
    yield Reader(tmp_path, kafka)
    raw.delete_topics(kafka, lambda topic: topic.endswith(".fire-demo"))


def test_the_page_as_written_ends_in_rows_of_a_dataset(reader: Reader) -> None:
    reader.write()
    told = {}
    for command in commands(PAGE):
        if command == "mianti up":  # what it starts stands ready
            continue
        done = reader.type(command)
        assert done.returncode in (0, SOME_REFUSED), (command, done.stdout, done.stderr)
        told[command.split()[1]] = done
    assert set(told) == {"dialect", "publish", "ingest", "query", "status"}
    assert told["publish"].returncode == SOME_REFUSED
    assert "消罚" in told["query"].stdout
    query = next(one for one in commands(PAGE) if one.startswith("mianti query"))
    rows = [json.loads(line) for line in reader.type(f"{query} --json").stdout.splitlines()]
    assert sorted(row["usable"] for row in rows) == ["no", "yes"]  # B is removed
    assert str(reader.folder / ".mianti" / "settings.toml") in told["status"].stdout
    assert "fire-demo fire-inspection: complete through" in told["status"].stdout
    assert "credit-demo" in told["status"].stdout  # the shipped lines hold as well


def test_both_languages_have_the_same_commands() -> None:
    assert commands(CHINESE) == commands(PAGE)

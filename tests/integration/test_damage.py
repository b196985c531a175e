"""A damaged lake: each command says which table, which file, and what to do; doing it mends it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import polars as pl
import pytest
from click.testing import CliRunner, Result

from connectors import damage, store
from connectors import lake as lake_tables
from deploy.cli.main import cli
from flows.verify import verify
from tests.support.codes import uscc
from tests.support.exchange import Exchange
from tests.support.window import SUBJECT, Window, follow, serving, shipped, token

pytestmark = pytest.mark.parametrize("new_lake", ["directory"], indirect=True, scope="module")

FAMILY = "licence"
#: More commits than make a checkpoint.
COMMITS = 23


@pytest.fixture(scope="module")
def sound(make_exchange: Callable[[], Exchange]) -> Window:
    """A window and its lake, whose log has a checkpoint and commits behind it."""
    window = Window(make_exchange())
    for number in range(1, COMMITS):
        window.food.publish(
            [window.food.licence(number)], f"{number}.csv", layout="cn-sgs-2018-licence"
        )
        window.exchange.ingest()
    shutil.copytree(window.exchange.lake, window.exchange.home / "sound")
    return window


@pytest.fixture
def lake(sound: Window) -> Iterator[Path]:
    """The lake, whole again after each test."""
    place = Path(sound.exchange.lake)
    yield place
    shutil.rmtree(place)
    shutil.copytree(sound.exchange.home / "sound", place)


def run(window: Window, *words: str) -> Result:
    environment = window.exchange.environment | {"MIANTI_CATALOGUE": str(window.catalogue)}
    return CliRunner(env=environment).invoke(cli, words, prog_name="mianti")


def log_of(lake: Path, kind: str = "log") -> Path:
    return lake / kind / FAMILY / "_delta_log"


def checkpoint(lake: Path, kind: str = "log") -> Path:
    return max(log_of(lake, kind).glob("*.checkpoint.parquet"))


def commit(lake: Path, back: int = 0, kind: str = "log") -> Path:
    return sorted(log_of(lake, kind).glob("*[0-9].json"))[-1 - back]


def data(lake: Path, kind: str = "log") -> Path:
    """Return a data file that the newest version still has."""
    table = lake_tables.opened(str(lake / kind / FAMILY))
    held = {Path(store.place_of(file)) for file in table.file_uris()}
    return min(held)


def cut(path: Path) -> Path:
    path.write_bytes(path.read_bytes()[:-9])
    return path


def emptied(path: Path) -> Path:
    path.write_bytes(b"")
    return path


def gone(path: Path) -> Path:
    path.unlink()
    return path


def scrambled(path: Path) -> Path:
    """The same size, and nothing that can be read."""
    path.write_bytes(b"PAR1" + bytes(path.stat().st_size - 8) + b"PAR1")
    return path


def other_columns(path: Path) -> Path:
    pl.DataFrame({"offset": ["a text"], "bucket": ["one"], "usable": [1]}).write_parquet(path)
    return path


def linked(path: Path) -> Path:
    path.unlink()
    path.symlink_to("/etc/hostname")
    return path


def said(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def copied(source: Path, version: int) -> Path:
    target = source.with_name(f"{version:020}.json")
    shutil.copy(source, target)
    return target


Harm = Callable[[Path], Path]
HARMS: dict[str, Harm] = {
    "a checkpoint is cut": lambda lake: cut(checkpoint(lake)),
    "a checkpoint is empty": lambda lake: emptied(checkpoint(lake)),
    "a checkpoint is scrambled": lambda lake: scrambled(checkpoint(lake)),
    "the hint names a checkpoint that is not there": lambda lake: said(
        log_of(lake) / "_last_checkpoint", '{"version": 7, "size": 1}'
    ),
    "a checkpoint of the history is cut": lambda lake: cut(checkpoint(lake, "history")),
    "a commit is missing": lambda lake: gone(commit(lake, 1)),
    "a commit is cut": lambda lake: cut(commit(lake)),
    "a commit says something else": lambda lake: said(commit(lake), '["no", "commit"]\n'),
    "a commit has a field of another type": lambda lake: said(commit(lake), '{"add":{"path":5}}\n'),
    "a commit is of a protocol to come": lambda lake: said(
        commit(lake), '{"protocol":{"minReaderVersion":99,"minWriterVersion":99}}\n'
    ),
    "a commit of a version far ahead": lambda lake: copied(commit(lake), 4711),
    "a data file of the log is cut": lambda lake: cut(data(lake)),
    "a data file of the log is missing": lambda lake: gone(data(lake)),
    "a data file of the log is scrambled": lambda lake: scrambled(data(lake)),
    "a data file of the log is a link elsewhere": lambda lake: linked(data(lake)),
    "a data file of the history has other columns": lambda lake: other_columns(
        data(lake, "history")
    ),
    "a data file of the history is cut": lambda lake: cut(data(lake, "history")),
    "a data file of the dataset is missing": lambda lake: gone(data(lake, "datasets")),
    "a commit of the dataset is missing": lambda lake: gone(commit(lake, 1, "datasets")),
}


@pytest.mark.parametrize("harm", HARMS.values(), ids=HARMS.keys())
def test_each_command_says_what_is_damaged_or_does_its_work_and_what_is_said_mends_it(
    sound: Window, lake: Path, harm: Harm
) -> None:
    broken = harm(lake)
    told = 0
    for words in (
        ("status",),
        ("ingest", FAMILY),
        ("ask", "--subject", SUBJECT, "--matter", "SP-1"),
        ("query", FAMILY),
        ("verify",),
    ):
        done = run(sound, *words)
        assert "unexpected" not in done.output + done.stderr, (words, done.stderr)
        if done.exit_code != 0:
            assert (done.exit_code, broken.name in done.stderr) == (2, True), (words, done.stderr)
            assert f"/{FAMILY} is damaged" in done.stderr
            assert "已损坏" in done.stderr
            told += 1
    assert told >= 1

    mend(lake, run(sound, "verify").stderr.splitlines()[0], sound)
    assert run(sound, "status").exit_code == 0
    assert run(sound, "ingest", FAMILY).exit_code == 0
    assert verify(sound.exchange.settings, FAMILY).differences == []
    assert run(sound, "query", FAMILY, "--subject", uscc(3)).exit_code == 0


@pytest.mark.parametrize("harm", [cut, gone, emptied, linked])
@pytest.mark.parametrize("kind", ["log", "history", "datasets"])
def test_what_nobody_reads_just_now_is_told_by_the_routine(
    sound: Window, lake: Path, kind: str, harm: Harm
) -> None:
    broken = harm(data(lake, kind))
    for words in (("status",), ("ingest", FAMILY)):
        done = run(sound, *words)
        assert (done.exit_code, broken.name in done.stderr) == (2, True)


def mend(lake: Path, told: str, window: Window) -> None:
    """Do what a message says."""
    for place in re.findall(r"move (\S+) away", told):
        shutil.move(place, f"{place}.away-{len(list(Path(place).parent.iterdir()))}")
    if found := re.search(r"damaged: (\S+) .*Remove this file and (\S+) beside", told):
        Path(found[1]).unlink(missing_ok=True)
        Path(found[1]).with_name(found[2]).unlink(missing_ok=True)
    for words in re.findall(r"`mianti (\w+ ?\w*)`", told):
        run(window, *words.split())


@pytest.mark.parametrize("text", ["", "xx", "[]", "{}", '{"version": "x"}'])
def test_a_hint_that_says_nothing_is_done_without(sound: Window, lake: Path, text: str) -> None:
    said(log_of(lake) / "_last_checkpoint", text)
    for words in (("status",), ("ingest", FAMILY), ("query", FAMILY), ("verify",)):
        assert run(sound, *words).exit_code == 0


def test_an_error_that_is_of_no_table_is_not_explained(sound: Window, lake: Path) -> None:
    cut(data(lake))
    assert damage.explained(sound.settings, ZeroDivisionError()) is None
    assert damage.explained(sound.settings, FileNotFoundError("no such file: x.csv")) is None
    assert damage.explained(sound.settings, pl.exceptions.ComputeError()) is not None


def test_damaged_and_stray_files_among_the_anchors(sound: Window, lake: Path) -> None:
    sound.exchange.ingest()  # for a fresh heartbeat
    follow(sound.settings)
    with serving(sound.settings) as url:
        signed = {"Authorization": f"Bearer {token(sound.settings)}"}
        body = {"subject": SUBJECT, "matter": "SP-1"}
        told = httpx.post(f"{url}/v1/ask", json=body, headers=signed, timeout=30).json()
    receipt = told["receipt"]["id"]
    assert shipped(sound.settings) >= 1
    anchors = next((lake / "evidence" / "anchors").iterdir())
    said(anchors / "notes.json", "{}")
    said(anchors / "x.json.part", "")
    assert run(sound, "receipt", "verify", receipt).exit_code == 0
    broken = cut(max(anchors.glob("0*.json")))
    done = run(sound, "receipt", "verify", receipt)
    assert (done.exit_code, broken.name in done.stderr) == (2, True)

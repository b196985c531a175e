"""A window dies, or its disk fills, while clerks ask: no answer goes out without its receipt."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from connectors.settings import Settings
from tests.faults.clerks import CLERKS, Asked, environment, proven, window_at_work
from tests.faults.processes import mianti
from tests.faults.reliability import Fault
from tests.support.exchange import Exchange
from tests.support.window import Window, follow, penalty, serving

_ADD: Final = "connectors.receipts:Receipts.add"
_COMMIT: Final = "connectors.receipts:Receipts.commit"
_ROOM: Final = resource.RLIM_INFINITY
_DYING: Final = ("tests.faults.entries:serve_until_the_disk_is_full",)


@pytest.fixture(scope="module")
def answering(
    kafka: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[Path], Settings]]:
    """Make a new window of one exchange, whose replica knows its licences."""
    exchange = Exchange(home := tmp_path_factory.mktemp("exchange"), kafka, str(home / "lake"))
    window = Window(exchange)
    window.publish(window.food.licence(1))
    window.punish(penalty(window.police))

    def made(folder: Path, **more: Any) -> Settings:
        given = {
            "mianti_window": folder,
            "mianti_window_keys": folder.with_name("window-keys.yaml"),  # all have one name
            "mianti_window_behind_seconds": 86_400,
            "mianti_window_rate": "100000/second",
            "mianti_catalogue": window.catalogue,
        }
        settings = exchange.settings_with(**given | more)
        follow(settings)
        return settings

    yield made
    exchange.close()


@pytest.fixture
def settings(answering: Callable[[Path], Settings], tmp_path: Path) -> Settings:
    return answering(tmp_path / "window")


def at(point: str, what: str, name: str, told: int) -> Any:
    """Return a parameter: where it dies; `told`: at least so many answers came before."""
    marked = pytest.mark.fault(f"the window killed {what}", how=f"SIGKILL, `{point}`, 4 clerks")
    return pytest.param(point, told, id=name, marks=marked)


# The first commit is the window's key, the others are answers, up to four in each.
POINTS = [
    at(f"{_ADD}:before:2", "before its first answer's receipt", "first-before", 0),
    at(f"{_COMMIT}:after:2", "after it, before the answer", "first-after", 0),
    at(f"{_ADD}:before:12", "before it writes receipts", "before-write", 8),
    at(f"{_COMMIT}:before:12", "with receipts written and not committed", "before-commit", 8),
    at(f"{_COMMIT}:after:12", "after it wrote receipts, before their answers", "after-write", 8),
    at("deploy.window.api:_json:before:20", "with its answer made, not sent", "before-answer", 16),
]


@pytest.mark.parametrize(("point", "told"), POINTS)
def test_answering(settings: Settings, fault: Fault, point: str, told: int) -> None:
    asked = Asked()
    with window_at_work(settings, point) as (process, url):
        asked.ask(url, settings, 1_000)
        assert process.wait() == -signal.SIGKILL
    assert told <= len(asked.answers) < 1_000
    assert asked.broken == CLERKS
    before = proven(settings, asked)
    if point == f"{_ADD}:before:2":
        assert before.receipts == 1 + len(asked.answers)
    elif ":after:" in point:
        assert before.receipts > 1 + len(asked.answers), "written, and never told"
    fault.flowed = goes_on(settings, asked, before.receipts)


def goes_on(settings: Settings, asked: Asked, before: int) -> int:
    """Assert that the window answers again, and its chain goes on; return its receipts."""
    with serving(settings) as url:
        asked.ask(url, settings, 3)
    after = proven(settings, asked).receipts
    assert after == before + 3 * CLERKS
    return after


@pytest.mark.fault("the window killed thrice in a stream of questions", how="SIGKILL, 4 clerks")
def test_in_a_stream_of_questions(settings: Settings, fault: Fault) -> None:
    asked = Asked()
    for count in (1, 60, 120):
        with window_at_work(settings) as (process, url):

            def killed(process: subprocess.Popen[str] = process, count: int = count) -> None:
                if len(asked.answers) >= count:
                    process.kill()

            asked.ask(url, settings, 1_000, killed)
            assert process.wait() == -signal.SIGKILL
        assert len(asked.answers) >= count
        proven(settings, asked)
    assert asked.broken == 3 * CLERKS
    fault.flowed = goes_on(settings, asked, proven(settings, asked).receipts)
    assert fault.flowed > 120


@pytest.mark.fault(
    "the window dies with half of its receipts written", how="RLIMIT_FSIZE, SIGXFSZ, 4 clerks"
)
def test_in_the_middle_of_a_write(settings: Settings, fault: Fault) -> None:
    asked = Asked()
    with window_at_work(settings, entry=_DYING) as (process, url):
        asked.ask(url, settings, 5)
        there = size_of_the_journal(settings)
        # A frame of a page and a half: what it begins, it cannot end.
        limit(process, there + 6_000)
        asked.ask(url, settings, 1_000)
        assert process.wait() == -signal.SIGXFSZ
    assert size_of_the_journal(settings) == there + 6_000
    assert len(asked.answers) == 5 * CLERKS
    assert asked.broken == CLERKS
    before = proven(settings, asked).receipts
    assert before == 1 + 5 * CLERKS, "half a commit is none"
    fault.flowed = goes_on(settings, asked, before)


@pytest.mark.fault(
    "the window's disk is full: to the last byte, and in the middle of a write", how="RLIMIT_FSIZE"
)
def test_a_full_disk(settings: Settings, fault: Fault) -> None:
    asked, answered = Asked(), 0
    with window_at_work(settings) as (process, url):
        for more in (None, 6_000):
            asked.ask(url, settings, 5)
            answered += 5 * CLERKS
            limit(process, 0 if more is None else size_of_the_journal(settings) + more)
            asked.ask(url, settings, 5)
            assert len(asked.answers) == answered, "no answer without its receipt"
            assert proven(settings, asked).receipts == 1 + answered
            limit(process, _ROOM)
    assert len(asked.problems) == 2 * 5 * CLERKS
    for problem in asked.problems:
        assert problem.status_code == 503
        assert problem.headers["content-type"] == "application/problem+json"
        assert "make room" in problem.json()["detail"]
        assert "磁盘" in problem.json()["detail_zh"]
    assert asked.broken == 0
    fault.flowed = goes_on(settings, asked, 1 + answered)


def limit(process: subprocess.Popen[str], size: int) -> None:
    """Let no file of a process grow beyond a size: as a disk on which so much is free."""
    resource.prlimit(process.pid, resource.RLIMIT_CORE, (0, 0))
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (size, _ROOM))


def size_of_the_journal(settings: Settings) -> int:
    return os.stat(settings.mianti_window / "receipts.db-wal").st_size


@pytest.mark.fault("a second process answers for the window", how="started beside the first")
def test_one_process_answers(settings: Settings, fault: Fault) -> None:
    asked = Asked()
    with window_at_work(settings) as (_, url):
        second = mianti(environment(settings), "window", "serve", "--port", "29999")
        assert second.returncode == 2
        assert "MIANTI_WINDOW_NAME" in second.stderr
        assert "Traceback" not in second.stderr
        asked.ask(url, settings, 5)
    fault.flowed = goes_on(settings, asked, 1 + 5 * CLERKS)

"""A clock jumps while processes run, by an hour or a day, ahead and back."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

import httpx
import polars as pl
import pytest

from connectors.clients import kept
from connectors.settings import Settings
from connectors.stack import Server
from deploy.local import window
from deploy.local.ports import choose_port
from tests.faults.clock import Clock
from tests.faults.processes import ROOT, again
from tests.faults.reliability import Fault
from tests.faults.scene import EVENTS, POISON, Scene, at_work
from tests.faults.scheduling import Scheduler, kill_all, runner
from tests.support import lake
from tests.support.exchange import Exchange
from tests.support.prefect import ENDED, wait_for

_DAY: Final = 24 * 3600
_HOUR: Final = 3600
_LIMIT: Final = 20
_PATIENCE: Final = 200.0
_ANY: Final = (*ENDED, "SCHEDULED", "PENDING", "RUNNING")


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    """A clock that goes with the machine's until it is stepped."""
    made = Clock.made(tmp_path)
    made.step(_DAY)
    assert made.told() - time.time() > _DAY - _HOUR
    made.step(0)
    return made


@pytest.mark.fault("the clock jumps while landings run", how="a day ahead, two back, one ahead")
def test_landing(exchange: Exchange, clock: Clock, fault: Fault) -> None:
    """`landed_at` never falls, nor does anything else go by the clock."""
    scene = at_work(exchange)
    with stepped(exchange, clock, "ingest", "--follow") as following:
        has_landed(scene, EVENTS + POISON)
        with kept():
            for number, step in enumerate([_DAY, -_DAY, 0]):
                clock.step(step)
                scene.publish(*range(51 + 10 * number, 61 + 10 * number))
                has_landed(scene, EVENTS + POISON + 10 * (number + 1))
        assert following.poll() is None
    clock.step(-_DAY)
    scene.publish(*range(81, 91))
    with stepped(exchange, clock, "ingest", "licence") as ingesting:
        assert ingesting.wait(_PATIENCE) == 0
    never_falls(exchange)
    fault.flowed = scene.whole()
    assert fault.flowed == EVENTS + POISON + 40


@pytest.mark.timeout(900)
@pytest.mark.fault(
    "the clock jumps under Prefect's server, its runner and its runs",
    how="a day ahead, two back, one ahead; two back, and the runner killed and started again",
)
def test_prefect(
    exchange: Exchange, clock: Clock, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is scheduled goes on after each step without an operator."""
    scene = at_work(exchange)
    for name, value in clock.environment.items():
        monkeypatch.setenv(name, value)
    port = choose_port(None, None, "")
    home = exchange.home / "scheduler"
    scheduler = Scheduler(Settings(mianti_home=home, mianti_prefect_port=port))
    try:
        scheduler.start()
        with runner(scheduler, exchange) as one:
            serving = one.start()
            has_landed(scene, EVENTS + POISON)
            for number, step in enumerate([_DAY, -_DAY, 0, -2 * _DAY]):
                before = {run["id"] for run in scheduler.prefect.runs("ingest", *_ANY)}
                clock.step(step)
                if number == 3:
                    kill_all(serving)
                    serving = one.start()
                scene.publish(*range(51 + 10 * number, 61 + 10 * number))
                has_landed(scene, EVENTS + POISON + 10 * (number + 1))
                wait_for(partial(planned, scheduler, before), "a run planned by the new time")
            assert serving.alive
    finally:
        scheduler.kill()
    for name in clock.environment:
        monkeypatch.delenv(name)
    again(exchange.environment, "ingest", "licence")
    fault.flowed = scene.whole()
    assert fault.flowed == EVENTS + POISON + 40


def planned(scheduler: Scheduler, before: set[str]) -> bool:
    """Whether a run that was not planned before has ended well."""
    return any(run["id"] not in before for run in scheduler.prefect.runs("ingest", "COMPLETED"))


def has_landed(scene: Scene, count: int) -> None:
    wait_for(lambda: scene.exchange.log().height == count, f"{count} messages to be landed")


def never_falls(exchange: Exchange) -> None:
    """Assert that each commit's `landed_at` is later than that of the one before it."""
    names = ["_commit_version", "landed_at"]
    changes = lake.delta(f"{exchange.lake}/log/licence").load_cdf(columns=names)
    commits = pl.DataFrame(changes.read_all()).select(names).unique().sort("_commit_version")
    assert commits.height == commits["_commit_version"].n_unique() == 6
    assert commits["landed_at"].is_sorted()
    assert commits["landed_at"].is_unique().all()


@pytest.mark.fault("the clock jumps while a window answers", how="an hour ahead, an hour back")
def test_window(
    exchange: Exchange, clock: Clock, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It answers again at once; and with its follower dead it never says that its data are new."""
    scene = at_work(exchange)
    exchange.ingest()
    environment = exchange.environment | clock.environment
    environment |= {"MIANTI_WINDOW_BEHIND_SECONDS": str(_LIMIT), "PYTHONPATH": str(ROOT)}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with stepped(exchange, clock, "ingest", "--follow"), started(exchange) as (serving, following):
        for step in (0, _HOUR, 0, -_HOUR, 0):
            clock.step(step)
            wait_for(
                lambda: 0 <= health(serving).get("behind_seconds", -1) < _LIMIT, "it to answer"
            )
        kill_all(following)
        clock.step(-_HOUR)
        told = health(serving)
        assert told.get("status") == 503, told
        assert told["type"].endswith("behind")
    for name in clock.environment:
        monkeypatch.delenv(name)
    fault.flowed = scene.whole()
    assert fault.flowed == EVENTS + POISON


@contextmanager
def started(exchange: Exchange) -> Iterator[tuple[Server, Server]]:
    """Give a window and its follower, as `mianti up` starts them."""
    both: list[Server] = []
    try:
        both.append(window.launch(exchange.settings, None))
        both.append(window.launch_replica(exchange.settings))
        window.wait(exchange.settings, both[0])
        yield both[0], both[1]
    finally:
        for one in both:
            kill_all(one)


def health(serving: Server) -> dict[str, Any]:
    """Return what the window says of itself."""
    found: dict[str, Any] = httpx.get(f"{serving.address}/health", trust_env=False).json()
    return found


@contextmanager
def stepped(exchange: Exchange, clock: Clock, *what: str) -> Iterator[subprocess.Popen[bytes]]:
    """Give a command that runs under a clock until the block ends."""
    env = {**os.environ, **exchange.environment, **clock.environment, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", "from deploy.cli.main import main; main()", *what]
    made = subprocess.Popen(command, env=env, cwd=ROOT)
    try:
        yield made
    finally:
        made.kill()
        made.wait()

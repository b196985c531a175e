"""A Prefect server and a runner of a test's own, each to be killed and started again."""

from __future__ import annotations

import datetime as dt
import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from connectors.settings import Settings
from connectors.stack import Server, Stack
from deploy.local import prefect_server, serve
from deploy.local.ports import HOST
from deploy.local.prefect_password import keep_password
from deploy.local.processes import log_file, python_module, start
from tests.faults.door import Door
from tests.faults.processes import ROOT
from tests.support.exchange import Exchange
from tests.support.prefect import Prefect, wait_for

#: Between two scheduled runs.
EACH: Final = 8
#: What a process of Prefect's is started with here: what is due is begun at once.
_HASTE: Final = {"PREFECT_RUNNER_POLL_FREQUENCY": "1", "PYTHONPATH": str(ROOT)}


@dataclass
class Scheduler:
    """A Prefect server in a home, on a port of its own."""

    settings: Settings

    def __post_init__(self) -> None:
        """Make its password: a runner may be started before it."""
        keep_password(self.settings.mianti_home)

    @property
    def address(self) -> str:
        """Return the URL of its API."""
        return f"http://{HOST}:{self.settings.mianti_prefect_port}/api"

    @property
    def prefect(self) -> Prefect:
        """Return it as any program uses it."""
        return Prefect(self.address, keep_password(self.settings.mianti_home))

    def start(self) -> None:
        """Start it where it is not running, on the data it has."""
        if self._server is None or not self._server.alive:
            server = prefect_server.launch(self.settings, None)
            Stack(prefect=server).write(self.settings.mianti_home)
            prefect_server.wait(self.settings, server)
            assert server.address == self.address

    def kill(self) -> None:
        """Kill it, and wait until it is gone."""
        server = self._server
        if server is not None and server.alive:
            kill_all(server)

    @property
    def _server(self) -> Server | None:
        return Stack.read(self.settings.mianti_home).prefect


@dataclass
class Runner:
    """The process that serves the deployments of an exchange to a scheduler."""

    scheduler: Scheduler
    exchange: Exchange
    more: Mapping[str, str]
    started: list[Server] = field(default_factory=list)
    since: dt.datetime = field(default_factory=lambda: dt.datetime.now(dt.UTC))

    def start(self, each: int = EACH, door: Door | None = None, *points: str) -> Server:
        """Start it; runs with points wait at the door."""
        home = self.exchange.home
        env = prefect_server.environment(self.scheduler.settings.mianti_home)
        env |= {"PREFECT_API_URL": self.scheduler.address, **self.exchange.environment}
        held = [str(door.place), *points] if door is not None else []
        command = python_module("tests.faults.serving", str(each), *held)
        address = self.scheduler.address
        made = start("serve", command, address, home=home, env={**env, **_HASTE, **self.more})
        self.started.append(made)
        return made

    def start_and_wait(self, each: int = EACH, door: Door | None = None, *points: str) -> Server:
        """Start it, and return once it serves."""
        since = dt.datetime.now(dt.UTC)
        made = self.start(each, door, *points)
        serve.wait(self.scheduler.settings, made, since)  # whose password it is asked with
        return made

    def landed(self, but: str = "") -> list[dict[str, Any]]:
        """Return the scheduled runs that began since it did and have landed something; not `but`."""
        runs = [
            one
            for one in self.scheduler.prefect.runs("ingest", "COMPLETED")
            if one["auto_scheduled"] and dt.datetime.fromisoformat(one["start_time"]) > self.since
        ]
        return [one for one in runs if "accepted" in one["name"] and one["id"] != but]

    def says(self, text: str) -> None:
        """Wait until its log has a text."""
        log = log_file(self.exchange.home, "serve")
        wait_for(lambda: text in log.read_text("utf-8"), f"the runner to say {text!r}")


@contextmanager
def runner(scheduler: Scheduler, exchange: Exchange, **more: str) -> Iterator[Runner]:
    """Give a runner that is not started; what it has started, and what is due, ends with the block."""
    made = Runner(scheduler, exchange, more)
    try:
        yield made
    finally:
        for server in made.started:
            kill_all(server)
        with suppress(httpx.HTTPError):  # where the test has failed before it was served
            scheduler.prefect.forget("ingest")


def kill_all(server: Server) -> None:
    """Kill a process and all it has started, also those that have outlived it."""
    assert server.pid is not None
    with suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGKILL)
    wait_for(lambda: not server.alive, "the process to be gone")


def kill(server: Server) -> None:
    """Kill a process and nothing it has started."""
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    wait_for(lambda: not server.alive, "the process to be gone")

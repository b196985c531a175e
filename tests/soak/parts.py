"""The parts of a soak: real processes, started again whenever they have ended."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from connectors.settings import Settings
from connectors.stack import Server, Stack
from deploy.local import kafka as local_kafka
from deploy.local.ports import listens
from tests.faults.processes import ROOT

#: Before what has ended is started again, as a supervisor does.
_AGAIN_SECONDS: Final = 0.5
_DIE_WITH_PARENT: Final = 1  # PR_SET_PDEATHSIG, prctl(2)


class Part(Protocol):
    """What may be killed, and comes back."""

    name: str
    kills: int
    ends: list[tuple[float, str]]

    @property
    def pid(self) -> int | None:
        """Return its process, while it runs."""

    def look(self) -> None:
        """Start it when it is due; note that it has ended."""

    def hurry(self) -> None:
        """Have it run now."""

    def at_work(self) -> bool:
        """Whether it runs and has begun its work."""

    def kill(self) -> None:
        """Kill it, and wait until it is gone."""


@dataclass
class Program:
    """A process; `every`: it is started so many seconds after it was started last, not at once.

    `ends`: when it ended without being killed, and its exit code and last words. `finish`: 0 is its end for good.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    begun: Callable[[int], bool]
    every: float | None = None
    finish: bool = False
    finished: bool = False
    kills: int = 0
    starts: int = 0
    ends: list[tuple[float, str]] = field(default_factory=list)
    due: float = 0.0
    process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        return self.process.pid if self.process and self.process.poll() is None else None

    def look(self) -> None:
        if self.process is not None and self.process.poll() is not None:
            self._ended(self.process.returncode)
        if self.process is None and not self.finished and time.monotonic() >= self.due:
            self._start()

    def hurry(self) -> None:
        if self.every is not None:
            self.due = 0.0

    def at_work(self) -> bool:
        return self.pid is not None and self.begun(self.pid)

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        self.process = None
        self.kills += 1
        self.due = max(self.due, time.monotonic() + _AGAIN_SECONDS)

    def stop(self, seconds: float) -> int | None:
        """Tell it to end; return its exit code, None where it had to be killed."""
        self.finished = True
        if self.process is None:
            return 0
        self.process.terminate()
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return None

    def _start(self) -> None:
        self.starts += 1
        self.due = time.monotonic() + (self.every or 0.0)
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                self.command,
                env={**os.environ, **self.environment, "PYTHONPATH": str(ROOT)},
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                preexec_fn=_die_with_parent,
            )

    def _ended(self, code: int) -> None:
        self.process = None
        if self.finish and code == 0:
            self.finished = True
        elif self.every is None or code != 0:
            words = self.log.read_text("utf-8", "replace").splitlines()[-1:]
            self.ends.append((time.time(), f"exit code {code}: {''.join(words)}"))
        self.due = max(self.due, time.monotonic() + _AGAIN_SECONDS)


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)


@dataclass
class Broker:
    """Kafka, on the data and the port it had; whoever started the home's first one stops it."""

    settings: Settings
    address: str
    name: str = "kafka"
    kills: int = 0
    ends: list[tuple[float, str]] = field(default_factory=list)

    @property
    def _server(self) -> Server:
        server = Stack.read(self.settings.mianti_home).kafka
        assert server is not None
        return server

    @property
    def pid(self) -> int | None:
        server = self._server
        return server.pid if server.alive else None

    def look(self) -> None:
        last = self._server
        if not last.alive:
            server = local_kafka.launch(self.settings, last)
            Stack(kafka=server).write(self.settings.mianti_home)
            assert server.address == self.address

    def hurry(self) -> None:
        pass

    def at_work(self) -> bool:
        server = self._server
        return server.alive and listens(server.address)

    def kill(self) -> None:
        server = self._server
        assert server.pid is not None
        os.kill(server.pid, signal.SIGKILL)
        while server.alive:
            time.sleep(0.02)
        self.kills += 1

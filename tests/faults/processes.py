"""Processes of a test: the product as a command, killed, held or out of room at a point."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from click.testing import CliRunner

from deploy.cli.main import cli

ROOT: Final = Path(__file__).parents[2]
#: As the console script does it, of this checkout and no installed one.
_MIANTI: Final = "from deploy.cli.main import main; main()"
_PATIENCE: Final = 200.0
Done = subprocess.CompletedProcess[str]


def mianti(environment: Mapping[str, str], *arguments: str, tuned: Sequence[str] = ()) -> Done:
    """Run a command to its end, in a process of its own."""
    told = ["-m", "tests.faults.killed_at", *tuned, "--"] if tuned else ["-c", _MIANTI]
    return _finish(_start(environment, [*told, *arguments]))


def called(environment: Mapping[str, str], *what: str) -> Done:
    """Run `MODULE:FUNCTION` with some texts to its end, in a process of its own."""
    return _finish(_start(environment, ["-m", "tests.faults.killed_at", "--", *what]))


def again(environment: Mapping[str, str], *arguments: str) -> None:
    """Run a command that must do what it is asked.

    In this process, which saves its three seconds of imports: what was killed was another one.
    """
    ended = CliRunner(env=environment).invoke(cli, arguments, prog_name="mianti")
    assert ended.exit_code == 0, ended.output


def killed(
    environment: Mapping[str, str],
    point: str,
    *what: str,
    tuned: Sequence[str] = (),
    patience: float = _PATIENCE,
) -> None:
    """Run something that must die by SIGKILL at a point, and nowhere else."""
    told = ["-m", "tests.faults.killed_at", point, *tuned, "--", *what]
    ended = _finish(_start(environment, told), patience)
    why = f"{point} was never reached: {ended.stdout}{ended.stderr}"
    assert ended.returncode == -signal.SIGKILL, why


def full(environment: Mapping[str, str], size: int, point: str, *what: str) -> Done:
    """Run something to its end whose disk is full from a point on, but for so many bytes a file."""
    told = ["-m", "tests.faults.full_at", str(size), point, "--", *what]
    return _finish(_start(environment, told))


def killed_once(
    seen: Callable[[], bool], environment: Mapping[str, str], point: str, *what: str
) -> None:
    """Run something past a point, and kill it as soon as it has done what can be seen from outside.

    So it dies in the middle of a call that no point reaches into.
    """
    with held(environment, [point], *what) as one:
        one.arrived()
        one.go()
        while not seen():
            assert one.process.poll() is None, f"nothing was seen of it: {one.ended()}"
        one.process.kill()
        assert one.ended().returncode == -signal.SIGKILL


@dataclass
class Held:
    """A process that stops at its points until it is let go."""

    process: subprocess.Popen[str]
    door: socket.socket
    waiting: socket.socket | None = None

    def arrived(self) -> str:
        """Wait until the process has come to its next point; return which."""
        try:
            self.waiting, _ = self.door.accept()
        except TimeoutError:
            self.process.kill()
            out, err = self.process.communicate()
            raise AssertionError(f"it came to no point: {out}{err}") from None
        return self.waiting.makefile().readline().strip()

    def go(self) -> None:
        """Let it go on."""
        assert self.waiting is not None
        self.waiting.sendall(b".")
        self.waiting.close()
        self.waiting = None

    def ended(self) -> Done:
        """Wait for its end."""
        return _finish(self.process)


@contextmanager
def held(
    environment: Mapping[str, str], points: Sequence[str], *what: str, tuned: Sequence[str] = ()
) -> Iterator[Held]:
    """Start something that stops at each of some points; it is killed when the block ends."""
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as door:
        place = str(Path(folder) / "door")
        door.bind(place)
        door.listen()
        door.settimeout(_PATIENCE)
        told = ["-m", "tests.faults.held_at", place, *points, *tuned, "--", *what]
        process = _start(environment, told)
        one = Held(process, door)
        try:
            yield one
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            process.communicate()
            if one.waiting is not None:
                one.waiting.close()


@contextmanager
def running(environment: Mapping[str, str], *told: str) -> Iterator[subprocess.Popen[str]]:
    """Run Python with some arguments while a block lasts; it is killed when the block ends."""
    process = _start(environment, told)
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        process.communicate()


def _start(environment: Mapping[str, str], arguments: Sequence[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, *arguments],
        env={**os.environ, **environment, "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _finish(process: subprocess.Popen[str], patience: float = _PATIENCE) -> Done:
    try:
        out, err = process.communicate(timeout=patience)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        raise AssertionError(f"it did not end: {out}{err}") from None
    return Done(process.args, process.returncode, out, err)

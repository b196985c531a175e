"""Processes that outlive the command that started them, and are found again."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from connectors.errors import MiantiError
from connectors.stack import Server, start_mark

POLL_SECONDS = 0.1


class NotStarted(MiantiError):
    """A server of the local stack ended, or never answered, while it was waited for."""


def log_file(home: Path, name: str) -> Path:
    """Where the process of that name writes; its former life's output is beside it, in `.1`."""
    return home / "log" / f"{name}.log"


def start(
    name: str,
    command: Sequence[str],
    address: str,
    *,
    home: Path,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> Server:
    """Start `command` in a session of its own, with `env` laid over the present environment."""
    log = log_file(home, name)
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists():
        log.replace(log.with_suffix(".log.1"))
    with log.open("wb") as out:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return Server(address=address, pid=process.pid, started=start_mark(process.pid))


def wait_until(
    answers: Callable[[], bool], server: Server, name: str, *, home: Path, seconds: float
) -> None:
    """Return once `server` answers; `answers` is asked again and again and may block a little.

    Raises NotStarted when the process ends or `seconds` have passed.
    """
    log = log_file(home, name)
    deadline = time.monotonic() + seconds
    while not (answers() and server.alive):
        if not server.alive:
            raise NotStarted(
                f"The {name} process ended while starting; its log says why: {log}",
                f"{name} 进程在启动时退出，原因见日志：{log}",
            )
        if time.monotonic() > deadline:
            raise NotStarted(
                f"The {name} process did not answer within {seconds:.0f} s; see its log: {log}",
                f"{name} 进程在 {seconds:.0f} 秒内没有应答，请查看日志：{log}",
            )
        time.sleep(POLL_SECONDS)


def stop(server: Server, *, seconds: float) -> Server:
    """End the server and what it started: asked first, killed after `seconds`.

    Harmless when it has ended already. Gives the server back without a pid.
    """
    if server.pid is not None and server.alive:
        _signal_group(server.pid, signal.SIGTERM)
        deadline = time.monotonic() + seconds
        while server.alive and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
        # Also for children that the leader left behind: their group keeps its number.
        _signal_group(server.pid, signal.SIGKILL)
        while server.alive:
            time.sleep(POLL_SECONDS)
    return Server(address=server.address)


def python_module(module: str, *arguments: str) -> list[str]:
    """The command that runs a module of this very installation."""
    return [sys.executable, "-m", module, *arguments]


def _signal_group(pid: int, number: signal.Signals) -> None:
    try:
        os.killpg(pid, number)
    except (ProcessLookupError, PermissionError):  # macOS: EPERM for a group of zombies
        return

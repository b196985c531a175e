"""The one process that follows in a home: its lock, and the mark by which others know it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO
from uuid import uuid4

from pydantic import BaseModel, Field, ValidationError

from connectors.errors import MiantiError
from connectors.stack import Server, start_mark

FILE = "follow.json"


class AlreadyFollows(MiantiError):
    """Another process follows in this home."""


class Mark(BaseModel):
    """What the file says: a name that this home's followers all have, and the one there is now.

    `follows`: it has begun to ask Kafka.
    """

    name: str = Field(default_factory=lambda: uuid4().hex)
    process: Server | None = None
    follows: bool = False


class Following:
    """The place of the one who follows; held for as long as the process lives."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._mark = Mark(name=_read(file).name)
        self._write()

    @property
    def name(self) -> str:
        """Return the name of this home's followers: the same after each start."""
        return self._mark.name

    def ready(self) -> None:
        """Say that it follows now."""
        if not self._mark.follows:
            self._mark.follows = True
            self._write()

    def _write(self) -> None:
        pid = os.getpid()
        self._mark.process = Server(address="-", pid=pid, started=start_mark(pid))
        # Not put in place whole, as the stack's is: the lock is on this very file.
        self._file.seek(0)
        self._file.truncate()
        self._file.write(self._mark.model_dump_json() + "\n")
        self._file.flush()


@contextmanager
def alone(home: Path) -> Iterator[Following]:
    """Hold the place of the one who follows. Raises AlreadyFollows."""
    home.mkdir(parents=True, exist_ok=True)
    with (home / FILE).open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as held:
            process = _read(file).process
            pid = process.pid if process else "?"
            raise AlreadyFollows(
                f"Process {pid} follows already in {home}; `mianti up` starts it, `mianti down` "
                "ends it.",
                f"进程 {pid} 已在 {home} 中持续入库；由 `mianti up` 启动，由 `mianti down` 停止。",
            ) from held
        yield Following(file)


def follows(home: Path, pid: int | None) -> bool:
    """Whether the process of that number follows in this home."""
    try:
        with (home / FILE).open(encoding="utf-8") as file:
            mark = _read(file)
    except FileNotFoundError:
        return False
    process = mark.process
    return mark.follows and process is not None and process.pid == pid and process.alive


def follower(home: Path) -> Server | None:
    """Return the process that was the last to follow in this home; None: none ever did."""
    try:
        with (home / FILE).open(encoding="utf-8") as file:
            return _read(file).process
    except FileNotFoundError:
        return None


def _read(file: TextIO) -> Mark:
    """Return the mark; a new one where none is whole (a writer is at work, or was killed)."""
    file.seek(0)
    try:
        return Mark.model_validate_json(file.read())
    except ValidationError:
        return Mark()

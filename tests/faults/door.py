"""A door at which processes that a test did not start itself wait for it, one or several at once."""

from __future__ import annotations

import os
import socket
import struct
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from connectors.stack import start_mark

_PATIENCE: Final = 120.0


@dataclass
class Visitor:
    """A process that stands at a point."""

    line: socket.socket
    point: str
    pid: int

    def go(self) -> None:
        """Let it go on."""
        self.line.sendall(b".")
        self.line.close()

    @property
    def ended(self) -> bool:
        """Whether the process has ended."""
        return start_mark(self.pid) is None


@dataclass(frozen=True)
class Door:
    """Where processes with points come to (`tests.faults.held_at`), as long as it is open."""

    place: Path
    listening: socket.socket

    def arrived(self) -> Visitor:
        """Wait until a process has come to its next point."""
        line, _ = self.listening.accept()
        pid, _, _ = struct.unpack("3i", line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        return Visitor(line, line.makefile().readline().strip(), pid)

    def close(self) -> None:
        """Hold up none of the processes that start from now on."""
        self.place.unlink(missing_ok=True)


@contextmanager
def opened() -> Iterator[Door]:
    """Give a door; whoever still waits at it when the block ends fails."""
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listening:
        place = Path(folder) / "door"
        listening.bind(os.fspath(place))
        listening.listen()
        listening.settimeout(_PATIENCE)
        yield Door(place, listening)

"""A place that one process has at a time: a file and its lock, which the system lets go with it."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from connectors.errors import MiantiError
from connectors.private import private


@contextmanager
def alone(path: Path, busy: MiantiError) -> Iterator[None]:
    """Hold a lock for a block; raises `busy` where another process has it."""
    private(path.parent)
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise busy from None
        yield

"""Run a command of the product under a clock of a test's own (`tests.faults.clock`).

`python -m tests.faults.stepped WHAT…`. libfaketime 0.9.10 turns the deadlines of Python's `sleep`,
which are of the monotonic clock, into ones of its own and fails (EINVAL): here it waits otherwise.
"""

from __future__ import annotations

import sys
import threading
import time

from tests.faults.failpoint import run


def wait(seconds: float) -> None:
    """Wait as `time.sleep` does."""
    threading.Event().wait(seconds)


if __name__ == "__main__":
    time.sleep = wait
    run(["--", *sys.argv[1:]], lambda _: None)

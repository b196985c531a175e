"""Run the product and kill it at a point, as a power cut does: nothing of it gets a last word.

`python -m tests.faults.killed_at POINT [NAME=VALUE…] -- WHAT…` (`tests.faults.failpoint`).
"""

from __future__ import annotations

import os
import signal
import sys

from tests.faults.failpoint import Point, run


def kill(_: Point) -> None:
    """Send this process SIGKILL, which cannot be caught."""
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    run(sys.argv[1:], kill)

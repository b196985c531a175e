"""Run the product and hold it at points until a test lets it go on.

`python -m tests.faults.held_at SOCKET POINT… [NAME=VALUE…] -- WHAT…`: at each point the process
connects to the test's socket, says which point it is, and waits for an answer. So two processes
meet at one moment, or a broker dies at a known one, without a clock.
"""

from __future__ import annotations

import socket
import sys
from functools import partial

from tests.faults.failpoint import Point, run


def hold(place: str, point: Point) -> None:
    """Say where this process is, and wait until the test answers."""
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(place)
        line.sendall(f"{point.name}:{point.side}:{point.call}\n".encode())
        assert line.recv(1), "the test has gone"


if __name__ == "__main__":
    run(sys.argv[2:], partial(hold, sys.argv[1]))

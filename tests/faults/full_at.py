"""Run the product on a disk that is full from a point on.

`python -m tests.faults.full_at BYTES POINT [NAME=VALUE…] -- WHAT…` (`tests.faults.failpoint`): from
the point on no file of this process can be longer than so many bytes. What writes more is told so
by the system as on a full disk (`File too large` for `No space left on device`), Rust as Python,
root as anyone, in a container as outside; with some bytes, a file is left behind that is cut.
"""

from __future__ import annotations

import resource
import sys
from functools import partial

from tests.faults.failpoint import Point, run


def fill(size: int, _: Point) -> None:
    """Let no file grow beyond a size; Python ignores the signal that would come with it."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


if __name__ == "__main__":
    run(sys.argv[2:], partial(fill, int(sys.argv[1])))

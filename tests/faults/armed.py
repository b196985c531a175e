"""The flow `ingest`, for a run that waits at points: as long as there is a door to wait at."""

from __future__ import annotations

import os
import shlex
from functools import partial
from pathlib import Path

from flows.operator.ingest import ingest_flow
from tests.faults.failpoint import Point
from tests.faults.held_at import hold

__all__ = ["ingest_flow"]

_door, *_points = shlex.split(os.environ["HELD_AT"])
if Path(_door).exists():
    for _point in map(Point.of, _points):
        _point.reach(partial(hold, _door, _point))

"""Serve the deployment `ingest` as the product does, with points in the processes of its runs.

`python -m tests.faults.serving SECONDS [SOCKET POINT…]`: SECONDS between two scheduled runs, 0 for
none but those asked for. A run is a process of its own, which Prefect's runner starts; where points
are given it loads the flow from `tests.faults.armed`, which has it wait at each of them.
"""

from __future__ import annotations

import datetime as dt
import os
import shlex
import sys
from dataclasses import replace

from prefect.deployments.runner import RunnerDeployment
from prefect.schedules import Interval

from flows import deployments


class _Armed(deployments.Deployment):
    """A line of the table whose runs wait at points."""

    def as_prefect(self) -> RunnerDeployment:
        made = super().as_prefect()
        made.entrypoint = "tests.faults.armed.ingest_flow"
        return made


def main(seconds: str, *held_at: str) -> None:
    """Run the product's own process, with one line of its table, and that one due often."""
    (ingest,) = (one for one in deployments.DEPLOYMENTS if one.name == "ingest")
    due = Interval(dt.timedelta(seconds=int(seconds))) if int(seconds) else None
    ingest = replace(ingest, schedule=due)
    if held_at:
        os.environ["HELD_AT"] = shlex.join(held_at)
        ingest = _Armed(**vars(ingest))
    deployments.DEPLOYMENTS = (ingest,)  # type: ignore[assignment, misc]
    deployments.main()


if __name__ == "__main__":
    main(*sys.argv[1:])

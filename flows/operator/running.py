"""Which runs are at work no more although Prefect says so, and which deployments stand still.

A deployment runs once at a time (`flows.deployments`): a run that died in PENDING or RUNNING may
hold the only place, and every later one is cancelled while the page is green. Prefect gives the
place free by a lease, which it keeps in memory: it forgets it when it is started again. Pure.
"""

from __future__ import annotations

import datetime as dt
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Literal

from connectors.stack import start_mark

#: Longer than a run's start has taken on any machine, however busy.
PATIENCE: Final = dt.timedelta(minutes=5)
#: So many intervals without a completed run are too many.
INTERVALS: Final = 3


@dataclass(frozen=True)
class AtWork:
    """A run that counts as at work; `since` (UTC): in this state. `process`: as `process_mark`."""

    id: str
    state: Literal["PENDING", "RUNNING", "CANCELLING"]
    since: dt.datetime
    process: str | None


def process_mark(pid: int) -> str:
    """Return the name of a process that no other has, on any machine, before or after it."""
    return f"{socket.gethostname()}/{pid}/{start_mark(pid)}"


def is_gone(process: str | None) -> bool:
    """Return whether a process of this machine has ended; False where that cannot be known."""
    host, _, rest = (process or "").partition("/")
    number = rest.partition("/")[0]
    if host != socket.gethostname() or not number.isdecimal():
        return False
    return process_mark(int(number)) != process


def lost(
    runs: Iterable[AtWork],
    began_last: dt.datetime | None,
    now: dt.datetime,
    *,
    patience: dt.timedelta = PATIENCE,
    gone: Callable[[str | None], bool] = is_gone,
) -> list[AtWork]:
    """Return the runs of one deployment that are at work no more.

    `began_last`: when the latest run of the deployment began (UTC). Of one place, whoever had it
    before that has it no longer.
    """
    return [
        one
        for one in runs
        if now - one.since > patience
        if one.state != "RUNNING" or gone(one.process) or _overtaken(one, began_last)
    ]


def _overtaken(one: AtWork, began_last: dt.datetime | None) -> bool:
    return began_last is not None and one.since < began_last


def stands_still(
    completed: dt.datetime | None,
    watched: dt.datetime,
    interval: dt.timedelta,
    now: dt.datetime,
) -> bool:
    """Return whether a deployment has completed no run for too long, while it was watched (UTC)."""
    return now - max(completed or watched, watched) > INTERVALS * interval

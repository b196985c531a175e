"""Runs whose process was killed: they would show as Running, and block the next ones."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any, Final

from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterName,
    FlowRunFilter,
    FlowRunFilterEndTime,
    FlowRunFilterState,
    FlowRunFilterStateType,
    FlowRunFilterTags,
)
from prefect.client.schemas.objects import State, StateType
from prefect.states import Cancelled, Crashed

from flows.operator.telling import STOPPED

_AT_WORK: Final = [StateType.PENDING, StateType.RUNNING, StateType.CANCELLING]
_STILL: Final = FlowRunFilterState(type=FlowRunFilterStateType(any_=list(_AT_WORK)))
_CRASHED: Final = FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.CRASHED]))
#: Longer than a runner takes to end, and its runs with it.
_STOPPING: Final = dt.timedelta(minutes=1)
_WORDS: Final = (
    "The process of this run was killed; nothing is lost, the next run goes on.\n"
    "本次运行的进程被终止；数据没有丢失，下次运行会继续。"
)


def crash_orphans(deployments: Collection[str]) -> int:
    """End as Crashed whatever still counts as running of these deployments; return how many.

    For the one process that serves them to call before it starts anything: whatever ran then is
    of an earlier process. Prefect itself gives the place free only when five minutes have passed,
    and never ends the run.
    """
    ours = DeploymentFilter(name=DeploymentFilterName(any_=list(deployments)))
    return _crash(FlowRunFilter(state=_STILL), ours)


def crash_tagged(tag: str) -> int:
    """End as Crashed whatever still counts as running under a tag; return how many.

    For the one process that makes runs of this tag, as above.
    """
    return _crash(FlowRunFilter(state=_STILL, tags=FlowRunFilterTags(all_=[tag])))


def cancel_stopped(deployments: Collection[str]) -> int:
    """End as Cancelled what of these deployments was only beginning when it was told to end.

    For the process that served them, when its runner has ended: a run at work does so itself. Nobody
    wonders about a run that an operator stopped. Returns how many.
    """
    ours = DeploymentFilter(name=DeploymentFilterName(any_=list(deployments)))
    since = dt.datetime.now(dt.UTC) - _STOPPING
    ended = FlowRunFilterEndTime.model_validate({"after_": since})
    done = 0
    with get_client(sync_client=True) as client:
        for runs in (FlowRunFilter(state=_STILL), FlowRunFilter(state=_CRASHED, end_time=ended)):
            for run in client.read_flow_runs(flow_run_filter=runs, deployment_filter=ours):
                if runs.state is _STILL or _by_signal(run.state):
                    client.set_flow_run_state(run.id, Cancelled(message=STOPPED), force=True)
                    done += 1
    return done


def _by_signal(state: State[Any] | None) -> bool:
    """Whether the run's process ended by a signal, or was told to end before the run began."""
    said = state.message if state is not None else None
    return any(
        word in (said or "") for word in ("signal", "SIGTERM", "-15", "143", "could not start")
    )


def _crash(runs: FlowRunFilter, deployments: DeploymentFilter | None = None) -> int:
    with get_client(sync_client=True) as client:
        found = client.read_flow_runs(flow_run_filter=runs, deployment_filter=deployments)
        for run in found:
            client.set_flow_run_state(run.id, Crashed(message=_WORDS))
    return len(found)

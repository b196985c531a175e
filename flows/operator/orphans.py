"""Runs whose process was killed: they would show as Running, and block the next ones."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterName,
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
    FlowRunFilterTags,
)
from prefect.client.schemas.objects import StateType
from prefect.states import Crashed

_AT_WORK: Final = [StateType.PENDING, StateType.RUNNING, StateType.CANCELLING]
_STILL: Final = FlowRunFilterState(type=FlowRunFilterStateType(any_=list(_AT_WORK)))
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


def _crash(runs: FlowRunFilter, deployments: DeploymentFilter | None = None) -> int:
    with get_client(sync_client=True) as client:
        found = client.read_flow_runs(flow_run_filter=runs, deployment_filter=deployments)
        for run in found:
            client.set_flow_run_state(run.id, Crashed(message=_WORDS))
    return len(found)

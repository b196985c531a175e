"""Runs are planned whatever is done to the clock.

Prefect's server begins its own services, the one that plans runs among them, by the time of day,
and plans none twice for one time of day. Set back by a day, it would run nothing for a day. So it
is asked for what is due, which it then plans at once; and where a time of day comes once more, it
is asked by new schedules of the same times, which have nothing behind them.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Collection
from typing import Final

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterName,
    FlowFilter,
    FlowFilterName,
)
from prefect.client.schemas.objects import DeploymentSchedule
from prefect.client.schemas.responses import DeploymentResponse

_log = logging.getLogger(__name__)
#: Ten runs are planned ahead, ten minutes of what is due each minute; asking takes 0.3 s of CPU.
_PAUSE_SECONDS: Final = 60.0
_STEP_SECONDS: Final = 30.0


def keep_planned(names: Collection[str]) -> None:
    """Have the deployments of these names, which are their flows' too, planned; never returns."""
    highest, anew = time.time(), False
    while True:
        time.sleep(_PAUSE_SECONDS)
        now = time.time()
        anew = anew or now < highest - _STEP_SECONDS
        done = plan(names, anew=anew)
        highest = now if anew and done else max(highest, now)
        anew = anew and not done


def plan(names: Collection[str], *, anew: bool) -> bool:
    """Have the next runs planned, by new schedules if need be; return whether all of them were."""
    wanted = DeploymentFilter(name=DeploymentFilterName(any_=list(names)))
    flows = FlowFilter(name=FlowFilterName(any_=list(names)))
    if anew:
        _log.warning(
            "The clock was set back; what is due is planned anew. · "
            "系统时钟被调回，已重新安排各数据流程。"
        )
    try:
        with get_client(sync_client=True) as client:
            found = client.read_deployments(flow_filter=flows, deployment_filter=wanted)
            for deployment in found:
                if anew:
                    _renew(client, deployment)
                if deployment.schedules and not deployment.paused:
                    _plan(client, deployment)
    except Exception as error:  # whatever a server, or what stands before it, may answer
        _log.warning("What is due could not be planned: %r · 未能安排数据流程。", error)
        return False
    return True


def _renew(client: SyncPrefectClient, deployment: DeploymentResponse) -> None:
    """Replace each schedule by one like it; one that is switched off stays so.

    Dying between the two leaves both, of which the next call makes one.
    """
    for one in {_said(one): one for one in deployment.schedules}.values():
        client.create_deployment_schedules(
            deployment.id, [(one.schedule, one.active)], one.max_scheduled_runs, one.parameters
        )
    for one in deployment.schedules:
        client.delete_deployment_schedule(deployment.id, one.id)


def _said(one: DeploymentSchedule) -> str:
    return one.model_dump_json(include={"schedule", "active", "parameters", "max_scheduled_runs"})


def _plan(client: SyncPrefectClient, deployment: DeploymentResponse) -> None:
    path = {"id": deployment.id}
    client.request("POST", "/deployments/{id}/schedule", path_params=path, json={})

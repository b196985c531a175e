"""A clock that was set back: Prefect is asked for what is due until a time comes that is new to it.

Its server begins its own services, the one that plans runs among them, by the time of day, and
plans none for a time of day it has planned for before. Set back by a day, it would run nothing for
a day. A new schedule of the same times has nothing behind it, and is planned by whoever asks.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Collection
from typing import Final

from httpx import HTTPError
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterName
from prefect.client.schemas.responses import DeploymentResponse
from prefect.exceptions import ObjectNotFound

_log = logging.getLogger(__name__)
#: Less than lies between two runs of anything.
_PAUSE_SECONDS: Final = 15.0
_STEP_SECONDS: Final = 30.0


def follow_clock(deployments: Collection[str]) -> None:
    """Have these deployments planned while a time of day comes once more; never returns."""
    latest = seen = time.time()
    while True:
        time.sleep(_PAUSE_SECONDS)
        now = time.time()
        if now >= latest - _STEP_SECONDS:
            latest = max(latest, now)
        elif not _planned(deployments, anew=now < seen - _STEP_SECONDS):
            continue  # what was seen stays unseen: it is tried again, and anew
        seen = now


def _planned(names: Collection[str], *, anew: bool) -> bool:
    """Have the next runs planned, by new schedules if need be; return False if Prefect is away."""
    wanted = DeploymentFilter(name=DeploymentFilterName(any_=list(names)))
    if anew:
        _log.warning(
            "The clock was set back; what is due is planned anew. · "
            "系统时钟被调回，已重新安排各数据流程。"
        )
    try:
        with get_client(sync_client=True) as client:
            for deployment in client.read_deployments(deployment_filter=wanted):
                if anew:
                    _renew(client, deployment)
                if not deployment.paused:
                    _plan(client, deployment)
    except (HTTPError, ObjectNotFound) as error:
        _log.warning("What is due could not be planned: %s · 未能安排数据流程。", error)
        return False
    return True


def _renew(client: SyncPrefectClient, deployment: DeploymentResponse) -> None:
    """Replace each schedule by one like it; one that is switched off stays so.

    Dying between the two leaves both, of which the next call makes one.
    """
    alike = {one.schedule.model_dump_json(): one for one in deployment.schedules}
    for one in alike.values():
        client.create_deployment_schedules(deployment.id, [(one.schedule, one.active)])
    for one in deployment.schedules:
        client.delete_deployment_schedule(deployment.id, one.id)


def _plan(client: SyncPrefectClient, deployment: DeploymentResponse) -> None:
    path = {"id": deployment.id}
    client.request("POST", "/deployments/{id}/schedule", path_params=path, json={})

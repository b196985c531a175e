"""Asking Prefect to run a deployment, and waiting until nothing is left to land."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, cast

from connectors.errors import MiantiError
from connectors.settings import Settings, prefect_api
from deploy.local.prefect_client import client_of
from flows.status import status
from schemas.avro import FAMILIES

#: A run's start-up takes seconds, and the schedule's own run may hold the only place.
_TRIES: Final = 5
_RUN_SECONDS: Final = 180


class NotLanded(MiantiError):
    """The deployment ran and messages are still not landed."""


def run_until_landed(settings: Settings, progress: Callable[[str], None]) -> None:
    """Run the deployment `ingest` until no family has a lag. Raises NotLanded."""
    for _ in range(_TRIES):
        progress("Prefect runs the deployment ingest/ingest · Prefect 正在运行入库流程")
        progress(f"run · 运行: {_run(settings)}")
        if all(status(settings, family).lag == 0 for family in FAMILIES):
            return
    raise NotLanded(
        f"After {_TRIES} runs some messages are not landed; look at the run's log in the Prefect "
        "UI, and try `mianti ingest`.",
        f"运行 {_TRIES} 次后仍有消息未入库；请在 Prefect 界面查看运行日志，或执行 `mianti ingest`。",
    )


def _run(settings: Settings) -> str:
    """Run the deployment to its end; return the run's name and state."""
    with client_of(settings, prefect_api(settings)):
        # Imported here: Prefect takes seconds, and only the demo needs it.
        from prefect.client.schemas.objects import FlowRun
        from prefect.deployments import run_deployment

        run = cast(FlowRun, run_deployment("ingest/ingest", timeout=_RUN_SECONDS, as_subflow=False))
    state = run.state.name if run.state is not None else "?"
    # One run at a time: the schedule's own run was first, and does the same work.
    busy = " (the scheduled run is at work · 定时运行正在进行)" if state == "Cancelled" else ""
    return f"{run.name}: {state}{busy}"

"""Asking Prefect to run a deployment, and waiting until nothing is left to land or to settle."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, cast

from connectors.errors import MiantiError
from connectors.settings import Settings, prefect_api
from deploy.local.prefect_client import client_of
from flows.settle import is_settled
from flows.status import status
from schemas.avro import FAMILIES

#: A run's start-up takes seconds, and the schedule's own run may hold the only place.
_TRIES: Final = 5
_RUN_SECONDS: Final = 180
#: How long the schedule's own run, or what follows, is waited for before another run is asked for.
_OTHERS_SECONDS: Final = 60.0
_POLL_SECONDS: Final = 2.0


class NotSettled(MiantiError):
    """The deployment ran, and messages are not landed, or not in the datasets."""


def run_until_settled(settings: Settings, progress: Callable[[str], None]) -> None:
    """Run the deployment `ingest` until the datasets hold all that was published.

    Landing alone is not enough: what follows lands within a second, while the schedule's run may
    still settle and cancels the one that is asked for here. Raises NotSettled.
    """
    progress("Prefect runs the deployment ingest/ingest · Prefect 正在运行入库流程")
    told = ""
    for _ in range(_TRIES):
        told = _run(settings)
        deadline = time.monotonic() + _OTHERS_SECONDS
        while not (done := _done(settings)) and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
        if done:
            progress(f"run · 运行: {told}")
            return
    raise NotSettled(
        f"After {_TRIES} runs (the last one: {told}) some messages are not in the datasets; look at "
        "`mianti status` and at the run's log in the Prefect UI, and try `mianti ingest`.",
        f"运行 {_TRIES} 次后（最后一次：{told}）仍有消息未进入数据集；请查看 `mianti status` 和 Prefect "
        "界面中的运行日志，或执行 `mianti ingest`。",
    )


def _done(settings: Settings) -> bool:
    return all(
        status(settings, family).lag == 0 and is_settled(settings, family) for family in FAMILIES
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

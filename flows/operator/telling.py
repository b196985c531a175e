"""Telling Prefect what was done: the run's name and end, artifacts, events, log lines."""

from __future__ import annotations

import json
import logging
import os
import signal
from collections.abc import Callable, Iterable, Mapping
from functools import partial, wraps
from inspect import signature
from threading import current_thread, main_thread
from typing import Any, Final, ParamSpec
from uuid import UUID

from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import ArtifactCreate, ArtifactUpdate
from prefect.client.schemas.filters import ArtifactCollectionFilter, ArtifactCollectionFilterKey
from prefect.client.schemas.objects import State
from prefect.events import emit_event
from prefect.exceptions import FailedRun
from prefect.logging.handlers import APILogHandler
from prefect.runtime import flow_run
from prefect.states import Cancelled, Completed, Failed

from flows.complete import Cycle
from flows.land import Landed
from flows.operator.families import said
from flows.operator.running import process_mark
from flows.operator.words import Row, failure_text, run_name

P = ParamSpec("P")
STOPPED: Final = (
    "Stopped while it was at work (`mianti down`, or cancelled); nothing is lost, the next run goes "
    "on.\n本次运行在工作中被停止（`mianti down` 或被取消）；数据没有丢失，下次运行会继续。"
)
QUARANTINE_GREW = "mianti.quarantine.grew"
CYCLE_MISSED = "mianti.cycle.missed"


def show_logs() -> None:
    """Let the log lines of `flows` and `connectors` appear in the run, from INFO on."""
    for name in ("flows", "connectors"):
        logger = logging.getLogger(name)
        logger.setLevel(logging.INFO)
        if not any(isinstance(handler, APILogHandler) for handler in logger.handlers):
            logger.addHandler(APILogHandler())


def begin() -> None:
    """Show the logs, and say in the run which process it is: one that is gone frees its place."""
    show_logs()
    logging.getLogger("prefect.flow_runs").addFilter(_says_more)
    if current_thread() is main_thread():
        signal.signal(signal.SIGTERM, partial(_stopped, UUID(flow_run.id)))
    with get_client(sync_client=True) as client:
        client.update_flow_run(UUID(flow_run.id), infrastructure_pid=process_mark(os.getpid()))


def _stopped(run: UUID, *_: object) -> None:
    """End the run as Cancelled, and this process at once: what is half done, the next run does.

    Prefect's engine would end it as Crashed. Where Prefect is away, it is ended by the next start.
    """
    try:
        with get_client(sync_client=True) as client:
            client.set_flow_run_state(run, Cancelled(message=STOPPED), force=True)
    finally:
        os._exit(0)


def _says_more(record: logging.LogRecord) -> bool:
    """Whether a line says more than that the run failed: its state says why, in a sentence.

    Prefect's engine raises a Failed state that a flow returns, and logs it with a traceback.
    """
    return not (record.exc_info and isinstance(record.exc_info[1], FailedRun))


def in_words(flow: str) -> Callable[[Callable[P, State[Any]]], Callable[P, State[Any]]]:
    """Have a flow that stops say why in a sentence: its run fails without a traceback."""

    def decorate(work: Callable[P, State[Any]]) -> Callable[P, State[Any]]:
        @wraps(work)
        def told(*args: P.args, **kwargs: P.kwargs) -> State[Any]:
            try:
                return work(*args, **kwargs)
            except Exception as error:
                return end(flow, "", {"": said(error)})

        # Prefect makes the form of these: evaluated, as it does not know the flow's own module.
        told.__signature__ = signature(work, eval_str=True)  # type: ignore[attr-defined]
        return told

    return decorate


def end(flow: str, summary: str, failed: Mapping[str, str]) -> State[Any]:
    """Name the run for what it did; return the state it ends in: Failed if any family failed."""
    name = run_name(flow, summary, failed)
    with get_client(sync_client=True) as client:
        client.set_flow_run_name(flow_run.id, name)
    if failed:
        return Failed(message=failure_text(failed))
    return Completed(message=summary)


def table(key: str, rows: Iterable[Row], description: str) -> None:
    """Leave a table under a key, which keeps the former ones as its history."""
    create_table_artifact(key=key, table=list(rows), description=description)


def lines(key: str) -> list[Any]:
    """Return the lines of the latest table under a key; none where there is no such table."""
    with get_client(sync_client=True) as client:
        found = client.read_latest_artifacts(artifact_filter=_under(key), limit=1)
    try:
        told = json.loads(str(found[0].data)) if found else []
    except ValueError:
        return []
    return told if isinstance(told, list) else []


def renew(key: str, rows: Iterable[Row], description: str) -> None:
    """Put a table in the place of the latest under its key: one, however often it is told anew."""
    data = json.dumps(list(rows), ensure_ascii=False)
    with get_client(sync_client=True) as client:
        found = client.read_latest_artifacts(artifact_filter=_under(key), limit=1)
        if found:
            latest = found[0].latest_id
            client.update_artifact(latest, ArtifactUpdate(data=data, description=description))
        else:
            made = ArtifactCreate(key=key, type="table", data=data, description=description)
            client.create_artifact(made)


def _under(key: str) -> ArtifactCollectionFilter:
    return ArtifactCollectionFilter(key=ArtifactCollectionFilterKey(any_=[key]))


def page(key: str, markdown: str, description: str) -> None:
    """Leave a page of Markdown under a key."""
    create_markdown_artifact(key=key, markdown=markdown, description=description)


def quarantine_grew(landed: Landed) -> None:
    """Emit `mianti.quarantine.grew` about a family, with the counts by reason."""
    emit_event(
        event=QUARANTINE_GREW,
        resource=_resource("family", landed.family),
        payload={
            "family": landed.family,
            "quarantined": landed.quarantined,
            "accepted": landed.accepted,
            "reasons": dict(landed.reasons),
        },
    )


def cycle_missed(cycle: Cycle) -> None:
    """Emit `mianti.cycle.missed` about a publisher, with when it was heard last (UTC)."""
    emit_event(
        event=CYCLE_MISSED,
        resource=_resource("publisher", cycle.publisher),
        related=[{**_resource("family", cycle.family), "prefect.resource.role": "family"}],
        payload={
            "publisher": cycle.publisher,
            "family": cycle.family,
            "heard_at": cycle.heard_at.isoformat() if cycle.heard_at else None,
            "cycle_seconds": cycle.cycle.total_seconds(),
        },
    )


def _resource(kind: str, name: str) -> dict[str, str]:
    return {"prefect.resource.id": f"mianti.{kind}.{name}", "prefect.resource.name": name}

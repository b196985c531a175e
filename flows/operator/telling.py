"""Telling Prefect what was done: the run's name and end, artifacts, events, log lines."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State
from prefect.events import emit_event
from prefect.logging.handlers import APILogHandler
from prefect.runtime import flow_run
from prefect.states import Completed, Failed

from flows.complete import Cycle
from flows.land import Landed
from flows.operator.words import Row, failure_text, run_name

QUARANTINE_GREW = "mianti.quarantine.grew"
CYCLE_MISSED = "mianti.cycle.missed"


def show_logs() -> None:
    """Let the log lines of `flows` and `connectors` appear in the run, from INFO on."""
    for name in ("flows", "connectors"):
        logger = logging.getLogger(name)
        logger.setLevel(logging.INFO)
        if not any(isinstance(handler, APILogHandler) for handler in logger.handlers):
            logger.addHandler(APILogHandler())


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

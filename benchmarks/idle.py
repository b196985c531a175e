"""What the whole local stack costs while nothing comes in."""

from __future__ import annotations

import json
import time
from pathlib import Path

import psutil

from benchmarks.record import Record
from benchmarks.server import with_jars
from connectors.settings import Settings
from connectors.stack import Stack
from deploy.local.lifecycle import down, up

TITLE = "The idle stack"
#: The deployments run every minute or more seldom: long enough for several of each.
_SETTLING_IN, _WATCHED = 60, 240


def measure(record: Record, address: str, folder: Path, count: int) -> None:
    """Start Kafka, Prefect and the deployments, and add up the CPU they take."""
    home = folder / "idle"
    settings = Settings(mianti_home=with_jars(home), kafka_bootstrap_servers=None)
    stack = up(settings, flows=True, progress=lambda _: None)
    try:
        time.sleep(_SETTLING_IN)
        before, started = _used(stack), time.monotonic()
        time.sleep(_WATCHED)
        share = (_used(stack) - before) / (time.monotonic() - started)
    finally:
        down(settings)
    record.figures["idle stack"] = {"seconds": _WATCHED, "share_of_a_core": share}
    print(f"  {json.dumps(record.figures['idle stack'])}", flush=True)


def _used(stack: Stack) -> float:
    """Return CPU seconds of the servers, of their children, and of those that have ended."""
    servers = [one for _, one in stack if one is not None]
    roots = [psutil.Process(one.pid) for one in servers]
    every = [p for root in roots for p in (root, *root.children(recursive=True))]
    return sum(sum(process.cpu_times()[:4]) for process in every)

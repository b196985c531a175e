"""Publishing a file, beside a bare send loop of the same bodies."""

from __future__ import annotations

from pathlib import Path

from benchmarks.events import TOPIC
from benchmarks.measures import write_list
from benchmarks.record import Record
from benchmarks.server import deleted
from connectors.settings import Settings
from connectors.topics import ensure_topic

TITLE = "Publishing"


def measure(record: Record, address: str, folder: Path, count: int) -> None:
    """Publish a list of so many rows, once sent by a bare loop, once by the product."""
    home = folder / "publishing"
    home.mkdir()
    settings = Settings(mianti_home=home, kafka_bootstrap_servers=address)
    with deleted(settings):
        write_list(home / "list.csv", count)
        publish = record.measure("publish a file", "publish", address, home, count)
        ensure_topic(settings, TOPIC)
        send = record.measure("send (bare)", "send", address, home, count)
        record.hold("publishing a file to a bare send loop", publish / send, 0.8)

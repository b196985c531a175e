"""Landing a topic, beside bare loops of the clients on the same topic."""

from __future__ import annotations

import shutil
from pathlib import Path

from benchmarks.record import Record
from benchmarks.server import topic

TITLE = "Landing"
SHAPES: dict[str, dict[str, object]] = {
    "lz4": {"compression.type": "lz4", "batch.size": 256 << 10},
    "uncompressed": {"batch.size": 256 << 10},
    "batches of 20": {"batch.num.messages": 20},
}


def measure(record: Record, address: str, folder: Path, count: int) -> None:
    """Land each shape of topic; the first one also record by record."""
    for shape, options in SHAPES.items():
        with topic(address, folder, count, **options):
            _shape(record, shape, address, folder, count)


def _shape(record: Record, shape: str, address: str, folder: Path, count: int) -> None:
    home = folder / "landing"
    names = {f"poll ({shape})": "poll", f"consume ({shape})": "consume"}
    names |= {f"land ({shape})": "land_whole"}
    poll, consume, land = record.compare(names, address, home, count)
    peak = record.figures[f"land ({shape})"]["peak_mb"]
    record.hold(f"landing to a bare poll loop ({shape})", land / poll, 2)
    record.hold(f"landing to a bare consume loop ({shape})", land / consume, 0.6)
    record.hold(f"landing, MB ({shape})", peak, 1000, at_most=True)
    shutil.rmtree(home)
    if shape == next(iter(SHAPES)):
        plain = record.measure("land record by record", "land_plain", address, home, count)
        record.hold("landing record by record to a bare poll loop", plain / poll, 0.25)
        shutil.rmtree(home)

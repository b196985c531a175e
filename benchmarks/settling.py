"""Settling, and landing, into tables of several sizes."""

from __future__ import annotations

import shutil
from pathlib import Path

from benchmarks.record import Record
from benchmarks.server import topic
from benchmarks.tables import grow

TITLE = "Settling, and tables of several sizes"
LARGE = 10


def measure(record: Record, address: str, folder: Path, count: int) -> None:
    """Settle into nothing, a little into much, much into ten times as much; land beside each."""
    small, large = folder / "small", folder / "large"
    hundredth, tenth = count // 100, count // 10
    with topic(address, folder, tenth, **{"compression.type": "lz4"}):
        grow(small, 0, tenth)
        low = _landed(record, address, small, tenth, tenth)
        record.measure(f"settle {2 * tenth:,}", "settle_all", address, small, 2 * tenth)
        record.measure("nothing to do", "nothing", address, small, 1)
        idle = record.figures["nothing to do"]["seconds"]
        record.hold("a run with nothing to do, seconds", idle, 0.5, at_most=True)
        shutil.rmtree(small)
        grow(small, 0, count)
        settled = record.measure("settle into nothing", "settle_all", address, small, count)
        record.hold("settling, events a second", settled, 100_000)
        grow(small, count, hundredth)
        name = f"settle {hundredth:,} into {count:,}"
        record.measure(name, "settle_all", address, small, hundredth)
        shutil.rmtree(small)
        grow(large, 0, LARGE * count)
        record.measure(f"settle {LARGE * count:,}", "settle_all", address, large, LARGE * count)
        high = _landed(record, address, large, tenth, LARGE * count)
        grow(large, LARGE * count, count)
        new = count + tenth  # what was just landed is too little to be settled by itself
        name = f"settle {new:,} into {LARGE * count:,}"
        record.measure(name, "settle_all", address, large, new)
        shutil.rmtree(large)
    record.hold(
        "landing beside a hundred times the rows, times as long", high / low, 1.2, at_most=True
    )
    peak = max(found["peak_mb"] for key, found in record.figures.items() if "settle" in key)
    record.hold("settling at its largest, MB", peak, 2000, at_most=True)


def _landed(record: Record, address: str, home: Path, count: int, rows: int) -> float:
    """Land a topic into a log of so many rows; return the seconds."""
    name = f"land {count:,} beside {rows:,} rows"
    record.measure(name, "land_whole", address, home, count)
    return record.figures[name]["seconds"]

"""Run the measures in turn, print each beside its limit, and keep the figures.

`python -m benchmarks.run [EVENTS]`; 1,000,000 unless told otherwise.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.events import average_bytes
from benchmarks.measures import write_list
from benchmarks.server import fill, kafka
from connectors.settings import Settings
from connectors.topics import admin, ensure_topic

RESULTS = Path(__file__).parent / "results"
PACKAGES = ("kafka-python", "confluent-kafka", "polars", "deltalake", "fastavro", "mianti")
SHAPES: dict[str, dict[str, object]] = {
    "lz4": {"compression.type": "lz4", "batch.size": 256 << 10},
    "uncompressed": {"batch.size": 256 << 10},
    "batches of 20": {"batch.num.messages": 20},
}
#: What the plain way is measured on, and a file is published in: enough to be past the start-up.
SOME = 200_000


@dataclass
class Run:
    """The figures of one run, and how each stands to its limit."""

    figures: dict[str, dict[str, float]] = field(default_factory=dict)
    limits: list[dict[str, Any]] = field(default_factory=list)

    def measure(self, key: str, name: str, address: str, home: Path, count: int) -> float:
        """Run one measure in a process of its own; return events a second."""
        command = [
            sys.executable,
            "-m",
            "benchmarks.measures",
            name,
            address,
            str(home),
            str(count),
        ]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        self.figures[key] = found = json.loads(done.stdout)
        rate: float = count / found["seconds"]
        print(
            f"  {key:<32} {rate:>12,.0f} /s   {found['seconds']:>8.2f} s   "
            f"{found['peak_mb']:>6,.0f} MB   CPU {found['cpu_seconds']:.1f} s",
            flush=True,
        )
        return rate

    def hold(self, what: str, found: float, limit: float, *, at_most: bool = False) -> None:
        """Note a figure beside its limit."""
        kept = found <= limit if at_most else found >= limit
        sign = "≤" if at_most else "≥"
        self.limits.append({"what": what, "found": found, "limit": limit, "kept": kept})
        print(f"  {'kept ' if kept else 'MISSED'} {what}: {found:.2f} ({sign} {limit})", flush=True)


def main(count: int) -> None:
    """Measure, print and keep."""
    run = Run()
    with (
        tempfile.TemporaryDirectory(prefix="mianti-bench-") as name,
        kafka(Path(name) / "kafka") as at,
    ):
        for shape, options in SHAPES.items():
            print(f"Landing, {shape}:")
            _landing(run, shape, options, at, Path(name), count)
        print("Publishing:")
        _publishing(run, at, Path(name), min(SOME, count))
    _keep(run, count)


def _landing(
    run: Run, shape: str, options: dict[str, object], at: str, folder: Path, count: int
) -> None:
    home = folder / shape.replace(" ", "-")
    settings = Settings(mianti_home=home, kafka_bootstrap_servers=at)
    fill(settings, at, count, **options)
    poll = run.measure(f"poll ({shape})", "poll", at, home, count)
    consume = run.measure(f"consume ({shape})", "consume", at, home, count)
    land = run.measure(f"land ({shape})", "land_whole", at, home, count)
    run.hold(f"landing to a bare poll loop ({shape})", land / poll, 2)
    run.hold(f"landing to a bare consume loop ({shape})", land / consume, 0.6)
    run.hold(
        f"landing, MB ({shape})", run.figures[f"land ({shape})"]["peak_mb"], 1000, at_most=True
    )
    if shape == "lz4":
        _settling(run, at, home, count)
        _plainly(run, at, folder, poll, count)
    with admin(settings) as client:
        client.delete_topics([t for t in client.list_topics() if t.startswith("mianti.")])
    shutil.rmtree(home, ignore_errors=True)


def _settling(run: Run, at: str, home: Path, count: int) -> None:
    settled = run.measure("settle into an empty dataset", "settle_all", at, home, count)
    run.hold("settling, events a second", settled, 100_000)
    peak = run.figures["settle into an empty dataset"]["peak_mb"]
    run.hold("settling, MB", peak, 2000, at_most=True)
    run.measure("nothing to do", "nothing", at, home, count)
    idle = run.figures["nothing to do"]["seconds"]
    run.hold("a run with nothing to do, seconds", idle, 0.5, at_most=True)


def _plainly(run: Run, at: str, folder: Path, poll: float, count: int) -> None:
    plain = run.measure("land record by record", "land_plain", at, folder / "plain", count)
    run.hold("landing record by record to a bare poll loop", plain / poll, 0.25)


def _publishing(run: Run, at: str, folder: Path, count: int) -> None:
    home = folder / "publishing"
    home.mkdir()
    write_list(home / "list.csv", count)
    ensure_topic(Settings(mianti_home=home, kafka_bootstrap_servers=at), "mianti.bench.send")
    send = run.measure("send (bare)", "send", at, home, count)
    publish = run.measure("publish a file", "publish", at, home, count)
    run.hold("publishing a file to a bare send loop", publish / send, 0.8)


def _keep(run: Run, count: int) -> None:
    now = dt.datetime.now(dt.UTC)
    told = {
        "at": now.isoformat(timespec="seconds"),
        "events": count,
        "bytes_a_value": average_bytes(),
        "machine": {
            "cores": os.cpu_count(),
            "system": platform.platform(),
            "python": sys.version.split()[0],
        },
        "packages": {name: version(name) for name in PACKAGES},
        "kafka": "Apache Kafka 4.3.0, one node, on the same machine",
        "figures": run.figures,
        "limits": run.limits,
    }
    path = RESULTS / f"{now:%Y%m%dT%H%M%SZ}.json"
    path.write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n", "utf-8")
    print(f"Kept in {path}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)

"""What a run of the bench has measured: printed as it comes, kept at the end."""

from __future__ import annotations

import datetime as dt
import json
import os
import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.events import average_bytes

RESULTS = Path(__file__).parent / "results"
PACKAGES = ("kafka-python", "confluent-kafka", "polars", "deltalake", "fastavro", "mianti")


@dataclass
class Record:
    """The figures of one run, how each stands to its limit, and what could not be measured."""

    figures: dict[str, dict[str, float]] = field(default_factory=dict)
    limits: list[dict[str, Any]] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)

    def measure(self, key: str, name: str, address: str, home: Path, count: int) -> float:
        """Run one of `benchmarks.measures` in a process of its own; return events a second."""
        return self.note(key, _run(name, address, home, count))

    def compare(self, names: dict[str, str], address: str, home: Path, count: int) -> list[float]:
        """Run some measures in turn, three times; keep the median of each, by its key.

        What a home holds is removed before each: the same job again. Returns events a second.
        """
        found: dict[str, list[dict[str, float]]] = {key: [] for key in names}
        for _ in range(3):
            for key, name in names.items():
                shutil.rmtree(home, ignore_errors=True)
                found[key].append(_run(name, address, home, count))
        middle = {k: sorted(runs, key=lambda run: run["seconds"])[1] for k, runs in found.items()}
        for key, runs in found.items():
            middle[key]["fastest"] = min(run["seconds"] for run in runs)
            middle[key]["slowest"] = max(run["seconds"] for run in runs)
        return [self.note(key, run) for key, run in middle.items()]

    def note(self, key: str, found: dict[str, float]) -> float:
        """Keep what one measure found; return events a second."""
        self.figures[key] = found
        rate = found["events"] / found["seconds"]
        print(
            f"  {key:<40} {rate:>12,.0f} /s   {found['seconds']:>8.2f} s   "
            f"{found['peak_mb']:>6,.0f} MB   CPU {found['cpu_seconds']:.1f} s",
            flush=True,
        )
        return rate

    def hold(self, what: str, found: float, limit: float, *, at_most: bool = False) -> None:
        """Note a figure beside its limit."""
        kept = found <= limit if at_most else found >= limit
        sign = "≤" if at_most else "≥"
        told = {"what": what, "found": found, "limit": limit}
        self.limits.append(told | {"at_least": not at_most, "kept": kept})
        print(f"  {'kept ' if kept else 'MISSED'} {what}: {found:.2f} ({sign} {limit})", flush=True)

    def lack(self, what: str, why: str) -> None:
        """Note what could not be measured here."""
        self.missing[what] = why
        print(f"  not measured: {what}: {why}", flush=True)

    def keep(self, count: int) -> Path:
        """Write everything to a file named by the time; return its path."""
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
            "figures": self.figures,
            "limits": self.limits,
            "missing": self.missing,
        }
        path = RESULTS / f"{now:%Y%m%dT%H%M%SZ}.json"
        path.write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n", "utf-8")
        return path


def _run(name: str, address: str, home: Path, count: int) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.measures", name, address, str(home), str(count)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found

"""The figures of a soak, each second: memory, lag, files, and what the window has answered."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from deltalake import DeltaTable
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from connectors.transactions import transactions
from tests.soak.parts import Part

_EACH: Final = 1.0
_FILES_EACH: Final = 5.0
_PARTITIONS: Final = 4
_FAMILIES: Final = ("licence", "credit")
#: What the process that runs, watches and kills the others is called.
SELF: Final = "the soak itself"


@dataclass
class Figures:
    """Samples, each with its time (seconds since 1970): megabytes, a core's seconds by process."""

    memory: list[tuple[float, dict[str, float]]] = field(default_factory=list)
    processor: list[tuple[float, dict[tuple[str, int], float]]] = field(default_factory=list)
    lag: list[tuple[float, int, int]] = field(default_factory=list)
    files: list[tuple[float, dict[str, int]]] = field(default_factory=list)
    receipts: list[tuple[float, int]] = field(default_factory=list)


def memory(pid: int) -> float | None:
    """Return the resident megabytes of a process."""
    with suppress(OSError):
        status = Path(f"/proc/{pid}/status").read_text("ascii", "replace")
        if "VmRSS:" in status:
            return int(status.partition("VmRSS:")[2].split()[0]) / 1024
    return None


def processor(pid: int) -> float | None:
    """Return the seconds of a core a process and its threads have had (proc(5): utime and stime)."""
    with suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return None


class Watch:
    """Takes the figures in a thread of its own: a Kafka that is away holds only them up."""

    def __init__(
        self, parts: Sequence[Part], address: str, topics: Sequence[str], lake: Path, window: Path
    ) -> None:
        self.figures = Figures()
        self._parts, self._address, self._lake, self._window = parts, address, lake, window
        self._parting = [TopicPartition(t, n) for t in topics for n in range(_PARTITIONS)]
        self._tables: dict[tuple[str, str], DeltaTable] = {}
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._each, args=(_EACH, self._memory), daemon=True),
            threading.Thread(target=self._each, args=(_EACH, self._lag), daemon=True),
            threading.Thread(target=self._each, args=(_FILES_EACH, self._files), daemon=True),
        ]
        self._client: Any = None

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End."""
        self._stop.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(60)

    def messages(self) -> int:
        """Return how many messages there were when that was last known."""
        return self.figures.lag[-1][1] if self.figures.lag else 0

    def known_lag(self, after: float) -> int | None:
        """Return how many messages were not landed when that was last known, after a time."""
        if not self.figures.lag or self.figures.lag[-1][0] < after:
            return None
        return self.figures.lag[-1][2]

    def _each(self, seconds: float, take: Any) -> None:
        while not self._stop.wait(seconds):
            take(time.time())

    def _memory(self, now: float) -> None:
        pids = {part.name: part.pid for part in self._parts if part.pid is not None}
        found = {name: memory(pid) for name, pid in pids.items()}
        self.figures.memory.append((now, {n: mb for n, mb in found.items() if mb is not None}))
        worked = {(n, pid): processor(pid) for n, pid in {**pids, SELF: os.getpid()}.items()}
        self.figures.processor.append((now, {n: s for n, s in worked.items() if s is not None}))

    def _lag(self, now: float) -> None:
        try:
            ends = self._ends()
        except (KafkaError, OSError, AssertionError):
            if self._client is not None:
                with suppress(Exception):
                    self._client.close(autocommit=False)
            self._client = None
            return
        known: dict[str, int] = {}
        for family in _FAMILIES:
            table = self._table("lag", f"log/{family}")
            known |= transactions(table)
        landed = sum(known.get(f"offset:{part.topic}:{part.partition}", 0) for part in ends)
        self.figures.lag.append((now, sum(ends.values()), max(0, sum(ends.values()) - landed)))

    def _files(self, now: float) -> None:
        places = [f"{kind}/{f}" for kind in ("log", "history", "datasets") for f in _FAMILIES]
        found = {place: self._table("files", place) for place in (*places, "window/receipts")}
        counts = {place: len(table.file_uris()) for place, table in found.items() if table}
        self.figures.files.append((now, counts))
        self.figures.receipts.append((now, self._receipts()))

    def _receipts(self) -> int:
        path = self._window / "receipts.db"
        if not path.exists():
            return 0
        with suppress(sqlite3.Error), closing(sqlite3.connect(path, timeout=5)) as database:
            found = database.execute("SELECT max(sequence) FROM receipts").fetchone()
            return int(found[0] or 0)
        return 0

    def _ends(self) -> Mapping[TopicPartition, int]:
        if self._client is None:
            self._client = KafkaConsumer(
                bootstrap_servers=self._address, request_timeout_ms=5_000, group_id=None
            )
        there = self._client.topics()
        asked = [part for part in self._parting if part.topic in there]
        found: dict[TopicPartition, int] = self._client.end_offsets(asked) if asked else {}
        return found

    def _table(self, by: str, place: str) -> DeltaTable | None:
        """Return a table as it is now; each thread has its own."""
        if (by, place) in self._tables:
            self._tables[by, place].update_incremental()
        elif (self._lake / place / "_delta_log").is_dir():
            with suppress(Exception):  # it is being made
                self._tables[by, place] = DeltaTable(str(self._lake / place))
        return self._tables.get((by, place))

"""A process that dies between two of its steps, without a process: so every step can be tried.

A step is a call that leaves something behind: in a ledger, in Kafka, in a table or the replica.
Once dead, nothing of it takes another step: what would, is stopped as well. (With real processes
and SIGKILL: `tests/faults`.)
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import RLock
from typing import Any, Final

import pytest

from tests.faults.failpoint import _owner

#: All that leaves something behind, as `tests.faults.failpoint` names it.
STEPS: Final = (
    *(
        f"connectors.ledger:Ledger.{name}"
        for name in (
            *("write", "seen", "confirm", "note_file", "note_edition", "note_waiting"),
            *("set_positions", "note_lost", "raise_floors", "note_dated", "note_stated"),
            *("note_identities", "note_issuers"),
        )
    ),
    "kafka:KafkaProducer.send",
    "flows.publish.deliver:send_all",
    "connectors.lake:write_deltalake",
    "connectors.table_files:_write",
    "deltalake:DeltaTable.create_write_transaction",
    "flows.land:write_heartbeat",
    "deltalake.table:TableOptimizer.compact",
    "deltalake:DeltaTable.vacuum",
    "deltalake:DeltaTable.create_checkpoint",
    *(f"connectors.replica:Replica.{name}" for name in ("add", "move", "seen", "hear", "finish")),
    "connectors.replica:_flush",
    "connectors.replica:Place._use",
)


class Dead(BaseException):
    """What the product may not catch: its process is no more."""


@dataclass
class Life:
    """The steps taken, and after how many it ends; None: it does not."""

    end: int | None
    taken: list[str] = field(default_factory=list)
    dead: bool = False
    _lock: Any = field(default_factory=RLock)

    def step(self, name: str, work: Callable[[], Any]) -> Any:
        """Take a step, unless dead; die of it, when it is the last one."""
        with (
            self._lock
        ):  # threads take their steps one after the other, so that each has its number
            self._live()
            done = work()
            self.taken.append(name)
            self._live()
            return done

    def _live(self) -> None:
        if self.end is not None and len(self.taken) >= self.end:
            raise Dead


@contextmanager
def numbered(end: int | None = None) -> Iterator[Life]:
    """Number the steps of a block, which dies after the `end`-th: 0 is before the first."""
    life = Life(end)
    with pytest.MonkeyPatch.context() as patch:
        for name in STEPS:
            owner, last = _owner(*name.split(":"))
            patch.setattr(owner, last, _counted(life, name, getattr(owner, last)))
        yield life


def _counted(life: Life, name: str, kept: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(kept)
    def step(*given: Any, **named: Any) -> Any:
        return life.step(name, lambda: kept(*given, **named))

    return step

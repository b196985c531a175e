"""Memory is capped, and far more waits than fits into it: landing takes batch after batch."""

from __future__ import annotations

import os
from typing import Final

import pytest

from tests.faults.processes import again, called
from tests.faults.reliability import Fault
from tests.faults.scene import Scene
from tests.support import kafka as raw
from tests.support.exchange import Exchange

#: Messages of 64 KB that make one batch of 8 MB; no codec makes them smaller.
_BATCH: Final = 128
#: As many batches as are read, judged and written at a time; and four times as many.
_HELD: Final = 5
_WAITING: Final = 20


@pytest.mark.fault(
    "memory capped with twenty batches waiting",
    how="`RLIMIT_AS` of 5/4 of what five batches took; resident memory at most 7/5 of theirs",
)
def test_memory_does_not_grow_with_what_waits(exchange: Exchange, fault: Fault) -> None:
    scene = Scene(exchange, exchange.department())
    scene.publish(*range(1, 31))
    send(scene, _HELD)
    commits, space, resident = landed(exchange, 0)
    assert commits >= _HELD
    send(scene, _WAITING)
    commits, _, more = landed(exchange, space * 5 // 4)
    assert commits >= _WAITING - 2
    assert more <= resident * 7 / 5
    again(exchange.environment, "ingest", "licence")
    fault.flowed = scene.whole()
    assert fault.flowed == 30 + (_HELD + _WAITING) * _BATCH


def send(scene: Scene, batches: int) -> None:
    """Send so many batches of what is no event, to all partitions."""
    topic = scene.department.topic()
    for partition in range(4):
        values = [(b"k", os.urandom(64 << 10)) for _ in range(batches * _BATCH // 4)]
        places = raw.send(scene.exchange.address, topic, values, partition=partition)
        scene.bad += [(topic, *place) for place in places]


def landed(exchange: Exchange, cap: int) -> tuple[int, int, int]:
    """Land in a process of its own; return its commits, its greatest address space and memory."""
    ended = called(exchange.environment, "tests.faults.entries:land", "licence", str(cap))
    assert ended.returncode == 0, ended.stderr
    commits, space, resident = map(int, ended.stdout.split())
    return commits, space << 10, resident << 10

"""A topic gets more partitions: its keys move, and landing reads the new ones from their start."""

from __future__ import annotations

from collections import defaultdict

import pytest

from tests.faults.processes import again, held
from tests.faults.reliability import Fault
from tests.faults.scene import EVENTS, POISON, Scene, at_work
from tests.faults.whole import published
from tests.support import kafka as raw
from tests.support.exchange import Exchange

_INGEST = ("ingest", "licence")
_BOUNDS = "flows.land:stand:after:1"
_NEWS = 10 + 20


@pytest.mark.fault(
    "partitions added between two landings", how="4 to 9, then more published and landed"
)
def test_added_between_two_landings(exchange: Exchange, fault: Fault) -> None:
    scene = at_work(exchange)
    again(exchange.environment, *_INGEST)
    add(scene)
    publish_more(scene)
    again(exchange.environment, *_INGEST)
    fault.flowed = whole(scene)


@pytest.mark.fault(
    "partitions added while a landing is at work",
    how=f"4 to 9 at `{_BOUNDS}`, more published before it goes on",
)
def test_added_while_landing(exchange: Exchange, fault: Fault) -> None:
    scene = at_work(exchange)
    with held(exchange.environment, [_BOUNDS], *_INGEST) as one:
        one.arrived()
        add(scene)
        publish_more(scene)
        one.go()
        ended = one.ended()
        assert ended.returncode == 0, ended.stderr
    assert exchange.log().height == EVENTS + POISON, "what it had seen, and no more"
    again(exchange.environment, *_INGEST)
    fault.flowed = whole(scene)


def add(scene: Scene) -> None:
    """Make nine partitions of the topic's four."""
    topic = scene.department.topic()
    with raw.admin(scene.exchange.address) as client:
        client.create_partitions({topic: 9})
    raw.until(lambda: len(raw.ends(scene.exchange.address, topic)) == 9)


def publish_more(scene: Scene) -> None:
    """Publish once more about some enterprises, and about new ones."""
    scene.publish(*range(1, 11), XK_ZT="3")
    scene.publish(*range(51, 71))


def whole(scene: Scene) -> int:
    """Assert that all is there, and that keys have really moved; return how many messages flowed."""
    lying = defaultdict(set)
    for (_, partition, _), message in published(scene.exchange).items():
        lying[message.key].add(partition)
    moved = [key for key, partitions in lying.items() if key != b"key" and len(partitions) > 1]
    assert moved
    flowed = scene.whole()
    assert flowed == EVENTS + POISON + _NEWS
    return flowed

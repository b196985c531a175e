"""What the tests of killed ingests begin with: an exchange at work, and news that waits in Kafka."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from connectors.clients import kept
from tests.faults.whole import Place, published, whole
from tests.support import kafka as raw
from tests.support.exchange import Department, Exchange

#: What every scene's files bring: 30 first, then 10 changed and 20 new.
EVENTS = 30 + 10 + 20
POISON = 2
#: Limits of a process that lands each fetch by itself.
SMALL_BATCHES = (
    "connectors.reading:_AT_A_TIME=1",
    "connectors.reading:read.__defaults__=(1,)",
)


@dataclass
class Scene:
    """A department, every row it has published, and where poison lies."""

    exchange: Exchange
    department: Department
    rows: list[dict[str, Any]] = field(default_factory=list)
    bad: list[Place] = field(default_factory=list)

    def publish(self, *numbers: int, **changes: Any) -> None:
        """Publish licences, as a file of its own."""
        rows = [self.department.licence(number, **changes) for number in numbers]
        name = f"file-{len(self.rows)}.csv"
        self.department.publish(rows, name)
        self.rows += rows

    def poison(self) -> None:
        """Send messages that are no events."""
        values = [(b"key", b"poison"), (b"key", None)]
        topic = self.department.topic()
        places = raw.send(self.exchange.address, topic, values, partition=1)
        self.bad += [(topic, partition, offset) for partition, offset in places]

    def partitions(self) -> set[int]:
        """Return the partitions in which messages lie."""
        return {partition for _, partition, _ in published(self.exchange)}

    def whole(self) -> int:
        """Assert that all of it is there once; return how many messages flowed."""
        return whole(self.exchange, self.rows, bad=self.bad)


def at_first(exchange: Exchange) -> Scene:
    """Return an exchange in which nothing was ever landed: all its news waits."""
    scene = Scene(exchange, exchange.department())
    with kept():
        scene.publish(*range(1, 31))
        _news(scene)
    return scene


def at_work(exchange: Exchange) -> Scene:
    """Return one that has landed and settled thirty licences; of ten the state has changed since."""
    scene = Scene(exchange, exchange.department())
    with kept():
        scene.publish(*range(1, 31))
        exchange.ingest()
        _news(scene)
    return scene


def _news(scene: Scene) -> None:
    scene.publish(*range(1, 11), XK_ZT="2")
    scene.poison()
    scene.publish(*range(31, 51))

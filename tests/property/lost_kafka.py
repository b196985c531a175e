"""A Kafka of this process's memory: publishing goes through it, and what it holds is judged.

Properties publish hundreds of files. The same scenes on a real Kafka are those of
`tests/integration/test_excepted.py` and `test_held_back.py`.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from types import SimpleNamespace
from typing import Any, Final

import pytest
from kafka import TopicPartition

from flows.publish import destination, holding, recover

PARTITIONS: Final = 2


class Memory:
    """What was sent, by topic and partition."""

    def __init__(self) -> None:
        self.records: dict[TopicPartition, list[Any]] = defaultdict(list)

    def partitions_for(self, _: str) -> set[int]:
        """Return a topic's partitions, as a producer does."""
        return {*range(PARTITIONS)}

    def send(
        self, topic: str, *, key: bytes | None, value: bytes, headers: Any = (), partition: int = 0
    ) -> Any:
        """Take a message; return what tells where it is."""
        held = self.records[TopicPartition(topic, partition)]
        place = {"topic": topic, "partition": partition, "offset": len(held)}
        told = {
            "key": key,
            "value": value,
            "headers": [*headers],
            "timestamp": int(time.time() * 1000),
        }
        held.append(SimpleNamespace(**place, **told, timestamp_type=0))
        return SimpleNamespace(get=lambda **_: SimpleNamespace(**place))

    def flush(self) -> None:
        """Do nothing: what is sent is there."""

    def of(self, family: str) -> list[Any]:
        """Return all messages of a family's topics."""
        start = f"mianti.{family}."
        return [
            one for p, held in self.records.items() if p.topic.startswith(start) for one in held
        ]

    def parts(self, _: Any, topic: str) -> list[TopicPartition]:
        """Return a topic's partitions, as a consumer does."""
        return [TopicPartition(topic, number) for number in range(PARTITIONS)]

    def bounds(self, _: Any, parts: list[TopicPartition]) -> tuple[dict[Any, int], dict[Any, int]]:
        """Return the first offset and the end of each partition."""
        return dict.fromkeys(parts, 0), {part: len(self.records[part]) for part in parts}

    def read(self, _: Any, start: dict[Any, int], ends: dict[Any, int]) -> Iterator[Any]:
        """Yield what lies between."""
        found = [one for part, at in start.items() for one in self.records[part][at : ends[part]]]
        yield SimpleNamespace(records=found, positions=ends)


@contextmanager
def in_memory() -> Iterator[Memory]:
    """Have everything that is published meanwhile go through memory."""
    memory = Memory()
    with pytest.MonkeyPatch.context() as patch:
        for module in (destination, holding):
            patch.setattr(module, "producer", lambda _: nullcontext(memory))
            patch.setattr(module, "prepare_topic", lambda *_: None)
        patch.setattr(recover, "consumer", lambda _: nullcontext(memory))
        patch.setattr(recover, "partitions", memory.parts)
        patch.setattr(recover, "bounds", memory.bounds)
        patch.setattr(recover, "read", memory.read)
        yield memory

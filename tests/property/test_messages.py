"""In whatever order, batches and repetition Kafka's messages come, the dataset is the same.

What a history of files came to is taken out of Kafka and sent again to an empty topic: to other
partitions, shuffled, some of it twice, a tail of it once more, landed and settled here and there.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors import reading
from connectors.settings import Settings
from connectors.topics import PARTITIONS, ensure_topic
from flows.land import land
from flows.settle import settle
from flows.verify import verify
from tests.property.effort import some
from tests.property.histories import histories
from tests.property.law_world import FAMILY, World, founded
from tests.support import kafka as raw
from tests.support import lake

EXAMPLES = 12
#: When something was landed differs, of course, and for which day a bucket was last settled.
_TIMES = ("first_landed_at", "last_landed_at", "as_of")


@dataclass(frozen=True)
class Piece:
    """Some messages (by number, with a partition each), how they are sent, and what comes then."""

    messages: list[tuple[int, int]]
    batch_bytes: int
    compression: str | None
    landed_by: int
    settled: bool


@st.composite
def pieces(draw: st.DrawFn, count: int) -> list[Piece]:
    """Return every message at least once, in any order, and a tail of them once more."""
    numbers = st.integers(0, count - 1)
    order = draw(st.permutations([*range(count), *draw(st.lists(numbers, max_size=count))]))
    order = [*order, *order[draw(st.integers(0, len(order))) :]]
    found = []
    while order:
        size = draw(st.integers(1, len(order)))
        chosen, order = order[:size], order[size:]
        partitions = st.integers(0, PARTITIONS - 1)
        found.append(
            Piece(
                [(number, draw(partitions)) for number in chosen],
                draw(st.sampled_from([1, 1 << 14])),
                draw(st.sampled_from([None, "lz4"])),
                draw(st.sampled_from([0, 1, 3, 10_000])),
                draw(st.booleans()),
            )
        )
    return found


@pytest.mark.timeout(some(1800))
def test_order_batches_and_repetition_of_messages_change_nothing(kafka: str) -> None:
    sent = swapped = 0

    @settings(max_examples=some(EXAMPLES), suppress_health_check=list(HealthCheck))
    @given(histories(), st.data())
    def comes_out_the_same(history: list[Any], data: st.DataObject) -> None:
        nonlocal sent, swapped
        with founded(World, kafka) as world:
            for kind, *rest in history:
                getattr(world, kind)(*rest)
            world.finish()
            there = raw.messages(kafka, world.topic)
            raw.delete_topics(kafka, lambda topic: topic == world.topic)
            ensure_topic(world.settings, world.topic)
            if there:
                given_again = data.draw(pieces(len(there)))
                other = world.settings.model_copy(
                    update={"mianti_lake": str(world.folder / "other")}
                )
                send_all(other, world, there, given_again)
                assert dataset(other) == dataset(world.settings)
                assert verify(other, FAMILY).differences == []
                order = [number for piece in given_again for number, _ in piece.messages]
                sent += len(order)
                swapped += sum(one > other for one, other in pairwise(order))

    comes_out_the_same()
    assert sent > 10 * some(EXAMPLES)
    assert swapped > sent // 10


def send_all(settings: Settings, world: World, there: list[Any], order: list[Piece]) -> None:
    """Send, land and settle piece by piece; at last the whole for the last day."""
    for piece in order:
        options = {"batch_size": piece.batch_bytes, "compression_type": piece.compression}
        with raw.producer(str(settings.kafka_bootstrap_servers), acks="all", **options) as client:
            for number, partition in piece.messages:
                one = there[number]
                client.send(world.topic, one.value, one.key, one.headers, partition)
            client.flush()
        if piece.landed_by:
            land_by(settings, piece.landed_by)
        if piece.settled:
            settle(settings, FAMILY, on=world.days[-1])
    land_by(settings, 10_000)
    settle(settings, FAMILY, on=world.days[-1])


def land_by(settings: Settings, count: int) -> None:
    """Land in batches of so many messages or little more."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "_AT_A_TIME", min(count, reading._AT_A_TIME))
        patch.setattr(reading.read, "__defaults__", (count,))
        land(settings, FAMILY)


def dataset(settings: Settings) -> list[Any]:
    """Return a dataset's rows as plain Polars reads them."""
    found = lake.read(f"{settings.mianti_lake}/datasets/{FAMILY}")
    return found.drop(*_TIMES).sort("subject", "record_key").rows()

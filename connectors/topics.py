"""Topics: how they are made, and how far they reach."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from uuid import UUID

from kafka import KafkaConsumer, TopicPartition
from kafka.admin import KafkaAdminClient, NewTopic, OffsetSpec
from kafka.errors import TopicAlreadyExistsError

from connectors.clients import client
from connectors.settings import Settings, kafka_options
from connectors.topic_names import publisher_of as publisher_of
from connectors.topic_names import topic_name as topic_name

#: Partitions of a new topic: a unit of parallel landing. They cannot be made fewer later.
PARTITIONS: Final = 4
TOPIC_SETTINGS: Final = {
    # A ledger that was lost is read again from its own topic, so nothing is let go by default.
    "retention.ms": "-1",
    "cleanup.policy": "delete",
    # The broker's clock, not a publisher's, says when a message came.
    "message.timestamp.type": "LogAppendTime",
    "max.message.bytes": "1048588",
}


@contextmanager
def admin(settings: Settings) -> Iterator[Any]:
    """Give a Kafka admin client and close it."""
    options = kafka_options(settings)
    with client(
        ("admin", settings), lambda: KafkaAdminClient(**options), KafkaAdminClient.close
    ) as made:
        yield made


def ensure_topic(settings: Settings, topic: str) -> None:
    """Make the topic with `PARTITIONS` and `TOPIC_SETTINGS` if it is not there.

    The replication factor is the broker's default, so that a cluster's own rule holds.
    """
    with admin(settings) as asked:
        if topic in asked.list_topics():
            return
        new = NewTopic(topic, num_partitions=PARTITIONS, topic_configs=TOPIC_SETTINGS)
        try:
            asked.create_topics([new])
        except TopicAlreadyExistsError:
            return
        asked.wait_for_topics([topic])


def family_topics(settings: Settings, family: str) -> list[str]:
    """Return the topics of a family, sorted."""
    with admin(settings) as asked:
        return sorted(t for t in asked.list_topics() if t.startswith(f"mianti.{family}."))


def topic_numbers(settings: Settings, topics: list[str]) -> dict[str, int]:
    """Return 63 bits of the id by which Kafka knows each topic; another of its name has another.

    Brokers before 2.8 give none.
    """
    with admin(settings) as asked:
        told = asked.describe_topics(topics) if topics else []
    ids = {one["name"]: UUID(str(one["topic_id"])).int >> 65 for one in told}
    return {name: number for name, number in ids.items() if number}


def ends_written(settings: Settings, parts: list[TopicPartition]) -> dict[TopicPartition, int]:
    """Return the end offset of each partition, messages of open transactions included."""
    if not parts:
        return {}
    with admin(settings) as asked:
        told = asked.list_partition_offsets(dict.fromkeys(parts, OffsetSpec.LATEST))
    return {part: told[part].offset for part in parts}


def partitions(consumer: KafkaConsumer, topic: str) -> list[TopicPartition]:
    """Return a topic's partitions in order."""
    numbers = consumer.partitions_for_topic(topic) or set()
    return [TopicPartition(topic, number) for number in sorted(numbers)]

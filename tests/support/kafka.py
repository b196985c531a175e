"""Kafka as anyone may use it: raw messages in and out, beside the product's own code."""

from __future__ import annotations

import io
import json
import struct
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any, Final

import fastavro
import yaml
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import NewTopic

SCHEMAS: Final = Path(__file__).parents[2] / "schemas"
_PATIENCE: Final = 30.0


@contextmanager
def admin(address: str) -> Iterator[Any]:
    """Give an admin client and close it."""
    client = KafkaAdminClient(bootstrap_servers=address)
    try:
        yield client
    finally:
        client.close()


@contextmanager
def producer(address: str, **options: Any) -> Iterator[Any]:
    """Give a producer and close it."""
    client = KafkaProducer(**{"bootstrap_servers": address, "max_request_size": 8 << 20} | options)
    try:
        yield client
    finally:
        client.close()


def topics(address: str) -> set[str]:
    """Return the names of all topics."""
    with admin(address) as client:
        return set(client.list_topics())


def wide_topic(address: str, topic: str, most: int) -> None:
    """Make a topic of four partitions that takes messages of so many bytes.

    Not by changing one: its broker hears of that at some later moment.
    """
    room = {"max.message.bytes": str(most)}
    with admin(address) as client:
        client.create_topics([NewTopic(topic, num_partitions=4, topic_configs=room)])
        client.wait_for_topics([topic])


def delete_topics(address: str, wanted: Callable[[str], bool]) -> None:
    """Delete the topics that `wanted` names, and wait until they are gone."""
    with admin(address) as client:
        names = [name for name in client.list_topics() if wanted(name)]
        if not names:
            return
        client.delete_topics(names)
        until(lambda: not set(names) & set(client.list_topics()))


def until(true: Callable[[], bool]) -> None:
    """Wait for something to become true; fail after half a minute."""
    end = time.monotonic() + _PATIENCE
    while not true():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.02)


def messages(address: str, topic: str, isolation: str = "read_uncommitted") -> list[Any]:
    """Return every message of a topic, by partition and offset; transaction markers are none."""
    client = KafkaConsumer(
        bootstrap_servers=address, auto_offset_reset="earliest", isolation_level=isolation
    )
    try:
        numbers = client.partitions_for_topic(topic) or set()
        parts = [TopicPartition(topic, number) for number in numbers]
        client.assign(parts)
        ends = client.end_offsets(parts)
        found: list[Any] = []

        def read() -> bool:
            for records in client.poll(timeout_ms=200).values():
                found.extend(records)
            return all(client.position(part) >= ends[part] for part in parts)

        until(read)
        return sorted(found, key=lambda record: (record.partition, record.offset))
    finally:
        client.close()


def ends(address: str, topic: str, isolation: str = "read_uncommitted") -> dict[int, int]:
    """Return the end offset of each partition of a topic; none where there is no such topic."""
    client = KafkaConsumer(bootstrap_servers=address, isolation_level=isolation)
    try:
        numbers = client.partitions_for_topic(topic) or set()
        found = client.end_offsets([TopicPartition(topic, number) for number in numbers])
        return {part.partition: end for part, end in found.items()}
    finally:
        client.close()


def transactions_end(address: str, topic: str) -> None:
    """Wait until no transaction is open: the broker answers before it has written the marker."""
    until(lambda: ends(address, topic, "read_committed") == ends(address, topic))


def delete_records(address: str, topic: str) -> None:
    """Have a topic's messages deleted, as retention does."""
    ends = {TopicPartition(m.topic, m.partition): m.offset + 1 for m in messages(address, topic)}
    with admin(address) as client:
        client.delete_records(ends)


def send(
    address: str,
    topic: str,
    values: Sequence[tuple[bytes | None, bytes | None]],
    partition: int | None = None,
    **options: Any,
) -> list[tuple[int, int]]:
    """Send (key, value) pairs; return (partition, offset) of each."""
    with producer(address, acks="all", **options) as client:
        futures = [client.send(topic, key=k, value=v, partition=partition) for k, v in values]
        client.flush()
        done = [future.get(timeout=30) for future in futures]
    return [(one.partition, one.offset) for one in done]


@cache
def _schema(family: str, built_in: int | None = None) -> tuple[int, Any]:
    """Return the id and schema of a built-in id; of the newest version where there is no such id."""
    rows = yaml.safe_load((SCHEMAS / "ids.yaml").read_text("utf-8"))
    held = {row["id"]: row["version"] for row in rows if row["family"] == family}
    newest = max(held, key=lambda one: held[one])
    number = newest if built_in is None or built_in not in held else built_in
    version = held[number]
    text = (SCHEMAS / "events" / f"{family}.v{version}.avsc").read_text("utf-8")
    return number, fastavro.parse_schema(json.loads(text))


def encode(event: Mapping[str, Any], family: str) -> bytes:
    """Return an event in Confluent framing: 0, the schema's id, the Avro body."""
    number, schema = _schema(family)
    out = io.BytesIO()
    fastavro.schemaless_writer(out, schema, dict(event))
    return struct.pack(">bI", 0, number) + out.getvalue()


def decode(value: bytes, family: str, schema_id: int | None = None) -> dict[str, Any]:
    """Return the event of a message; fails when anything but an Avro body follows the frame.

    `schema_id`: the one it must have, the built-in one unless told.
    """
    number, schema = _schema(family, schema_id)
    assert struct.unpack(">bI", value[:5]) == (0, number if schema_id is None else schema_id)
    body = io.BytesIO(value[5:])
    event = fastavro.schemaless_reader(body, schema, None)
    assert body.read() == b""
    assert isinstance(event, dict)
    return event


def events(address: str, topic: str) -> list[dict[str, Any]]:
    """Return the events of a topic that can be read."""
    family = topic.split(".")[1]
    found = []
    for message in messages(address, topic):
        with suppress(Exception):  # poison that a test has put there
            found.append(decode(message.value, family))
    return found

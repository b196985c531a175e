"""Sending events to Kafka, and knowing that they arrived."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from kafka import KafkaProducer
from kafka.errors import KafkaError

from connectors.clients import connecting
from connectors.errors import MiantiError
from connectors.framing import encode, headers
from connectors.settings import Settings, kafka_options

_DELIVERY_MS: Final = 120_000


class NotDelivered(MiantiError):
    """Kafka did not acknowledge an event: nothing sent with it may be called published."""


@contextmanager
def producer(settings: Settings) -> Iterator[KafkaProducer]:
    """Give an idempotent producer (acks of all replicas in sync) and close it."""
    with connecting():
        client = KafkaProducer(
            **kafka_options(settings),
            acks="all",
            enable_idempotence=True,
            linger_ms=20,
            batch_size=256 << 10,
            compression_type="lz4",
            delivery_timeout_ms=_DELIVERY_MS,
        )
    try:
        yield client
    finally:
        client.close(timeout=10)


def send_all(
    client: KafkaProducer,
    topic: str,
    family: str,
    events: Iterable[dict[str, Any]],
    partition: int | None = None,
) -> dict[int, list[int]]:
    """Send events keyed by subject; return, by partition, the offsets they were given.

    Returns only when every one is acknowledged. Raises NotDelivered.
    """
    try:
        futures = [
            client.send(
                topic,
                key=event["subject"].encode(),
                value=encode(event, family),
                headers=headers(event, family),
                partition=partition,
            )
            for event in events
        ]
        client.flush()
        delivered = [future.get(timeout=_DELIVERY_MS / 1000) for future in futures]
    except KafkaError as error:
        raise NotDelivered(
            f"Kafka did not acknowledge the events for {topic} ({type(error).__name__}): check "
            "that it runs and that you may write to this topic, then publish the file again: "
            "nothing will be doubled.",
            f"Kafka 未确认写入主题 {topic}（{type(error).__name__}）：请检查 Kafka 是否运行、是否有写入权限，"
            "然后重新发布同一文件，不会重复。",
        ) from error
    offsets: dict[int, list[int]] = {}
    for metadata in delivered:
        offsets.setdefault(metadata.partition, []).append(metadata.offset)
    return offsets

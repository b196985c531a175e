"""A Kafka of the benchmark's own, and topics filled by librdkafka."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from confluent_kafka import Producer

from benchmarks.events import FAMILY, TOPIC, events
from connectors.framing import headers, values
from connectors.settings import Settings
from connectors.stack import Stack
from connectors.topics import ensure_topic
from deploy.local import jars
from deploy.local import kafka as local
from deploy.local.lifecycle import down

_JARS = Path(__file__).parents[1] / ".mianti"
_AT_A_TIME = 50_000


@contextmanager
def kafka(home: Path) -> Iterator[str]:
    """Give the address of a Kafka whose data lie under `home`."""
    libs = local.kafka_home(_JARS) / "libs"
    if not jars.jars_are_here(libs):
        jars.fetch_jars(libs)
    local.kafka_home(home).mkdir(parents=True)
    (local.kafka_home(home) / "libs").symlink_to(libs)
    settings = Settings(mianti_home=home)
    server = local.launch(settings, None)
    Stack(kafka=server).write(home)
    try:
        local.wait(settings, server)
        yield server.address
    finally:
        down(settings)


def fill(settings: Settings, address: str, count: int, **options: object) -> None:
    """Send events with the four headers; `options` are librdkafka's."""
    ensure_topic(settings, TOPIC)
    client = Producer({"bootstrap.servers": address, "linger.ms": 50, **options})
    for first in range(0, count, _AT_A_TIME):
        made = events(first, min(_AT_A_TIME, count - first))
        rows = zip(made["subject"], values(made, FAMILY), headers(made, FAMILY), strict=True)
        for subject, value, attributes in rows:
            said: Any = attributes
            client.produce(TOPIC, key=subject, value=value, headers=said)
        client.flush()

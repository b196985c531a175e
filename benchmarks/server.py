"""A Kafka of the benchmark's own, and topics filled by librdkafka."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from confluent_kafka import Producer

from benchmarks.events import FAMILY, TOPIC, events
from connectors.framing import headers, values
from connectors.settings import Settings
from connectors.stack import Stack
from connectors.topics import admin, ensure_topic
from deploy.local import jars
from deploy.local import kafka as local
from deploy.local.lifecycle import down

_JARS = Path(__file__).parents[1] / ".mianti"
_AT_A_TIME = 50_000


def with_jars(home: Path) -> Path:
    """Make a home that has Kafka's jars; return it."""
    libs = local.kafka_home(_JARS) / "libs"
    if not jars.jars_are_here(libs):
        jars.fetch_jars(libs)
    local.kafka_home(home).mkdir(parents=True)
    (local.kafka_home(home) / "libs").symlink_to(libs)
    return home


@contextmanager
def kafka(home: Path) -> Iterator[str]:
    """Give the address of a Kafka whose data lie under `home`."""
    settings = Settings(mianti_home=with_jars(home))
    server = local.launch(settings, None)
    Stack(kafka=server).write(home)
    try:
        local.wait(settings, server)
        yield server.address
    finally:
        down(settings)


@contextmanager
def topic(address: str, folder: Path, count: int, **options: object) -> Iterator[None]:
    """Fill the topic with events; it goes when its measures are done."""
    settings = Settings(mianti_home=folder / "filling", kafka_bootstrap_servers=address)
    with deleted(settings):
        fill(settings, address, count, **options)
        yield


@contextmanager
def deleted(settings: Settings) -> Iterator[None]:
    """Delete all topics afterwards, and wait until Kafka no longer lists them."""
    try:
        yield
    finally:
        with admin(settings) as client:
            names = [name for name in client.list_topics() if name.startswith("mianti.")]
            client.delete_topics(names)
            while set(names) & set(client.list_topics()):
                time.sleep(0.1)


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

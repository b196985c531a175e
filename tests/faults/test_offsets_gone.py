"""Kafka has lost what the log goes on from: it is said aloud, and nothing is written over it."""

from __future__ import annotations

import pytest
from kafka import TopicPartition

from connectors.topics import ensure_topic
from tests.faults.processes import again, mianti
from tests.faults.reliability import Fault
from tests.faults.scene import Scene
from tests.faults.whole import published, whole
from tests.support import kafka as raw
from tests.support.exchange import Exchange
from tests.support.lake import delta

_TABLES = ("log", "history", "datasets")


@pytest.mark.fault(
    "a topic made anew, with fewer messages than were landed", how="deleted, made, five sent"
)
def test_a_topic_made_anew(exchange: Exchange, fault: Fault) -> None:
    scene = landed(exchange)
    before = versions(exchange)
    topic = scene.department.topic()
    values = [(m.key, m.value) for m in published(exchange).values()][:5]
    raw.delete_topics(exchange.address, lambda name: name == topic)
    ensure_topic(exchange.settings, topic)
    raw.send(exchange.address, topic, values, partition=1)

    ended = mianti(exchange.environment, "ingest", "licence")
    assert ended.returncode == 2
    assert "the topic was made anew or another Kafka answers" in ended.stderr
    assert versions(exchange) == before
    assert exchange.dataset().height == 30
    fault.flowed = exchange.log().filter(verdict="accepted").height
    assert fault.flowed == 30


@pytest.mark.fault(
    "a topic made anew, with as many messages as were landed, or more",
    how="deleted, made, the old number sent to each partition and three more to one",
)
def test_a_topic_made_anew_that_has_grown(exchange: Exchange, fault: Fault) -> None:
    scene = landed(exchange)
    before, topic = versions(exchange), scene.department.topic()
    found = published(exchange)
    ends = raw.ends(exchange.address, topic)
    raw.delete_topics(exchange.address, lambda name: name == topic)
    ensure_topic(exchange.settings, topic)
    one = next(iter(found.values()))
    for partition, end in ends.items():
        sent = [(one.key, one.value)] * (end + 3 * (partition == 1))
        raw.send(exchange.address, topic, sent, partition=partition)

    ended = mianti(exchange.environment, "ingest", "licence")
    assert ended.returncode == 2
    assert "this is not the topic that was landed so far" in ended.stderr
    assert versions(exchange) == before
    assert exchange.dataset().height == 30
    fault.flowed = exchange.log().filter(verdict="accepted").height
    assert fault.flowed == 30


@pytest.mark.fault(
    "messages deleted before they were landed", how="`delete_records`, then `--accept-gap`"
)
def test_messages_deleted_before_they_were_landed(exchange: Exchange, fault: Fault) -> None:
    scene = landed(exchange)
    early = published(exchange)
    scene.publish(*range(31, 61))
    part = TopicPartition(scene.department.topic(), 2)
    stood = sum(place[:2] == part for place in early)
    lost = {place: m for place, m in published(exchange).items() if place[:2] == part}
    lost = {place: m for place, m in lost.items() if stood <= place[2] < stood + 4}
    assert len(lost) == 4
    with raw.admin(exchange.address) as client:
        client.delete_records({part: stood + 4})
    before = versions(exchange)

    ended = mianti(exchange.environment, "ingest", "licence")
    assert ended.returncode == 2
    assert f"{part.topic}/2: 4 messages from offset {stood} on are gone" in ended.stderr
    assert versions(exchange) == before

    again(exchange.environment, "ingest", "licence", "--accept-gap")
    gone = {raw.decode(message.value, "licence")["subject"] for message in lost.values()}
    kept = [row for row in scene.rows if row["XK_XDR_SHXYM"] not in gone]
    fault.flowed = whole(exchange, kept, gone=early)
    assert fault.flowed == 60 - 4
    log = delta(f"{exchange.lake}/log/licence")
    assert log.transaction_version(f"gap:{part.topic}:2") == 4
    again(exchange.environment, "ingest", "licence")  # what was given up is not asked for again
    assert whole(exchange, kept, gone=early) == 60 - 4


def landed(exchange: Exchange) -> Scene:
    """Return an exchange that has landed thirty licences, and has no news."""
    scene = Scene(exchange, exchange.department())
    scene.publish(*range(1, 31))
    exchange.ingest()
    return scene


def versions(exchange: Exchange) -> dict[str, int]:
    return {kind: delta(f"{exchange.lake}/{kind}/licence").version() for kind in _TABLES}

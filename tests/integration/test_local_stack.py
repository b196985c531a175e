"""`mianti up` and `mianti down` on real servers: two homes on one machine, side by side."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import NewTopic

from connectors.settings import NotRunning, Settings, kafka_options, prefect_api
from connectors.stack import Stack
from deploy.local.lifecycle import down, up
from deploy.local.ports import is_free, last_port
from deploy.local.prefect_server import is_healthy

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(autouse=True)
def no_servers_of_the_users_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests are about starting them, whatever the environment names."""
    for variable in ("KAFKA_BOOTSTRAP_SERVERS", "PREFECT_API_URL"):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture(scope="module")
def homes(new_home: Callable[[], Path]) -> Iterator[list[Settings]]:
    """Two homes, brought up at the same moment."""
    with pytest.MonkeyPatch.context() as environment:
        for variable in ("KAFKA_BOOTSTRAP_SERVERS", "PREFECT_API_URL"):
            environment.delenv(variable, raising=False)
        both = [Settings(mianti_home=new_home()) for _ in range(2)]
    try:
        with ThreadPoolExecutor(2) as at_once:
            list(at_once.map(lambda home: up(home, flows=False), both))
        yield both
    finally:
        for home in both:
            down(home)


def cluster_of(settings: Settings) -> str:
    admin = KafkaAdminClient(**kafka_options(settings))
    try:
        return str(admin.describe_cluster()["cluster_id"])
    finally:
        admin.close()


def pids(stack: Stack) -> dict[str, int | None]:
    return {name: server and server.pid for name, server in stack}


def test_two_homes_come_up_at_once_and_do_not_collide(homes: list[Settings]) -> None:
    assert cluster_of(homes[0]) != cluster_of(homes[1])
    apis = {prefect_api(home) for home in homes}
    assert len(apis) == 2
    assert all(is_healthy(api) for api in apis)


def test_up_again_finds_what_runs(homes: list[Settings]) -> None:
    before = Stack.read(homes[0].mianti_home)
    said: list[str] = []
    after = up(homes[0], flows=False, progress=said.append)
    assert before == after
    assert None not in (after.kafka, after.prefect)
    assert said == []


def test_a_killed_kafka_comes_back_on_its_port_with_its_data(homes: list[Settings]) -> None:
    settings = homes[0]
    write_one_message(settings)
    before = Stack.read(settings.mianti_home)
    assert before.kafka is not None
    assert before.kafka.pid is not None
    os.kill(before.kafka.pid, signal.SIGKILL)
    while before.kafka.alive:
        time.sleep(0.05)
    with pytest.raises(NotRunning):
        kafka_options(settings)

    after = up(settings, flows=False)

    assert after.kafka is not None
    assert after.kafka.address == before.kafka.address
    assert after.kafka.pid != before.kafka.pid
    assert pids(after)["prefect"] == pids(before)["prefect"]
    assert read_messages(settings) == [b"kept"]


def write_one_message(settings: Settings) -> None:
    admin = KafkaAdminClient(**kafka_options(settings))
    admin.create_topics([NewTopic(name="stack.kept", num_partitions=1, replication_factor=1)])
    admin.close()
    producer = KafkaProducer(**kafka_options(settings), acks="all")
    producer.send("stack.kept", b"kept").get(timeout=30)
    producer.close()


def read_messages(settings: Settings) -> list[bytes]:
    consumer = KafkaConsumer(**kafka_options(settings), auto_offset_reset="earliest")
    partition = TopicPartition("stack.kept", 0)
    consumer.assign([partition])
    end = consumer.end_offsets([partition])[partition]
    values: list[bytes] = []
    while consumer.position(partition) < end:
        values += [r.value for batch in consumer.poll(1000).values() for r in batch]
    consumer.close()
    return values


def test_down_ends_everything_and_says_so(homes: list[Settings]) -> None:
    settings = homes[1]
    before = Stack.read(settings.mianti_home)
    kafka_port, prefect_port = last_port(before.kafka), last_port(before.prefect)

    down(settings)

    ended = pids(Stack.read(settings.mianti_home))
    assert set(ended.values()) == {None}
    assert kafka_port is not None
    assert is_free(kafka_port)
    assert prefect_port is not None
    assert is_free(prefect_port)
    with pytest.raises(NotRunning):
        prefect_api(settings)
    down(settings)  # harmless when nothing runs

"""What a topic may be: of nobody, compacted, restored from a backup; and what its messages claim."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from kafka.admin import AlterConfigOp, ConfigResource, ConfigResourceType, NewTopic

from connectors import lake
from connectors.clients import KafkaUnreachable
from connectors.reading import OffsetGone
from connectors.settings import Settings
from connectors.stack import Stack
from connectors.topic_settings import TopicCompacts, has_authorizer
from connectors.transactions import transactions
from deploy.cli.status import command as status_command
from deploy.local import kafka as local_kafka
from deploy.local.lifecycle import down
from deploy.local.ports import listens
from deploy.local.processes import wait_until
from flows import land as landing
from flows.land import land
from flows.log import mark_id
from flows.publish.events import by_hand
from flows.quarantine import Chosen
from flows.redrive import redrive
from flows.status import status
from flows.verify import verify
from tests.support import kafka as raw
from tests.support.codes import uscc
from tests.support.exchange import Department, Exchange

EVERY = Chosen()
LAYOUT = "cn-sgs-2018-licence"


def make_topic(exchange: Exchange, topic: str, /, *, partitions: int = 1, **configs: str) -> None:
    named = {name.replace("_", "."): value for name, value in configs.items()}
    with raw.admin(exchange.address) as client:
        client.create_topics([NewTopic(topic, num_partitions=partitions, topic_configs=named)])
        client.wait_for_topics([topic])


def configure(exchange: Exchange, topic: str, **configs: str) -> None:
    changes = {n.replace("_", "."): (AlterConfigOp.SET, value) for n, value in configs.items()}
    with raw.admin(exchange.address) as client:
        client.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, changes)])


def status_of(exchange: Exchange) -> tuple[int, str]:
    """Return the exit code of `mianti status` and what it prints."""
    done = CliRunner().invoke(status_command, env=exchange.environment)
    return done.exit_code, done.output


# Batches that unpack to much more than they are


@pytest.mark.parametrize("codec", ["gzip", "lz4", "zstd"])
def test_a_batch_that_unpacks_to_too_much_stops_nobody(exchange: Exchange, codec: str) -> None:
    department, other = exchange.department(), exchange.department("other")
    department.publish([department.licence(1)])
    bomb = [(b"key", bytes(48 << 20))]
    options = {"compression_type": codec, "max_request_size": 1 << 30}
    raw.send(exchange.address, department.topic(), bomb, partition=2, **options)
    other.publish([other.licence(2)])
    done = exchange.ingest().landed
    assert (done.accepted, done.reasons) == (2, {"batch_too_large": 1})
    row = exchange.log().filter(verdict="quarantined").row(0, named=True)
    assert (row["partition"], row["raw"], row["about"]) == (2, None, None)
    exchange.verified()
    again = redrive(exchange.settings, "licence", EVERY)
    assert (again.accepted, again.waiting) == (0, 1)
    department.lose_ledger()
    assert department.publish([department.licence(3)], "more.csv").published == 1


# Statements, by their subject, partitions and time


def statement(department: Department, number: int = 0, **fields: Any) -> dict[str, Any]:
    """Return a statement that its publisher may make, unless changed."""
    now = dt.datetime.now(dt.UTC)
    said = {"complete_through": now, "partition": number, "partitions": 4, "rows": 1}
    said |= {"excepted": [], "unnamed": 0, "unreadable": 0}
    event = {
        "publisher": department.id,
        "issuer": department.code,
        "subject": department.code,
        "record_key": f"{department.code}/statement/{LAYOUT}/{number}",
        "facet": "statement",
        "event_type": "statement",
        "sequence": 9,
        "layout": LAYOUT,
        "layout_version": "2018",
        "edition": now,
    }
    return event | {"statement": said | fields.pop("said", {})} | fields


def send(department: Department, event: dict[str, Any], partition: int | None = None) -> None:
    """Send an event as any program with access to Kafka can."""
    row = by_hand("licence", [event]).drop("content_digest").row(0, named=True)
    number = event["statement"]["partition"] if partition is None else partition
    message = (row["subject"].encode(), raw.encode(row, "licence"))
    raw.send(department.exchange.address, department.topic(), [message], partition=number)


@pytest.mark.parametrize("landed", [True, False])
def test_a_statement_fits_its_publisher_its_topic_and_its_time(
    exchange: Exchange, landed: bool
) -> None:
    department = exchange.department()
    department.publish([department.licence(1)])
    if landed:
        exchange.ingest()
    later = dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)
    send(department, statement(department))
    wrong = {
        "subject": statement(department, subject=uscc(5)),
        "statement.partition": statement(department, said={"partition": 1}),
        "statement.partitions": statement(department, said={"partitions": 1}),
        "statement.complete_through": statement(department, said={"complete_through": later}),
    }
    for event in wrong.values():
        send(department, event, 0)
    more = statement(department, 3, said={"partitions": 5})
    send(department, more)
    exchange.ingest()
    log = exchange.log().filter(verdict="quarantined").sort("partition", "offset")
    assert log["reason_where"].to_list() == [*wrong, "statement.partitions"]
    assert status(exchange.settings, "licence").complete_through[department.id] == {LAYOUT: None}
    assert redrive(exchange.settings, "licence", EVERY).accepted == 0


def test_a_statement_ahead_of_its_message_stays_refused_when_that_time_has_come(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    department = exchange.department()
    department.publish([department.licence(1)])
    ahead = dt.datetime.now(dt.UTC) + dt.timedelta(hours=2)
    send(department, statement(department, said={"complete_through": ahead}))

    monkeypatch.setattr("flows.check.CLOCKS_DIFFER", dt.timedelta(hours=3))  # that time has come
    exchange.ingest()
    assert exchange.log().filter(verdict="quarantined")["reason_where"].to_list() == [
        "statement.complete_through"
    ]
    assert redrive(exchange.settings, "licence", EVERY).accepted == 0


def test_a_message_whose_headers_disagree_is_refused_and_stays_so(exchange: Exchange) -> None:
    department = exchange.department()
    department.publish([department.licence(1)])
    [message] = [m for m in department.messages() if raw.decode(m.value, "licence")]
    with raw.producer(exchange.address, acks="all") as client:
        headers = [("ce_id", b"0" * 32)]
        client.send(department.topic(), key=message.key, value=message.value, headers=headers)
    done = exchange.ingest().landed
    assert done.reasons == {"header_mismatch": 1}
    exchange.verified()
    assert redrive(exchange.settings, "licence", EVERY).accepted == 0


# A topic's settings


def test_a_topic_that_compacts_is_neither_published_to_nor_landed(exchange: Exchange) -> None:
    department = exchange.department()
    make_topic(exchange, department.topic(), cleanup_policy="compact")
    for verb in (
        lambda: department.publish([department.licence(1)]),
        lambda: land(exchange.settings, "licence"),
    ):
        with pytest.raises(TopicCompacts, match=f"{department.topic()}: cleanup.policy is compact"):
            verb()
    assert department.messages() == []
    code, told = status_of(exchange)
    assert code == 1
    assert "入库已停止" in told
    configure(exchange, department.topic(), cleanup_policy="delete")
    raw.until(lambda: status_of(exchange)[0] == 0)
    assert department.publish([department.licence(1)]).published == 1
    assert exchange.ingest().landed.accepted == 1


def test_a_topic_that_deletes_or_has_clients_times_is_told(
    exchange: Exchange, caplog: pytest.LogCaptureFixture
) -> None:
    department = exchange.department()
    make_topic(exchange, department.topic(), partitions=4, retention_ms="604800000")
    assert department.publish([department.licence(1)]).published == 1
    assert "retention.ms=604800000" in caplog.text
    exchange.ingest()
    remarks = [english for english, _ in status(exchange.settings, "licence").remarks]
    mine = [one for one in remarks if one.startswith(department.topic())]
    assert "retention.ms=604800000" in mine[0]
    assert "message.timestamp.type=CreateTime" in mine[1]
    sound = exchange.department("sound")
    sound.publish([sound.licence(1)])
    assert sound.topic() not in str(status(exchange.settings, "licence").remarks)


def test_what_was_compacted_away_is_told_and_is_not_ok(exchange: Exchange) -> None:
    """The topic was compacted before anybody looked, and made right since."""
    department = exchange.department()
    topic = department.topic()
    quick: dict[str, Any] = {"segment_ms": "100", "min_cleanable_dirty_ratio": "0.01"}
    quick |= {"max_compaction_lag_ms": "100", "min_compaction_lag_ms": "0"}
    make_topic(exchange, topic, cleanup_policy="compact", **quick)
    for value in (b"1", b"2", b"3", b"4"):
        raw.send(exchange.address, topic, [(b"same", value)])
    end = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=120)
    while len(raw.messages(exchange.address, topic)) == raw.ends(exchange.address, topic)[0]:
        assert dt.datetime.now(dt.UTC) < end, "the cleaner did not come"
        raw.send(exchange.address, topic, [(b"other", b"rolls the segment")])
    configure(exchange, topic, cleanup_policy="delete")
    raw.until(lambda: "compact" not in str(status(exchange.settings, "licence").stopped))
    there = raw.messages(exchange.address, topic)
    done = exchange.ingest().landed
    [part] = done.parts
    assert (part.quarantined, part.skipped) == (len(there), 0)
    assert part.compacted == raw.ends(exchange.address, topic)[0] - len(there) > 0
    found = verify(exchange.settings, "licence")
    assert any("compacted" in one for one in found.differences)
    assert status(exchange.settings, "licence").compacted == part.compacted
    assert "compacted" in status_of(exchange)[1]


def test_a_broker_without_an_authorizer_is_told(exchange: Exchange) -> None:
    exchange.department()
    assert not has_authorizer(exchange.settings)
    assert "no authorizer" in status_of(exchange)[1]


# A Kafka that clients cannot reach


def test_the_address_that_kafka_names_in_vain_is_named(
    new_home: Callable[[], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KAFKA_BOOTSTRAP_SERVERS", raising=False)
    named = "kafka-0.example.invalid:9092"
    advertised = f"{local_kafka.PROPERTIES}advertised.listeners=PLAINTEXT://{named}\n"
    monkeypatch.setattr(local_kafka, "PROPERTIES", advertised)
    settings = Settings(mianti_home=new_home())
    server = local_kafka.launch(settings, None)
    Stack(kafka=server).write(settings.mianti_home)
    try:
        home, patience = settings.mianti_home, local_kafka.START_SECONDS
        wait_until(lambda: listens(server.address), server, "kafka", home=home, seconds=patience)
        exchange = Exchange(tmp_path, server.address, str(tmp_path / "lake"))
        department = exchange.department()
        for verb in (
            lambda: department.publish([department.licence(1)]),
            lambda: land(exchange.settings, "licence"),
        ):
            with pytest.raises(KafkaUnreachable, match=named):
                verb()
    finally:
        down(settings)
    with pytest.raises(KafkaUnreachable, match="Kafka does not answer"):
        land(exchange.settings, "licence")


# A Kafka restored from a backup


@pytest.fixture
def own_kafka(
    new_home: Callable[[], Path], monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Settings, Callable[[], str], Callable[[], object]]]:
    """A broker of the test's own: its settings, how to start it and how to stop it."""
    monkeypatch.delenv("KAFKA_BOOTSTRAP_SERVERS", raising=False)
    settings = Settings(mianti_home=new_home())

    def start() -> str:
        server = local_kafka.launch(settings, Stack.read(settings.mianti_home).kafka)
        Stack(kafka=server).write(settings.mianti_home)
        local_kafka.wait(settings, server)
        return server.address

    yield settings, start, lambda: down(settings)
    down(settings)


def test_a_topic_restored_and_grown_past_the_log_stops_landing(
    own_kafka: tuple[Settings, Callable[[], str], Callable[[], None]], tmp_path: Path
) -> None:
    settings, start, stop = own_kafka
    data = settings.mianti_home / "kafka" / "data"
    exchange = Exchange(tmp_path, start(), str(tmp_path / "lake"))
    department = exchange.department()
    numbers = iter(range(1, 1000))

    def publish(count: int) -> None:
        rows = [department.native(next(numbers)) for _ in range(count)]
        for row in rows:
            row["subject"] = uscc(1)  # all of one partition
        assert department.publisher.publish_rows("mianti-licence", rows).published == count

    publish(3)
    exchange.ingest()
    stop()
    shutil.copytree(data, tmp_path / "backup")
    assert start() == exchange.address
    publish(2)
    exchange.ingest()
    exchange.verified()
    stop()
    shutil.rmtree(data)
    shutil.copytree(tmp_path / "backup", data)
    assert start() == exchange.address

    department.lose_ledger()
    for count, message in ((1, "the topic ends at"), (1, "is another"), (5, "is another")):
        publish(count)
        with pytest.raises(OffsetGone, match=message):
            land(exchange.settings, "licence")
        assert message in str(status(exchange.settings, "licence").stopped)
        assert status_of(exchange)[0] == 1
    assert exchange.log().height == 5
    done = land(exchange.settings, "licence", accept_gap=True)
    assert done.accepted == 5
    assert status_of(exchange)[0] == 0
    publish(1)
    assert land(exchange.settings, "licence").accepted == 1


def test_a_log_without_marks_goes_on_and_learns_them(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    department = exchange.department()
    department.publish([department.licence(n) for n in range(1, 20)])
    with monkeypatch.context() as earlier:
        earlier.setattr(landing, "mark_id", lambda *place: f"none:{place}")
        assert exchange.ingest().landed.accepted == 19
    ends = raw.ends(exchange.address, department.topic())
    names = {mark_id(department.topic(), number) for number, end in ends.items() if end}
    assert not names & {*_known(exchange)}
    assert exchange.ingest().landed.accepted == 0
    assert names <= {*_known(exchange)}
    exchange.verified()


def _known(exchange: Exchange) -> dict[str, int]:
    return transactions(lake.open_table(exchange.settings, "log", "licence"))

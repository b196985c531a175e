"""The broker dies or stands still in the middle of the work, and comes back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.broker import SOON, Broker
from tests.faults.processes import again, held
from tests.faults.reliability import Fault
from tests.faults.scene import EVENTS, POISON, Scene, at_work
from tests.faults.test_publish_killed import FIRST, PARTITIONS, SECOND, once, publishing
from tests.support.exchange import Exchange

_SMALL_SLICES = ("flows.publish.deliver:_SLICE=10",)
#: A batch of a partition at a time: so a landing goes on asking while the broker is away.
_SMALL_FETCHES = (
    "connectors.reading:_AT_A_TIME=1",
    "connectors.reading:_FETCH_BYTES=1",
    "connectors.reading:read.__defaults__=(1,)",
)
_SEND, _POLL = "kafka:KafkaProducer.send:before:15", "kafka:KafkaConsumer.poll:after"


@pytest.fixture
def exchange(broker: Broker, tmp_path: Path) -> Iterator[Exchange]:
    """An exchange on the broker that is killed."""
    made = Exchange(tmp_path, broker.address, str(tmp_path / "lake"))
    yield made
    made.close()


@pytest.mark.fault("the broker killed in mid-publish", how=f"SIGKILL and start, `{_SEND}`")
def test_killed_in_mid_publish(exchange: Exchange, broker: Broker, fault: Fault) -> None:
    scene = Scene(exchange, exchange.department())
    scene.publish(*range(1, FIRST + 1))
    command = publishing(scene)
    with held(exchange.environment, [_SEND], *command, tuned=_SMALL_SLICES) as one:
        one.arrived()
        broker.kill()
        one.go()
        broker.start()
        assert one.ended().returncode in (0, 2)
    again(exchange.environment, *command)
    once(scene, PARTITIONS)
    again(exchange.environment, "ingest", "licence")
    fault.flowed = scene.whole()
    assert fault.flowed == FIRST + SECOND + PARTITIONS


@pytest.mark.fault("the broker killed in mid-landing", how=f"SIGKILL and start, `{_POLL}:3`")
def test_killed_in_mid_landing(exchange: Exchange, broker: Broker, fault: Fault) -> None:
    scene = at_work(exchange)
    ingest = ("ingest", "licence")
    tuned = [*_SMALL_FETCHES, SOON]
    with held(exchange.environment, [f"{_POLL}:3"], *ingest, tuned=tuned) as one:
        one.arrived()
        broker.kill()
        one.go()
        broker.start()
        assert one.ended().returncode in (0, 2)
    again(exchange.environment, *ingest)
    fault.flowed = scene.whole()
    assert fault.flowed == EVENTS + POISON


@pytest.mark.fault(
    "the broker frozen in mid-landing", how="SIGSTOP, four polls that bring nothing, SIGCONT"
)
def test_frozen_in_mid_landing(exchange: Exchange, broker: Broker, fault: Fault) -> None:
    scene = at_work(exchange)
    points = ["flows.land:stand:after:1", f"{_POLL}:4"]
    before = exchange.log().height
    with held(exchange.environment, points, "ingest", "licence") as one:
        assert one.arrived().startswith("stand")
        broker.freeze()
        try:
            one.go()
            assert one.arrived().startswith("KafkaConsumer.poll")
            assert exchange.log().height == before, "nothing moves, and nothing is made up"
        finally:
            broker.thaw()
        one.go()
        assert one.ended().returncode == 0
    fault.flowed = scene.whole()
    assert fault.flowed == EVENTS + POISON


#: A request that has had no answer for so long is given up by the client, and sent again.
_TIMEOUT = "kafka:KafkaProducer.DEFAULT_CONFIG[request_timeout_ms]"
_AGAIN = "kafka.producer.record_accumulator:RecordAccumulator.reenqueue:before:1"


def frozen(seconds: int, *marks: pytest.MarkDecorator) -> Any:
    """Return a parameter: for how long the client waits for an answer before it sends again."""
    how = f"SIGSTOP at `{_SEND}`, SIGCONT when the client gives its request up after {seconds} s"
    fault = pytest.mark.fault("the broker frozen in mid-publish", how=how)
    return pytest.param(seconds, id=f"{seconds}-s", marks=[fault, *marks])


@pytest.mark.parametrize("seconds", [frozen(1), frozen(60, pytest.mark.long)])
def test_frozen_in_mid_publish(
    exchange: Exchange, broker: Broker, fault: Fault, seconds: int
) -> None:
    scene = Scene(exchange, exchange.department())
    scene.publish(*range(1, FIRST + 1))
    command = publishing(scene)
    tuned = [*_SMALL_SLICES, f"{_TIMEOUT}={seconds * 1000}"]
    with held(exchange.environment, [_SEND, _AGAIN], *command, tuned=tuned) as one:
        one.arrived()
        broker.freeze()
        try:
            one.go()
            assert one.arrived().startswith("RecordAccumulator.reenqueue")
        finally:
            broker.thaw()
        one.go()
        ended = one.ended()
        assert ended.returncode == 0, ended.stderr
    once(scene, PARTITIONS)  # what had arrived before the freeze was sent again, and counted once
    again(exchange.environment, "ingest", "licence")
    fault.flowed = scene.whole()
    assert fault.flowed == FIRST + SECOND + PARTITIONS

"""A publisher's ledger is lost, put back from a backup, or its disk is full; a file is cut."""

from __future__ import annotations

import random
import resource
import shutil
from pathlib import Path
from typing import Final

import pytest

from tests.faults.processes import again, held, killed
from tests.faults.reliability import Fault
from tests.faults.scene import Scene
from tests.faults.test_publish_killed import FIRST, SECOND, once, publishing
from tests.faults.whole import published
from tests.support.exchange import Exchange

_SLICES: Final = ("flows.publish.deliver:_SLICE=10",)
_SEND: Final = "kafka:KafkaProducer.send:after"


def begun(exchange: Exchange) -> tuple[Scene, tuple[str, ...]]:
    """Return a scene with a first file published, and the command that publishes a second."""
    scene = Scene(exchange, exchange.department())
    scene.publish(*range(1, FIRST + 1))
    return scene, publishing(scene)


def ends_well(scene: Scene, command: tuple[str, ...], fault: Fault, stated: int) -> None:
    """Assert that each version is there once, and that the same file sends nothing any more."""
    once(scene, stated)
    sent = FIRST + SECOND + stated
    again(scene.exchange.environment, *command)
    assert len(published(scene.exchange)) == sent
    again(scene.exchange.environment, "ingest", "licence")
    fault.flowed = scene.whole()
    assert fault.flowed == sent


@pytest.mark.fault("publish killed, and its ledger lost", how=f"SIGKILL, `{_SEND}:15`, deleted")
def test_lost(exchange: Exchange, fault: Fault) -> None:
    scene, command = begun(exchange)
    killed(exchange.environment, f"{_SEND}:15", *command, tuned=_SLICES)
    scene.department.lose_ledger()
    again(exchange.environment, *command)
    ends_well(scene, command, fault, 4)


@pytest.mark.parametrize(
    "point",
    [
        pytest.param(
            point,
            id=name,
            marks=pytest.mark.fault(
                f"the ledger put back from a backup made {what}", how=f"copied, `{point}`"
            ),
        )
        for point, what, name in [
            ("connectors.ledger:Ledger.write:before:1", "before a file", "before"),
            ("flows.publish.deliver:send_all:before:2", "in the middle of one", "middle"),
            ("flows.publish.deliver:Delivery._advance:before:2", "before its position", "position"),
        ]
    ],
)
def test_rolled_back(exchange: Exchange, fault: Fault, tmp_path: Path, point: str) -> None:
    scene, command = begun(exchange)
    place, backup = exchange.home / "ledger", tmp_path / "backup"
    with held(exchange.environment, [point], *command, tuned=_SLICES) as one:
        one.arrived()
        shutil.copytree(place, backup)
        one.go()
        assert one.ended().returncode == 0
    assert [*backup.glob("*-wal")], "what the publisher had just written lies there"
    shutil.rmtree(place)
    backup.rename(place)
    again(exchange.environment, *command)
    # The second time says once more that the file came, of which the ledger knows nothing.
    ends_well(scene, command, fault, 8)


@pytest.mark.parametrize(
    "point",
    [
        pytest.param(
            point,
            id=name,
            marks=pytest.mark.fault(
                f"the ledger's disk is full {what}", how=f"RLIMIT_FSIZE, `{point}`"
            ),
        )
        for point, what, name in [
            ("connectors.ledger:Ledger.write:before:1", "before anything is sent", "write"),
            ("connectors.ledger:Ledger.confirm:before:2", "when Kafka has confirmed", "confirm"),
            ("connectors.ledger:Ledger.set_positions:before:3", "before its position", "position"),
        ]
    ],
)
def test_full(exchange: Exchange, fault: Fault, point: str) -> None:
    scene, command = begun(exchange)
    with held(exchange.environment, [point], *command, tuned=_SLICES) as one:
        one.arrived()
        limits = (0, resource.RLIM_INFINITY)
        resource.prlimit(one.process.pid, resource.RLIMIT_FSIZE, limits)
        one.go()
        ended = one.ended()
    assert ended.returncode == 2
    assert "make room on its disk" in ended.stderr
    assert "台账" in ended.stderr
    again(exchange.environment, *command)
    ends_well(scene, command, fault, 4)


@pytest.mark.fault("a file cut at any byte, then the whole file", how="truncated, 12 by chance")
def test_a_file_cut_anywhere(exchange: Exchange, fault: Fault) -> None:
    scene = Scene(exchange, exchange.department())
    department, chance = scene.department, random.Random(11)
    scene.rows += [department.licence(number) for number in range(1, FIRST + 1)]
    whole = department.file(scene.rows).read_bytes()
    header = whole.index(b"\n") + 1
    path, published_rows = department.folder / "cut.csv", set()
    for byte in sorted(chance.randrange(header, len(whole)) for _ in range(12)):
        path.write_bytes(whole[:byte])
        outcome = department.publisher.publish_file(path)
        # The last row alone; where it does not split, the one before it, too: its text may be cut.
        refused = {one["__row"] for one in outcome.examples}
        assert len(refused) == outcome.refused
        assert refused <= {outcome.read - 1, outcome.read}
        published_rows.add(outcome.read)
    assert len(published_rows) > 6
    path.write_bytes(whole)
    assert department.publisher.publish_file(path).refused == 0
    exchange.ingest()
    fault.flowed = scene.whole()
    assert fault.flowed >= FIRST

"""Receipts on their way to the shared table: shipping killed at each of its steps, two windows at once."""

from __future__ import annotations

import json
import shutil
import signal
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import pytest

from connectors.receipts import Receipts
from connectors.settings import Settings
from flows.receipt.ship import OtherChain, ship
from flows.receipt.verify import verify
from tests.faults.clerks import CLERKS, Asked, environment, proven, window_at_work
from tests.faults.processes import held, killed
from tests.faults.reliability import Fault
from tests.support import kafka as raw
from tests.support import lake
from tests.support.exchange import Exchange
from tests.support.window import Window, follow, penalty, serving, shipped

_COMMIT: Final = "deltalake:DeltaTable.create_write_transaction"
_APPEND: Final = "connectors.lake:append:before:1"
#: Receipts in a shipment, and between two of them.
_SMALL: Final = ("flows.receipt.ship:_TOGETHER=7",)
_OFTEN: Final = ("flows.follow_window:SHIP_SECONDS=0.0", "flows.follow_window:_PAUSE_LONGEST=0.5")
#: A key, five answers for each clerk: three shipments of seven.
RECEIPTS: Final = 1 + 5 * CLERKS


@pytest.fixture(scope="module")
def answered(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A window that has answered and shipped nothing, and what it answered."""
    exchange = Exchange(home := tmp_path_factory.mktemp("exchange"), kafka, str(home / "lake"))
    window = Window(exchange)
    window.publish(window.food.licence(1))
    window.punish(penalty(window.police))
    more = {"mianti_window_behind_seconds": 86_400, "mianti_window_rate": "100000/second"}
    settings = exchange.settings_with(mianti_catalogue=window.catalogue, **more)
    follow(settings)
    asked = Asked()
    with serving(settings) as url:
        asked.ask(url, settings, 5)
    assert len(asked.answers) + 1 == RECEIPTS
    yield settings, asked
    exchange.close()


@pytest.fixture
def copied(answered: tuple[Settings, Asked], tmp_path: Path) -> tuple[Settings, Asked]:
    """The same in a directory of its own."""
    settings, asked = answered
    for name in ("lake", "window"):
        shutil.copytree(settings.mianti_home / name, tmp_path / name)
    return moved(settings, tmp_path), Asked([*asked.answers])


def moved(settings: Settings, home: Path, **more: Any) -> Settings:
    places = {
        "mianti_home": home,
        "mianti_lake": str(home / "lake"),
        "mianti_window": home / "window",
        "mianti_evidence": str(home / "lake" / "evidence"),
    }
    return settings.model_copy(update=places | more)


def at(point: str, what: str, name: str, arrived: int = 0) -> Any:
    """Return a parameter: where it dies, and how many receipts are in the table then."""
    marked = pytest.mark.fault(f"shipping receipts killed {what}", how=f"SIGKILL, `{point}`")
    return pytest.param(point, arrived, id=name, marks=marked)


POINTS = [
    at("flows.receipt.ship:_table:after:1", "once the table was made, empty", "table-made"),
    at("connectors.store:write_once:after:1", "between rule book and receipts", "rule-book"),
    at("os:link:before:2", "before a file of receipts has its name", "before-name"),
    at("flows.receipt.ship:_evidence:after:1", "before its anchor", "before-anchor"),
    at("flows.receipt.ship:_anchor:after:1", "between anchor and table", "anchored"),
    at("connectors.lake:write_files:after:1", "after its data file", "after-file"),
    at(f"{_COMMIT}:after:1", "after its commit", "after-commit", 7),
    at("flows.receipt.ship:_same_chain:before:2", "between two shipments", "between", 7),
    at("flows.receipt.ship:_anchor:after:3", "in the last of three shipments", "last", 14),
]


@pytest.mark.parametrize(("point", "arrived"), POINTS)
def test_shipping(copied: tuple[Settings, Asked], fault: Fault, point: str, arrived: int) -> None:
    settings, asked = copied
    killed(environment(settings), point, "window", "follow", tuned=_SMALL)
    assert proven(settings, asked).shipped == arrived
    answers_on(settings, asked)
    assert shipped(settings) == RECEIPTS + CLERKS - arrived
    assert shipped(settings) == 0
    fault.flowed = all_there(settings, asked)
    assert fault.flowed == RECEIPTS + CLERKS


def answers_on(settings: Settings, asked: Asked) -> None:
    """Ask once more each: what is shipped next begins where it did, and ends elsewhere."""
    follow(settings)
    with serving(settings) as url:
        asked.ask(url, settings, 1)


def all_there(settings: Settings, asked: Asked) -> int:
    """Assert that all receipts are shipped and anchored, each once; return how many."""
    report = proven(settings, asked)
    assert report.shipped == report.receipts == 1 + len(asked.answers)
    last = verify(settings, f"{settings.mianti_window_name}-{report.receipts}")
    assert last.anchored
    assert last.decided_again
    return report.shipped


@pytest.mark.parametrize(
    ("point", "arrived"), [one for one in POINTS if one.id in ("anchored", "after-commit")]
)
def test_shipping_to_a_bucket(
    copied: tuple[Settings, Asked],
    fault: Fault,
    bucket: str,
    point: str,
    arrived: int,
    tmp_path: Path,
) -> None:
    settings, _ = copied
    there = f"{bucket}/{uuid4().hex}"
    settings = moved(settings, tmp_path, mianti_lake=there, mianti_evidence=f"{there}/evidence")
    killed(environment(settings), point, "window", "follow", tuned=_SMALL)
    assert shipped(settings) == RECEIPTS - arrived
    assert shipped(settings) == 0
    with closing(Receipts(settings.mianti_window)) as receipts:
        own = {row[0]: (row[2], row[4]) for row in receipts.after(0, -1)}
    rows = lake.read(f"{there}/window/receipts").select("sequence", "hash", "text").rows()
    assert {sequence: (hash_, text) for sequence, hash_, text in rows} == own
    assert len(rows) == RECEIPTS
    anchors = [*(lake.fetched(there, tmp_path / "s3") / "evidence" / "anchors").rglob("*.json")]
    for path in anchors:
        told = json.loads(path.read_text())
        assert told["hash"] == own[told["sequence"]][0]
    assert f"{RECEIPTS:012}.json" in {path.name for path in anchors}
    fault.flowed = len(rows)


@pytest.mark.fault("two windows answer and ship at once", how=f"both held, `{_APPEND}`")
def test_two_windows(copied: tuple[Settings, Asked], fault: Fault, tmp_path: Path) -> None:
    one, asked = copied
    shutil.copytree(tmp_path / "window" / "replica", tmp_path / "window-2" / "replica")
    told = {"mianti_window_name": "window-2", "mianti_window": tmp_path / "window-2"}
    two, asked_there = one.model_copy(update=told), Asked()
    with window_at_work(one) as (_, url), window_at_work(two) as (_, url_there):
        for _ in range(3):
            asked.ask(url, one, 3)
            asked_there.ask(url_there, two, 3)
        with (
            held(environment(one), [_APPEND], "window", "follow", tuned=_OFTEN) as mine,
            held(environment(two), [_APPEND], "window", "follow", tuned=_OFTEN) as theirs,
        ):
            for follower in (mine, theirs):
                assert follower.arrived() == "append:before:1"
            for follower in (mine, theirs):
                follower.go()
            raw.until(lambda: of_windows(one) == {one.mianti_window_name, "window-2"})
            for follower in (mine, theirs):
                follower.process.send_signal(signal.SIGTERM)
                assert follower.ended().returncode == 0
    fault.flowed = all_there(one, asked) + all_there(two, asked_there)
    assert fault.flowed == 1 + 5 * CLERKS + 2 * 9 * CLERKS + 1


def of_windows(settings: Settings) -> set[str]:
    with suppress(Exception):  # it is just being made
        return {*lake.read(f"{settings.mianti_lake}/window/receipts")["window"]}
    return set()


@pytest.mark.fault("two windows under one name, in two places", how="the second ships later")
def test_one_name_in_two_places(
    copied: tuple[Settings, Asked], fault: Fault, tmp_path: Path
) -> None:
    one, asked = copied
    shutil.copytree(tmp_path / "window" / "replica", tmp_path / "other" / "replica")
    two = one.model_copy(update={"mianti_window": tmp_path / "other"})
    with serving(two) as url:
        Asked().ask(url, two, 9)
    assert shipped(one) == RECEIPTS
    with closing(Receipts(two.mianti_window)) as receipts, pytest.raises(OtherChain, match="NAME"):
        ship(two, receipts)
    fault.flowed = all_there(one, asked)

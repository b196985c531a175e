"""What each release has written is read and continued by this one."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest

from connectors.settings import Settings
from flows.maintain import maintain
from flows.receipt.register import register
from flows.receipt.verify import verify as prove
from flows.replica import Follower, place, rebuild
from tests.conftest import running_kafka
from tests.faults.clerks import CLERKS, Asked, proven
from tests.faults.freeze import FAMILIES, RELEASES, Frozen, opened, thawed
from tests.faults.reliability import Fault
from tests.faults.test_follower_killed import said
from tests.faults.whole import published, whole
from tests.support.codes import uscc
from tests.support.window import penalty, serving, shipped

_ALL: Final = sorted(RELEASES.glob("*.tar.xz"))


@pytest.fixture
def frozen(release: Path, new_home: Callable[[], Path]) -> Iterator[Frozen]:
    home = new_home()
    thawed(release, home)
    with running_kafka(Settings(mianti_home=home)) as address:
        yield opened(home, address)


def test_there_is_a_release_to_go_on_from() -> None:
    assert [path.name for path in _ALL][:1] == ["0.1.0.tar.xz"]


@pytest.mark.parametrize(
    "release",
    [
        pytest.param(
            path,
            id=path.name.removesuffix(".tar.xz"),
            marks=pytest.mark.fault(
                f"release {path.name.removesuffix('.tar.xz')} is followed by this one",
                how="its Kafka, lake, ledgers, replica and receipts, as it left them",
            ),
        )
        for path in _ALL
    ],
)
def test_upgrade(frozen: Frozen, fault: Fault) -> None:
    as_it_was_left(frozen)
    nothing_is_published_twice(frozen)
    what_waited_is_landed(frozen)
    the_replica_goes_on(frozen)
    news_arrive(frozen)
    the_window_goes_on(frozen)
    fault.flowed = sum(whole_family(frozen, family) for family in FAMILIES)
    for family in FAMILIES:
        maintain(frozen.settings, family, retain=dt.timedelta(0))
    assert sum(whole_family(frozen, family) for family in FAMILIES) == fault.flowed
    assert fault.flowed == sum(len(published(frozen.exchange, family)) for family in FAMILIES)


def as_it_was_left(frozen: Frozen) -> None:
    """Assert that nothing of it is lost or changed, before anything is written."""
    for family, count in frozen.landed.items():
        found = frozen.exchange.verified(family)
        assert found.accepted + found.quarantined == count > 0
    assert len(frozen.answers) == frozen.receipts - 2 == 6 * CLERKS
    the_windows_keys_are_registered(frozen)
    for answer in frozen.answers:
        proof = prove(frozen.settings, answer["receipt"]["id"])
        assert proof.flaws == []
        assert proof.decided_again
    assert proven(frozen.settings, Asked([*frozen.answers])).receipts == frozen.receipts


def the_windows_keys_are_registered(frozen: Frozen) -> None:
    """That release had no register: until its keys are entered, no receipt proves anything."""
    settings = frozen.settings
    settings.mianti_window_keys.unlink(missing_ok=True)  # a later release has one
    told = prove(settings, frozen.answers[-1]["receipt"]["id"]).flaws
    assert told
    assert all("mianti window register" in one for one in told)
    assert len(register(settings)) == 2
    assert register(settings) == []


def nothing_is_published_twice(frozen: Frozen) -> None:
    """Publish every file once more: the ledger knows them all."""
    before = {family: events(frozen, family) for family in FAMILIES}
    files = 0
    for department in frozen.exchange.departments:
        for path in sorted(department.folder.glob("*.csv")):
            outcome = department.publisher.publish_file(path)
            assert outcome.published == 0
            files += 1
    names = frozen.rows["registration"]
    again = frozen.department("register").publisher.publish_rows("mianti-registration", names)
    assert again.published == 0
    assert files == 4
    assert {family: events(frozen, family) for family in FAMILIES} == before


def events(frozen: Frozen, family: str) -> int:
    """Return how many events its topics hold that say something of a record."""
    return sum(len(one.events(family)) for one in frozen.exchange.departments)


def what_waited_is_landed(frozen: Frozen) -> None:
    before = frozen.exchange.log().filter(verdict="accepted").height
    for family in FAMILIES:
        whole_family(frozen, family)
    assert frozen.exchange.log().filter(verdict="accepted").height >= before + 10


def whole_family(frozen: Frozen, family: str) -> int:
    """Land a family, assert that all of it is there once; return how many messages flowed."""
    frozen.exchange.ingest(family)
    bad = frozen.bad if family == "licence" else []
    return whole(frozen.exchange, frozen.rows[family], family, bad=bad)


def the_replica_goes_on(frozen: Frozen) -> None:
    """It is followed on, not built anew, and equals one that is."""
    settings = frozen.settings
    with closing(sqlite3.connect(place(settings).path())) as database:
        before = versions(settings)
        # As if it had been left a moment ago: its lease is over by now.
        now = dt.datetime.now(dt.UTC).timestamp() * 1_000_000
        database.execute("UPDATE positions SET seen_at = ?", (int(now),))
        database.commit()
    with place(settings).alone(), closing(Follower(settings)) as follower:
        done = follower.step()
        assert done.rebuilt  # that of the last release lacks the periods of the lists of grades
        followed = versions(settings)
        assert {*map(repr, before)} < {*map(repr, followed)}
    with place(settings).alone():
        rebuild(settings)
    assert sorted(versions(settings), key=repr) == sorted(followed, key=repr)


def versions(settings: Settings) -> list[Any]:
    with closing(sqlite3.connect(place(settings).path())) as database:
        kept = "SELECT subject, family, landed_at, body FROM versions"
        states = "SELECT '', family, landed_at, body FROM statements"
        rows = database.execute(f"{kept} UNION ALL {states}")
        return [(*row[:-1], said(json.loads(row[-1]))) for row in rows]


def news_arrive(frozen: Frozen) -> None:
    """Publish changes of what was there, and new records, in each family."""
    food, police = frozen.department("food"), frozen.department("police")
    now = dt.datetime.now(dt.UTC)
    # That release wrote keys as they were typed, without the enterprise: the record goes on.
    licences = [food.licence(2, XK_ZT="3"), food.licence(25, XK_ZT="3", XK_WSH="示许[2026] 25號")]
    licences.append(food.licence(31, XK_YXQZI="2098-12-31"))
    fines = [penalty(police, number, CF_XDR_SHXYM=uscc(number)) for number in (6, 7)]
    assert food.publish(licences, "new.csv", complete_through=now).published == 3
    assert police.publish(fines, "new.csv", complete_through=now).published == 2
    revoked = {
        e["record_key"] for e in food.events() if (e["standing"] or {}).get("state") == "revoked"
    }
    assert f"{food.code}/示许〔2026〕25号" in revoked
    frozen.rows["licence"] += licences
    frozen.rows["credit"] += fines


def the_window_goes_on(frozen: Frozen) -> None:
    """Answer, ship and prove, in the chain that was begun."""
    settings, asked = frozen.settings, Asked([*frozen.answers])
    for family in FAMILIES:
        whole_family(frozen, family)
    with place(settings).alone(), closing(Follower(settings)) as follower:
        follower.step()
    with serving(settings) as url:
        asked.ask(url, settings, 3)
    report = proven(settings, asked)
    assert report.receipts == frozen.receipts + 3 * CLERKS
    assert shipped(settings) == report.receipts - report.shipped > 3 * CLERKS
    assert proven(settings, asked).shipped == report.receipts
    for sequence in (1, frozen.receipts, report.receipts):
        assert prove(settings, f"{settings.mianti_window_name}-{sequence}").anchored

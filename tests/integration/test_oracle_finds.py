"""The oracle: it finds nothing wrong with a sound installation, and names what is wrong with others."""

from __future__ import annotations

import copy
import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from connectors.settings import Settings
from flows.land import land
from flows.quarantine import Chosen, discard
from flows.redrive import redrive
from tests import oracle
from tests.oracle import kafka_reader
from tests.oracle.files import Sent, TakenBack
from tests.oracle.installation import Installation, examine
from tests.oracle.kafka_reader import Kafka
from tests.oracle.layout import CHINA, record_key, write_rows
from tests.oracle.verdict import Tables
from tests.support import kafka as raw
from tests.support.codes import uscc
from tests.support.exchange import Department
from tests.support.lake import delta
from tests.support.spoil import Spoiled
from tests.support.spoilings import SPOILINGS, Spoiling
from tests.support.window import LICENCE, Window, follow, penalty, serving, shipped, token

pytestmark = pytest.mark.parametrize("new_lake", ["directory"], indirect=True, scope="module")

DIALECTS = Path(oracle.__file__).parent / "dialects"
CODES = {"state": "law-state", "objection": "law-objection"}
FAMILIES = ("licence", "credit")
#: The events of two files, and four statements with each.
NOT_LANDED = 10
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True)
class Sound:
    """An installation in which all is well, what Kafka holds, and what its window has answered."""

    there: Installation
    kafka: Kafka
    answers: list[dict[str, Any]]


@pytest.fixture(scope="module")
def sound(make_exchange: Callable[[], Any]) -> Sound:
    exchange = make_exchange()
    exchange.dialects = DIALECTS
    window = Window(exchange)
    exchange.department("law", layouts={"law-licence": {"codes": CODES}})
    law, deeds = publish_files(window)
    publish(window)
    disturb(window)
    since = [(EPOCH, table_of(window.settings))]
    since += refuse_and_redrive(window)
    answers = ask(window)
    land_more(window)
    topics = [one.topic(family) for one in exchange.departments for family in FAMILIES]
    there = Installation(
        exchange.home, Path(exchange.lake), FAMILIES, Tables(since), {law.topic(): deeds}
    )
    known = raw.topics(exchange.address)
    kafka = kafka_reader.read(exchange.address, [name for name in topics if name in known])
    return Sound(there, kafka, answers)


def publish_files(window: Window) -> tuple[Department, list[Sent | TakenBack]]:
    """Files of the small layout, of which the oracle knows every rule, in a department of its own."""
    law = window.exchange.departments[-1]
    deeds: list[Sent | TakenBack] = []

    def send(name: str, edition: dt.date | None, *rows: dict[str, str]) -> None:
        path = law.folder / name
        path.write_text(write_rows([{"机关": law.code} | row for row in rows]), "utf-8")
        stated = dt.datetime.combine(edition, dt.time(), CHINA) if edition else None
        deeds.append(Sent(path.relative_to(window.exchange.home), stated, dt.datetime.now(dt.UTC)))
        law.publisher.publish_file(path)

    def take_back(number: str, *, undo: bool = False) -> None:
        key = record_key(law.code, number)
        deeds.append(TakenBack(key, undo))
        assert law.publisher.withdraw(key, "公示有误", undo=undo)

    send("f0.csv", None, row(24, 内容="食品"))  # the first without a date, so that others may be
    many = [row(n, 内容="食品", 有效期至="2030-12-31", 状态="1") for n in range(1, 21)]
    faults = [row(21, 状态="1") | {"代码": ""}, row(22, 状态="1") | {"编号": ""}]
    faults += [row(23, 状态="1", 决定日="2026-02-30"), row(25), row(26, 决定日="2026-02-30")]
    send("f1-20260201.csv", dt.date(2026, 2, 1), *many, many[4], *faults)
    changed = [row(n, 内容="食品", 有效期至="2030-12-31", 状态="2") for n in (1, 2, 3)]
    contradictory = [row(4, 状态=state) for state in "34"]
    send("f2-20260301.csv", dt.date(2026, 3, 1), *changed, *contradictory, *many[10:])
    send("f3-20260201.csv", dt.date(2026, 2, 1), row(1, 状态="1"))  # older: refused
    take_back("甲5")
    take_back("甲6")
    take_back("甲6", undo=True)
    moved = row(7, 内容="食品", 状态="1") | {"代码": uscc(507)}
    objected = row(5, 状态="1", 异议="1")
    send("f4.csv", None, *(one | {"状态": "1"} for one in changed[:2]), moved, objected)
    return law, deeds


def row(number: int, **more: str) -> dict[str, str]:
    return {"代码": uscc(400 + number), "编号": f"甲{number}"} | more


def publish(window: Window) -> None:
    """Files of both departments: new records, changes, contradictions, corrections, withdrawals."""
    food, police = window.food, window.police
    window.publish(*(food.licence(n) for n in range(1, 31)))
    changes = [food.licence(n, XK_ZT="3" if n < 4 else "2") for n in range(1, 7)]
    same = [food.licence(n) for n in range(7, 12)]
    contradictory = [food.licence(12, XK_NR=text) for text in ("散装食品", "冷藏食品")]
    window.publish(*changes, *same, *contradictory, food.licence(13, XK_XDR_SHXYM=uscc(60)))
    window.publish(*(food.licence(n) for n in (5, 6)), food.licence(14, XK_YXQZI="2026-06-30"))
    food.publisher.withdraw(food.key(15), "公示有误")
    food.publisher.withdraw(food.key(16), "公示有误")
    food.publisher.withdraw(food.key(16), "公示无误", undo=True)
    fines = {n: penalty(police, n, CF_XDR_SHXYM=uscc(n)) for n in range(1, 13)}
    fines[2] |= {"CF_CFLB": "责令停产停业", "CF_NR": "责令停产停业"}
    window.punish(*fines.values())
    window.punish(fines[3] | {"CF_NR_FK": "1.25"}, fines[4] | {"CF_GSJZQ": "2026-03-01"})
    window.exchange.ingest()


def disturb(window: Window) -> None:
    """What others write to the food department's topic: repetitions, poison, aborted messages."""
    food, address = window.food, window.exchange.address
    event = next(one for one in food.events() if one["record_key"] == food.key(20))
    key, value = event["subject"].encode(), raw.encode(event, "licence")
    phone = event | {"decision": event["decision"] | {"remarks": "电话139" + "1234" * 2}}
    sent = [
        (key, value),
        (key, b"poison"),
        (key, None),
        (uscc(3).encode(), value),
        (key, raw.encode(phone, "licence")),
        (key, raw.encode(event | {"publisher": window.police.id}, "licence")),
        (key, raw.encode(event | {"sequence": 9}, "licence")),
        (key, value + b"more"),
        (b"k", b"\0\0\0\0\x09body"),
    ]
    raw.send(address, food.topic(), sent, partition=0)
    with raw.producer(address, transactional_id=food.id) as client:
        client.init_transactions()
        for committed in (True, False, True):
            client.begin_transaction()
            client.send(food.topic(), key=key, value=value, partition=1)
            client.flush()
            (client.commit_transaction if committed else client.abort_transaction)()
    window.exchange.ingest()


def refuse_and_redrive(window: Window) -> list[tuple[dt.datetime, Path]]:
    """Land two revocations without their right, and redrive them with it, one of them given up

    and taken back; discard two messages.
    """
    food, settings = window.food, window.settings
    lines = {one.id: copy.deepcopy(one.line) for one in window.exchange.departments}
    lines[food.id]["families"]["licence"]["facets"] = ["decision"]
    path = window.exchange.home / "strict.yaml"
    path.write_text(yaml.safe_dump({"publishers": lines}, allow_unicode=True), "utf-8")
    rows = [food.licence(21, XK_ZT="3"), food.licence(22, XK_ZT="3"), food.licence(31)]
    food.publish(rows, "revoked.csv", layout=LICENCE)
    begun = dt.datetime.now(dt.UTC)
    land(window.exchange.settings_with(mianti_publishers=path), "licence")
    ended = dt.datetime.now(dt.UTC)
    refused = window.exchange.log().filter(reason="facet_not_owned", about=uscc(22))
    (of_22,) = refused.select("topic", "partition", "offset").iter_rows()
    assert discard(settings, "licence", Chosen(place=of_22), by="Li Wei", why="mistaken") == 1
    assert redrive(settings, "licence", Chosen(reason="facet_not_owned")).accepted == 1
    assert redrive(settings, "licence", Chosen(place=of_22, discarded=True)).accepted == 1
    for reason in ("unknown_schema", "key_mismatch"):  # which do not say of whom they are
        assert discard(settings, "licence", Chosen(reason=reason), by="Li Wei", why="noise") == 1
    window.exchange.ingest()
    return [(begun, path), (ended, table_of(settings))]


def table_of(settings: Settings) -> Path:
    """Return the publishers' table that an installation was given."""
    assert settings.mianti_publishers is not None
    return settings.mianti_publishers


def patient(window: Window) -> Settings:
    """Return the settings of a window that answers however long ago it was followed."""
    return window.exchange.settings_with(
        mianti_catalogue=window.catalogue, mianti_window_behind_seconds=3600
    )


def ask(window: Window) -> list[dict[str, Any]]:
    """Ask of a dozen enterprises; two thirds of the receipts are shipped, in two shipments."""
    settings, answers = patient(window), []
    follow(settings)
    with serving(settings) as url:
        signed = {"Authorization": f"Bearer {token(settings)}"}
        for number in range(1, 13):
            body = {"subject": uscc(number), "matter": "SP-1"}
            found = httpx.post(f"{url}/v1/ask", json=body, headers=signed, timeout=30)
            answers.append(found.raise_for_status().json())
            if number in (4, 8):
                assert shipped(settings)
    return answers


def land_more(window: Window) -> None:
    """Leave some landed and not settled, some not in the replica, and some not landed."""
    food = window.food
    for number in range(32, 38):
        food.publish([food.licence(number)], f"late-{number}.csv", layout=LICENCE)
        if number < 36:
            land(window.settings, "licence")
        if number < 34:
            follow(window.settings)


def test_a_sound_installation_has_no_fault(sound: Sound) -> None:
    found = examine(sound.there, sound.kafka, sound.answers)
    assert found.faults == []
    assert (found.file_rows, found.refused_rows) == (47, 9)
    assert (found.messages, found.accepted, found.quarantined) == (173, 155, 10)
    assert found.messages == found.accepted + found.quarantined - found.redriven + NOT_LANDED
    assert (found.redriven, found.discarded, found.duplicates, found.skipped) == (2, 3, 3, 4)
    assert (found.unjudged, found.unread, found.repeated) == (0, 0, 6)
    assert found.held_though_refused == 0
    assert (found.history_rows, found.dataset_rows, found.usable_rows) == (132, 66, 62)
    assert (found.replica_rows, found.ledger_rows) == (145, 222)
    assert (found.receipts, found.shipped, found.answers) == (13, 9, 12)
    assert found.records_named >= 12
    assert len({one.__name__ for one in SPOILINGS}) == len(SPOILINGS) >= 30


def test_commits_that_a_checkpoint_sums_up_are_read_from_it(sound: Sound, tmp_path: Path) -> None:
    copied = Spoiled(sound.there, sound.kafka, sound.answers, tmp_path / "copy", "checkpoints")
    lake = copied.there.lake
    tables = [lake / kind / family for kind in ("history", "datasets") for family in FAMILIES]
    for table in (*tables, lake / "window" / "receipts"):
        delta(str(table)).create_checkpoint()
        assert [*(table / "_delta_log").glob("*.checkpoint.parquet")]
        for commit in (table / "_delta_log").glob("*.json"):
            commit.unlink()
    before = examine(sound.there, sound.kafka, sound.answers)
    assert examine(copied.there, sound.kafka, sound.answers) == before


@pytest.mark.parametrize("spoiling", SPOILINGS, ids=lambda one: one.__name__)
def test_what_is_spoiled_is_named(sound: Sound, tmp_path: Path, spoiling: Spoiling) -> None:
    name = spoiling.__name__
    spoiled = Spoiled(sound.there, sound.kafka, sound.answers, tmp_path / "copy", name)
    where = spoiling(spoiled)
    found = examine(spoiled.there, sound.kafka, spoiled.answers)
    named = re.compile(re.escape(where) + r"(?!\d)")
    assert any(named.search(fault) for fault in found.faults), (where, found.faults)

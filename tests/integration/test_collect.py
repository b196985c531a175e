"""The drop zone, in a directory and in a bucket: each file published once, none lost, each explained."""

from __future__ import annotations

import datetime as dt
import errno
import hashlib
import io
import json
import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from click.testing import CliRunner
from polars.exceptions import PanicException

from connectors.disk import DiskFull
from connectors.files import open_source
from connectors.ledger import open_ledger
from connectors.sending import NotDelivered
from connectors.settings import Settings
from connectors.zone_directory import Directory
from deploy.cli.main import cli
from flows import collect as collecting
from flows.collect import Collected, collect
from flows.operator.words import collected_rows, collected_text
from flows.publish import failed
from tests.support import kafka as raw
from tests.support import lake
from tests.support.exchange import Department, Exchange, read_csv

LAYOUT = "cn-sgs-2018-licence"
DONE, FAILED = "done", "failed"


@dataclass
class Zone:
    """The drop zone of a department, as its people see it."""

    exchange: Exchange
    department: Department

    @property
    def uri(self) -> str:
        return f"{self.exchange.lake}-zone"

    @property
    def settings(self) -> Settings:
        return self.exchange.settings_with(mianti_zone=self.uri)

    @property
    def in_bucket(self) -> bool:
        return self.uri.startswith("s3://")

    @property
    def folder(self) -> str:
        return f"{self.department.id}/{LAYOUT}"

    def put(self, name: str, content: bytes, folder: str | None = None, age: int = 60) -> None:
        """Put a file there, last written to `age` seconds ago."""
        path = f"{self.folder if folder is None else folder}/{name}".lstrip("/")
        if self.in_bucket:
            key = f"{urlsplit(self.uri).path.strip('/')}/{path}"
            boto3.client("s3").put_object(Bucket=lake.BUCKET, Key=key, Body=content)
            return
        place = Path(self.uri) / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
        then = dt.datetime.now(dt.UTC).timestamp() - age
        os.utime(place, (then, then))

    def rows(self, *numbers: int, **changes: Any) -> bytes:
        """Return a file of licences."""
        made = [self.department.licence(number, **changes) for number in numbers]
        return self.department.file(made, "made.csv").read_bytes()

    def files(self) -> dict[str, bytes]:
        """Return all that lies in the zone, by path."""
        here = lake.fetched(self.uri, self.exchange.home / f"zone-{os.urandom(4).hex()}")
        found = [path for path in here.rglob("*") if path.is_file()] if here.exists() else []
        return {path.relative_to(here).as_posix(): path.read_bytes() for path in found}

    def under(self, end: str) -> dict[str, bytes]:
        """Return what lies in done or failed of the department's folder, by name."""
        start = f"{self.folder}/{end}/"
        found = {path: body for path, body in self.files().items() if path.startswith(start)}
        return {path.rpartition("/")[2]: body for path, body in found.items()}

    def receipts(self, end: str = DONE) -> list[dict[str, Any]]:
        start, name = f"{self.folder}/{end}/", "/receipt-"
        found = {p: body for p, body in self.files().items() if p.startswith(start) and name in p}
        return [
            json.loads(found[path]) for path in sorted(found, key=lambda p: p.partition(name)[2])
        ]

    def collect(self, later: int = 0) -> Collected:
        return collect(self.settings, dt.datetime.now(dt.UTC) + dt.timedelta(seconds=later))


@pytest.fixture
def zone(exchange: Exchange) -> Zone:
    return Zone(exchange, exchange.department())


def promised(at: Zone) -> Zone:
    """Let the department's line say that each file is complete through its edition."""
    line = at.department.line
    layout = line["layouts"][LAYOUT] | {"complete": "through_edition"}
    line["layouts"] = line["layouts"] | {LAYOUT: layout}
    return at


def stated(at: Zone) -> list[Any]:
    """Return what was said of completeness, in the order of the messages."""
    found = raw.events(at.exchange.address, at.department.topic())
    said = [one["statement"]["complete_through"] for one in found if one["facet"] == "statement"]
    return list(dict.fromkeys(said))


def test_a_file_of_the_zone_is_stated_complete_where_its_line_promises_that(
    directory: Zone,
) -> None:
    zone = promised(directory)
    zone.put("licences-20260501.csv", zone.rows(1, 2))
    zone.collect()
    through = dt.datetime(2026, 4, 30, 16, tzinfo=dt.UTC)  # midnight in China
    [receipt] = zone.receipts()
    assert receipt["complete_through"] == through.isoformat()
    assert stated(zone) == [through]

    zone.put("licences-20260401.csv", zone.rows(1))
    zone.collect()
    assert [one for one in stated(zone) if one] == [through]  # an older file takes nothing back
    assert through.isoformat() in {one["complete_before"] for one in zone.receipts()}


@pytest.mark.parametrize(
    ("name", "numbers", "changes", "why"),
    [
        ("licences-20260501.csv", (1, 2), {"XK_JDRQ": "nonsense"}, "were refused"),
        ("licences.csv", (1, 2), {}, "no date in its name"),
        ("licences-20260501.csv", (), {}, "no row"),
    ],
)
def test_a_file_that_cannot_keep_the_promise_states_nothing_and_says_why(
    directory: Zone, name: str, numbers: tuple[int, ...], changes: dict[str, str], why: str
) -> None:
    zone = promised(directory)
    content = zone.rows(*numbers, **changes)
    zone.put(name, content if numbers else zone.rows(1).splitlines(keepends=True)[0])
    done = zone.collect()
    [receipt] = zone.receipts()
    assert receipt["complete_through"] is None
    assert why in receipt["not_complete"][0]["en"]
    assert receipt["not_complete"][0]["zh"]
    assert done.receipts[0].outcome is not None
    assert done.receipts[0].outcome.warns
    assert why in collecting.line(done.receipts[0])
    assert [one for one in stated(zone) if one] == []


def test_without_the_promise_and_outside_the_zone_nothing_is_stated(directory: Zone) -> None:
    directory.put("licences-20260501.csv", directory.rows(1))
    directory.collect()
    assert directory.receipts()[0]["complete_through"] is None
    zone = promised(directory)
    zone.department.publish([zone.department.licence(2)], "licences-20260601.csv")
    assert [one for one in stated(zone) if one] == []


@pytest.fixture
def directory(kafka: str, tmp_path: Path) -> Iterator[Zone]:
    """A zone in a directory, for what a bucket does not have."""
    made = Exchange(tmp_path, kafka, str(tmp_path / "lake"))
    yield Zone(made, made.department())
    made.close()


def test_a_file_is_published_once_and_put_away_with_a_receipt(zone: Zone) -> None:
    body = zone.rows(1, 2) + zone.rows(3, XK_XDR_SHXYM="123").partition(b"\n")[2]
    zone.put("licences-20260501.csv", body)

    done = zone.collect()

    assert [(one.outcome and one.outcome.published) for one in done.receipts] == [2]
    found = zone.under(DONE)
    assert found["licences-20260501.csv"] == body
    (receipt,) = zone.receipts()
    assert {k: receipt[k] for k in ("read", "published", "unchanged", "refused")} == {
        "read": 3,
        "published": 2,
        "unchanged": 0,
        "refused": 1,
    }
    assert receipt["edition"] == "2026-04-30T16:00:00+00:00"
    path = zone.exchange.home / "refused.csv"
    path.write_bytes(found[receipt["refused_file"]])
    assert [row["XK_XDR_SHXYM"] for row in read_csv(path)] == ["123"]
    assert len(zone.files()) == 3
    assert zone.collect() == Collected()
    assert len(zone.department.events()) == 2


def test_the_same_file_twice_is_told_apart_from_the_first_time(zone: Zone) -> None:
    for later in (0, 100):
        zone.put("licences.csv", zone.rows(1))
        zone.collect(later)
    assert [(one["published"], one["unchanged"]) for one in zone.receipts()] == [(1, 0), (0, 1)]
    assert len(zone.department.events()) == 1


def test_an_export_under_a_name_used_before_is_another_file(zone: Zone) -> None:
    for later, scope in ((0, "散装"), (100, "预包装")):
        zone.put("licences.csv", zone.rows(1, XK_NR=scope))
        zone.collect(later)
    assert [one["published"] for one in zone.receipts()] == [1, 1]
    kept = [path for path in zone.files() if path.endswith("/licences.csv")]
    assert len(kept) == 2


@pytest.mark.parametrize("name", ["1.csv", "许可 (2).csv", "a%20b+c.csv", "长" * 60 + ".csv", "x"])
def test_a_name_that_says_nothing_will_do(zone: Zone, name: str) -> None:
    zone.put(name, zone.rows(1))
    zone.collect()
    assert [one["published"] for one in zone.receipts()] == [1]
    assert name in zone.under(DONE)


def test_a_file_still_being_written_waits(zone: Zone) -> None:
    zone.put("licences.csv.part", zone.rows(1))
    zone.put("~$licences.xlsx", b"")
    assert zone.collect() == Collected()
    if zone.in_bucket:
        return  # an object is whole or not there
    zone.put("licences.csv", zone.rows(1)[:50], age=1)
    assert zone.collect() == Collected(waiting=1)
    zone.put("licences.csv", zone.rows(1), age=2)
    assert zone.collect() == Collected(waiting=1)
    assert zone.collect(60).receipts[0].outcome is not None
    assert [one["published"] for one in zone.receipts()] == [1]


@pytest.mark.parametrize(
    ("folder", "content", "said"),
    [
        ("nobody/" + LAYOUT, None, "nobody"),
        ("{id}/no-such-layout", None, "no-such-layout"),
        ("{id}/" + LAYOUT, b"\x89PNG\r\n\x1a\n\0\0\0", "neither a table"),
        ("{id}/" + LAYOUT, b"", "empty"),
        ("{id}/" + LAYOUT, b"a,b\n1,2\n", "fits no layout"),
    ],
)
def test_a_file_that_cannot_be_published_is_put_aside_and_the_others_go_on(
    zone: Zone, folder: str, content: bytes | None, said: str
) -> None:
    place = folder.format(id=zone.department.id)
    zone.put("a.csv", content if content is not None else zone.rows(9), place)
    zone.put("b.csv", zone.rows(1))
    done = zone.collect()
    assert sorted(one.path for one in done.receipts if one.why) == [f"{place}/a.csv"]
    found = {path: body for path, body in zone.files().items() if f"{place}/failed/" in path}
    assert [path for path in found if path.endswith("/a.csv")]
    (receipt,) = [json.loads(body) for path, body in found.items() if "/receipt-" in path]
    assert said in receipt["failed"]["en"]
    assert not receipt["failed"]["zh"].isascii()
    assert [one["published"] for one in zone.receipts()] == [1]


def test_a_file_that_lies_elsewhere_is_told_and_left(zone: Zone) -> None:
    zone.put("loose.csv", zone.rows(1), "")
    zone.put("loose.csv", zone.rows(1), zone.department.id)
    zone.put("loose.csv", zone.rows(1), f"{zone.folder}/2026/05")
    before = zone.files()
    done = zone.collect()
    assert done.receipts == []
    if not zone.in_bucket:  # what lies deeper in a bucket is not listed
        assert len(done.strays) == 3
    assert len(done.strays) >= 2
    assert zone.files() == before


def _while_publishing(monkeypatch: pytest.MonkeyPatch, act: Callable[[], None]) -> None:
    """Let something happen once, between reading a file and putting it away."""
    published = collecting._published
    acts = [act]

    def then(*given: Any) -> Any:
        receipt = published(*given)
        while acts:
            acts.pop()()
        return receipt

    monkeypatch.setattr(collecting, "_published", then)


def test_a_file_that_changes_while_it_is_read_is_collected_again(
    zone: Zone, monkeypatch: pytest.MonkeyPatch
) -> None:
    zone.put("licences.csv", zone.rows(1))
    _while_publishing(monkeypatch, lambda: zone.put("licences.csv", zone.rows(1, 2), age=50))
    assert zone.collect() == Collected(waiting=1)
    assert f"{zone.folder}/licences.csv" in zone.files()
    zone.collect(100)
    assert len(zone.department.events()) == 2
    assert zone.under(DONE)["licences.csv"] == zone.rows(1, 2)


def test_a_file_taken_away_while_it_is_read_is_no_fault(
    zone: Zone, monkeypatch: pytest.MonkeyPatch
) -> None:
    def take_away() -> None:
        if zone.in_bucket:
            key = f"{urlsplit(zone.uri).path.strip('/')}/{zone.folder}/licences.csv"
            boto3.client("s3").delete_object(Bucket=lake.BUCKET, Key=key)
        else:
            (Path(zone.uri) / zone.folder / "licences.csv").unlink()

    zone.put("licences.csv", zone.rows(1))
    _while_publishing(monkeypatch, take_away)
    assert zone.collect() == Collected(waiting=1)
    assert zone.collect() == Collected()


def test_a_crash_between_publishing_and_moving_doubles_nothing(
    zone: Zone, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash() -> None:
        raise KeyboardInterrupt

    zone.put("licences.csv", zone.rows(1, 2))
    _while_publishing(monkeypatch, crash)
    with pytest.raises(KeyboardInterrupt):
        zone.collect()
    assert f"{zone.folder}/licences.csv" in zone.files()
    zone.collect()
    assert [(one["published"], one["unchanged"]) for one in zone.receipts()] == [(0, 2)]
    assert len(zone.department.events()) == 2


def test_a_fault_of_kafkas_leaves_every_file_where_it_is(
    zone: Zone, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise NotDelivered("no answer", "无响应")

    zone.put("a.csv", zone.rows(1))
    zone.put("b.csv", zone.rows(2))
    before = zone.files()
    with monkeypatch.context() as broken:
        broken.setattr(failed, "publish", fail)
        done = zone.collect()
    assert isinstance(done.stopped, NotDelivered)
    assert zone.files() == before
    assert len(zone.collect().receipts) == 2


def test_a_publisher_that_is_publishing_just_now_is_left_for_later(zone: Zone) -> None:
    zone.put("a.csv", zone.rows(1))
    with open_ledger(zone.settings.mianti_ledger, zone.department.id, "licence"):
        assert zone.collect() == Collected(waiting=1)
    assert len(zone.collect().receipts) == 1


def test_many_files_at_once_are_published_in_the_order_of_their_names(zone: Zone) -> None:
    for day in range(1, 25):
        state = "1" if day % 2 else "2"
        zone.put(f"licences-202605{day:02}.csv", zone.rows(1, XK_ZT=state))
    assert len(zone.collect().receipts) == 24
    assert [one["published"] for one in zone.receipts()] == [1] * 24
    states = [e["standing"]["state"] for e in zone.department.events() if e["facet"] == "standing"]
    assert len(states) == 23
    zone.exchange.ingest()
    assert zone.exchange.dataset()["versions"].to_list() == [24]


@pytest.mark.parametrize(
    "copy",
    [
        "list.sync-conflict-20260302-101500-ABCDEFG.csv",
        "list (conflicted copy 2026-03-02 101500).csv",
        "list - 副本.csv",
        "list (1).csv",
    ],
)
def test_a_copy_that_a_program_made_is_left_and_told(directory: Zone, copy: str) -> None:
    directory.put("list.csv", directory.rows(1, XK_ZT="3"))
    directory.put(copy, directory.rows(1, XK_ZT="1"), age=50)
    environment = directory.exchange.environment | {"MIANTI_ZONE": directory.uri}
    for published in ([1], []):
        told = CliRunner(env=environment).invoke(cli, ["collect", "--json"], prog_name="mianti")
        summary = json.loads(told.stdout)
        assert [one["published"] for one in summary["files"]] == published
        assert summary["copies"] == [f"{directory.folder}/{copy}"]
        assert told.exit_code == 3
    assert f"{directory.folder}/{copy}" in directory.files()
    states = [e["standing"]["state"] for e in directory.department.events() if e.get("standing")]
    assert states == ["revoked"]


def test_files_without_a_date_are_published_in_the_order_they_were_written(zone: Zone) -> None:
    if zone.in_bucket:
        return  # a bucket's clock is not the test's
    zone.put("b.csv", zone.rows(1, XK_ZT="1"), age=500)
    zone.put("a.csv", zone.rows(1, XK_ZT="3"), age=100)
    assert [one.path for one in zone.collect().receipts] == [
        f"{zone.folder}/b.csv",
        f"{zone.folder}/a.csv",
    ]


def test_files_with_a_date_are_published_in_its_order(zone: Zone) -> None:
    for day, age in ((10, 500), (9, 100)):
        zone.put(f"许可2026年5月{day}日.csv", zone.rows(1, XK_ZT=f"{12 - day}"), age=age)
    told = [one.as_json() for one in zone.collect().receipts]
    assert [one["published"] for one in told] == [1, 1]
    assert [one["edition"][:10] for one in told] == ["2026-05-08", "2026-05-09"]


def test_a_name_that_is_no_utf8_is_read_as_chinese_and_stops_nobody(directory: Zone) -> None:
    other = directory.exchange.department("zz")
    folder = Path(directory.uri) / directory.folder
    folder.mkdir(parents=True)
    for name in ("许可.csv".encode("gbk"), b"\xff\x80.csv"):
        path = os.path.join(os.fsencode(folder), name)
        with open(path, "wb") as file:
            file.write(directory.rows(1))
        os.utime(path, (1, 1))
    directory.put("长" * 80 + ".csv", directory.rows(2))
    directory.put("a.csv", directory.rows(3), f"{other.id}/{LAYOUT}")
    done = directory.collect()
    assert (done.waiting, done.stopped, len(done.receipts)) == (0, None, 4)
    assert {one.why for one in done.receipts} == {None}
    json.dumps([one.as_json() for one in done.receipts], ensure_ascii=False).encode()
    assert "许可.csv" in directory.under(DONE)
    assert directory.collect() == Collected()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MemoryError(), "内存"),
        (RecursionError(), "RecursionError"),
        (ValueError("13812345678"), "ValueError"),
        (PanicException("13812345678"), "PanicException"),
        (PanicException("no worker thread: Resource unavailable (os error 11)"), "内存"),
    ],
)
def test_a_fault_nobody_foresaw_costs_its_own_file_only(
    directory: Zone, monkeypatch: pytest.MonkeyPatch, caplog: Any, error: BaseException, said: str
) -> None:
    directory.put("a.csv", directory.rows(1))
    directory.put("b.csv", directory.rows(2), age=50)
    opened = open_source
    first = [error]

    def fails_once(path: Path, **how: Any) -> Any:
        if first:
            raise first.pop()
        return opened(path, **how)

    monkeypatch.setattr(failed, "open_source", fails_once)
    done = directory.collect()
    assert [one.path.rpartition("/")[2] for one in done.receipts if one.why] == ["a.csv"]
    assert "a.csv" in directory.under(FAILED)
    assert "b.csv" in directory.under(DONE)
    [receipt] = directory.receipts(FAILED)
    assert said in receipt["failed"]["zh"]
    assert "13812345678" not in caplog.text + json.dumps(receipt)
    assert LAYOUT in receipt["held"]["zh"]


def test_a_name_that_grows_when_it_is_read_is_cut_where_it_is_put_away(directory: Zone) -> None:
    folder = Path(directory.uri) / directory.folder
    folder.mkdir(parents=True)
    for name in (("许可" * 60).encode("gbk") + b".csv", b"\xff" * 200 + b".csv"):
        path = os.path.join(os.fsencode(folder), name)
        with open(path, "wb") as file:
            file.write(directory.rows(1))
        os.utime(path, (1, 1))
    done = directory.collect()
    assert [one.why for one in done.receipts] == [None, None]
    kept = [name for name in directory.under(DONE) if name.endswith(".csv")]
    assert [len(name.encode()) in (199, 200) for name in kept] == [True, True]
    assert directory.collect() == Collected()


def test_a_file_that_cannot_be_copied_is_put_aside_and_its_publisher_held(
    directory: Zone, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory.put("a.csv", directory.rows(1))
    directory.put("b.csv", directory.rows(2), age=50)
    fetch = Directory.fetch

    def fails(self: Directory, file: Any, to: Path) -> bool:
        if file.name == "a.csv":
            raise OSError(errno.EIO, "Input/output error")
        return fetch(self, file, to)

    monkeypatch.setattr(Directory, "fetch", fails)
    done = directory.collect()
    assert [one.why is None for one in done.receipts] == [False, True]
    assert "a.csv" in directory.under(FAILED)
    [receipt] = directory.receipts(FAILED)
    assert "OSError" in receipt["failed"]["zh"]
    assert LAYOUT in receipt["held"]["en"]
    assert directory.collect() == Collected()


@pytest.mark.parametrize("end", [DONE, FAILED])
@pytest.mark.parametrize("file", [False, True])
def test_a_folder_that_is_a_link_or_a_file_is_not_written_to(
    directory: Zone, end: str, file: bool
) -> None:
    other = directory.exchange.department("zz")
    directory.put("a.csv", directory.rows(1))
    directory.put("b.csv", directory.rows(2), f"{other.id}/{LAYOUT}")
    outside = directory.exchange.home / "outside"
    outside.mkdir()
    place = Path(directory.uri) / directory.folder / end
    if file:
        directory.put(end, directory.rows(3))
    else:
        place.symlink_to(outside)
    done = directory.collect()
    assert list(outside.iterdir()) == []
    assert {one.path for one in done.receipts if one.why} >= {f"{directory.folder}/a.csv"}
    assert [one.publisher for one in done.receipts if not one.why] == [other.id]
    assert directory.department.events() == []
    place.unlink()
    assert [one.why for one in directory.collect().receipts] == [None]


def test_a_link_planted_where_a_receipt_is_written_is_not_followed(
    directory: Zone, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = directory.rows(1)
    directory.put("a.csv", body)
    victim = directory.exchange.home / "victim"
    victim.write_text("precious")
    now = dt.datetime.now(dt.UTC)
    folder = f"{hashlib.sha256(body).hexdigest()[:12]}-a.csv"
    place = Path(directory.uri) / directory.folder / DONE / folder
    place.mkdir(parents=True)
    (place / f".receipt-{now:%Y%m%dT%H%M%SZ}.json.part").symlink_to(victim)
    collect(directory.settings, now)
    assert victim.read_text() == "precious"
    assert [one["published"] for one in directory.receipts()] == [1]


def test_a_file_that_cannot_be_put_away_keeps_no_other_waiting(
    directory: Zone, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory.put("a.csv", directory.rows(1))
    directory.put("b.csv", directory.rows(2), age=50)
    replace = os.replace

    def fails(source: Any, target: Any, **within: Any) -> None:
        if source == "a.csv":
            raise OSError(errno.ENAMETOOLONG, "File name too long")
        replace(source, target, **within)

    monkeypatch.setattr(os, "replace", fails)
    done = directory.collect()
    assert [one.why is None for one in done.receipts] == [False, True]


def test_a_link_is_not_followed(directory: Zone) -> None:
    directory.put("a.csv", directory.rows(1))
    secret = directory.exchange.home / "secret.csv"
    secret.write_bytes(directory.rows(2))
    (Path(directory.uri) / directory.folder / "b.csv").symlink_to(secret)
    done = directory.collect()
    assert [*done.unread] == [f"{directory.folder}/b.csv"]
    assert "link" in done.unread[f"{directory.folder}/b.csv"].message_en
    assert len(directory.department.events()) == 1


def test_what_is_not_looked_into_is_told_with_its_reason(
    directory: Zone, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = directory.exchange.home / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "c.csv").write_bytes(directory.rows(3))
    directory.put("a.csv", directory.rows(1))
    directory.put("b.csv", directory.rows(2), "closed/folder")
    (Path(directory.uri) / "linked").symlink_to(elsewhere)
    os.mkfifo(Path(directory.uri) / directory.folder / "pipe.csv")
    list_plainly = os.scandir

    def closed(path: Any) -> Any:  # root may list everything
        if str(path).endswith("closed/folder"):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return list_plainly(path)

    monkeypatch.setattr(os, "scandir", closed)
    run = CliRunner().invoke(
        cli,
        ["collect", "--json"],
        env={**directory.exchange.environment, "MIANTI_ZONE": directory.uri},
    )
    told = json.loads(run.stdout)
    assert told["unread"].keys() == {
        "closed/folder",
        "linked",
        f"{directory.folder}/pipe.csv",
    }
    assert "Permission denied" in told["unread"]["closed/folder"]["en"]
    assert (run.exit_code, told["waiting"], told["strays"]) == (3, 0, [])
    assert len(directory.department.events()) == 1


def test_a_file_that_becomes_a_pipe_or_grows_for_ever_is_not_read_for_ever(
    directory: Zone, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory.put("a.csv", directory.rows(1))
    directory.put("b.csv", directory.rows(2), age=50)
    place = Path(directory.uri) / directory.folder
    open_plainly = os.open
    acts = ["pipe", "growing"]

    def changed(path: Any, flags: int, *rest: Any, **more: Any) -> int:
        if acts and str(path) == str(place / "a.csv"):
            acts.remove("pipe")
            os.unlink(path)
            os.mkfifo(path)
            number = open_plainly(path, flags, *rest, **more)  # a reader that waits hangs here
            os.unlink(path)
            return number
        return open_plainly(path, flags, *rest, **more)

    class Growing(io.FileIO):
        """Grows by what is read of it."""

        def read(self, size: int | None = -1) -> bytes:
            with (place / "b.csv").open("ab") as more:
                more.write(b"x" * 100)
            return super().read(size) or b""

    def grown(number: Any, mode: str = "r", *rest: Any, **more: Any) -> Any:
        shown = Path(f"/proc/self/fd/{number}")
        if "growing" in acts and mode == "rb" and shown.resolve() == place / "b.csv":
            return Growing(number, "rb")
        return fdopen_plainly(number, mode, *rest, **more)

    fdopen_plainly = os.fdopen
    monkeypatch.setattr(os, "open", changed)
    monkeypatch.setattr(os, "fdopen", grown)
    assert directory.collect() == Collected(waiting=2)
    monkeypatch.undo()
    assert [one.why for one in directory.collect(100).receipts] == [None]


def test_a_file_that_would_fill_the_disk_fails_and_the_others_go_on(
    directory: Zone, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory.put("a.csv", b"x")
    os.truncate(Path(directory.uri) / directory.folder / "a.csv", 1 << 42)  # of holes alone
    os.utime(Path(directory.uri) / directory.folder / "a.csv", (1, 1))
    directory.put("b.csv", directory.rows(2))
    done = directory.collect()
    assert done.stopped is None
    assert [one.why is None for one in done.receipts] == [False, True]
    assert "half of the room" in str(done.receipts[0].why)
    [aside] = (Path(directory.uri) / directory.folder / FAILED).rglob("unread-a.csv/a.csv")
    os.truncate(aside, 0)  # this test reads all that lies there
    [receipt] = directory.receipts(FAILED)
    assert LAYOUT in receipt["held"]["en"]


def test_a_disk_without_room_is_no_files_fault(
    directory: Zone, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory.put("a.csv", directory.rows(1))

    def full(*given: Any) -> bool:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as now:
        now.setattr(Directory, "fetch", full)
        done = directory.collect()
    assert isinstance(done.stopped, DiskFull)
    assert done.receipts == []
    assert [one.why for one in directory.collect().receipts] == [None]


def test_a_file_that_may_not_be_read_is_told_and_the_others_go_on(
    directory: Zone, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    directory.put("a.csv", directory.rows(1))
    directory.put("b.csv", directory.rows(2))
    open_plainly = os.open

    def closed(path: Any, flags: int, *rest: Any, **more: Any) -> int:  # root may read everything
        if str(path).endswith(f"{LAYOUT}/a.csv"):
            raise PermissionError(errno.EACCES, "Permission denied")
        return open_plainly(path, flags, *rest, **more)

    monkeypatch.setattr(os, "open", closed)
    done = directory.collect()
    assert [one.path for one in done.receipts] == [f"{directory.folder}/b.csv"]
    assert (done.waiting, [*done.unread]) == (0, [f"{directory.folder}/a.csv"])
    assert "a.csv: The file or folder cannot be read" in caplog.text
    monkeypatch.undo()
    assert len(directory.collect().receipts) == 1


def test_no_number_of_a_person_is_in_a_receipt(zone: Zone) -> None:
    zone.put("a.csv", zone.rows(1, XK_NR="联系人 13812345678"))
    zone.collect()
    (receipt,) = zone.receipts()
    assert receipt["reasons"] == {"personal_data": 1}
    assert "13812345678" not in json.dumps(receipt)


def test_a_persons_number_in_a_name_is_told_nowhere(
    directory: Zone, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    rows = directory.rows(1).decode().splitlines()
    without_header = "\n".join([rows[1].replace("示", "张三"), rows[1]]).encode()
    bad = directory.rows(3, XK_XDR_SHXYM="123")
    directory.put("张三13812345678-20260501.csv", directory.rows(2))
    directory.put("张三13812345679-20260502.csv", bad)
    directory.put("张三13812345670-20260502-20260503-20260504.csv", directory.rows(4))
    directory.put("张三13812345671.csv", without_header)
    directory.put("张三13812345672.csv", b"x", "")
    directory.put("张三13812345673 (1).csv", directory.rows(2))
    directory.put("张三13812345673.csv", directory.rows(2))
    done = directory.collect()
    receipts = [one.as_json() for one in done.receipts]
    assert len(receipts) == 5
    receipts += directory.receipts() + directory.receipts(FAILED)
    told = json.dumps(receipts, ensure_ascii=False) + caplog.text
    told += collected_text(done) + repr(collected_rows(done))
    assert "***.csv" in told
    assert "1381234567" not in told
    assert "张三" not in told


def test_the_command_says_what_it_did(zone: Zone) -> None:
    zone.put("a.csv", zone.rows(1))
    zone.put("b.csv", b"a,b\n1,2\n")
    environment = zone.exchange.environment | {"MIANTI_ZONE": zone.uri}
    told = CliRunner(env=environment).invoke(cli, ["collect", "--json"], prog_name="mianti")
    assert told.exit_code == 3, told.stderr
    summary = json.loads(told.stdout)
    assert [one.get("published") for one in summary["files"]] == [1, 0]
    again = CliRunner(env=environment).invoke(cli, ["collect"], prog_name="mianti")
    assert again.exit_code == 0, again.stderr
    assert again.stdout == "waiting · 等待 0\n"
    if not zone.in_bucket:
        zone.put("c.csv", zone.rows(2), age=1)
        waits = CliRunner(env=environment).invoke(cli, ["collect"], prog_name="mianti")
        assert "less than 30 s ago" in waits.stdout

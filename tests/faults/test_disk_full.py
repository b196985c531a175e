"""The disk is full at one write and has room again at the next run: told in a sentence, nothing lost."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest

from tests.faults import entries
from tests.faults.processes import Done, again, full, mianti
from tests.faults.reliability import Fault
from tests.faults.scene import EVENTS, POISON, Scene, at_first, at_work
from tests.faults.small_disk import Disk, small_disk
from tests.faults.test_publish_killed import FIRST, PARTITIONS, SECOND, once, publishing
from tests.support.exchange import Exchange

_COMMIT: Final = "deltalake:DeltaTable.create_write_transaction"
_MAINTAIN: Final = "flows.maintain:_compact:before:1"
_INGEST: Final = ("ingest", "licence")
#: So many bytes of a file that is being written are left on the disk.
_CUT: Final = 100
_OF_DISK: Final = ("The disk is full", "磁盘已满")
_OF_LEDGER: Final = ("make room on its disk", "请清理该磁盘空间")
#: Megabytes of a whole disk, and the bytes of it that are left in turn.
_DISK: Final = 30
_ROOMS: Final = (0, 4_096, 20_000, 45_000, 90_000, 200_000, 400_000, 2_000_000)


def at(point: str, what: str, name: str, size: int = 0) -> Any:
    """Return a parameter: from where on there is no room, or only for the beginning of a file."""
    how = f"`RLIMIT_FSIZE` of {size} bytes, `{point}`"
    return pytest.param(point, size, id=name, marks=pytest.mark.fault(f"disk full {what}", how=how))


POINTS = [
    at("connectors.lake:write_files:before:1", "at a batch's data file", "batch"),
    at("connectors.lake:write_files:before:1", "within a batch's data file", "batch-cut", _CUT),
    at(f"{_COMMIT}:before:1", "at the batch's commit", "commit"),
    at(f"{_COMMIT}:before:1", "within the batch's commit", "commit-cut", _CUT),
    at("connectors.aside:Aside.add:before:1", "where settling sets rows aside", "aside", _CUT),
    at("flows.settle:_put:before:1", "at the history's data file", "history"),
    at(f"{_COMMIT}:before:4", "at the history's commit", "history-commit"),
    at(f"{_COMMIT}:before:5", "at the dataset's commit", "dataset-commit", _CUT),
]


def _maintaining(what: str, size: int) -> pytest.MarkDecorator:
    how = f"`RLIMIT_FSIZE` of {size:,} bytes, `{_MAINTAIN}`"
    return pytest.mark.fault(f"disk full in maintenance: {what}", how=how)


@pytest.mark.parametrize(("point", "size"), POINTS)
def test_ingest_on_a_full_disk(exchange: Exchange, fault: Fault, point: str, size: int) -> None:
    scene = at_work(exchange)
    before = exchange.log().height
    told(exchange, size, point, *_INGEST)
    assert exchange.log().height in (before, EVENTS + POISON), "a batch is in whole, or not at all"
    _again(scene, fault)


@pytest.mark.fault(
    "disk full at the very first table",
    how="`RLIMIT_FSIZE` of 0 bytes, `connectors.lake:ensure_table:before:1`",
)
def test_the_first_ingest_on_a_full_disk(exchange: Exchange, fault: Fault) -> None:
    scene = at_first(exchange)
    point = "connectors.lake:ensure_table:before:1"
    told(exchange, 0, point, *_INGEST)
    _again(scene, fault)


@pytest.mark.fault(
    "disk full where a publisher sets rows aside",
    how=f"`RLIMIT_FSIZE` of {_CUT} bytes, `flows.publish.spill:Spill.add:before:1`",
)
def test_publishing_on_a_full_disk(exchange: Exchange, fault: Fault) -> None:
    scene = Scene(exchange, exchange.department())
    scene.publish(*range(1, FIRST + 1))
    command = publishing(scene)
    told(exchange, _CUT, "flows.publish.spill:Spill.add:before:1", *command)
    assert len(scene.department.messages()) == FIRST, "nothing was sent"
    again(exchange.environment, *command)
    once(scene, PARTITIONS)
    _again(scene, fault, FIRST + SECOND + PARTITIONS)


@pytest.mark.parametrize(
    ("size", "made_room"),
    [
        pytest.param(0, False, id="none", marks=_maintaining("no file can be written", 0)),
        pytest.param(
            8_000,
            True,
            id="little",
            marks=_maintaining("room for commits alone", 8_000),
        ),
    ],
)
def test_maintenance_on_a_full_disk(
    exchange: Exchange, fault: Fault, size: int, made_room: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It cannot write files together; what it deletes makes room all the same."""
    scene = at_work(exchange)
    exchange.ingest()
    for name, value in exchange.environment.items():
        monkeypatch.setenv(name, value)
    entries.maintain("licence")
    scene.publish(*range(1, 11), XK_ZT="3")
    exchange.ingest()  # replaces files of the history and the dataset
    before = {*parquet(exchange)}
    ended = full(exchange.environment, size, _MAINTAIN, "tests.faults.entries:maintain", "licence")
    assert "DiskFull: The disk is full" in ended.stderr
    assert (parquet(exchange) < before) == made_room
    entries.maintain("licence")
    _again(scene, fault, EVENTS + POISON + 10)


@pytest.mark.fault(
    "a disk that is really full, with more and more room",
    how=f"a tmpfs of {_DISK} MB; all but {', '.join(f'{room:,}' for room in _ROOMS)} bytes taken",
)
@pytest.mark.timeout(600)
def test_a_disk_with_little_room(kafka: str, tmp_path: Path, fault: Fault) -> None:
    """Publishing, landing and settling stop wherever the room ends, and are whole when there is."""
    with small_disk(tmp_path / "disk", _DISK) as disk, closing(at_home(disk, kafka)) as exchange:
        scene, near = Scene(exchange, exchange.department()), _near(exchange)
        stopped = {"publish": 0, "ingest": 0}
        for number, room in enumerate(_ROOMS):
            changed = [scene.department.licence(n, XK_ZT="2") for n in range(20 * number)[-10:]]
            new = [scene.department.licence(20 * number + n) for n in range(20)]
            scene.rows += changed + new
            path = scene.department.file(changed + new, f"{number}.csv")
            publish = ("publish", str(path), "--publisher", scene.department.id)
            for command in (publish, _INGEST):
                with disk.filled(room):
                    stopped[command[0]] += stopped_short(disk, near, *command)
                again(exchange.environment, *command)
        fault.flowed = scene.whole()
    assert all(1 < count < len(_ROOMS) for count in stopped.values()), stopped


def at_home(disk: Disk, kafka: str) -> Exchange:
    """Return an exchange that has its home and its lake on a disk."""
    return Exchange(disk.place, kafka, str(disk.place / "lake"))


def parquet(exchange: Exchange) -> set[Path]:
    """Return the data files that are there, in use or not."""
    found = Path(exchange.lake).rglob("*.parquet")
    return {path for path in found if "_delta_log" not in path.parts}


def told(exchange: Exchange, size: int, point: str, *command: str) -> None:
    """Run out of room, and assert that one sentence of each language says where it is wanted."""
    ended = full(_near(exchange), size, point, *command)
    _says_so(exchange.home, ended, *_OF_DISK)


def stopped_short(disk: Disk, environment: dict[str, str], *command: str) -> bool:
    """Run a command; return whether it ended for want of room, of which it must have told."""
    ended = mianti(environment, *command)
    if ended.returncode != 0:
        # SQLite calls some of it an error of the disk, and the ledger says what to do of either.
        of_ledger = ended.stderr.startswith("The ledger")
        said = _OF_LEDGER if of_ledger else _OF_DISK
        _says_so(disk.place, ended, *said)
    return ended.returncode != 0


def _near(exchange: Exchange) -> dict[str, str]:
    """Have what is set aside lie on the same disk as everything else."""
    return exchange.environment | {"TMPDIR": str(exchange.home)}


#: What is said behind it where the ledger, too, could not be written.
_NOT_NOTED: Final = ("That this file failed could not be noted", "未能登记该文件发布失败")


def _says_so(home: Path, ended: Done, in_english: str, in_chinese: str) -> None:
    assert ended.returncode == 2, ended.stderr
    lines = ended.stderr.splitlines()
    english, chinese, *more = [line for line in lines if not line.startswith(_NOT_NOTED)]
    assert in_english in english
    assert str(home) in english
    assert in_chinese in chinese
    assert more == []


def _again(scene: Scene, fault: Fault, events: int = EVENTS + POISON) -> None:
    again(scene.exchange.environment, *_INGEST)
    fault.flowed = scene.whole()
    assert fault.flowed == events

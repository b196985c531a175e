"""A file that is not small is published by a process of its own, whose memory is bounded."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from deploy.cli.main import cli
from flows import apart
from flows.apart import Apart, is_small, memory_given, seconds_given
from flows.publish.failed import TooLong, TooMuch, Unexpected
from flows.publish.job import Request
from tests.integration.test_collect import DONE, FAILED, LAYOUT, Zone, directory
from tests.support.exchange import Department

__all__ = ["directory"]
_HEAD = '<?xml version="1.0"?>'
_BOOK = f'{_HEAD}<workbook xmlns:r="r"><sheets><sheet name="a" sheetId="1" r:id="rId1"/></sheets></workbook>'
_RELATIONS = (
    f'{_HEAD}<Relationships><Relationship Id="rId1" Type="x/worksheet" '
    'Target="worksheets/sheet1.xml"/></Relationships>'
)


def large(department: Department, count: int = 500) -> bytes:
    made = [department.licence(number) for number in range(1, count + 1)]
    return department.file(made, "made.csv").read_bytes()


def bomb(path: Path, names: list[str]) -> Path:
    """Write a workbook of some kilobytes whose one sheet unpacks to some hundred megabytes."""
    row = "".join(f'<c t="inlineStr"><is><t>{name}</t></is></c>' for name in names)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("[Content_Types].xml", f"{_HEAD}<Types/>")
        book.writestr("xl/workbook.xml", _BOOK)
        book.writestr("xl/_rels/workbook.xml.rels", _RELATIONS)
        with book.open("xl/worksheets/sheet1.xml", "w") as sheet:
            sheet.write(f"{_HEAD}<worksheet><sheetData><row>{row}</row><row>".encode())
            sheet.write(b'<c t="inlineStr"><is><t>')
            for _ in range(300):
                sheet.write(b"A" * (1 << 20))
            sheet.write(b"</t></is></c></row></sheetData></worksheet>")
    return path


def only_in_a_process_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*given: Any) -> None:
        raise AssertionError(given)

    monkeypatch.setattr(apart, "publish_path", never)


def test_a_file_that_is_not_small_is_published_apart_once(
    directory: Zone, monkeypatch: pytest.MonkeyPatch
) -> None:
    only_in_a_process_of_its_own(monkeypatch)
    directory.put("a.csv", large(directory.department))
    directory.put("b.csv", large(directory.department), age=50)
    done = directory.collect()
    assert [
        one.outcome and (one.outcome.published, one.outcome.unchanged) for one in done.receipts
    ] == [
        (500, 0),
        (0, 500),
    ]
    assert len(directory.department.events()) == 500
    assert {"a.csv", "b.csv"} <= directory.under(DONE).keys()


def test_what_is_wrong_with_such_a_file_is_told_as_ever(directory: Zone) -> None:
    directory.put("a.csv", large(directory.department).replace(b"XK_XDR_SHXYM", b"X"))
    directory.put("b.csv", directory.rows(1), age=50)
    done = directory.collect()
    assert [one.why is None for one in done.receipts] == [False, True]
    [receipt] = directory.receipts(FAILED)
    assert "MIANTI" not in receipt["failed"]["en"]
    assert LAYOUT in receipt["held"]["en"]


def test_files_that_need_more_memory_than_given_fail_and_the_others_go_on(
    directory: Zone, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(apart, "memory_given", lambda: 320 << 20)
    names = [*directory.department.licence(1)]
    directory.put("wide.csv", wide(directory.department), age=90)
    directory.put("bomb.xlsx", bomb(tmp_path / "bomb.xlsx", names).read_bytes(), age=80)
    directory.put("z.csv", large(directory.department), age=70)
    done = directory.collect()
    assert [(one.path.rpartition("/")[2], one.why is None) for one in done.receipts] == [
        ("wide.csv", False),
        ("bomb.xlsx", False),
        ("z.csv", True),
    ]
    assert len(directory.department.events()) == 500
    broad, packed = sorted(directory.receipts(FAILED), key=lambda one: one["file"], reverse=True)
    assert broad["failed"] == {"en": TooMuch().message_en, "zh": TooMuch().message_zh}
    assert "unpacks" in packed["failed"]["en"]  # its reader has a bound of its own
    assert all(LAYOUT in receipt["held"]["en"] for receipt in (broad, packed))


def wide(department: Department) -> bytes:
    """Return a file of some kilobytes that has two hundred million cells."""
    names = [*department.licence(1)]
    columns = ",".join([*names, *(f"c{n}" for n in range(4063 - len(names)))])
    return f"{columns}\n".encode() + b"x\n" * 50_000


def test_a_file_that_takes_too_long_fails_and_the_others_go_on(
    directory: Zone, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory.put("wide.csv", wide(directory.department), age=90)
    directory.put("z.csv", directory.rows(1), age=70)
    monkeypatch.setattr(apart, "seconds_given", lambda size: 3)
    done = directory.collect()
    assert [one.why is None for one in done.receipts] == [False, True]
    assert done.stopped is None
    [receipt] = directory.receipts(FAILED)
    assert receipt["failed"] == {"en": TooLong().message_en, "zh": TooLong().message_zh}
    assert LAYOUT in receipt["held"]["en"]
    assert len(directory.department.events()) == 1


def test_a_process_that_hangs_is_given_up(directory: Zone, monkeypatch: pytest.MonkeyPatch) -> None:
    directory.put("a.csv", large(directory.department), age=90)
    directory.put("z.csv", directory.rows(1), age=70)
    monkeypatch.setattr(apart, "seconds_given", lambda size: 1)
    monkeypatch.setattr(apart, "_WAITING", 1)
    started = Apart._started

    def stopped(self: Apart) -> Any:
        pipe = started(self)
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGSTOP)
        return pipe

    monkeypatch.setattr(Apart, "_started", stopped)
    done = directory.collect()
    assert [one.why is None for one in done.receipts] == [False, True]
    [receipt] = directory.receipts(FAILED)
    assert receipt["failed"]["en"] == TooLong().message_en
    assert LAYOUT in receipt["held"]["en"]


def publishing(zone: Zone, *words: str) -> Result:
    run = CliRunner(env=zone.exchange.environment)
    return run.invoke(cli, ["publish", *words, "--publisher", zone.department.id])


def test_publishing_by_hand_is_bounded_too(
    directory: Zone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apart, "seconds_given", lambda size: 3)
    one, other = directory.exchange.home / "wide.csv", directory.exchange.home / "z.csv"
    one.write_bytes(wide(directory.department))
    other.write_bytes(directory.rows(1))
    tried = publishing(directory, str(one), "--dry-run")
    assert (tried.exit_code, "takes longer" in tried.stderr) == (2, True)
    assert "nobody is exempted" not in tried.stderr  # a dry run holds nobody
    done = publishing(directory, str(one), str(other))
    assert (done.exit_code, "takes longer" in done.stderr) == (3, True)
    assert LAYOUT in done.stderr
    assert len(directory.department.events()) == 1


def test_what_is_published_apart_by_hand_is_told_as_ever(
    directory: Zone, monkeypatch: pytest.MonkeyPatch
) -> None:
    only_in_a_process_of_its_own(monkeypatch)
    path = directory.exchange.home / "a.csv"
    path.write_bytes(large(directory.department))
    shown = publishing(directory, str(path), "--dry-run", "--show", "1")
    assert "record_key" in shown.stdout
    steps: list[tuple[str, int]] = []
    request = Request(directory.department.id, path.name, LAYOUT)
    with Apart() as one:
        outcome = one.publish(
            path,
            request,
            directory.settings,
            lambda step, at, of: steps.append((step, at * 100 // of)),
        )
    assert outcome.published == 500
    assert {("reading", 100), ("sending", 100)} <= {*steps}
    path.write_bytes(large(directory.department).replace(b"XK_XDR_SHXYM", b"X"))
    wrong = publishing(directory, str(path))
    assert wrong.exit_code == 2
    assert "Columns seen" in wrong.stderr
    assert "nobody is exempted" in wrong.stderr


def test_each_file_has_its_time_anew(monkeypatch: pytest.MonkeyPatch, directory: Zone) -> None:
    monkeypatch.setattr(apart, "seconds_given", lambda size: 40)
    with Apart() as one:
        for name in ("a.csv", "b.csv"):
            path = directory.exchange.home / name
            path.write_bytes(large(directory.department))
            one.publish(path, Request(directory.department.id, name, LAYOUT), directory.settings)
            assert one._process is not None
            [limit] = [
                line.split()[3]
                for line in Path(f"/proc/{one._process.pid}/limits").read_text().splitlines()
                if line.startswith("Max cpu time")
            ]
            used = sum(map(int, _stat(one._process.pid)[11:13])) / os.sysconf("SC_CLK_TCK")
            assert 40 <= int(limit) <= 41 + used


def _stat(process: int) -> list[str]:
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()


def test_time_grows_with_the_file() -> None:
    assert seconds_given(0) == 60
    assert seconds_given(1 << 30) >= 1024 * 10  # ten times what such rows take


@pytest.mark.parametrize("by", [signal.SIGKILL, signal.SIGTERM])
def test_a_process_that_is_ended_costs_no_row(
    directory: Zone, monkeypatch: pytest.MonkeyPatch, by: signal.Signals
) -> None:
    directory.put("a.csv", large(directory.department))
    started = Apart._started

    def ended(self: Apart) -> Any:
        pipe = started(self)
        assert self._process is not None
        os.kill(self._process.pid, by)
        return pipe

    with monkeypatch.context() as once:
        once.setattr(Apart, "_started", ended)
        done = directory.collect()
    if by == signal.SIGTERM:  # a person ends a run; nothing is wrong with the file
        assert done.stopped is not None
        assert not done.receipts
        assert [one.why for one in directory.collect().receipts] == [None]
    else:
        [receipt] = directory.receipts(FAILED)
        assert receipt["failed"]["en"] == TooMuch().message_en
        directory.put("a.csv", directory.under(FAILED)["a.csv"])
        assert [one.why for one in directory.collect().receipts] == [None]
    assert len(directory.department.events()) == 500


def test_the_process_ends_with_the_one_that_started_it() -> None:
    program = (
        "import os, signal; from flows.apart import Apart; Apart()._started(); "
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    # Both have the pipe: it ends with the last of them.
    found = subprocess.run([sys.executable, "-c", program], stderr=subprocess.PIPE, timeout=120)
    assert found.returncode == -signal.SIGKILL


def test_a_process_that_cannot_be_asked_holds_everyone(directory: Zone) -> None:
    path = directory.exchange.home / "none.csv"
    path.write_bytes(large(directory.department))
    request = Request(directory.department.id, path.name, LAYOUT)
    with Apart(memory=1 << 20) as one, pytest.raises(Unexpected, match="memory") as told:
        one.publish(path, request, directory.settings)
    assert LAYOUT in told.value.__notes__[0]


def test_small_is_what_is_small_unpacked(tmp_path: Path) -> None:
    little, long, packed = (tmp_path / name for name in ("a.csv", "b.csv", "c.xlsx"))
    little.write_bytes(b"a\n1\n")
    long.write_bytes(b"a\n" * 100_000)
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("xl/styles.xml", b"<a/>" * 500_000)
    assert packed.stat().st_size < 10_000
    assert [is_small(one) for one in (little, long, packed)] == [True, False, False]


def test_no_more_is_given_than_the_machine_has() -> None:
    has = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert 0 < memory_given() <= min(4 << 30, has)

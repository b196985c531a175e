"""What a file is taken for: its edition, its sheets, its pages; and what the outcome says of it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from click.testing import CliRunner, Result

from deploy.cli.main import cli
from flows.publish import Outcome
from flows.publish.edition import EditionUnclear
from tests.support import kafka as raw
from tests.support.exchange import Department, Exchange, read_csv
from tests.support.window import SUBJECT, Window

LAYOUT = "cn-sgs-2018-licence"
HOUR_AGO = dt.timedelta(hours=1)


@pytest.fixture
def dept(kafka: str, tmp_path: Path) -> Iterator[Department]:
    made = Exchange(tmp_path, kafka, str(tmp_path / "lake"))
    yield made.department()
    made.close()


def through() -> dt.datetime:
    return dt.datetime.now(dt.UTC) - HOUR_AGO


def stated(dept: Department) -> list[Any]:
    """Return what the topic's statements say is complete, by when they were sent."""
    events = raw.events(dept.exchange.address, dept.topic())
    found = [e["statement"]["complete_through"] for e in events if e["facet"] == "statement"]
    return [time for time in found if time is not None]


def book(
    dept: Department, name: str, sheets: dict[str, list[dict[str, Any]]], *hidden: str
) -> Path:
    made = openpyxl.Workbook()
    made.remove(made.active)
    for title, rows in sheets.items():
        sheet = made.create_sheet(title)
        sheet.sheet_state = "hidden" if title in hidden else "visible"
        for row in ([*rows[0]], *([*row.values()] for row in rows)):
            sheet.append(row)
    made.save(dept.folder / name)
    return dept.folder / name


def command(dept: Department, *words: str) -> Result:
    run = CliRunner(env=dept.exchange.environment)
    return run.invoke(cli, ["publish", *words, "--publisher", dept.id], prog_name="mianti")


def publish(dept: Department, path: Path) -> Outcome:
    return dept.publisher.publish_file(path, complete_through=through())


# Sheets


def test_a_revocation_on_another_sheet_is_published_and_all_is_complete(dept: Department) -> None:
    sheets = {"许可": [dept.licence(1)], "注销": [dept.licence(2, XK_ZT="3")]}
    done = publish(dept, book(dept, "a.xlsx", sheets))
    assert (done.read, done.published, done.warns) == (2, 2, False)
    assert stated(dept)
    states = [e["standing"]["state"] for e in dept.events() if e["facet"] == "standing"]
    assert states == ["revoked"]


@pytest.mark.parametrize("hidden", [(), ("旧表",)])
def test_while_a_sheet_is_not_read_nothing_is_stated_complete(
    dept: Department, hidden: tuple[str, ...]
) -> None:
    other = dept.licence(2) if hidden else {"编号": "1", "名称": "x", "注": "y"}
    path = book(dept, "a.xlsx", {"许可": [dept.licence(1)], "旧表": [other]}, *hidden)
    said = through().isoformat()
    told = command(dept, str(path), "--complete-through", said, "--json")
    assert told.exit_code == 3, told.stderr
    shown = json.loads(told.stdout)
    assert (shown["published"], shown["refused"]) == (1, 0)
    assert [shown["left_sheets"], shown["hidden_sheets"]] == [[] if hidden else ["旧表"], [*hidden]]
    assert "旧表" in shown["not_complete"][0]["zh"]
    assert stated(dept) == []
    assert "旧表" in command(dept, str(path)).stdout


def test_rows_of_several_sheets_come_back_with_the_place_they_stood(dept: Department) -> None:
    sheets = {
        "甲": [dept.licence(1), dept.licence(2, XK_XDR_SHXYM="1")],
        "乙": [dept.licence(3, XK_XDR_SHXYM="2")],
    }
    done = dept.publisher.publish_file(book(dept, "a.xlsx", sheets))
    assert [one["place"] for one in done.examples] == ["甲!3", "乙!2"]
    assert done.refused_file is not None
    cells = [*openpyxl.load_workbook(done.refused_file).active.iter_rows(values_only=True)]
    assert [row[-1] for row in cells] == ["原行号 row", "甲!3", "乙!2"]


def test_what_a_row_of_a_workbook_lacks_is_told_by_its_own_reason(dept: Department) -> None:
    rows = [
        dept.licence(1, XK_ZT='=IF(A2="","3","1")'),
        dept.licence(2, XK_XDR_MC="#NAME?"),
        dept.licence(3),
    ]
    done = dept.publisher.publish_file(book(dept, "a.xlsx", {"许可": rows}))
    told = {one["code"]: one for one in done.examples}
    assert told["formula_without_value"]["__row"] == 2
    assert told["error_value"]["__row"] == 3
    assert "XK_ZT" in told["formula_without_value"]["sentence_zh"]
    assert (done.published, done.excepted) == (1, 2)


def test_a_page_of_many_is_published_and_not_complete(dept: Department) -> None:
    path = dept.folder / "a.json"
    path.write_text(json.dumps({"total": 1200, "rows": [dept.licence(1)]}), "utf-8")
    done = publish(dept, path)
    assert (done.published, done.warns, stated(dept)) == (1, True, [])
    path.write_text(json.dumps({"total": 1, "rows": [dept.licence(1)]}), "utf-8")
    assert not publish(dept, path).warns
    assert stated(dept)


def test_a_cell_that_a_spreadsheet_would_run_comes_back_inert_and_reads_the_same(
    dept: Department,
) -> None:
    rows = [dept.licence(1, XK_ZT="x", XK_NR="@SUM(1)", XK_XKZS="-1+cmd|'/C calc'!A0")]
    done = dept.publish(rows)
    assert done.refused_file is not None
    [back] = read_csv(Path(done.refused_file))
    assert not [text for text in back.values() if text[:1] in ("=", "+", "-", "@")]
    again = dept.publisher.publish_file(Path(done.refused_file))
    assert again.reasons == {"unknown_code": 1}


# Editions


def test_an_export_of_an_earlier_day_sets_nothing_back(dept: Department) -> None:
    dept.publish([dept.licence(1, XK_ZT="3")], "许可2026年5月10日.csv")
    older = dept.publish([dept.licence(1)], "许可2026年5月9日.csv")
    assert older.reasons == {"older_edition": 1}
    assert older.as_json()["edition"].startswith("2026-05-08T16:00")
    told = command(dept, str(dept.folder / "许可2026年5月9日.csv"))
    assert "2026-05-09" in told.stdout


@pytest.mark.parametrize("name", ["许可5月9日.csv", "许可260509.csv"])
def test_a_date_not_understood_publishes_nothing_until_the_edition_is_given(
    dept: Department, name: str
) -> None:
    with pytest.raises(EditionUnclear, match="--edition"):
        dept.publish([dept.licence(1)], name)
    edition = dt.datetime(2026, 5, 9, tzinfo=dt.UTC)
    assert dept.publish([dept.licence(1)], name, edition=edition).edition == edition


def test_an_undated_file_among_dated_ones_needs_its_edition(dept: Department) -> None:
    dept.publish([dept.licence(1)], "list-20260501.csv")
    for trial in (True, False):
        with pytest.raises(EditionUnclear, match="so far"):
            dept.publish([dept.licence(2)], "list.csv", dry_run=trial)
    given = dt.datetime(2026, 5, 2, tzinfo=dt.UTC)
    assert dept.publish([dept.licence(2)], "list.csv", edition=given).published == 1
    assert dept.publish([dept.licence(2)], "list.csv").unchanged == 1, "it is known by its content"


def test_where_files_had_no_date_so_far_none_is_asked_for(dept: Department) -> None:
    dept.publish([dept.licence(1)], "list.csv")
    dept.publish([dept.licence(1)], "list-20260501.csv")
    assert dept.publish([dept.licence(2)], "more.csv").published == 1
    assert dept.publisher.publish_rows(LAYOUT, [dept.licence(3)]).published == 1


@pytest.mark.parametrize("by", ["name", "option"])
def test_an_edition_in_the_future_is_refused(dept: Department, by: str) -> None:
    later = dt.datetime.now(dt.UTC) + dt.timedelta(days=3)
    name = f"list-{later:%Y%m%d}.csv" if by == "name" else "list.csv"
    with pytest.raises(EditionUnclear, match="yet to come"):
        dept.publish([dept.licence(1)], name, edition=later if by == "option" else None)
    assert dept.publish([dept.licence(1)], "list.csv").published == 1


# What a file leaves unread exempts nobody


def answered(dept: Department, path: Path, window: Window) -> str:
    """Publish a file of the food department as complete; return what of the licence is answered."""
    now = dt.datetime.now(dt.UTC)
    window.food.publisher.publish_file(path, layout=LAYOUT, complete_through=now)
    dept.exchange.ingest()
    return window.told()["licence"][0]


@pytest.fixture
def window(dept: Department) -> Window:
    return Window(dept.exchange)


def test_a_revocation_on_a_second_sheet_ends_the_use(dept: Department, window: Window) -> None:
    food = window.food
    licence = food.licence(1, XK_XDR_SHXYM=SUBJECT)
    first = book(food, "0.xlsx", {"许可": [licence]})
    assert answered(dept, first, window).startswith("exempt")
    revoked = licence | {"XK_ZT": "3"}
    sheets = {"许可": [food.licence(2)], "注销": [revoked]}
    assert not answered(dept, book(food, "1.xlsx", sheets), window).startswith("exempt")


def test_a_licence_beside_a_hidden_sheet_exempts_nobody(dept: Department, window: Window) -> None:
    licence = window.food.licence(1, XK_XDR_SHXYM=SUBJECT)
    sheets = {"许可": [licence], "注销": [licence | {"XK_WSH": "示许撤1号", "XK_ZT": "3"}]}
    path = book(window.food, "a.xlsx", sheets, "注销")
    assert not answered(dept, path, window).startswith("exempt")


def test_a_file_cut_before_its_last_cell_exempts_nobody(dept: Department, window: Window) -> None:
    rows = [window.food.licence(5), window.food.licence(1, XK_XDR_SHXYM=SUBJECT, XK_ZT="3")]
    path = window.food.file(rows, "a.csv")
    path.write_bytes(path.read_bytes().rstrip(b"\r\n")[:-1])
    assert not answered(dept, path, window).startswith("exempt")

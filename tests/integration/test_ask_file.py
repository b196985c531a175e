"""Many enterprises of a file asked about at once, on the whole real path."""

from __future__ import annotations

import datetime as dt
import json
from io import StringIO
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner, Result
from openpyxl import Workbook

from deploy.cli import main
from flows.answer.ask import ask
from flows.answer.batch import ANSWERED
from flows.catalogue import catalogue
from tests.support.codes import uscc
from tests.support.exchange import Exchange
from tests.support.window import Window, parts_of, penalty, words

LICENSED, PUNISHED, STOPPED, UNKNOWN = (uscc(number) for number in (1, 2, 3, 4))
EVERYONE = (LICENSED, PUNISHED, STOPPED, UNKNOWN)


@pytest.fixture
def window(exchange: Exchange, monkeypatch: pytest.MonkeyPatch) -> Window:
    """Three enterprises with a licence: one as it should be, one closed down, one stopped."""
    made = Window(exchange)
    parts = parts_of(made.food, made.police)
    parts["matters"]["SP-2"] = {**parts["matters"]["SP-1"], "materials": [{"material": "no-stop"}]}
    parts["bundles"] = {"both": {"name": words("一件事"), "matters": ["SP-1", "SP-2"]}}
    made.write(parts)
    made.publish(*(made.food.licence(number) for number in (1, 2, 3)))
    closed = {"CF_XDR_SHXYM": PUNISHED, "CF_CFLB": "责令停产停业"}
    named = {"CF_XDR_SHXYM": STOPPED, "CF_NR_ZKDX": "食品经营许可证", "CF_CFLB": "吊销许可证件"}
    made.punish(penalty(made.police, 1, **closed), penalty(made.police, 2, **named))
    environment = exchange.environment | {"MIANTI_CATALOGUE": str(made.catalogue)}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return made


def asked(path: Path, *options: str) -> Result:
    return CliRunner().invoke(main.cli, ["ask", "--file", str(path), *options])


def written(path: Path, text: str) -> Path:
    path.write_text(text, "utf-8")
    return path


def rows(text: str) -> list[dict[str, Any]]:
    return pl.read_csv(StringIO(text), infer_schema=False).to_dicts()


def alone(window: Window, subject: str, matter: str, **options: Any) -> list[tuple[Any, ...]]:
    """Return what is told of one enterprise."""
    settings = window.exchange.settings_with(mianti_catalogue=window.catalogue)
    return [
        (answer.matter, one.material, one.outcome, one.reason, (one.record or {}).get("record_key"))
        for answer in ask(settings, subject, matter, **options)
        for one in answer.decisions
    ]


def told(found: list[dict[str, Any]], row: int) -> list[tuple[Any, ...]]:
    """Return what the file's answers say of a line."""
    names = ("matter", "material", "outcome", "reason", "record_key")
    return [tuple(one[n] for n in names) for one in found if int(one["row"]) == row]


def test_each_enterprise_of_a_file_is_told_what_it_is_told_alone(
    window: Window, tmp_path: Path
) -> None:
    file = written(tmp_path / "all.csv", "统一社会信用代码,名称\n" + ",甲\n".join([*EVERYONE, ""]))
    shown = asked(file, "--matter", "both")
    assert shown.exit_code == 0, shown.output
    found = rows(shown.stdout)
    for number, subject in enumerate(EVERYONE, 1):
        assert told(found, number) == alone(window, subject, "both")
    reasons = [[one[3] for one in told(found, number)] for number in (1, 2, 3, 4)]
    assert reasons == [
        [None, None, "own_paper", None],
        ["stopped", "barred", "own_paper", "barred"],
        ["stopped", None, "own_paper", None],
        ["none_on_file", None, "own_paper", None],
    ]


def test_a_line_that_cannot_be_answered_says_why_and_is_not_lost(
    window: Window, tmp_path: Path
) -> None:
    wrong = LICENSED[:17] + ("A" if LICENSED[17] != "A" else "B")
    lines = [
        "subject,matter",
        f"{LICENSED.lower()},SP-2",
        f"{wrong},SP-1",
        "12345,SP-1",
        f"{LICENSED},XX",
        ",SP-1",
        f"{LICENSED},",
        f"{LICENSED},SP-1,one too many",
        f"{LICENSED},SP-2",
    ]
    out = tmp_path / "out.jsonl"
    file = written(tmp_path / "mixed.csv", "\n".join(lines))
    shown = asked(file, "--matter", "SP-1", "--output", str(out), "--json")
    assert shown.exit_code == 3, shown.output
    found = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert {one["row"] for one in found} == set(range(1, 9))
    faults = {one["row"]: one["reason"] for one in found if one["outcome"] is None}
    assert faults == {
        2: "code_check_digit",
        3: "code_length",
        4: "unknown_matter",
        5: "code_missing",
        7: "too_many_fields",
    }
    assert wrong not in out.read_text("utf-8")  # what is no code may be a person's number
    assert told(found, 1) == told(found, 8) == alone(window, LICENSED, "SP-2")
    assert told(found, 6) == alone(window, LICENSED, "SP-1")
    counts = json.loads(shown.stdout)
    assert (counts["lines"], counts["papers"], counts["unanswered"]) == (8, 5, 5)
    assert (counts["exempt_by_licence"], counts["exempt_by_data"], counts["must_bring"]) == (
        1,
        3,
        1,
    )


def test_a_list_of_codes_needs_no_header(window: Window, tmp_path: Path) -> None:
    file = written(tmp_path / "codes.txt", f"{LICENSED}\n\n{UNKNOWN}\n")
    found = rows(asked(file, "--matter", "SP-1").stdout)
    assert {one["subject"] for one in found} == {LICENSED, UNKNOWN}
    assert len(found) == 6


def test_every_kind_of_file_says_the_same(window: Window, tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for line in (["统一社会信用代码", "事项编码"], *([code, "SP-1"] for code in EVERYONE)):
        sheet.append(line)
    book.save(tmp_path / "all.xlsx")
    for name in ("out.csv", "out.parquet", "out.jsonl"):
        shown = asked(tmp_path / "all.xlsx", "--output", str(tmp_path / name))
        assert shown.exit_code == 0, shown.output
    parquet = pl.read_parquet(tmp_path / "out.parquet")
    assert parquet.drop("reason_en", "reason_zh").schema == ANSWERED
    unsaid = parquet["reason"].is_null()
    assert (parquet["reason_en"].is_null() == unsaid).all()
    assert (parquet["reason_zh"].is_null() == unsaid).all()
    assert not unsaid.all()
    whole = parquet.to_dicts()
    csv = rows((tmp_path / "out.csv").read_text("utf-8-sig"))
    lines = [json.loads(one) for one in (tmp_path / "out.jsonl").read_text("utf-8").splitlines()]
    for number in (1, 2, 3, 4):
        assert told(csv, number) == told(lines, number) == told(whole, number)
    assert {one.name for one in tmp_path.glob("out*")} == {"out.csv", "out.parquet", "out.jsonl"}


def test_another_day_and_another_time_are_asked_about(window: Window, tmp_path: Path) -> None:
    file = written(tmp_path / "codes.txt", LICENSED)
    day = dt.date(2026, 1, 5)  # the day before the licence begins
    before = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    for options, same in (
        (["--on", "2026-01-05"], {"on": day}),
        (["--known-at", "2026-01-01T08:00"], {"known_at": before}),
    ):
        found = rows(asked(file, "--matter", "SP-1", *options).stdout)
        assert told(found, 1) == alone(window, LICENSED, "SP-1", **same)
        assert told(found, 1)[0][2] == "must_bring"


def test_what_cannot_be_done_is_told_and_writes_nothing(window: Window, tmp_path: Path) -> None:
    codes = written(tmp_path / "codes.txt", LICENSED)
    table = written(tmp_path / "table.csv", f"code,name\n{LICENSED},甲\n")
    out = tmp_path / "out.csv"
    for file, options, says in (
        (codes, ["--matter", "XX"], "catalogue list"),
        (codes, [], "--matter"),
        (table, ["--matter", "SP-1"], "统一社会信用代码"),
        (tmp_path / "none.csv", ["--matter", "SP-1"], "no such file"),
    ):
        shown = asked(file, *options, "--output", str(out))
        assert shown.exit_code == 2
        assert says in shown.stderr
        assert not out.exists()
    shown = asked(codes, "--matter", "SP-1", "--output", str(tmp_path / "out.doc"))
    assert (shown.exit_code, ".parquet" in shown.stderr) == (2, True)
    for arguments in (
        ["ask"],
        ["ask", "--subject", LICENSED],
        ["ask", "--subject", LICENSED, "--file", "x"],
    ):
        assert CliRunner().invoke(main.cli, arguments).exit_code == 2


def test_an_enterprise_in_every_bucket_is_answered(window: Window, tmp_path: Path) -> None:
    many = [uscc(number) for number in range(500)]
    found = rows(asked(written(tmp_path / "many.txt", "\n".join(many)), "--matter", "SP-2").stdout)
    assert sorted(one["subject"] for one in found) == sorted(many)
    assert {one["reason"] for one in found if one["subject"] != PUNISHED} == {None}
    assert catalogue(window.catalogue).matters["SP-2"].materials[0].material == "no-stop"

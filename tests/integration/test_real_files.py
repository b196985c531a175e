"""Two sets of Chinese departments, byte for byte as they were published, from file to dataset."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from connectors.topics import PARTITIONS
from flows.publish import Outcome
from tests.support.exchange import Department, Exchange, read_csv
from tests.support.kafka import SCHEMAS

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("MIANTI_SHARED_DATA", ROOT.parent / "shared" / "data"))
TAX = DATA / "cn_tax_a_heilongjiang_2018" / "heilongjiang.csv"
NMPA = DATA / "cn_nmpa_cosmetics_licences_2021" / "nmpa_detail_2021-10.json"
REFUSED_COLUMNS = ["退回原因代码 reason_code", "退回原因 reason", "原行号 row"]


def real(path: Path, folder: Path) -> Path:
    if not path.exists():
        pytest.skip(f"no {path}: set MIANTI_SHARED_DATA to the directory of the real files")
    return Path(shutil.copyfile(path, folder / path.name))


def registered(exchange: Exchange, name: str) -> Department:
    """Register a department with its line of the shipped publishers' table."""
    shipped: dict[str, Any] = yaml.safe_load((SCHEMAS / "publishers.yaml").read_text("utf-8"))
    return exchange.department(name, **shipped["publishers"][name])


class Real:
    """A real file, published by its department and ingested."""

    def __init__(self, department: Department, path: Path, family: str) -> None:
        self.department = department
        self.path = path
        self.first = self.publish(path)
        self.ingested = department.exchange.ingest(family)

    def publish(self, path: Path) -> Outcome:
        return self.department.publisher.publish_file(path)


@pytest.fixture(scope="module")
def tax(make_exchange: Callable[[], Exchange]) -> Real:
    exchange = make_exchange()
    department = registered(exchange, "heilongjiang-tax")
    return Real(department, real(TAX, department.folder), "credit")


@pytest.fixture(scope="module")
def nmpa(make_exchange: Callable[[], Exchange]) -> Real:
    exchange = make_exchange()
    department = registered(exchange, "nmpa")
    return Real(department, real(NMPA, department.folder), "licence")


def counts(outcome: Outcome) -> tuple[int, int, int, int]:
    return outcome.read, outcome.published, outcome.unchanged, outcome.refused


def test_each_tax_row_is_published_or_refused_with_its_reason(tax: Real) -> None:
    assert counts(tax.first) == (5233, 5194, 0, 39)
    assert tax.first.events == 5194
    codes = {c: n for c, n in tax.first.reasons.items() if c.startswith("code_")}
    assert sum(codes.values()) == 35
    assert {c: n for c, n in tax.first.reasons.items() if c not in codes} == {"contradictory": 4}
    assert len(tax.department.events("credit")) == 5194


def test_the_tax_rows_are_in_the_dataset(tax: Real) -> None:
    exchange = tax.department.exchange
    rows = exchange.dataset("credit")
    assert rows.height == tax.ingested.settled.rows == 5194
    assert set(rows["record_key"]) == {e["record_key"] for e in tax.department.events("credit")}
    assert rows["usable"].unique().to_list() == ["yes"]
    assert rows.select("grade", "period", "list_code").unique().rows() == [
        ("A", "2018", "tax_credit_a")
    ]
    found = exchange.verified("credit")
    events = 5194 + PARTITIONS  # and in each partition whose rows were refused
    assert (found.accepted, found.duplicates, found.dataset_rows) == (events, 0, 5194)


def test_the_tax_file_sent_again_changes_nothing(tax: Real) -> None:
    before = len(tax.department.messages("credit"))
    again = tax.publish(tax.path)
    assert counts(again) == (5233, 0, 5194, 39)
    assert (again.events, again.excepted, again.everyone) == (0, tax.first.excepted, 0)
    assert again.excepted < 39
    assert len(tax.department.messages("credit")) == before


def test_the_refused_tax_rows_come_back_as_they_were_and_can_be_mended(tax: Real) -> None:
    assert tax.first.refused_file is not None
    path = Path(tax.first.refused_file)
    original = tax.path.read_text("gbk").splitlines()
    returned = path.read_text("utf-8-sig").splitlines()
    assert returned[0].startswith(original[0])
    assert len(returned) == 1 + 39
    rows = read_csv(path)
    assert list(rows[0])[-3:] == REFUSED_COLUMNS
    for row, text in zip(rows, returned[1:], strict=True):
        assert text.startswith(original[int(row["原行号 row"])])
        assert row[REFUSED_COLUMNS[0]] in tax.first.reasons
        assert re.search(r"[a-z]{4}", row[REFUSED_COLUMNS[1]])
        assert re.search(r"[\u4e00-\u9fff]{4}", row[REFUSED_COLUMNS[1]])

    assert counts(tax.publish(path)) == (39, 0, 0, 39)

    contradictory = [
        row["原行号 row"] for row in rows if row[REFUSED_COLUMNS[0]] == "contradictory"
    ]
    assert len(contradictory) == 4
    mended = mend(path, contradictory)
    done = tax.publish(mended)
    # Two records in four rows: each row that repeats the other's name now says the same.
    assert counts(done) == (39, 2, 2, 35)
    assert counts(tax.publish(mended)) == (39, 0, 4, 35)


def mend(path: Path, numbers: list[str]) -> Path:
    """Give all contradictory rows of one code the same name; leave the others."""
    lines = path.read_text("utf-8-sig").splitlines()
    names: dict[str, str] = {}
    for at, line in enumerate(lines):
        fields = line.split(",")
        if fields[-1] in numbers:
            fields[2] = names.setdefault(fields[1], fields[2])
            lines[at] = ",".join(fields)
    mended = path.with_name("mended.csv")
    mended.write_text("\n".join(lines) + "\n", "utf-8")
    return mended


def test_the_same_record_delivered_four_times_is_published_once(nmpa: Real) -> None:
    assert counts(nmpa.first) == (60, 15, 45, 0)
    assert counts(nmpa.publish(nmpa.path)) == (60, 0, 60, 0)
    exchange = nmpa.department.exchange
    rows = exchange.dataset()
    assert rows.height == 15
    assert rows["name"].unique().to_list() == ["化妆品生产许可证"]
    exchange.verified()


def test_a_lower_case_code_is_accepted_and_made_upper_case(nmpa: Real) -> None:
    assert "9144010132102269x2" in nmpa.path.read_text("utf-8")
    rows = nmpa.department.exchange.query(subject="9144010132102269X2")
    assert rows.height == 1
    assert rows["usable"].to_list() == ["yes"]


def test_names_of_persons_do_not_leave_the_drug_authority(nmpa: Real) -> None:
    columns = set(nmpa.department.exchange.dataset().columns)
    assert not columns & {"legalPerson", "businessPerson", "qualityPerson"}


def test_a_file_in_a_folder_nobody_may_write_to_is_given_back_at_home(exchange: Exchange) -> None:
    department = registered(exchange, "heilongjiang-tax")
    path = real(TAX, department.folder)
    department.folder.chmod(0o555)
    try:
        outcome = department.publisher.publish_file(path)
    finally:
        department.folder.chmod(0o755)
    assert outcome.refused_file == str(exchange.home / "refused" / "heilongjiang.refused.csv")
    assert list(department.folder.iterdir()) == [path]


def test_the_two_sets_show_what_else_is_in_them(tax: Real, nmpa: Real) -> None:
    """Facts the other tests lean on: were the data changed, these would say so first."""
    lines = tax.path.read_text("gbk").splitlines()
    assert len(lines) - 1 == 5233
    ids = pl.Series([line.split(",")[1] for line in lines[1:]])
    assert ids.str.len_chars().is_in([15]).sum() == 24
    assert pl.read_json(nmpa.path)["productSn"].n_unique() == 15

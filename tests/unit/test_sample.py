"""The generated sample is what its manifest says, judged by the product's own functions."""

import datetime as dt
import json
import re
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

from connectors.files import open_source
from connectors.ledger import Ledger, open_ledger
from deploy.cli.sample import command
from flows.check import check
from flows.publish.edition import edition_in_name
from flows.publish.events import Sender, stamp
from flows.publish.fields import Context
from flows.publish.mapping import faults_of, map_rows
from flows.publish.plan import Held, plan
from flows.publish.recognise import recognise
from flows.publish.recover import ledger_rows
from flows.sample import generate as generate_module
from flows.sample.enterprise import AREA, code
from flows.sample.faults import EVERY
from flows.sample.generate import generate
from flows.sample.manifest import FileCount, Manifest
from schemas import contract
from schemas.identifiers import uscc

ROWS, SEED = 200, 11
FAULTS = pl.Schema({"__row": pl.Int64(), "code": pl.String(), "where": pl.String()})
DAY_1 = ["registrations-20260501.csv", "licences-20260501.xlsx", "penalties-20260501.csv"]


@dataclass
class Came:
    """What the product made of one file."""

    layout: str
    rows: int
    published: int
    unchanged: int
    refused: dict[str, int] = field(default_factory=dict)
    events: pl.DataFrame = field(default_factory=pl.DataFrame)


def publish_without_kafka(path: Path, publisher: str, ledgers: Path) -> Came:
    """Recognise, map, check and plan a file, and keep in the ledger what would be sent."""
    owner = contract.publishers().publishers[publisher]
    source = open_source(path)
    match = recognise(source.header, contract.dialects(), owner, None)
    dialect = match.dialect
    lists = contract.code_lists()
    codes = {name: lists[one].values for name, one in owner.layouts[dialect.id].codes.items()}
    edition = edition_in_name(path.name)
    assert edition is not None
    sender = Sender(publisher, dialect.family, dialect.id, dialect.version, source.digest, edition)
    good, refused, read = [], [pl.DataFrame(schema=FAULTS)], 0
    for chunk in source.chunks():
        read += chunk.rows.height
        rows = chunk.rows.rename(match.names, strict=False)
        mapped = map_rows(rows, dialect, Context(dialect.no_end, codes))
        events = stamp(mapped.events, sender)
        bad = faults_of(check(events, dialect.family, owner, publisher)).unique("__row")
        good.append(events.join(bad.select("__row"), on="__row", how="anti"))
        refused += [mapped.faults, bad]
    with open_ledger(ledgers, publisher, dialect.family) as ledger:
        made = plan(pl.concat(good), _held(ledger, pl.concat(good)), dialect.family)
        ledger.write(ledger_rows(made.publish, sent=True))
        ledger.write(ledger_rows(made.silent, sent=True))
    why = pl.concat([frame.cast(FAULTS) for frame in [*refused, made.refused]])
    counts = why.unique("__row").group_by("code").len()
    published, out = made.publish["__row"].n_unique(), why["__row"].n_unique()
    return Came(
        dialect.id, read, published, read - published - out, dict(counts.iter_rows()), made.publish
    )


def _held(ledger: Ledger, events: pl.DataFrame) -> Held:
    keys = events["record_key"]
    return Held(ledger.latest(keys), ledger.exact(keys.clear()), ledger.unsent(keys))


def publish_all(out: Path, manifest: Manifest, ledgers: Path) -> dict[str, Came]:
    return {
        name: publish_without_kafka(out / name, file.publisher, ledgers)
        for name, file in manifest.files.items()
    }


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Manifest]:
    out = tmp_path_factory.mktemp("sample")
    return out, generate(ROWS, SEED, out)


@pytest.fixture(scope="module")
def came(
    sample: tuple[Path, Manifest], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Came]:
    return publish_all(*sample, tmp_path_factory.mktemp("ledgers"))


def expected(file: FileCount) -> tuple[str, int, int, int, dict[str, int]]:
    return file.layout, file.rows, file.published, file.unchanged, file.refused


def found(one: Came) -> tuple[str, int, int, int, dict[str, int]]:
    return one.layout, one.rows, one.published, one.unchanged, one.refused


def test_the_manifest_foretells_what_becomes_of_every_row(
    sample: tuple[Path, Manifest], came: dict[str, Came]
) -> None:
    _, manifest = sample
    assert {n: found(c) for n, c in came.items()} == {
        n: expected(f) for n, f in manifest.files.items()
    }


@pytest.mark.parametrize(("rows", "seed"), [(50, 1), (73, 2), (634, 3)])
def test_it_does_so_for_other_sizes_and_seeds(rows: int, seed: int, tmp_path: Path) -> None:
    manifest = generate(rows, seed, tmp_path / "out")
    came = publish_all(tmp_path / "out", manifest, tmp_path / "ledgers")
    assert [found(c) for c in came.values()] == [expected(f) for f in manifest.files.values()]


def test_every_kind_of_fault_is_there_in_the_smallest_sample(tmp_path: Path) -> None:
    files = generate(50, 5, tmp_path).files
    kinds = {
        "wrong_check_digit",
        "lower_case_code",
        "missing_code",
        "bad_date",
        "contradictory_pair",
        "repeated_row",
        "identity_number",
        "foreign_issuer",
    }
    register, licences, penalties = (set(files[name].faults) for name in DAY_1)
    assert register == kinds | {"unknown_state", "amount_below_fen"}
    assert licences == kinds | {"unknown_state"}
    assert penalties == kinds | {"amount_below_fen"}


def test_about_two_rows_in_a_hundred_are_spoilt(tmp_path: Path) -> None:
    file = generate(1000, 5, tmp_path).files[DAY_1[0]]
    assert sum(file.faults.values()) == 1000 // EVERY


def test_the_manifest_lies_beside_the_files(sample: tuple[Path, Manifest]) -> None:
    out, manifest = sample
    written = json.loads((out / "manifest.json").read_text("utf-8"))
    assert written["enterprise"] == manifest.enterprise
    assert list(written["files"]) == [*DAY_1, *(n for n in manifest.files if n not in DAY_1)]
    assert all((out / name).is_file() for name in written["files"])


def _bytes(out: Path) -> dict[str, bytes]:
    return {str(p.relative_to(out)): p.read_bytes() for p in out.rglob("*") if p.is_file()}


def test_one_seed_gives_the_same_bytes_and_another_gives_others(
    sample: tuple[Path, Manifest], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    generate(ROWS, SEED, tmp_path / "again")
    generate(ROWS, SEED + 1, tmp_path / "other")
    first, again, other = (_bytes(p) for p in (sample[0], tmp_path / "again", tmp_path / "other"))
    assert again == first
    assert all(other[name] != first[name] for name in first)


def test_a_workbook_does_not_say_when_it_was_made(sample: tuple[Path, Manifest]) -> None:
    with zipfile.ZipFile(sample[0] / DAY_1[1]) as book:
        assert {info.date_time[0] for info in book.infolist()} == {1980}
        stamps = re.findall(rb"<dcterms:[^>]*>([^<]*)<", book.read("docProps/core.xml"))
    assert set(stamps) == {b"2026-05-01T00:00:00Z"}
    assert len(stamps) == 2


def test_codes_are_valid_and_of_no_real_place(came: dict[str, Came]) -> None:
    subjects = pl.concat([c.events["subject"] for c in came.values()]).unique()
    assert subjects.len() > ROWS // 2
    assert all(uscc.is_valid(subject) and subject[2:8] == AREA for subject in subjects)


def test_no_person_is_in_what_would_be_sent(
    sample: tuple[Path, Manifest], came: dict[str, Came]
) -> None:
    out, _ = sample
    raw = open_source(out / DAY_1[2])
    rows = pl.concat([chunk.rows for chunk in raw.chunks()])
    persons = {*rows["CF_FRDB"].drop_nulls(), *rows["CF_FR_ZJHM"].drop_nulls()}
    register = pl.concat([c.rows for c in open_source(out / DAY_1[0]).chunks()])
    persons |= {*register["法定代表人"].drop_nulls(), *register["联系电话"].drop_nulls()}
    assert len(persons) > ROWS
    sent = " ".join(
        json.dumps(c.events.to_dicts(), default=str, ensure_ascii=False) for c in came.values()
    )
    assert [person for person in persons if person in sent] == []


def test_the_enterprise_shown_has_all_there_is_to_show(
    sample: tuple[Path, Manifest], came: dict[str, Came]
) -> None:
    own = [came[name].events.filter(subject=sample[1].enterprise).to_dicts() for name in DAY_1]
    register, licences, penalties = own
    assert [e["facet"] for e in register] == ["decision"]
    decisions = {e["record_key"]: e["decision"] for e in licences if e["facet"] == "decision"}
    assert len(decisions) == 4
    ended = [d for d in decisions.values() if d["valid_to"] and d["valid_to"] < dt.date(2026, 5, 1)]
    assert len(ended) == 1
    assert sum(d["term"] == "open_ended" for d in decisions.values()) == 1
    [suspended] = [e for e in licences if e["facet"] == "standing"]
    assert suspended["standing"]["state"] == "suspended"
    number = decisions[suspended["record_key"]]["number"]
    named = [e["decision"]["licences_affected"] for e in penalties]
    assert len(named) == 2
    assert [number in (text or "") for text in named] == [True, False]


def test_a_licence_is_suspended_on_the_second_day_and_back_on_the_third(
    sample: tuple[Path, Manifest], came: dict[str, Came]
) -> None:
    second, third = (came[name].events for name in list(came)[3:])
    assert set(second["facet"]) == {"standing"}
    assert set(second["standing"].struct.field("state")) == {"suspended"}
    assert set(second["sequence"]) == {1}
    [back] = third.to_dicts()
    assert back["standing"]["state"] == "in_force"
    assert back["sequence"] == 2
    assert back["subject"] == sample[1].enterprise
    assert back["edition"] == dt.datetime(2026, 5, 2, 16, tzinfo=dt.UTC)


def test_texts_with_line_breaks_are_one_row_each(sample: tuple[Path, Manifest]) -> None:
    for name, column in zip(DAY_1, ("经营范围", "许可内容", "CF_SY"), strict=True):
        rows = pl.concat([chunk.rows for chunk in open_source(sample[0] / name).chunks()])
        assert rows[column].str.contains("\n").any(), name
        assert rows["__fault"].is_null().all(), name


def test_the_files_are_encoded_as_departments_do(sample: tuple[Path, Manifest]) -> None:
    out, _ = sample
    assert (out / DAY_1[0]).read_bytes().decode("gb18030").startswith("统一社会信用代码,企业名称")
    assert (out / DAY_1[1]).read_bytes().startswith(b"PK")
    assert (out / DAY_1[2]).read_bytes().startswith(b"\xef\xbb\xbfCF_XDR_MC,")


def test_more_rows_than_a_workbook_should_hold_are_csv(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generate_module, "XLSX_ROWS", 59)
    manifest = generate(60, 1, tmp_path / "out")
    assert {Path(name).suffix for name in manifest.files} == {".csv"}
    came = publish_all(tmp_path / "out", manifest, tmp_path / "ledgers")
    assert [found(c) for c in came.values()] == [expected(f) for f in manifest.files.values()]


def test_too_few_rows_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="50 rows"):
        generate(49, 1, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_serial_numbers_give_different_codes() -> None:
    assert len({code(number) for number in (0, 1, 30, 31, 31**6 - 1)}) == 5


def test_the_command_writes_the_sample_and_says_what_to_expect(tmp_path: Path) -> None:
    ran = CliRunner().invoke(command, ["--rows", "60", "--seed", "3", "--out", str(tmp_path)])
    assert ran.exit_code == 0, ran.output
    assert "--publisher housing-demo" in ran.output
    assert f"{tmp_path}/manifest.json" in ran.output
    assert (tmp_path / "manifest.json").is_file()

"""Numbers of persons, put wherever a department or a stranger can put them, reach nothing."""

from __future__ import annotations

import json
import logging
import os
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import polars as pl
import pytest
from click.testing import CliRunner, Result

from connectors.errors import MiantiError
from deploy.cli.main import cli
from tests.support import kafka as raw
from tests.support import lake
from tests.support.codes import citizen, citizen_with_x, old_citizen, uscc
from tests.support.exchange import Department, Exchange, texts, write_csv
from tests.support.rows import DIALECTS, Layout, filled, strings

NUMBERS = {
    "identity": citizen(21),
    "identity with X": citizen_with_x(),
    "old identity": old_citizen(),
    "mobile": "13800138000",
    "second mobile": "19912345678",
}
MOBILE, SECOND = NUMBERS["mobile"], NUMBERS["second mobile"]
#: As people write them.
SPELLINGS = {
    **NUMBERS,
    "identity in a sentence": f"法定代表人身份证号{NUMBERS['identity']}，已核",
    "identity with a small x": NUMBERS["identity with X"].lower(),
    "identity in groups": f"{NUMBERS['identity'][:6]} {NUMBERS['identity'][6:14]} "
    f"{NUMBERS['identity'][14:]}",
    "old identity in a sentence": f"证件：{NUMBERS['old identity']}。",
    "mobile in a sentence": f"联系电话{MOBILE}（经理）",
    "mobile in groups": f"{MOBILE[:3]}-{MOBILE[3:7]}-{MOBILE[7:]}",
    "mobile with its country": f"+86 {SECOND[:3]} {SECOND[3:7]} {SECOND[7:]}",
    "full-width mobile": "".join(chr(ord(digit) + 0xFEE0) for digit in SECOND),
}
TABULAR = [Layout(path) for path in DIALECTS if not Layout(path).native]
FAMILIES = ("registration", "licence", "credit")
FACETS = ("decision", "standing", "repair", "objection")


def held(text: str) -> set[str]:
    """Return the kinds of planted numbers a text holds, however they are spelled."""
    plain = unicodedata.normalize("NFKC", text).upper()
    for gap in (" ", "-", "\u3000"):
        plain = plain.replace(gap, "")
    return {kind for kind, number in NUMBERS.items() if number in plain}


def in_kafka(exchange: Exchange) -> Iterator[str]:
    for department in exchange.departments:
        mine = [t for t in raw.topics(exchange.address) if t.endswith(department.id)]
        for topic in mine:
            for message in raw.messages(exchange.address, topic):
                headers = [part for name, value in message.headers for part in (name, str(value))]
                for part in (message.key, message.value):
                    yield (part or b"").decode("utf-8", "ignore")
                yield from headers


def in_lake(exchange: Exchange) -> Iterator[str]:
    """Yield all that is in the lake's files: live, replaced, change data, and the tables' logs."""
    tables: dict[tuple[str, ...], list[Path]] = {}
    folder = lake.fetched(exchange.lake, exchange.home / f"fetched-{uuid4().hex}")
    for path in folder.rglob("*"):
        place = path.relative_to(folder).parts
        if "_delta_log" not in place and path.suffix == ".parquet":
            tables.setdefault((*place[:2], str("_change_data" in place)), []).append(path)
        elif path.suffix == ".parquet":
            yield from texts([pl.read_parquet(path)])
        elif path.is_file():
            yield path.read_bytes().decode("utf-8", "ignore")
    assert tables
    yield from texts(pl.read_parquet(files, hive_partitioning=False) for files in tables.values())


def in_logs(exchange: Exchange) -> Iterator[str]:
    for folder in ("log", "logs", "prefect"):
        for path in (exchange.home / folder).rglob("*"):
            if path.is_file():
                yield path.read_bytes().decode("utf-8", "ignore")


class Said:
    """What commands printed, logged and raised."""

    def __init__(self, exchange: Exchange, caplog: pytest.LogCaptureFixture) -> None:
        self._environment = exchange.environment
        self._caplog = caplog
        self._texts: list[str] = []
        caplog.set_level(logging.DEBUG)
        # Its own debugging prints the bytes of every request, which are looked at in the topic.
        caplog.set_level(logging.INFO, logger="kafka")

    def run(self, *words: str) -> Result:
        result = CliRunner(env=self._environment).invoke(cli, list(words), prog_name="mianti")
        self._texts += [result.stdout, result.stderr, repr(result.exception)]
        return result

    def __iter__(self) -> Iterator[str]:
        yield from self._texts
        for record in self._caplog.records:
            yield record.getMessage()
            yield str(record.exc_text)


def nowhere(exchange: Exchange, said: Iterable[str]) -> None:
    """Fail where a planted number reached anything beyond its department."""
    places = {
        "Kafka": in_kafka(exchange),
        "the lake": in_lake(exchange) if lake.exists(exchange.lake) else [],
        "a log": in_logs(exchange),
        "a message": said,
    }
    found = {place: held("\n".join(told)) for place, told in places.items()}
    assert [place for place, numbers in found.items() if numbers] == []


def department_of(exchange: Exchange, layout: Layout) -> Department:
    """Register a department that may send a layout, with code lists that fit it."""
    lists = {name: f"test-{layout.id}-{name}" for name in layout.lists()}
    folder = exchange.home / "dialects" / "codes"
    folder.mkdir(parents=True)
    for name, meaning in layout.lists().items():
        says = {"en": name, "zh": name}
        codes = {"id": lists[name], "says": says, "source": "test", "values": {"1": meaning}}
        (folder / f"{lists[name]}.yaml").write_text(json.dumps(codes), "utf-8")
    exchange.dialects = folder.parent
    facets = [f for f in FACETS if f != "repair" or layout.family == "credit"]
    department = exchange.department()
    rights = {"facets": facets, "issuers": [department.code]}
    department.line["families"] = {layout.family: rights}
    department.line["layouts"] = {layout.id: {"codes": lists}}
    return department


@pytest.mark.parametrize("layout", TABULAR, ids=lambda layout: layout.id)
def test_a_number_in_any_column_goes_nowhere(
    exchange: Exchange, caplog: pytest.LogCaptureFixture, layout: Layout
) -> None:
    department = department_of(exchange, layout)
    clean = [layout.row(number, department.code) for number in range(1, 4)]
    dropped: list[dict[str, str]] = []
    mapped: list[dict[str, str]] = []
    for column in [*layout.columns, "另加的一列"]:
        if column in layout.amounts:
            continue
        for spelling in SPELLINGS.values():
            number = 10 + len(dropped) + len(mapped)
            row = layout.row(number, department.code) | {column: spelling}
            (mapped if column in layout.maps else dropped).append(row)
    rows = [*clean, *dropped, *mapped]
    path = write_csv(department.folder / "persons.csv", rows)
    assert held(path.read_text("utf-8")) == set(NUMBERS)

    said = Said(exchange, caplog)
    words = ["publish", str(path), "--publisher", department.id, "--layout", layout.id]
    assert said.run(*words, "--dry-run").exit_code == 3
    done = said.run(*words, "--json")
    assert done.exit_code == 3
    counted = json.loads(done.stdout)
    # A column that goes nowhere may hold what it likes; a number in any other refuses its row.
    assert (counted["published"], counted["refused"]) == (len(clean) + len(dropped), len(mapped))
    assert counted["reasons"]["personal_data"] >= len(SPELLINGS)
    assert said.run(*words).exit_code == 3
    assert said.run("ingest", layout.family).exit_code == 0
    asked = said.run("query", layout.family, "--json")
    assert len(asked.stdout.splitlines()) == len(clean) + len(dropped)
    nowhere(exchange, said)


def native(department: Department, family: str, number: int, path: str, text: str) -> Any:
    """Return a Mianti event with a text at one path, which may be of its envelope."""
    facet = path.split(".")[0] if "." in path else "decision"
    event: dict[str, Any] = {
        "event_type": "status_stated" if family != "credit" else "standing_stated",
        "issuer": department.code,
        "subject": uscc(number),
        "record_key": f"{department.code}/{number}",
        "facet": facet,
        facet: filled(family, facet, path, text),
    }
    envelope = {"record_key": f"{department.code}/{text}"}
    return event if "." in path else event | {path: envelope.get(path, text)}


def paths_of(family: str) -> list[str]:
    """Return the paths of texts a program may give."""
    own = ("issuer", "issuer_name", "subject", "record_key")
    return [p for p, _ in strings(family) if p in own or p.split(".")[0] in FACETS]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_number_in_any_text_of_a_program_goes_nowhere(
    exchange: Exchange, caplog: pytest.LogCaptureFixture, family: str
) -> None:
    layout = Layout(raw.SCHEMAS / "dialects" / f"mianti-{family}.yaml")
    department = department_of(exchange, layout)
    clean = [native(department, family, 1, "decision.nothing", "")]
    planted = [
        native(department, family, number, path, text)
        for number, (path, text) in enumerate(
            ((p, s) for p in paths_of(family) for s in SPELLINGS.values()), start=10
        )
    ]
    stowed = native(department, family, 5, "decision.nothing", "")
    stowed["decision"] |= {"phone": MOBILE}
    path = department.folder / "events.jsonl"
    lines = [json.dumps(row, ensure_ascii=False) for row in [*clean, *planted, stowed]]
    path.write_text("\n".join(lines) + "\n", "utf-8")

    said = Said(exchange, caplog)
    words = ["publish", str(path), "--publisher", department.id]
    done = said.run(*words, "--json")
    counted = json.loads(done.stdout)
    assert (counted["published"], counted["refused"]) == (1, len(planted) + 1)
    assert counted["reasons"]["personal_data"] > len(SPELLINGS)
    assert said.run(*words).exit_code == 3
    assert said.run("ingest", family).exit_code == 0
    nowhere(exchange, said)


def good_event(department: Department, family: str = "licence") -> dict[str, Any]:
    """Publish a record and return its event."""
    department.publisher.publish_rows(f"mianti-{family}", [department.native(1)])
    return next(e for e in department.events(family) if e["facet"] == "decision")


def test_a_number_in_any_text_of_an_event_put_into_kafka_leaves_a_digest(
    exchange: Exchange, caplog: pytest.LogCaptureFixture
) -> None:
    department = exchange.department()
    event = good_event(department)
    where = [path for path, _ in strings("licence") if path.split(".")[0] not in FACETS[1:]]
    values = []
    for path in where:
        for text in SPELLINGS.values():
            stored = {"decision": filled("licence", "decision", path, text)}
            if "." not in path:
                stored = {path: f"{department.code}/{text}" if path == "record_key" else text}
            elif path.split(".")[0] != "decision":
                continue
            values.append(raw.encode(event | stored, "licence"))
    raw.send(exchange.address, department.topic(), [(event["subject"].encode(), v) for v in values])

    said = Said(exchange, caplog)
    assert said.run("ingest", "licence").exit_code == 0
    assert said.run("status").exit_code == 3  # messages wait
    assert said.run("query", "licence", "--json").exit_code == 0
    log = exchange.log().filter(topic=department.topic())
    assert log.filter(verdict="accepted").height == 1
    bad = log.filter(verdict="quarantined")
    assert bad.height == len(values)
    assert bad["raw"].null_count() == bad.height
    assert bad["raw_digest"].str.len_chars().unique().to_list() == [64]
    assert {kind for text in in_lake(exchange) for kind in held(text)} == set()
    assert {kind for text in said for kind in held(text)} == set()


def test_a_number_in_bytes_that_are_no_event_leaves_a_digest(exchange: Exchange) -> None:
    department = exchange.department()
    whole = raw.encode(good_event(department), "licence")
    values, spellings = [], []
    for name, spelling in SPELLINGS.items():
        text = spelling.encode()
        values += [text, b"\x00\x00\x00\x00\x63" + text, whole + b" " + text]
        values.append(json.dumps({"tel": spelling}, ensure_ascii=False).encode())
        spellings += [name] * 4
    raw.send(exchange.address, department.topic(), [(None, v) for v in values], partition=3)
    exchange.ingest()
    bad = exchange.log().filter(topic=department.topic(), verdict="quarantined")
    assert bad.height == len(values)
    kept = [name for name, left in zip(spellings, bad["raw"], strict=True) if left is not None]
    assert sorted(set(kept)) == []
    assert {kind for text in in_lake(exchange) for kind in held(text)} == set()


def test_a_number_in_a_key_or_a_header_is_not_kept(exchange: Exchange) -> None:
    department = exchange.department()
    event = good_event(department)
    value = raw.encode(event, "licence")
    with raw.producer(exchange.address) as client:
        client.send(department.topic(), key=MOBILE.encode(), value=value)
        client.send(department.topic(), key=event["subject"].encode(), value=value,
                    headers=[("ce_id", SECOND.encode()), (NUMBERS["identity"], b"x")])  # fmt: skip
        client.flush()
    exchange.ingest()
    log = exchange.log().filter(topic=department.topic())
    assert log["reason"].to_list().count("key_mismatch") == 1
    assert {kind for text in in_lake(exchange) for kind in held(text)} == set()


def test_a_withdrawal_repeats_no_number(
    exchange: Exchange, caplog: pytest.LogCaptureFixture
) -> None:
    department = exchange.department()
    department.publish([department.licence(1)])
    said = Said(exchange, caplog)
    for key, reason in [(department.key(1), f"电话{MOBILE}"), (f"x/{NUMBERS['identity']}", "错")]:
        words = ["withdraw", key, "--publisher", department.id, "--reason", reason]
        assert said.run(*words).exit_code == 2
    nowhere(exchange, said)


def test_a_file_without_a_header_line_is_not_repeated(
    exchange: Exchange, caplog: pytest.LogCaptureFixture
) -> None:
    department = exchange.department()
    said = Said(exchange, caplog)
    for kind, spelling in enumerate(SPELLINGS.values()):
        path = department.folder / f"headless{kind}.csv"
        path.write_text(f"示范企业,{spelling},91\n" * 3, "utf-8")
        assert said.run("publish", str(path), "--publisher", department.id).exit_code == 2
    nowhere(exchange, said)


def test_no_number_stays_in_the_folder_for_passing_files(
    exchange: Exchange, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is set aside while a file is read is gone when it is done, or has failed."""
    passing = tmp_path_factory.mktemp("passing")
    monkeypatch.setenv("TMPDIR", str(passing))
    monkeypatch.setattr("tempfile.tempdir", None)
    department = exchange.department()
    department.publish([department.licence(1, XK_NR=MOBILE), department.licence(2)])
    with pytest.raises(MiantiError):
        department.publish([{"x": MOBILE}])
    assert os.listdir(passing) == []
    assert [p for p in Path(department.folder).iterdir() if p.name.startswith(".")] == []

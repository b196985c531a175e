"""A contract that cannot work does not load, and is told whole: file, place, what may stand there."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from deploy.cli import main
from schemas import contract
from schemas.contract import BadContract
from schemas.faults import Fault

HYGIENE: dict[str, Any] = {
    "id": "hygiene",
    "version": "1",
    "family": "credit",
    "title": {"en": "Hygiene", "zh": "卫生监督"},
    "record_key": {"columns": ["文号"], "says": {"en": "number", "zh": "文号"}},
    "columns": {
        "文号": [],
        "代码": ["统一社会信用代码"],
        "名称": [],
        "结论": [],
        "种类": [],
        "罚款": [],
        "日期": [],
        "备注": [],
        "经办人": [],
    },
    "recognise": ["文号", "代码", "结论"],
    "personal": ["经办人"],
    "subject": "代码",
    "issuer": {"const": "示范市卫生监督所"},
    "events": [
        {
            "facet": "decision",
            "type": {"const": "penalised"},
            "effective_from": {"date": "日期"},
            "occurred_at": {"time": "日期"},
            "content": {
                "kind": {"const": "penalty"},
                "document_number": "文号",
                "fine_yuan": {"yuan": "罚款"},
                "categories": {"split": "种类"},
                "valid_to": {"date": "日期"},
            },
        },
        {
            "facet": "standing",
            "type": {"const": "standing_stated"},
            "content": {"state": {"code": "结论", "list": "conclusion"}},
        },
    ],
}
FOOD: dict[str, Any] = {
    **{key: HYGIENE[key] for key in ("version", "title", "record_key", "columns", "recognise")},
    "id": "food",
    "family": "licence",
    "subject": "代码",
    "issuer": {"const": "示范市食品局"},
    "events": [
        {
            "facet": "decision",
            "type": {"const": "granted"},
            "content": {
                "number": "文号",
                "term": {"term": "日期"},
                "identifier_check": {"const": "none"},
                "addresses": {
                    "needs": "text",
                    "each": [{"kind": {"const": "business"}, "text": "备注"}],
                },
            },
        }
    ],
}
LIST: dict[str, Any] = {
    "id": "hygiene-conclusion",
    "says": {"en": "Conclusions", "zh": "结论"},
    "source": "Notice of the office.",
    "values": {"1": "in_force", "2": "removed"},
}
LINE: dict[str, Any] = {
    "name": {"en": "Hygiene office", "zh": "卫生监督所"},
    "code": "11990100000000123K",
    "cycle": "P7D",
    "families": {"credit": {"facets": ["decision", "standing"], "issuers": ["示范市卫生监督所"]}},
    "layouts": {"hygiene": {"codes": {"conclusion": "hygiene-conclusion"}}},
}
Change = Callable[[Any], object]


def sound() -> dict[str, Any]:
    """The files of a contract in which nothing is wrong, by their names."""
    return {
        "dialects/hygiene.yaml": copy.deepcopy(HYGIENE),
        "dialects/food.yaml": copy.deepcopy(FOOD),
        "dialects/codes/conclusion.yaml": copy.deepcopy(LIST),
        "publishers.yaml": {"publishers": {"hygiene-demo": copy.deepcopy(LINE)}},
    }


@pytest.fixture
def alone(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have no shipped files: PyYAML takes its time."""
    empty = tmp_path_factory.mktemp("nothing-shipped")
    for folder in ("dialects", "codes"):
        (empty / folder).mkdir()
    monkeypatch.setattr(contract, "_HERE", empty)


def write(folder: Path, files: dict[str, Any]) -> tuple[Path, Path]:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = (
            content
            if isinstance(content, str)
            else yaml.safe_dump(content, allow_unicode=True, sort_keys=False)
        )
        path.write_text(text, "utf-8")
    return folder / "dialects", folder / "publishers.yaml"


def faults(folder: Path, files: dict[str, Any], publisher: str | None = None) -> list[Fault]:
    """What is found wrong with the files of a contract."""
    with pytest.raises(BadContract) as told:
        contract.agreed(*write(folder, files), publisher)
    assert told.value.message_zh.count("\n") == len(told.value.faults)
    return list(told.value.faults)


def one(folder: Path, files: dict[str, Any]) -> Fault:
    [fault] = faults(folder, files)
    return fault


def decision(dialect: Any) -> Any:
    return dialect["events"][0]


def content(dialect: Any) -> Any:
    return dialect["events"][0]["content"]


def test_a_faulty_dialect_is_refused_by_whoever_reads_dialects(tmp_path: Path) -> None:
    files = sound()
    content(files["dialects/hygiene.yaml"]).pop("kind")
    with pytest.raises(BadContract, match=r"hygiene\.yaml: decision\.kind: is required"):
        contract.dialects(write(tmp_path, files)[0])


def test_a_sound_contract_loads(tmp_path: Path) -> None:
    found = contract.agreed(*write(tmp_path, sound()))
    assert {"hygiene", "food"} <= found.dialects.keys()
    assert found.table.publishers.keys() == {"hygiene-demo"}


# What a dialect may not say of its family's events


def put(name: str, value: Any) -> Change:
    return lambda dialect: content(dialect).update({name: value})


def drop(name: str) -> Change:
    return lambda dialect: content(dialect).pop(name)


def event(name: str, value: Any) -> Change:
    return lambda dialect: decision(dialect).update({name: value})


def whole(name: str, value: Any) -> Change:
    return lambda dialect: dialect.update({name: value})


CREDIT: dict[str, tuple[Change, str, str]] = {
    # what the schema needs
    "no kind": (drop("kind"), "decision.kind", "required.*penalty"),
    "no state": (lambda d: d["events"][1]["content"].clear(), "standing.state", "required"),
    # fields, facets, words
    "another field": (put("doc_number", "文号"), "decision.doc_number", "mean document_number"),
    "a field of another facet": (put("state", "结论"), "decision.state", "no credit field"),
    "another facet": (event("facet", "decison"), "events.1.facet", "mean decision"),
    "a facet of another family": (event("facet", "permits"), "events.1.facet", "there are"),
    "another type": (event("type", {"const": "punished"}), "decision.type", "there are.*penalised"),
    "a type of another family": (event("type", {"const": "granted"}), "decision.type", "graded"),
    "another kind": (put("kind", {"const": "fine"}), "decision.kind", "penalty"),
    "a misspelt kind": (put("kind", {"const": "penality"}), "decision.kind", "mean penalty"),
    "another word if present": (
        put("severity", {"if_present": "备注", "then": "severe", "else": "minor"}),
        "decision.severity",
        "severe",
    ),
    # maps of another kind
    "a text for a day": (put("publication_to", "日期"), "decision.publication_to", "{date: …}"),
    "a time for a day": (put("valid_to", {"time": "日期"}), "decision.valid_to", "{date: …}"),
    "a day for a time": (event("occurred_at", {"date": "日期"}), "decision.occurred_at", "{time"),
    "a day for a text": (put("remarks", {"date": "日期"}), "decision.remarks", "a column's name"),
    "yuan for a text": (put("remarks", {"yuan": "罚款"}), "decision.remarks", "a column's name"),
    "a text for yuan": (put("fine_yuan", "罚款"), "decision.fine_yuan", "{wan_yuan: …}"),
    "an amount for a day": (put("valid_to", {"amount": "罚款"}), "decision.valid_to", "{date"),
    "a list for a text": (put("facts", {"split": "备注"}), "decision.facts", "a column's name"),
    "a text for a list": (put("categories", "种类"), "decision.categories", "{split: …}"),
    "a code for a list": (
        put("categories", {"code": "种类", "list": "conclusion"}),
        "decision.categories",
        "{codes: …}",
    ),
    "a term for a kind": (put("kind", {"term": "日期"}), "decision.kind", "{const: …}"),
    "a term for a text": (put("remarks", {"term": "日期"}), "decision.remarks", "a column's name"),
    "a text for a word": (put("severity", "备注"), "decision.severity", "minor, general, serious"),
    "a part for a word": (
        put("kind", {"part": "种类", "pattern": "(.)"}),
        "decision.kind",
        "{const: …}",
    ),
    "records for a text": (
        put("facts", {"each": [{"text": "备注"}], "needs": "text"}),
        "decision.facts",
        "a column's name",
    ),
    "a day as issuer": (whole("issuer", {"date": "日期"}), "issuer", "a column's name"),
    # constants
    "a day that is none": (
        put("valid_to", {"const": "2029-02-30"}),
        "decision.valid_to",
        "2029-01",
    ),
    "a word for a day": (
        put("valid_to", {"const": "长期"}),
        "decision.valid_to",
        "a day is written",
    ),
    "a year of long ago": (put("valid_to", {"const": "0029-01-01"}), "decision.valid_to", "a day"),
    "a time that is none": (
        event("occurred_at", {"const": "25:00"}),
        "decision.occurred_at",
        "a time is written",
    ),
    "an amount that is none": (put("fine_yuan", {"const": "two"}), "decision.fine_yuan", "1234.50"),
    "a part of a fen": (put("fine_yuan", {"const": "0.001"}), "decision.fine_yuan", "1234.50"),
    "an empty constant": (put("remarks", {"const": " "}), "decision.remarks", "says nothing"),
    # what a layout says of itself
    "no events": (whole("events", []), "events", "row must give an event"),
    "an undeclared column": (put("remarks", "备住"), "columns", "备住; did you mean 备注"),
    "a personal column": (put("remarks", "经办人"), "personal", "maps personal columns: 经办人"),
    "a name of two columns": (
        lambda d: d["columns"].update({"名称": [" 文 号"]}),
        "columns.名称",
        "two columns",
    ),
    "a key of constants": (
        lambda d: d["record_key"].update(columns=[{"const": "A"}]),
        "record_key.columns",
        "no column",
    ),
    "an ignored column that is read": (whole("ignore", ["罚 款"]), "ignore", "is read"),
    "a document number of a person": (
        whole("document_numbers", ["经办人"]),
        "document_numbers",
        "personal",
    ),
    "a document number in a free text": (
        lambda d: (put("remarks", "名称")(d), whole("document_numbers", ["名称"])(d)),
        "decision.remarks",
        "名称 holds numbers of documents",
    ),
    "an empty word": (whole("skip_rows", ["合计", " "]), "skip_rows", "every row"),
    "records nowhere": (whole("records", "data..rows"), "records", "data.rows"),
    "no column in the order": (
        whole("headerless", ["文号", "代码", "名称"]),
        "headerless",
        "must have: 结论",
    ),
    "a column twice in the order": (
        whole("headerless", ["文号", "代码", "结论", "结论"]),
        "headerless",
        "twice: 结论",
    ),
    "a header of another width": (
        whole("headers", [{"as_found": ["a", "b"], "means": ["文号", "代码", "结论"]}]),
        "headers.1",
        "2 columns and means 3",
    ),
    "moves from nowhere": (
        whole("moves", {"layouts": ["hygeine"]}),
        "moves.layouts",
        "no layout 'hygeine'",
    ),
    "moves from another family": (whole("moves", {"layouts": ["food"]}), "moves.layouts", "food"),
    "a sequence that nobody reads": (whole("sequence", "备注"), "sequence", "native"),
    "a pattern that is none": (
        put("remarks", {"part": "备注", "pattern": "(a"}),
        "decision.remarks",
        "no regular expression",
    ),
    "a pattern with look-ahead": (
        put("remarks", {"part": "备注", "pattern": "(?=a)(b)"}),
        "decision.remarks",
        "no regular expression",
    ),
    "a pattern without a group": (
        put("remarks", {"part": "备注", "pattern": "[0-9]+"}),
        "decision.remarks",
        "no group",
    ),
    # words of the grammar
    "another word": (whole("recognize", ["文号"]), "recognize", "mean recognise"),
    "another word within": (event("efective_to", {"date": "日期"}), "events.1.efective_to", "_to"),
    "another map": (
        put("valid_to", {"dat": "日期"}),
        "events.1.content.valid_to",
        "no map; did you mean date",
    ),
    "two maps": (
        put("valid_to", {"date": "日期", "text": "备注"}),
        "events.1.content.valid_to",
        "several",
    ),
    "another word of a map": (
        lambda d: d["events"][1]["content"].update(
            state={"code": "结论", "list": "conclusion", "lists": "a"}
        ),
        "events.2.content.state.code.lists",
        "mean list",
    ),
    "a number for a text": (put("remarks", {"const": 12}), "events.1.content.remarks", "quotes"),
    "another family": (whole("family", "weather"), "family", "credit"),
}


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize("case", CREDIT)
def test_a_dialect_that_cannot_work_does_not_load(case: str, tmp_path: Path) -> None:
    change, place, says = CREDIT[case]
    files = sound()
    change(files["dialects/hygiene.yaml"])
    [fault] = [found for found in faults(tmp_path, files) if found.file == "hygiene.yaml"]
    assert fault.place.startswith(place)
    assert re.search(says, fault.says.en), fault.says.en
    assert fault.says.zh


LICENCE: dict[str, tuple[Change, str, str]] = {
    "no term": (drop("term"), "decision.term", "{term: …}.*open_ended"),
    "no check": (drop("identifier_check"), "decision.identifier_check", "required"),
    "another address": (
        lambda d: content(d)["addresses"]["each"][0].update(kind={"const": "shop"}),
        "decision.addresses.each.1.kind",
        "there are.*business",
    ),
    "an address of no kind": (
        lambda d: content(d)["addresses"]["each"][0].pop("kind"),
        "decision.addresses.each.1.kind",
        "required",
    ),
    "a field no address has": (
        lambda d: content(d)["addresses"]["each"][0].update(texts="名称"),
        "decision.addresses.each.1.texts",
        "mean text",
    ),
    "addresses that need what they lack": (
        lambda d: content(d)["addresses"].update(needs="txt"),
        "decision.addresses.needs",
        "mean text",
    ),
    "no addresses": (
        lambda d: content(d)["addresses"].update(each=[]),
        "decision.addresses",
        "no record",
    ),
    "a penalty's field": (put("fine_yuan", {"yuan": "罚款"}), "decision.fine_yuan", "no licence"),
}


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize("case", LICENCE)
def test_each_family_has_its_own_fields(case: str, tmp_path: Path) -> None:
    change, place, says = LICENCE[case]
    files = sound()
    change(files["dialects/food.yaml"])
    fault = one(tmp_path, files)
    assert (fault.file, fault.place) == ("food.yaml", place)
    assert re.search(says, fault.says.en), fault.says.en


NATIVE = {
    key: HYGIENE[key] for key in ("version", "family", "title", "record_key", "recognise")
} | {
    "id": "own-json",
    "native": True,
    "record_key": {"columns": ["record_key"], "says": {"en": "x", "zh": "x"}},
    "columns": {name: [] for name in ("subject", "record_key", "facet", "event_type", "issuer")},
    "recognise": ["subject", "record_key", "facet"],
    "subject": "subject",
    "issuer": "issuer",
}


def test_a_native_layout_has_the_events_fields_alone(tmp_path: Path) -> None:
    files = sound() | {"dialects/own.yaml": copy.deepcopy(NATIVE)}
    contract.agreed(*write(tmp_path / "sound", files))
    files["dialects/own.yaml"]["columns"]["reparir"] = []
    fault = one(tmp_path / "faulty", files)
    assert (fault.file, fault.place) == ("own.yaml", "columns.reparir")
    assert "did you mean repair?" in fault.says.en


# Code lists and the publishers' table


def line(files: dict[str, Any]) -> Any:
    return files["publishers.yaml"]["publishers"]["hygiene-demo"]


def values(files: dict[str, Any]) -> Any:
    return files["dialects/codes/conclusion.yaml"]["values"]


AROUND: dict[str, tuple[Change, str, str, str]] = {
    "a word that is no state": (
        lambda f: values(f).update({"3": "valid"}),
        "codes/conclusion.yaml",
        "values.3",
        "'valid'.*in_force.*hygiene-conclusion.*standing.state of hygiene, publisher hygiene-demo",
    ),
    "a word for an empty cell": (
        lambda f: values(f).update({"": "in-force"}),
        "codes/conclusion.yaml",
        'values.""',
        "mean in_force",
    ),
    "an empty list": (
        lambda f: f["dialects/codes/conclusion.yaml"].update(values={}),
        "codes/conclusion.yaml",
        "values",
        "",
    ),
    "a meaning that is no text": (
        lambda f: values(f).update({"3": 4}),
        "codes/conclusion.yaml",
        "values.3",
        "quotes",
    ),
    "a list that nobody has": (
        lambda f: line(f)["layouts"]["hygiene"]["codes"].update(conclusion="hygiene-conclusions"),
        "publishers.yaml",
        "publishers.hygiene-demo.layouts.hygiene.codes.conclusion",
        "mean hygiene-conclusion",
    ),
    "no list": (
        lambda f: line(f)["layouts"]["hygiene"]["codes"].clear(),
        "publishers.yaml",
        "publishers.hygiene-demo.layouts.hygiene.codes",
        "no code list for conclusion",
    ),
    "a list more": (
        lambda f: line(f)["layouts"]["hygiene"]["codes"].update(state="sgs-2016-standing"),
        "publishers.yaml",
        "publishers.hygiene-demo.layouts.hygiene.codes.state",
        "no code list 'state'",
    ),
    "another layout": (
        lambda f: line(f)["layouts"].update(hygene={}),
        "publishers.yaml",
        "publishers.hygiene-demo.layouts.hygene",
        "mean hygiene",
    ),
    "another family": (
        lambda f: line(f)["families"].update(credits=line(f)["families"]["credit"]),
        "publishers.yaml",
        "publishers.hygiene-demo.families.credits",
        "mean credit",
    ),
    "another facet": (
        lambda f: line(f)["families"]["credit"]["facets"].append("repairs"),
        "publishers.yaml",
        "publishers.hygiene-demo.families.credit.facets",
        "mean repair",
    ),
    "a facet of another family": (
        lambda f: line(f)["families"].update(
            licence={"facets": ["decision", "repair"], "issuers": ["*"]}
        ),
        "publishers.yaml",
        "publishers.hygiene-demo.families.licence.facets",
        "no facet 'repair'",
    ),
    "an empty issuer": (
        lambda f: line(f)["families"]["credit"].update(issuers=[""]),
        "publishers.yaml",
        "publishers.hygiene-demo.families.credit.issuers",
        "empty",
    ),
    "a promise of another word": (
        lambda f: line(f)["layouts"]["hygiene"].update(complete="always"),
        "publishers.yaml",
        "publishers.hygiene-demo.layouts.hygiene.complete",
        "through_edition",
    ),
    "a promise under a mistyped name": (
        lambda f: line(f)["layouts"]["hygiene"].update(compleet="through_edition"),
        "publishers.yaml",
        "publishers.hygiene-demo.layouts.hygiene.compleet",
        "did you mean complete?",
    ),
    "a table that extends another": (
        lambda f: f["publishers.yaml"].update(extends="publishers.yaml"),
        "publishers.yaml",
        "extends",
        "shipped",
    ),
    "a cycle of no time": (
        lambda f: line(f).update(cycle="P0D"),
        "publishers.yaml",
        "publishers.hygiene-demo.cycle",
        "P7D",
    ),
    "an id for no topic": (
        lambda f: f["publishers.yaml"]["publishers"].update(
            {"Office!": f["publishers.yaml"]["publishers"].pop("hygiene-demo")}
        ),
        "publishers.yaml",
        "publishers.Office!",
        "a-z",
    ),
    "a layout without a right": (
        lambda f: line(f)["layouts"].update(food={}),
        "publishers.yaml",
        "publishers.hygiene-demo.layouts.food",
        "licence, which the line does not have",
    ),
    "a facet without a right": (
        lambda f: line(f)["families"]["credit"].update(facets=["decision"]),
        "publishers.yaml",
        "publishers.hygiene-demo.layouts.hygiene",
        "standing.*no right",
    ),
    "an organ that the layout always names, and the line does not": (
        lambda f: line(f)["families"]["credit"].update(issuers=["示范市卫生局", "*税务局"]),
        "publishers.yaml",
        "publishers.hygiene-demo.layouts.hygiene",
        "示范市卫生监督所.*issuers",
    ),
    "a code with a wrong check digit": (
        lambda f: line(f).update(code="11990100000000124K"),
        "publishers.yaml",
        "publishers.hygiene-demo.code",
        "unified social credit code",
    ),
    "a word of the line": (
        lambda f: line(f).update(cycles="P7D"),
        "publishers.yaml",
        "publishers.hygiene-demo.cycles",
        "mean cycle",
    ),
    "two of one id": (
        lambda f: f.update({"dialects/z.yaml": f["dialects/food.yaml"]}),
        "z.yaml",
        "id.food",
        "another file",
    ),
    "a code list among the dialects": (
        lambda f: f.update({"dialects/more.yaml": LIST | {"id": "more"}}),
        "more.yaml",
        "",
        "code list.*codes/",
    ),
    "a tab": (
        lambda f: f.update({"dialects/more.yaml": "id: x\ncolumns:\n\t文号: []\n"}),
        "more.yaml",
        "",
        "at line 3, column 1.*spaces, not tabs",
    ),
    "a column twice": (
        lambda f: f.update({"dialects/more.yaml": "id: x\ncolumns:\n  文号: []\n  文号: []\n"}),
        "more.yaml",
        "",
        "文号 stands twice at line 4",
    ),
    "a file that is not read": (
        lambda f: f.update({"dialects/more.yml": FOOD}),
        "more.yml",
        "",
        ".yaml",
    ),
}


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize("case", AROUND)
def test_lists_and_lines_that_cannot_work_do_not_load(case: str, tmp_path: Path) -> None:
    change, file, place, says = AROUND[case]
    files = sound()
    change(files)
    fault = one(tmp_path, files)
    assert (fault.file, fault.place) == (file, place)
    assert re.search(says, fault.says.en), fault.says.en


def test_a_list_that_two_fields_share_must_fit_both(tmp_path: Path) -> None:
    files = sound()
    files["dialects/hygiene.yaml"]["events"].append(
        {
            "facet": "repair",
            "type": {"const": "repair_stated"},
            "content": {"state": {"code": "结论", "list": "conclusion"}},
        }
    )
    line(files)["families"]["credit"]["facets"].append("repair")
    found = faults(tmp_path, files)
    assert [fault.place for fault in found] == ["values.1", "values.2"]
    assert all("repair.state" in fault.says.en for fault in found)


def test_a_list_may_say_anything_where_the_field_is_a_text(tmp_path: Path) -> None:
    files = sound()
    content(files["dialects/hygiene.yaml"])["violation_type"] = {"code": "种类", "list": "kinds"}
    files["dialects/codes/kinds.yaml"] = LIST | {"id": "kinds", "values": {"1": "扬尘"}}
    line(files)["layouts"]["hygiene"]["codes"]["kinds"] = "kinds"
    contract.agreed(*write(tmp_path, files))


def test_two_lines_of_one_code_and_layout_are_told_by_the_check_alone(tmp_path: Path) -> None:
    files = sound()
    lines = files["publishers.yaml"]["publishers"]
    lines["copied"] = copy.deepcopy(LINE)
    fault = one(tmp_path, files)
    assert fault.place == "publishers.copied.code"
    assert "is that of hygiene-demo too, and both send hygiene" in fault.says.en
    contract.agreed(*write(tmp_path, files), "copied")
    lines["copied"]["layouts"] = {}
    contract.agreed(*write(tmp_path / "apart", files))


def test_every_fault_of_every_file_is_told_at_once(tmp_path: Path) -> None:
    files = sound()
    content(files["dialects/hygiene.yaml"]).pop("kind")
    content(files["dialects/hygiene.yaml"])["remark"] = "备注"
    files["dialects/hygiene.yaml"]["skip_rows"] = [""]
    content(files["dialects/food.yaml"])["term"] = {"const": "for ever"}
    values(files)["3"] = "valid"
    line(files)["families"]["credit"]["facets"].append("standings")
    files["dialects/third.yaml"] = "id: third\nfamily: weather\n"
    found = faults(tmp_path, files)
    assert {(one.file, one.place) for one in found} >= {
        ("hygiene.yaml", "decision.kind"),
        ("hygiene.yaml", "decision.remark"),
        ("hygiene.yaml", "skip_rows"),
        ("food.yaml", "decision.term"),
        ("codes/conclusion.yaml", "values.3"),
        ("publishers.yaml", "publishers.hygiene-demo.families.credit.facets"),
        ("third.yaml", "family"),
        ("third.yaml", "columns"),
    }


def test_a_file_that_cannot_be_read_leads_to_no_further_faults(tmp_path: Path) -> None:
    files = sound()
    files["dialects/hygiene.yaml"] = "id: [hygiene\n"
    fault = one(tmp_path, files)
    assert (fault.file, fault.place) == ("hygiene.yaml", "")


def test_another_departments_layout_is_no_fault_of_whoever_publishes(tmp_path: Path) -> None:
    files = sound()
    other = copy.deepcopy(LINE) | {"layouts": {"elsewhere": {}}}
    files["publishers.yaml"]["publishers"]["other-demo"] = other
    paths = write(tmp_path, files)
    assert contract.agreed(*paths, "hygiene-demo").table.publishers.keys() >= {"other-demo"}
    with pytest.raises(BadContract, match="elsewhere"):
        contract.agreed(*paths, "other-demo")
    with pytest.raises(BadContract, match="elsewhere"):
        contract.agreed(*paths)


def test_a_directory_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadContract, match="no such directory"):
        contract.dialects(tmp_path / "dialect")


# The command


def run(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(main.cli, ["dialect", "check", *words])
    return done.exit_code, done.output


def test_the_command_finds_nothing_wrong_with_the_shipped_contract() -> None:
    assert run("--json") == (0, '{"ok": true, "faults": []}\n')
    code, said = run()
    assert (code, "nothing is wrong" in said, "没有问题" in said) == (0, True, True)


def test_the_command_checks_what_the_settings_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = sound()
    values(files)["3"] = "valid"
    dialects, table = write(tmp_path, files)
    monkeypatch.setenv("MIANTI_DIALECTS", str(dialects))
    monkeypatch.setenv("MIANTI_PUBLISHERS", str(table))
    code, said = run("--json")
    [fault] = json.loads(said)["faults"]
    assert code == 2
    assert (fault["file"], fault["place"]) == ("codes/conclusion.yaml", "values.3")
    assert fault["says"].keys() == {"en", "zh"}


@pytest.mark.parametrize(
    "names",
    [
        ["."],
        ["dialects"],
        ["dialects/hygiene.yaml", "dialects/codes/conclusion.yaml", "publishers.yaml"],
    ],
)
def test_the_command_checks_a_directory_or_files(names: list[str], tmp_path: Path) -> None:
    write(tmp_path / "sound", sound())
    files = sound()
    values(files)["3"] = "valid"
    write(tmp_path / "faulty", files)
    code, said = run(*(str(tmp_path / "sound" / name) for name in names))
    assert (code, "nothing is wrong" in said) == (0, True), said
    code, said = run(*(str(tmp_path / "faulty" / name) for name in names))
    assert (code, "'valid'" in said, "1 faults" in said) == (2, True, True), said


def test_the_command_checks_a_dialect_alone(tmp_path: Path) -> None:
    files = sound()
    content(files["dialects/hygiene.yaml"]).pop("kind")
    write(tmp_path, files)
    code, said = run(str(tmp_path / "dialects" / "hygiene.yaml"))
    assert (code, "decision.kind" in said) == (2, True)
    assert run(str(tmp_path / "dialects" / "food.yaml"))[0] == 0

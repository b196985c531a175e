"""The catalogue that is shipped is whole, and the check finds each way in which one can be wrong."""

from __future__ import annotations

import copy
import csv
import json
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from openpyxl import Workbook

from deploy.cli import main
from flows.catalogue import as_it_stands, catalogue
from schemas import contract
from schemas.catalogue.check import Finding, check
from schemas.catalogue.grammar import SUBJECT
from schemas.catalogue.supply import Known
from schemas.contract import BadContract

SHIPPED = Path(contract.__file__).parent / "catalogue"
Parts = dict[str, dict[str, Any]]


def known() -> Known:
    return Known(contract.publishers(), contract.dialects())


def shipped() -> Parts:
    """Return the shipped parts, to be changed at will."""
    return copy.deepcopy(_read())


@cache
def _read() -> Parts:
    parts: Parts = {}
    for file in SHIPPED.glob("*.yaml"):
        for part, entries in yaml.safe_load(file.read_text("utf-8")).items():
            parts.setdefault(part, {}).update(entries)
    return parts


@pytest.fixture
def own(tmp_path: Path) -> Callable[[Callable[[Parts], None]], list[Finding]]:
    """Give a way to change a copy of the shipped catalogue and check it."""

    def changed(change: Callable[[Parts], None]) -> list[Finding]:
        parts = shipped()
        change(parts)
        folder = tmp_path / "catalogue"
        folder.mkdir()
        (folder / "all.yaml").write_text(json.dumps(parts, default=str), "utf-8")
        shutil.copy(SHIPPED / "JT-4001.csv", folder)
        return check(as_it_stands(folder), known())

    return changed


# The one that is shipped


def test_the_shipped_catalogue_has_no_fault() -> None:
    assert check(catalogue(), known()) == []


def test_it_spans_six_fields_with_twelve_matters_and_two_bundles() -> None:
    found = catalogue()
    assert len(found.matters) >= 12
    assert len(found.bundles) >= 2
    purposes = {(matter.department, matter.purpose) for matter in found.matters.values()}
    wanted = {
        ("market", "registration"),
        ("market", "food"),
        ("housing", "construction"),
        ("transport", "road-transport"),
        ("tax", "taxation"),
        ("trading-centre", "bidding"),
    }
    assert wanted <= purposes


def test_every_matter_of_it_has_a_form_that_begins_with_the_enterprises_code() -> None:
    found = catalogue()
    for matter in found.matters.values():
        assert found.forms[matter.form or ""][0].origins == [SUBJECT]


def test_every_department_of_it_can_exist_nowhere() -> None:
    """GB/T 2260 has no division 990100."""
    assert {one.code[2:8] for one in catalogue().departments.values()} == {"990100"}


# Each fault


def rule(parts: Parts) -> None:
    parts["rules"]["renewal"]["source"] = " "


def rule_of_evidence(parts: Parts) -> None:
    parts["evidence"]["business-licence"]["rule"] = "no-such-rule"


def publisher(parts: Parts) -> None:
    parts["evidence"]["work-safety-licence"]["sources"] = {"nobody": ["cn-sgs-2018-licence"]}


def family(parts: Parts) -> None:
    parts["evidence"]["work-safety-licence"]["sources"] = {"samr-demo": ["registration-list"]}


def layout(parts: Parts) -> None:
    sources = {"housing-demo": ["cn-sgs-2018-penalty"]}
    parts["evidence"]["work-safety-licence"]["sources"] = sources


def column(parts: Parts) -> None:
    parts["evidence"]["business-licence"]["fields"] = ["name", "colour"]


def type_code(parts: Parts) -> None:
    parts["evidence"]["work-safety-licence"]["type_codes"] = ["11100000000013338X032"]


def no_name(parts: Parts) -> None:
    parts["evidence"]["work-safety-licence"]["certificates"] = []


def department_code(parts: Parts) -> None:
    parts["departments"]["tax"]["code"] = "119901000000001660"


def used(parts: Parts) -> None:
    parts["departments"]["tax"]["purposes"]["taxation"]["may_use"].append("tax-grade-z")


def right(parts: Parts) -> None:
    parts["departments"]["tax"]["purposes"]["taxation"]["may_use"].remove("tax-grade-a")


def evidence(parts: Parts) -> None:
    parts["materials"]["tax-grade"]["replaced_by"] = ["tax-grade-z"]


def unsupplied(parts: Parts) -> None:
    parts["materials"]["tax-grade"]["replaced_by"] = []


def unsaid(parts: Parts) -> None:
    del parts["materials"]["land-approval"]["not_shared"]


def material(parts: Parts) -> None:
    parts["matters"]["SW-5001"]["materials"].append({"material": "no-such-paper"})


def basis(parts: Parts) -> None:
    parts["matters"]["SW-5001"]["basis"] = ["no-such-rule"]


def department(parts: Parts) -> None:
    parts["matters"]["SW-5001"]["department"] = "nobody"


def purpose(parts: Parts) -> None:
    parts["matters"]["SW-5001"]["purpose"] = "curiosity"


def deadline(parts: Parts) -> None:
    del parts["matters"]["JS-3001"]["follow_within"]


def promise(parts: Parts) -> None:
    parts["materials"]["safety-rules"]["replaced_by"] = []


def no_papers(parts: Parts) -> None:
    parts["matters"]["SW-5001"]["materials"] = []


def no_name_in_layout(parts: Parts) -> None:
    sources = {"housing-demo": ["cn-sgs-2016-licence"]}
    parts["evidence"]["work-safety-licence"]["sources"] = sources


def no_listing_in_layout(parts: Parts) -> None:
    sources = {"credit-demo": ["cn-sgs-2018-penalty"]}
    parts["evidence"]["no-listing-that-bars-bidding"]["sources"] = sources


def no_grade_in_layout(parts: Parts) -> None:
    parts["evidence"]["tax-grade-a"]["sources"] = {"credit-demo": ["cn-sgs-2018-penalty"]}


def evidence_of_field(parts: Parts) -> None:
    parts["forms"]["cosmetics"][0]["from"] = ["no-such-evidence.number"]


def field_without_evidence(parts: Parts) -> None:
    parts["forms"]["cosmetics"][0]["from"] = ["name"]


def column_of_licence(parts: Parts) -> None:
    parts["forms"]["cosmetics"][0]["from"] = ["cosmetics-licence.colour"]


def column_not_for_forms(parts: Parts) -> None:
    """A column the dataset has, and no answer shows."""
    parts["forms"]["cosmetics"][0]["from"] = ["cosmetics-licence.addresses"]


def column_not_of_the_evidence(parts: Parts) -> None:
    parts["forms"]["taxpayer"][0]["from"] = ["tax-grade-a.subject_name"]


def field_of_check(parts: Parts) -> None:
    parts["forms"]["taxpayer"][0]["from"] = ["no-grave-penalty.state"]


def field_of_promise(parts: Parts) -> None:
    parts["forms"]["taxpayer"][0]["from"] = ["premises-promise.text"]


def field_twice(parts: Parts) -> None:
    parts["forms"]["taxpayer"].append(parts["forms"]["taxpayer"][0])


def form_of_matter(parts: Parts) -> None:
    parts["matters"]["SW-5001"]["form"] = "no-such-form"


def right_for_field(parts: Parts) -> None:
    """The paper is not on the list of this matter: only its form leans on the grade."""
    parts["matters"]["SW-5001"]["materials"] = [{"material": "application"}]
    parts["departments"]["tax"]["purposes"]["taxation"]["may_use"].remove("tax-grade-a")


def two_of_one_code(parts: Parts) -> None:
    parts["bundles"]["SW-5001"] = parts["bundles"]["start-building"]


def matter(parts: Parts) -> None:
    parts["bundles"]["start-building"]["matters"].append("XX-0000")


@pytest.mark.parametrize(
    ("change", "kind", "where"),
    [
        (rule, "no_source", "rules.renewal"),
        (rule_of_evidence, "dangling", "evidence.business-licence"),
        (publisher, "dangling", "evidence.work-safety-licence"),
        (family, "dangling", "evidence.work-safety-licence"),
        (layout, "dangling", "evidence.work-safety-licence"),
        (column, "dangling", "evidence.business-licence"),
        (type_code, "bad_code", "evidence.work-safety-licence"),
        (no_name, "nobody_supplies", "evidence.work-safety-licence"),
        (department_code, "bad_code", "departments.tax"),
        (used, "dangling", "departments.tax.taxation"),
        (right, "no_right", "matters.SW-5001"),
        (evidence, "dangling", "materials.tax-grade"),
        (unsupplied, "nobody_supplies", "materials.tax-grade"),
        (publisher, "nobody_supplies", "materials.work-safety-licence"),
        (unsaid, "nobody_supplies", "materials.land-approval"),
        (material, "dangling", "matters.SW-5001"),
        (basis, "dangling", "matters.SW-5001"),
        (department, "dangling", "matters.SW-5001"),
        (purpose, "dangling", "matters.SW-5001"),
        (deadline, "no_deadline", "matters.JS-3001"),
        (promise, "nobody_supplies", "matters.JS-3003"),
        (no_papers, "no_papers", "matters.SW-5001"),
        (no_name_in_layout, "dangling", "evidence.work-safety-licence"),
        (no_listing_in_layout, "dangling", "evidence.no-listing-that-bars-bidding"),
        (no_grade_in_layout, "dangling", "evidence.tax-grade-a"),
        (evidence_of_field, "dangling", "forms.cosmetics"),
        (field_without_evidence, "dangling", "forms.cosmetics"),
        (column_of_licence, "dangling", "forms.cosmetics"),
        (column_not_for_forms, "dangling", "forms.cosmetics"),
        (column_not_of_the_evidence, "dangling", "forms.taxpayer"),
        (field_of_check, "dangling", "forms.taxpayer"),
        (field_of_promise, "dangling", "forms.taxpayer"),
        (field_twice, "ambiguous", "forms.taxpayer"),
        (form_of_matter, "dangling", "matters.SW-5001"),
        (right_for_field, "no_right", "matters.SW-5001"),
        (two_of_one_code, "ambiguous", "bundles.SW-5001"),
        (matter, "dangling", "bundles.start-building"),
    ],
    ids=lambda value: value.__name__ if callable(value) else value,
)
def test_the_check_finds(
    own: Callable[[Callable[[Parts], None]], list[Finding]],
    change: Callable[[Parts], None],
    kind: str,
    where: str,
) -> None:
    found = own(change)
    assert (kind, where) in {(one.kind, one.where) for one in found}
    assert all(one.says.en and one.says.zh for one in found)


def test_a_field_that_one_of_its_sources_may_fill_is_no_fault(
    own: Callable[[Callable[[Parts], None]], list[Finding]],
) -> None:
    def change(parts: Parts) -> None:
        parts["forms"]["taxpayer"][1]["from"] = [
            "general-contractor.issuer",
            "business-licence.name",
        ]

    assert own(change) == []  # a tax office may not use the first


# Reading it


def test_a_word_that_the_grammar_does_not_have_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("rules: {x: {article: '1', colour: red}}", "utf-8")
    with pytest.raises(BadContract, match=r"(?s)rules\.x.*docs/catalogue\.md"):
        contract.catalogue(tmp_path)


def test_a_directory_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadContract, match="no such directory"):
        contract.catalogue(tmp_path / "nowhere")


@pytest.mark.parametrize(
    "bar",
    [
        {"kind": "penalty", "severities": ["grave"]},
        {"kind": "listing", "categories": ["限制从业"]},
        {"kind": "penalty", "lists": ["x"]},
    ],
)
def test_a_bar_that_nothing_could_meet_is_refused(tmp_path: Path, bar: dict[str, Any]) -> None:
    parts = shipped()
    parts["evidence"]["no-grave-penalty"]["bars"] = [bar]
    (tmp_path / "all.yaml").write_text(json.dumps(parts, default=str), "utf-8")
    with pytest.raises(BadContract, match="bars"):
        contract.catalogue(tmp_path)


def test_a_source_without_a_layout_is_refused(tmp_path: Path) -> None:
    parts = shipped()
    parts["evidence"]["no-grave-penalty"]["sources"] = {"credit-demo": []}
    (tmp_path / "all.yaml").write_text(json.dumps(parts, default=str), "utf-8")
    with pytest.raises(BadContract, match="sources"):
        contract.catalogue(tmp_path)


@pytest.mark.parametrize(
    "files",
    [
        {"a.yaml": "bundles: {}\nmatters: {}\nbundles: {}"},
        {"a.yaml": "materials: {x: {}, x: {}}"},
        {"a.yaml": "materials: {x: {}}", "b.yaml": "materials: {x: {}}"},
    ],
    ids=["a part", "an id", "an id in two files"],
)
def test_what_stands_twice_is_refused(tmp_path: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text, "utf-8")
    with pytest.raises(BadContract, match=r"twice|another file"):
        contract.catalogue(tmp_path)


# The national layout


ROWS = [
    ["row_guid", "task_code", "material_name", "is_need", "source_type", "cert_code", "cert_name"],
    ["a", "T-1", "营业执照", "0", "1", "", "营业执照"],
    ["b", "T-1", "企业资质", "2", "1", "", "安全生产许可证"],
    ["c", "T-2", "别的事项的材料", "0", "0", "", ""],
    ["d", "T-1", "现场照片", "1", "0", "", ""],
    ["e", "T-1", "安全生产管理制度", "3", "0", "", ""],
]


def with_sheet(folder: Path, rows: list[list[str]], name: str) -> Path:
    parts = shipped()
    parts["matters"] = {"T-1": {**parts["matters"]["JS-3003"], "materials_file": name}}
    parts["matters"]["T-1"]["materials"] = []
    parts["bundles"] = {}
    (folder / "all.yaml").write_text(json.dumps(parts, default=str), "utf-8")
    if name.endswith(".xlsx"):
        book = Workbook()
        for row in rows:
            book.active.append(row)
        book.save(folder / name)
    else:
        with (folder / name).open("w", encoding="gb18030", newline="") as file:
            csv.writer(file).writerows(rows)
    return folder


@pytest.mark.parametrize("name", ["materials.xlsx", "materials.csv"])
def test_materials_are_read_from_the_national_layout(tmp_path: Path, name: str) -> None:
    found = catalogue(with_sheet(tmp_path, ROWS, name))
    uses = [(use.material, use.necessity) for use in found.matters["T-1"].materials]
    assert uses == [
        ("business-licence", "required"),
        ("T-1/b", "may_follow"),
        ("T-1/d", "optional"),
        ("safety-rules", "on_promise"),
    ]
    issued, own = found.materials["T-1/b"], found.materials["T-1/d"]
    assert issued.replaced_by == ["work-safety-licence"]
    assert (issued.origin, own.origin, own.replaced_by) == ("issued", "own", [])
    assert not [id_ for id_ in found.materials if id_.endswith("/c")]


def test_a_certificate_of_two_scopes_is_not_guessed(tmp_path: Path) -> None:
    rows = [ROWS[0], ["b", "T-1", "总承包资质", "0", "1", "", "建筑业企业资质证书"]]
    found = catalogue(with_sheet(tmp_path, rows, "m.csv"))
    assert found.materials["T-1/b"].replaced_by == []
    kinds = {(one.kind, one.where) for one in check(found, known())}
    assert ("nobody_supplies", "materials.T-1/b") in kinds


def test_a_type_code_links_a_material_before_its_name(tmp_path: Path) -> None:
    code = "11100000000013338W050"
    rows = [ROWS[0], ["b", "T-1", "企业资质", "0", "1", code, "安全生产许可证"]]
    folder = with_sheet(tmp_path, rows, "m.csv")
    parts = json.loads((folder / "all.yaml").read_text("utf-8"))
    parts["evidence"]["gas-business-licence"]["type_codes"] = [code]
    (folder / "all.yaml").write_text(json.dumps(parts), "utf-8")
    assert catalogue(folder).materials["T-1/b"].replaced_by == ["gas-business-licence"]


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (["a", "T-1", "营业执照", "9", "1", "", ""], "is_need"),
        (["a", "T-1", "新材料", "0", "7", "", ""], "source_type"),
        (["a", "T-1", "", "0", "1", "", ""], "material_name"),
        (["a", "T-9", "营业执照", "0", "1", "", ""], "T-1"),
    ],
)
def test_a_row_that_cannot_be_read_is_told(tmp_path: Path, row: list[str], says: str) -> None:
    with pytest.raises(BadContract, match=says):
        catalogue(with_sheet(tmp_path, [ROWS[0], row], "m.csv"))


def test_a_sheet_without_a_column_is_told(tmp_path: Path) -> None:
    rows = [[cell for at, cell in enumerate(row) if at != 3] for row in ROWS]
    with pytest.raises(BadContract, match="is_need"):
        catalogue(with_sheet(tmp_path, rows, "m.csv"))


def test_a_sheet_that_is_not_there_is_told(tmp_path: Path) -> None:
    folder = with_sheet(tmp_path, ROWS, "m.csv")
    (folder / "m.csv").unlink()
    with pytest.raises(BadContract, match=r"m\.csv"):
        catalogue(folder)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda p: p["evidence"]["business-licence"].update(rule="no-such"), "rule 'no-such'"),
        (lambda p: p["evidence"]["business-licence"].update(fields=["nam"]), "column 'nam'"),
        (
            lambda p: p["evidence"]["business-licence"].update(where={"state": ["in_busines"]}),
            "state 'in_busines'",
        ),
        (lambda p: next(iter(p["matters"].values())).update(department="x-1"), "department 'x-1'"),
    ],
)
def test_a_catalogue_whose_references_lead_nowhere_answers_nothing(
    change: Any, says: str, tmp_path: Path
) -> None:
    parts = shipped()
    assert parts["evidence"]["business-licence"]["kind"] == "field"
    change(parts)
    (tmp_path / "all.yaml").write_text(json.dumps(parts, default=str), "utf-8")
    shutil.copy(SHIPPED / "JT-4001.csv", tmp_path)
    with pytest.raises(BadContract, match=says):
        catalogue(tmp_path)
    found = check(as_it_stands(tmp_path), known())
    assert any(says in one.says.en for one in found)


# The command


def run(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(main.cli, ["catalogue", *words])
    return done.exit_code, done.output


def test_the_command_says_that_nothing_is_wrong() -> None:
    code, said = run("check", "--json")
    assert (code, json.loads(said)) == (0, {"ok": True, "findings": []})


def test_the_command_ends_with_1_where_something_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = shipped()
    deadline(parts)
    (tmp_path / "all.yaml").write_text(json.dumps(parts, default=str), "utf-8")
    shutil.copy(SHIPPED / "JT-4001.csv", tmp_path)
    monkeypatch.setenv("MIANTI_CATALOGUE", str(tmp_path))
    code, said = run("check", "--json")
    assert code == 1
    assert [one["kind"] for one in json.loads(said)["findings"]] == ["no_deadline"]


def test_the_list_has_every_matter_and_bundle() -> None:
    found = json.loads(run("list", "--json")[1])
    assert found["matters"].keys() == catalogue().matters.keys()
    assert found["bundles"].keys() == catalogue().bundles.keys()


def test_a_matter_is_shown_with_the_law_of_each_substitute() -> None:
    code, said = run("show", "JS-3003")
    assert code == 0
    assert "安全生产管理制度告知承诺书" in said
    assert "国务院令第716号" in said


def test_an_unknown_matter_is_told_with_what_to_do() -> None:
    code, said = run("show", "XX-0000")
    assert code == 2
    assert "mianti catalogue list" in said

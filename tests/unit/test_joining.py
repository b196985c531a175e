"""A department joins as `docs/dialects.md` says: with three files and no Python."""

import re
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from connectors.files import open_source
from connectors.settings import Settings
from flows.publish.job import Request
from flows.publish.publish import publish
from schemas import contract
from schemas.dialect import Dialect, FieldMap
from schemas.publishers import Publisher

DOCS = Path(__file__).parents[2] / "docs"


def documented(page: str) -> dict[str, str]:
    """The files that a page of the documentation shows, by path; the export is `csv`."""
    text = (DOCS / page).read_text("utf-8")
    named = re.findall(r"```yaml\n# (\S+\.yaml)\n(.*?)```", text, re.S)
    [export] = re.findall(r"```csv\n(.*?)```", text, re.S)
    return {**dict(named), "csv": export}


SHOWN = documented("dialects.md")
DIALECT = yaml.safe_load(SHOWN["dialects/fire-inspection.yaml"])
LINE = yaml.safe_load(SHOWN["publishers.yaml"])["publishers"]["fire-demo"]
DRY = Request("fire-demo", "rows", dry_run=True)


def write(folder: Path, dialect: Any = DIALECT, line: Any = LINE) -> Settings:
    """Write the documented files, changed or not, and return settings that name them."""
    files = {
        **SHOWN,
        "dialects/fire-inspection.yaml": yaml.safe_dump(dialect, allow_unicode=True),
        "publishers.yaml": yaml.safe_dump({"publishers": {"fire-demo": line}}, allow_unicode=True),
        "fire-20260501.csv": SHOWN["csv"],
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    return Settings(
        mianti_home=folder / "home",
        mianti_dialects=folder / "dialects",
        mianti_publishers=folder / "publishers.yaml",
    )


def test_a_department_joins_with_the_three_files_of_the_documentation(tmp_path: Path) -> None:
    settings = write(tmp_path)
    outcome = publish(open_source(tmp_path / "fire-20260501.csv"), DRY, settings)
    assert (outcome.layout, outcome.read, outcome.published) == ("fire-inspection", 3, 2)
    assert outcome.reasons == {"unknown_code": 1}
    assert outcome.examples[0]["sentence_zh"].startswith("结果：")


def test_both_languages_document_the_same_files() -> None:
    assert documented("dialects.zh-CN.md") == SHOWN


def test_the_documentation_has_every_word_of_the_grammar() -> None:
    maps = set().union(*(spec.model_fields for spec in get_args(get_args(FieldMap)[0])))
    words = set(Dialect.model_fields) | maps - {"text", "then", "otherwise", "list", "needs"}
    for page in ("dialects.md", "dialects.zh-CN.md"):
        text = (DOCS / page).read_text("utf-8")
        assert [word for word in sorted(words) if f"`{word}`" not in text] == [], page


def test_the_documentation_lists_every_shipped_dialect() -> None:
    for page in ("dialects.md", "dialects.zh-CN.md"):
        text = (DOCS / page).read_text("utf-8")
        assert [name for name in contract.dialects() if f"`{name}`" not in text] == [], page


def test_a_table_that_extends_the_shipped_one_has_its_lines_and_may_not_repeat_one(
    tmp_path: Path,
) -> None:
    settings = write(tmp_path)
    own = settings.mianti_publishers
    assert own is not None
    assert set(contract.publishers(own).publishers) == {"fire-demo"}
    own.write_text(SHOWN["publishers.yaml"], "utf-8")
    contract.publishers.cache_clear()
    shipped = contract.publishers().publishers
    assert contract.publishers(own).publishers == {
        **shipped,
        "fire-demo": Publisher.model_validate(LINE),
    }
    twice = {"extends": "shipped", "publishers": {"samr-demo": LINE, "fire-demo": LINE}}
    clash = tmp_path / "clash.yaml"
    clash.write_text(yaml.safe_dump(twice, allow_unicode=True), "utf-8")
    with pytest.raises(contract.BadContract) as told:
        contract.publishers(clash)
    [fault] = told.value.faults
    assert (fault.file, fault.place) == ("clash.yaml", "publishers.samr-demo")
    assert "is a line of the shipped table" in fault.says.en


def test_a_line_without_the_lists_its_layout_needs_publishes_nothing(tmp_path: Path) -> None:
    settings = write(tmp_path, line=LINE | {"layouts": {"fire-inspection": {}}})
    with pytest.raises(contract.BadContract, match="result"):
        publish(open_source(tmp_path / "fire-20260501.csv"), DRY, settings)


def test_a_line_that_names_a_list_nobody_has_publishes_nothing(tmp_path: Path) -> None:
    layouts = {"fire-inspection": {"codes": {"result": "no-such-list"}}}
    settings = write(tmp_path, line=LINE | {"layouts": layouts})
    with pytest.raises(contract.BadContract, match="result"):
        publish(open_source(tmp_path / "fire-20260501.csv"), DRY, settings)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"subject": "代码"}, "does not declare: .*代码"),
        ({"recognise": ["编号", "名称"]}, "does not declare: .*名称"),
        ({"personal": ["检查员", "编号"]}, "maps personal columns: .*编号"),
        ({"personal": ["单位代码"]}, "maps personal columns: .*单位代码"),
        ({"colums": {}}, "colums"),
        ({"recognise": []}, "recognise"),
        ({"family": "weather"}, "family"),
    ],
)
def test_a_dialect_with_a_mistake_does_not_load(
    change: dict[str, Any], complaint: str, tmp_path: Path
) -> None:
    settings = write(tmp_path, DIALECT | change)
    with pytest.raises(contract.BadContract, match=complaint):
        contract.dialects(settings.mianti_dialects)


def test_an_own_file_stands_for_the_shipped_one_of_its_id(tmp_path: Path) -> None:
    settings = write(tmp_path, DIALECT | {"id": "cn-tax-a-list"})
    assert contract.dialects(settings.mianti_dialects)["cn-tax-a-list"].version == "1"
    assert contract.dialects()["cn-tax-a-list"].version == "2018"

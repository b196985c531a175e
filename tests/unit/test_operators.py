"""Who may give something up: only people of the operators' table, by whose names it is recorded."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.settings import Settings
from flows.operators import BadOperators, UnknownOperator, known


def operators(home: Path, text: str) -> Settings:
    (home / "operators.yaml").write_text(text, "utf-8")
    return Settings(mianti_home=home)


def test_an_operator_is_known_by_id_or_name_and_recorded_by_name(tmp_path: Path) -> None:
    settings = operators(tmp_path, "operators:\n  li-wei: 李伟\n")
    assert known(settings, "li-wei") == known(settings, " 李伟 ") == "李伟"
    for other in ("Li Wei", "", "zhang-san"):
        with pytest.raises(UnknownOperator, match=r"operators\.yaml.*\n.*经办人") as refused:
            known(settings, other)
        assert not other or other not in str(refused.value).replace("li-wei: Li Wei", "")


def test_without_a_table_nobody_is_known(tmp_path: Path) -> None:
    with pytest.raises(UnknownOperator):
        known(Settings(mianti_home=tmp_path), "Li Wei")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a: b",
        "operators: [Li]",
        "operators: {'A b': x}",
        "{",
        "[" * 20_000,
        "operators: {a: 2026-99-99}",
        f"operators: {{a: {'9' * 5000}}}",
        "operators:\n  li: Li Wei\n  li: Wang Fang\n",
    ],
)
def test_a_table_that_cannot_be_read_is_told(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadOperators, match="无法读取经办人表"):
        known(operators(tmp_path, text), "Li Wei")


def test_an_id_goes_before_a_name_that_is_like_it(tmp_path: Path) -> None:
    assert known(operators(tmp_path, "operators:\n  a: b\n  b: 王芳\n"), "b") == "王芳"

"""What `mianti refused list` prints of a row: where it stands, and which enterprises it holds."""

from __future__ import annotations

import pytest

from connectors.files.columns import sheet_row
from deploy.cli.refused import about, place


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (None, "a.xlsx"),
        (5, "a.xlsx row · 行 5"),
        (sheet_row(1, 5), "a.xlsx sheet · 工作表 2 row · 行 5"),
    ],
)
def test_a_row_of_a_later_sheet_is_told_with_its_sheet(row: int | None, told: str) -> None:
    assert place("a.xlsx", row) == told


@pytest.mark.parametrize(
    ("subject", "told"),
    [
        ("", "EVERY enterprise · 所有企业"),
        ("name:0123456789abcdef", "enterprises of the row's name · 该行名称的企业"),
        ("91990100MA0KGAWY1K", "91990100MA0KGAWY1K"),
    ],
)
def test_a_row_without_a_code_is_told_with_whom_it_holds(subject: str, told: str) -> None:
    assert about(subject) == told

"""What `mianti refused list` prints of where a row stands."""

from __future__ import annotations

import pytest

from connectors.files.columns import sheet_row
from deploy.cli.refused import place


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

"""What a department may say: rows of the small licence layout, most of one subject, some wrong."""

from __future__ import annotations

import datetime as dt

from hypothesis import strategies as st

from tests.oracle.layout import check_character
from tests.property.law_world import DAYS, ISSUER

SUBJECTS = [c + check_character(c) for c in ("91990100MA000000" + n for n in "123")]
NUMBERS = ["甲[1]", "乙/2"]
#: The same two, as others type them.
SPELLINGS = [*NUMBERS * 3, "甲〔1〕", "甲（１）", "甲【1】", "乙／2", "乙/２"]
#: Of a file that tells them.
STATES = [*"1122234"]
FAULTS: list[dict[str, str]] = [
    {"代码": SUBJECTS[0][:-1] + "9"},
    {"代码": ""},
    {"编号": ""},
    {"编号": "无"},
    {"编号": "——"},
    {"状态": "9"},
    {"状态": ""},
    {"变更日": "2062-03-01"},
    {"代码": "", "编号": "", "决定日": "2020-02-30", "状态": ""},
    {"决定日": "2020-02-30"},
    {"异议": "9"},
    {"状态": "2", "变更日": "2020-03-02", "状态止": "2020-03-01"},
]


@st.composite
def rows(draw: st.DrawFn, *, dated: bool, states: list[str]) -> dict[str, str]:
    """Return a row; mostly of one subject, now and then with a fault."""
    row = {
        "代码": draw(st.sampled_from([SUBJECTS[0]] * 5 + SUBJECTS)),
        "编号": draw(st.sampled_from(SPELLINGS)),
        "机关": ISSUER,
        "内容": draw(st.sampled_from(["", "", "食品"])),
        "决定日": draw(st.sampled_from(["", "", str(DAYS[1])])),
        "有效期自": draw(st.sampled_from(["", "", str(DAYS[2])])),
        "有效期至": draw(st.sampled_from(["", "", str(DAYS[4])])),
        "状态": draw(st.sampled_from(states)),
        "变更日": draw(st.sampled_from(["", "", str(DAYS[1]), str(DAYS[3])])),
        "状态止": draw(st.sampled_from(["", "", "", str(DAYS[3]), str(DAYS[5])])),
        "异议": draw(st.sampled_from(["", "0", "1"])),
    }
    if dated:
        row["时间戳"] = draw(st.sampled_from(["", "2020-02-02", "2020-02-04"]))
    return row | draw(st.sampled_from([{}] * 30 + FAULTS))


@st.composite
def files(draw: st.DrawFn, *, dated: bool) -> list[dict[str, str]]:
    """Return the rows of a file; one in five fills no state at all."""
    states = draw(st.sampled_from([STATES] * 4 + [[""]]))
    return draw(st.lists(rows(dated=dated, states=states), min_size=1, max_size=4))


editions = st.sampled_from([None, None, *(dt.date(2020, 2, n) for n in range(1, 6))])
numbers = st.sampled_from(SPELLINGS)

"""What is said of other licences, of past terms and of penalties that end none: noise."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from tests.property.lost_deal import Deal
from tests.property.lost_licences import LOST
from tests.property.lost_records import (
    BEFORE,
    NAME,
    OTHER_NAME,
    Event,
    beside,
    grade,
    licence,
    penalty,
)
from tests.support.codes import uscc

OTHER: Final[dict[str, Any]] = {"name": OTHER_NAME, "number": "DL990100777"}
_TAKEN: Final = penalty(16, categories=["吊销许可证件"], licences_affected=NAME)[0]
KINDS: Final[list[list[Event]]] = [
    *(licence("示运许〔2022〕7号", state, **OTHER) for state in LOST),
    licence("示运许〔2022〕8号", "revoked", number=None, name=OTHER_NAME),
    licence("示运许〔2022〕9号", "revoked", (None, None, None), **OTHER),
    licence("示许〔2018〕1号", days=BEFORE),
    licence("示许〔2018〕2号", "cancelled", BEFORE, number=None),
    licence("示许续〔2026〕3号", days=("2026-04-30", "2028-03-05", "2033-03-04")),
    licence("示许停〔2024〕3号", "suspended", ("2022-01-01", "2022-01-01", None)),
    penalty(11, categories=["警告"], penalty_content="警告", licences_affected="/"),
    penalty(12, categories=["罚款"], penalty_content="罚款人民币伍仟元整", fine_yuan=None),
    penalty(
        13,
        categories=["没收违法所得"],
        penalty_content="没收违法所得900元",
        licences_affected="无",
        fine_yuan=None,
    ),
    penalty(
        14,
        "2022-01-01",
        categories=["吊销许可证件"],
        penalty_content="吊销道路运输经营许可证（DL990100777）",
        licences_affected="道路运输经营许可证（DL990100777）",
    ),
    penalty(
        15,
        "2022-02-01",
        categories=["暂扣许可证件"],
        penalty_content=f"暂扣{NAME}三个月",
        valid_to=dt.date(2022, 5, 1),
    ),
    [_TAKEN, beside(_TAKEN, "withdrawal", "withdrawn")],
    grade("2024", uscc(3)),
    grade("2025", uscc(4)),
    [one | {"subject": uscc(5)} for one in licence("示许撤〔2026〕5号", "revoked")],
]


def noise(deal: Deal) -> list[Event]:
    """Return some of it, often none."""
    found = deal.some(KINDS, one_in=deal.one((4, 8, 100)))
    return [one for kind in found for one in kind]

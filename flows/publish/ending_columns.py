"""Columns that a layout does not know, and whose names say that they tell of a state or an ending.

注销日期 beside a licence that the layout's own state column calls valid: nobody can say that it is
still in force. A row with a cell below such a name is refused, and so its enterprise excepted, until
the dialect reads the column or puts it under `ignore`. What every valid licence has there (正常, 否
below 是否注销, a last day yet to come) says nothing. Pure.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, Literal

import polars as pl

from flows.answer.ending import ending
from flows.publish.days import days
from flows.publish.recognise import Match
from schemas.dialect import Const, Dialect, fold_name
from schemas.folding import fold, is_placeholder
from schemas.personal import redact

#: `ended`: what is told below the name is an ending; `state`: a state, which may be a good one;
#: `good`: whether all is well; `last`: a last day; `remark`: anything.
Kind = Literal["ended", "state", "good", "last", "remark"]

_ENDED: Final = (
    "注销|撤销|吊销|撤回|收回|收缴|缴销|作废|废止|停用|停业|停产|歇业|暂扣|吊扣|中止|暂停|取消|退出|除名|移出|"
    "关闭|清算|破产|无效|不予延续|迁出|转出|cancel|revok|invalid|suspend|withdraw|annul|closed"
)
#: The first that is found in a folded name decides.
_KINDS: Final[Sequence[tuple[Kind, re.Pattern[str]]]] = (
    (
        "good",
        re.compile(
            "是否(?:有效|存续|正常|在用|在业|在营|持证)|(?:有效|存续|在用|正常)(?:性|与否|标[志记识])|sfyx"
        ),
    ),
    ("ended", re.compile(f"{_ENDED}|^zx(?:rq|yy|sj|bz|wh)$")),
    ("last", re.compile("失效|终止|到期|过期|届满|expir|terminat|end_?date")),
    # The state of a message or of its handling is none of the record's.
    (
        "state",
        re.compile(
            "(?<!数据)(?<!上报)(?<!报送)(?<!审核)(?<!同步)(?<!上传)(?<!推送)(?<!处理)(?<!办理)(?<!公示)(?<!共享)状态|"
            "现状|效力|status|(?:^|_)state$"
        ),
    ),
    (
        "remark",
        re.compile(
            "备注|说明|附注|注释|情况|状况|意见|原因|事由|标注|标记|其他|其它|remark|memo|note|comment|reason"
        ),
    ),
)
#: What says of a licence that all is well, folded, by the kind of its column's name.
_WELL: Final = (
    *(
        "正常",
        "有效",
        "存续",
        "在营",
        "在业",
        "开业",
        "在用",
        "营业",
        "在册",
        "合格",
        "良好",
        "准予",
        "许可",
    ),
    *(
        "存续(在营、开业、在册)",
        "现行有效",
        "正常营业",
        "持证",
        "VALID",
        "NORMAL",
        "ACTIVE",
        "IN FORCE",
        "OK",
    ),
    *("长期", "长期有效", "未注销", "未吊销", "未撤销", "无异常"),
)
_NO: Final = ("否", "未", "没有", "N", "NO", "F", "FALSE", "0", "不是")
_YES: Final = ("是", "有", "Y", "YES", "T", "TRUE", "1", "√")
_GOOD: Final[dict[Kind, tuple[str, ...]]] = {
    "ended": (*_WELL, *_NO),
    "last": (*_WELL, *_NO),
    "state": _WELL,
    "good": (*_WELL, *_YES),
}


def ending_columns(header: Sequence[str], match: Match) -> dict[str, Kind]:
    """Return the columns of a file that the layout does not know and that may tell of an ending.

    Of penalties what ends them frees the enterprise: only remarks of theirs are looked at.
    """
    dialect = match.dialect
    if match.renamed is not None or dialect.native:
        return {}
    known = {fold_name(name) for name in dialect.ignore}
    left = [n for n in header if n and n not in match.names and fold_name(n) not in known]
    found = {name: _kind(fold_name(name)) for name in left}
    frees = dialect.family == "credit" and not is_graded(dialect)
    return {n: k for n, k in found.items() if k is not None and (k == "remark" or not frees)}


def is_graded(dialect: Dialect) -> bool:
    """Return whether a layout is a list of grades, which speaks by whom it leaves out, too."""
    kinds = [event.content.get("kind") for event in dialect.events]
    return any(isinstance(kind, Const) and kind.const == "grade" for kind in kinds)


def ending_faults(columns: dict[str, Kind], rows: pl.DataFrame, on: dt.date) -> list[pl.Expr]:
    """Return for each column the fault of rows (String columns) that tell something there.

    `on`: today in China. Null where a cell is empty, or says that all is well.
    """
    return [
        pl.when(_tells(name, kind, rows, on)).then(pl.lit(f"state_unread:{redact(name)}"))
        for name, kind in columns.items()
        if name in rows.columns
    ]


def _kind(name: str) -> Kind | None:
    return next((kind for kind, pattern in _KINDS if pattern.search(name)), None)


def _tells(name: str, kind: Kind, rows: pl.DataFrame, on: dt.date) -> pl.Expr:
    cell = pl.col(name)
    if kind == "remark":
        ended = [text for text in rows[name].unique().drop_nulls() if _says_ended(text)]
        return cell.is_in(pl.Series(ended, dtype=pl.String).implode())
    said = fold(cell).str.to_uppercase()
    nothing = is_placeholder(cell) & ~((said == "0") & pl.lit(kind == "good"))
    told = cell.is_not_null() & ~nothing & ~said.is_in([*_GOOD[kind]])
    if kind == "last":
        told &= (days(cell) <= on).fill_null(value=True)
    return told


@lru_cache(maxsize=4096)
def _says_ended(text: str) -> bool:
    return ending({"remarks": text}) is not None

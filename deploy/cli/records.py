"""Records as a person reads them: state, days, what, whose, in columns under a header."""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

Row = Mapping[str, Any]
#: Why a record may not be used.
_UNUSABLE: Final = {
    "withdrawn": "已撤回",
    "repaired": "已信用修复",
    "annulled": "已撤销",
    "publication_ended": "公示期满",
    "conflicted": "内容冲突",
    "undecided": "尚无生效决定",
}
_HEADER: Final = ("state · 状态", "from · 起", "to · 止", "what · 内容", "enterprise · 企业")
#: The last day: of a penalty or an entry of a list, that of its publication goes before.
_TO: Final = ("publication_to", "valid_to", "effective_to")
_FROM: Final = ("valid_from", "effective_from")
_NAMES: Final = ("name", "title", "violation_type", "list_code", "grade", "kind")
_NUMBERS: Final = ("number", "document_number", "registration_number")


def lines(family: str, rows: Sequence[Row]) -> Iterator[str]:
    """Yield a header and two lines a record, the second one with its key; days are China's.

    `rows`: of the family's dataset. The time of landing is the machine's.
    """
    cells = [_HEADER, *(_cells(family, row) for row in rows)]
    wide = [max(_width(text) for text in column) for column in zip(*cells, strict=True)]
    yield _joined(_HEADER, wide)
    yield "    record key · 记录键, landed · 入库时间"
    for row, texts in zip(rows, cells[1:], strict=True):
        yield _joined(texts, wide)
        landed = row["last_landed_at"].astimezone()
        yield f"    {row['record_key']}, {landed:%Y-%m-%d %H:%M}"


def _cells(family: str, row: Row) -> tuple[str, ...]:
    if row["usable"] != "yes":
        why = row["unusable_reason"]
        state = f"not usable · 不得使用: {why} {_UNUSABLE.get(why, '')}".rstrip()
        return (state, "-", "-", "-", row["subject"])
    named = row["name"] if family == "registration" else row["subject_name"]
    return (
        _state(row["state"]),
        _day(row, _FROM),
        _open_ended(row) or _day(row, _TO),
        _what(family, row),
        " ".join(filter(None, [row["subject"], named])),
    )


def _state(state: str | None) -> str:
    from flows.answer.words import LIVING, STATES

    words = LIVING.get(state or "") or STATES.get(state or "")
    return f"{state} · {words.zh}" if words is not None else str(state)


def _what(family: str, row: Row) -> str:
    """Return what a record is: its name and number, and the fine where there is one."""
    named = ("entity_type",) if family == "registration" else _NAMES
    fine = row.get("fine_yuan")
    told = [_first(row, named), _first(row, _NUMBERS), f"{fine:,} 元" if fine else None]
    return " ".join(filter(None, told)) or "-"


def _open_ended(row: Row) -> str | None:
    return "no end · 长期" if row.get("term") == "open_ended" else None


def _day(row: Row, names: Sequence[str]) -> str:
    found = _first(row, names)
    return found.isoformat() if isinstance(found, dt.date) else "-"


def _first(row: Row, names: Sequence[str]) -> Any:
    return next((row[name] for name in names if row.get(name) is not None), None)


def _joined(texts: Sequence[str], wide: Sequence[int]) -> str:
    padded = [text + " " * (width - _width(text)) for text, width in zip(texts, wide, strict=True)]
    return "  ".join(padded).rstrip()


def _width(text: str) -> int:
    """Return the columns that a text takes on a terminal: Chinese characters take two."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)

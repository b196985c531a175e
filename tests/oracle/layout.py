"""A small licence layout (`dialects/law-licence.yaml`), read one row after another."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Mapping
from dataclasses import dataclass

from tests.oracle.spelling import key_part

COLUMNS = (
    *("代码", "编号", "机关", "内容", "决定日", "有效期自"),
    *("有效期至", "状态", "变更日", "状态止", "异议", "时间戳"),
)
#: An empty state has its meaning only in a file that fills none: elsewhere it was not told.
STATES = {"": "in_force", "1": "in_force", "2": "suspended", "3": "revoked", "4": "annulled"}
OBJECTIONS = {"0": "none", "1": "raised"}
#: What stands where a number should, and is none.
NO_NUMBERS = ("无", "/", "——", "NULL")
CHINA = dt.timezone(dt.timedelta(hours=8))
#: How far the clocks of two machines may be apart.
CLOCKS = dt.timedelta(minutes=5)

_CODE_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


@dataclass(frozen=True)
class Content:
    """What a version says; two versions with equal contents say the same."""

    subject: str
    fields: tuple[tuple[str, object], ...]
    effective_from: dt.date | None = None
    effective_to: dt.date | None = None
    void_ab_initio: bool = False

    def get(self, name: str) -> object:
        """Return one field; None when it is not there."""
        return dict(self.fields).get(name)


@dataclass(frozen=True)
class Said:
    """What one row says of one facet of a record; `edition` is None where the row states none."""

    row: int
    record_key: str
    facet: str
    content: Content
    edition: dt.datetime | None


def write_rows(rows: list[dict[str, str]]) -> str:
    """Return rows as a CSV file of the layout; a column a row leaves out is empty."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def read_rows(text: str, now: dt.datetime) -> dict[int, list[Said] | set[str]]:
    """Return, by row number from 1, what a row says; or the codes of all that is wrong with it.

    `now`: when the file is sent, after which nothing can have happened yet.
    """
    found: dict[int, list[Said] | set[str]] = {}
    rows = [*csv.DictReader(io.StringIO(text))]
    filled = any(row["状态"] for row in rows)
    for number, row in enumerate(rows, start=1):
        faults = {*_faults(row), *_not_yet(row, (now + CLOCKS).astimezone(CHINA).date())}
        faults |= {"state_not_stated"} if filled and not row["状态"] else set()
        found[number] = faults or _sayings(number, row)
    return found


def check_character(first17: str) -> str:
    """Return the 18th character of a unified social credit code (GB 32100-2015)."""
    total = sum(_CODE_ALPHABET.index(c) * pow(3, i, 31) for i, c in enumerate(first17))
    return _CODE_ALPHABET[(31 - total % 31) % 31]


def record_key(issuer: str, number: str) -> str:
    """Return a record's key: the issuer and its own number, in whatever spelling."""
    return "/".join(map(key_part, (issuer, number)))


def _faults(row: Mapping[str, str]) -> list[str]:
    faults = []
    code = row["代码"]
    if not code:
        faults.append("code_missing")
    elif len(code) != 18:
        faults.append("code_length")
    elif check_character(code[:17]) != code[17]:
        faults.append("code_check_digit")
    if not row["编号"]:
        faults.append("missing")
    elif row["编号"] in NO_NUMBERS:
        faults.append("key_incomplete")
    if row["状态"] not in STATES:
        faults.append("unknown_code")
    if row["异议"] and row["异议"] not in OBJECTIONS:
        faults.append("unknown_code")
    dates = [row[c] for c in ("决定日", "有效期自", "有效期至", "变更日", "状态止")]
    if any(text and _date(text) is None for text in dates):
        faults.append("bad_date")
    if row["时间戳"] and _date(row["时间戳"]) is None:
        faults.append("bad_time")
    begins, ends = _date(row["变更日"]), _date(row["状态止"])
    if row["状态"] in STATES and begins and ends and begins > ends:
        faults.append("dates_reversed")
    return faults


def _not_yet(row: Mapping[str, str], today: dt.date) -> list[str]:
    """A state that begins tomorrow is mistyped; a licence may begin up to ten years ahead."""
    changed = _date(row["变更日"]) if row["状态"] in STATES else None
    begins = [day for day in (_date(row["决定日"]), _date(row["有效期自"])) if day]
    late = changed is not None and changed > today
    late |= any(day > today + dt.timedelta(days=3653) for day in begins)
    return ["date_in_future"] if late else []


def _sayings(number: int, row: Mapping[str, str]) -> list[Said]:
    subject = row["代码"]
    key = record_key(row["机关"], row["编号"])
    day = _date(row["时间戳"])
    edition = dt.datetime.combine(day, dt.time(), CHINA) if day else None
    decision = {
        "number": row["编号"],
        "scope": row["内容"] or None,
        "valid_from": _date(row["有效期自"]),
        "valid_to": _date(row["有效期至"]),
    }
    contents = {"decision": Content(subject, tuple(decision.items()), _date(row["决定日"]))}
    state = STATES[row["状态"]]
    contents["standing"] = Content(
        subject,
        (("state", state),),
        _date(row["变更日"]),
        _date(row["状态止"]),
        void_ab_initio=state == "annulled",
    )
    if row["异议"]:
        contents["objection"] = Content(subject, (("state", OBJECTIONS[row["异议"]]),))
    return [Said(number, key, facet, content, edition) for facet, content in contents.items()]


def _date(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None

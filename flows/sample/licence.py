"""Rows of administrative licences, 双公示 2018, under the layout's Chinese names."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from random import Random
from typing import Final

from flows.sample import words
from flows.sample.enterprise import Enterprise, day, pick
from flows.sample.export import Export, Row, Shape

EXPORT: Final = Export(
    publisher="housing-demo",
    layout="cn-sgs-2018-licence",
    organ="示范市住房和城乡建设局",
    organ_code="11990100000000123K",
    shape=Shape(
        subject="行政相对人代码_1（统一社会信用代码）",
        issuer="许可机关统一社会信用代码",
        text="许可内容",
        day="有效期至",
        no_code="0" * 17 + "X",
        state="当前状态",
    ),
)
IN_FORCE: Final = "1"
SUSPENDED: Final = "2"
_OTHER_STATES: Final = ("3", "4", "9")


def licence(who: Enterprise, number: int, start: dt.date, end: str, state: str) -> Row:
    """Return one licence of the enterprise; `number` runs through the whole file."""
    certificate, document, scope = words.LICENCES[number % len(words.LICENCES)]
    break_ = "\n" if number % 11 == 0 else ""
    return {
        "行政相对人名称": who.name,
        "行政相对人类别": "法人及非法人组织",
        EXPORT.shape.subject: who.code,
        "行政相对人代码_2（工商注册号）": who.old_number,
        "法定代表人": who.person,
        "法定代表人证件类型": "身份证",
        "法定代表人证件号码": who.identity,
        "行政许可决定文书名称": document,
        "行政许可决定文书号": f"示建许〔{start.year}〕{number:08d}号",
        "许可类别": "普通",
        "许可证书名称": certificate,
        "许可编号": f"D990{number:08d}",
        "许可内容": f"{scope}。{break_}许可范围以证书载明为准。",
        "许可决定日期": start,
        "有效期自": start,
        "有效期至": end,
        "许可机关": EXPORT.organ,
        "许可机关统一社会信用代码": EXPORT.organ_code,
        "当前状态": state,
        "数据来源单位": EXPORT.organ,
        "数据来源单位统一社会信用代码": EXPORT.organ_code,
        "备注": "",
    }


def any_licence(who: Enterprise, number: int, rng: Random) -> Row:
    """Return a licence of any age; two in ten without an end, some of the others expired."""
    start = day(rng, 2018, 2025)
    years = rng.choice((3, 5, 5, 5))
    end = start.replace(year=start.year + years) - dt.timedelta(days=1)
    last = "2099/12/31" if rng.random() < 0.2 else f"{end:%Y/%m/%d}"
    return licence(who, number, start, last, pick(rng, IN_FORCE, _OTHER_STATES))


def shown_licences(who: Enterprise, numbers: Sequence[int]) -> list[Row]:
    """Return what the demo shows: one in force, one expired, one suspended, one without end."""
    shown = (
        (dt.date(2024, 6, 3), "2029/06/02", IN_FORCE),
        (dt.date(2021, 3, 8), "2024/03/07", IN_FORCE),
        (dt.date(2025, 9, 1), "2030/08/31", SUSPENDED),
        (dt.date(2022, 11, 15), "2099/12/31", IN_FORCE),
    )
    return [licence(who, number, *rest) for number, rest in zip(numbers, shown, strict=True)]

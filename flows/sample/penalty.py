"""Rows of administrative penalties, 双公示 2018, under the layout's field codes."""

from __future__ import annotations

import datetime as dt
from random import Random
from typing import Final

from flows.sample import words
from flows.sample.enterprise import TODAY, Enterprise
from flows.sample.export import Export, Row, Shape

EXPORT: Final = Export(
    publisher="credit-demo",
    layout="cn-sgs-2018-penalty",
    organ="示范市城市管理综合行政执法局",
    organ_code="11990100000000131E",
    shape=Shape(
        subject="CF_XDR_SHXYM",
        issuer="CF_CFJGDM",
        text="CF_SY",
        day="CF_GSJZQ",
        no_code="0" * 17 + "X",
        amount="CF_NR_FK",
    ),
)
#: Fines in 万元.
_FINES: Final = ("0.2", "0.5", "1", "1.25", "3.123456", "10")


def penalty(who: Enterprise, number: int, rng: Random, suspends: Row | None) -> Row:
    """Return one penalty of the last two years; `suspends` is the licence it suspends."""
    violation, facts, basis = rng.choice(words.VIOLATIONS)
    decided = TODAY - dt.timedelta(days=rng.randint(10, 700))
    fine = rng.choice(_FINES)
    break_ = "\n" if rng.random() < 0.1 else ""
    kinds, content = "罚款", f"处以罚款人民币{fine}万元。"
    if suspends is not None:
        kinds, content = "罚款、暂扣许可证件", content + "暂扣许可证件三个月。"
    return {
        "CF_XDR_MC": who.name,
        "CF_XDR_LB": "法人及非法人组织",
        "CF_XDR_SHXYM": who.code,
        "CF_XDR_GSZC": who.old_number,
        "CF_FRDB": who.person,
        "CF_FR_ZJLX": "身份证",
        "CF_FR_ZJHM": who.identity,
        "CF_WSH": f"示城管罚决〔{decided.year}〕{number:08d}号",
        "CF_WFXW": violation,
        "CF_SY": f"{who.name}：{break_}{facts}",
        "CF_YJ": basis,
        "CF_CFLB": kinds,
        "CF_NR": content,
        "CF_NR_FK": fine,
        "CF_NR_WFFF": "0",
        "CF_NR_ZKDX": _named(suspends),
        "CF_JDRQ": decided.isoformat(),
        "CF_YXQ": "2099/12/31",
        "CF_GSJZQ": f"{decided + dt.timedelta(days=3 * 365):%Y/%m/%d}",
        "CF_CFJG": EXPORT.organ,
        "CF_CFJGDM": EXPORT.organ_code,
        "CF_SJLY": EXPORT.organ,
        "CF_SJLYDM": EXPORT.organ_code,
        "BZ": "",
    }


def _named(licence: Row | None) -> str:
    return "" if licence is None else f"{licence['许可证书名称']}（{licence['许可编号']}）"

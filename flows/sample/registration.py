"""Rows of the register of market entities (layout `registration-list`)."""

from __future__ import annotations

import datetime as dt
from random import Random
from typing import Final

from flows.sample import words
from flows.sample.enterprise import Enterprise, day, pick
from flows.sample.export import Export, Row, Shape

EXPORT: Final = Export(
    publisher="samr-demo",
    layout="registration-list",
    organ="示范市市场监督管理局",
    organ_code="11990100000000115Q",
    shape=Shape(
        subject="统一社会信用代码",
        issuer="登记机关代码",
        text="经营范围",
        day="成立日期",
        state="登记状态",
        amount="注册资本（万元）",
    ),
    encoding="gb18030",
)
_CAPITAL: Final = ("50", "100", "200.5", "500", "1000", "3,000", "1234.567890", "")
_NOTE: Final = "技术咨询服务（依法须经批准的项目，经批准后方可开展经营活动）"
_OTHER_STATES: Final = ("在营", "开业", "歇业", "注销", "吊销，未注销")


def registration(who: Enterprise, rng: Random) -> Row:
    """Return the enterprise's entry."""
    changed = max(who.established, day(rng, 2020, 2025))
    break_ = "\n" if rng.random() < 0.1 else ""
    return {
        "统一社会信用代码": who.code,
        "企业名称": who.name,
        "市场主体类型": "有限责任公司",
        "注册号": who.old_number,
        "法定代表人": who.person,
        "联系电话": f"199{rng.randint(0, 10**8 - 1):08d}",
        "住所": who.address,
        "经营范围": f"{who.trade[2]}；{break_}{_NOTE}",
        "登记机关": EXPORT.organ,
        "登记机关代码": EXPORT.organ_code,
        "行业代码": who.trade[1],
        "行政区划代码": words.DISTRICTS[who.district],
        "注册资本（万元）": rng.choice(_CAPITAL),
        "成立日期": f"{who.established:%Y年%m月%d日}",
        "营业期限自": who.established.isoformat(),
        "营业期限至": rng.choice(("长期", "2099-12-31", _after(who.established, 30))),
        "登记状态": pick(rng, "存续", _OTHER_STATES),
        "核准日期": f"{changed:%Y/%m/%d}",
    }


def _after(start: dt.date, years: int) -> str:
    return (start.replace(year=start.year + years) - dt.timedelta(days=1)).isoformat()

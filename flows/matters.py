"""What waits for a person in a family's tables, and whose exemptions it stops until then.

What waits in quarantine or beside a refused file may be the end of a record, so windows exempt
nobody by what it may contradict. What is not stated complete, or overdue, stops them too.
`mianti status`, the artifact and the alarms say it in these words (`flows.todo`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import polars as pl
from deltalake import DeltaTable

from connectors import lake
from connectors.settings import Settings
from connectors.topics import publisher_of
from flows.complete import Cycle, Layouts, cycles, layouts, sent, stated
from flows.log import PLACE, POSITION, QUARANTINE
from flows.waiting import waiting
from schemas.names_held import is_digest
from schemas.reasons import sentence

#: In English and in Chinese.
Said: TypeAlias = tuple[str, str]
Kind: TypeAlias = Literal[
    "quarantine",
    "refused",
    "landing",
    "settling",
    "window",
    "cycle",
    "completeness",
    "deployment",
    "webhook",
]
#: How many enterprises are named of those held.
_NAMED: Final = 3
_SEEN: Final = pl.Schema(
    {
        name: {**POSITION, **QUARANTINE}[name]
        for name in (*PLACE, "verdict", "landed_at", "reason", "about")
    }
)
EVERYONE: Final = ("every enterprise", "全部企业")
_BY_COMPLETENESS: Final = (
    "every enterprise, where a paper needs these data complete",
    "全部企业（须以该部门数据完整为依据的材料）",
)


@dataclass(frozen=True)
class Matter:
    """One thing that waits. `about` names it among those of its kind.

    `count`: messages, files or rows, 0 where nothing is to be counted; `since` is UTC.
    """

    kind: Kind
    about: str
    said: Said
    stops: Said
    to_do: Said
    count: int = 0
    since: dt.datetime | None = None

    @property
    def key(self) -> str:
        """Return the name of the alarm it raises."""
        return f"{self.kind}/{self.about}"

    @property
    def sentences(self) -> Said:
        """Return why it waits, what to do, and whose exemptions it stops."""
        return (
            f"{self.said[0]} To do: {self.to_do[0]}. Stops the exemptions of: {self.stops[0]}.",
            f"{self.said[1]}处理：{self.to_do[1]}。影响免提交的企业：{self.stops[1]}。",
        )


def of_family(settings: Settings, family: str, now: dt.datetime) -> list[Matter]:
    """Return what waits in a family's tables at a time (UTC). Raises what reading them raises."""
    log, statements = lake.open_table(settings, "log", family), stated(settings, family)
    landed = sent(log)
    told = layouts(landed, statements)
    return in_tables(family, log, statements, told, cycles(settings, family, landed), now)


def in_tables(
    family: str,
    log: DeltaTable | None,
    statements: pl.DataFrame,
    told: Layouts,
    promised: Iterable[Cycle],
    now: dt.datetime,
) -> list[Matter]:
    """Return what waits of a family at a time (UTC), by what was read of its tables already.

    Of the log what waits in quarantine is read. Raises what reading it raises.
    """
    rows = waiting(log, _SEEN).collect() if log is not None else None
    return [
        *(quarantined(family, rows) if rows is not None else ()),
        *refused(family, statements),
        *silent(promised, told, now),
    ]


def quarantined(family: str, rows: pl.DataFrame) -> Iterator[Matter]:
    """Yield what waits in quarantine, by topic and reason; pure."""
    grouped = rows.group_by("topic", "reason").agg(
        count=pl.len(),
        since=pl.col("landed_at").min(),
        everyone=pl.col("about").is_null().any(),
        held=pl.col("about").drop_nulls().unique().sort(),
    )
    for row in grouped.sort("topic", "reason").iter_rows(named=True):
        said = sentence(row["reason"], "…")
        publisher = publisher_of(row["topic"])
        command = f"`mianti quarantine show --family {family} --publisher {publisher}`"
        yield Matter(
            "quarantine",
            f"{row['topic']}/{row['reason']}",
            (said.en, said.zh),
            EVERYONE if row["everyone"] else whom(row["held"]),
            (f"{command}, then redrive or discard", f"用 {command} 查看后执行 redrive 或 discard"),
            row["count"],
            row["since"],
        )


def refused(family: str, statements: pl.DataFrame) -> Iterator[Matter]:
    """Yield the layouts whose refused rows or failed files hold enterprises; pure."""
    for publisher, layout, _, excepted, everyone in statements.iter_rows():
        if excepted or everyone:
            command = f"`mianti refused list --publisher {publisher}`"
            yield Matter(
                "refused",
                f"{family}/{publisher}/{layout}",
                (
                    "Refused rows or failed files of this layout wait to be mended.",
                    "该版式有被退回的行或失败的文件待更正。",
                ),
                EVERYONE if everyone else whom(excepted),
                (
                    f"{command}; its department mends and sends again",
                    f"用 {command} 查看，由该部门更正后重新报送",
                ),
                0 if everyone else len(excepted),
            )


def silent(promised: Iterable[Cycle], told: Layouts, now: dt.datetime) -> Iterator[Matter]:
    """Yield the publishers that missed their cycle, and layouts that are not stated complete; pure.

    A layout that its publisher's line lists no more is not asked for.
    """
    for one in promised:
        about = f"{one.family}/{one.publisher}"
        days = f"{one.cycle / dt.timedelta(days=1):g}"
        if one.missed(now):
            yield Matter(
                "cycle",
                about,
                (
                    f"It has published nothing for longer than the {days} days it promised.",
                    f"已超过承诺周期（{days} 天）未报送。",
                ),
                _BY_COMPLETENESS,
                ("ask the department for its export", "请催该部门报送"),
                since=one.heard_at,
            )
        for layout, through in told.get(one.publisher, {}).items():
            # Whoever is late is asked for its data once, and not for each layout.
            outdated = through is not None and now - through > one.cycle and not one.missed(now)
            if layout in one.sends and (through is None or outdated):
                yield _incomplete(one, layout, through, days)


def _incomplete(one: Cycle, layout: str, through: dt.datetime | None, days: str) -> Matter:
    command = f"`mianti publish FILE --publisher {one.publisher} --layout {layout} --complete-through TIME`"
    never = ("It was sent, and never stated complete.", "已有报送，但从未声明数据完整。")
    old = (
        f"It was stated complete longer ago than the {days} days promised.",
        f"声明数据完整的时间已超过承诺周期（{days} 天）。",
    )
    return Matter(
        "completeness",
        f"{one.family}/{one.publisher}/{layout}",
        never if through is None else old,
        _BY_COMPLETENESS,
        (
            f"publish an export that holds all of its data: {command}, TIME is when it was made",
            f"报送全量导出文件：{command}，TIME 填写导出时间",
        ),
        since=through,
    )


def whom(held: Iterable[str]) -> Said:
    """Return in words which enterprises are held, by code, organisation code or name's digest."""
    entries = sorted(held)
    codes = [one for one in entries if not is_digest(one)]
    named = len(entries) - len(codes)
    shown, more = ", ".join(codes[:_NAMED]), len(codes) - _NAMED
    english = [shown] if shown else []
    chinese = [shown] if shown else []
    if more > 0:
        english.append(f"{more:,} more")
        chinese.append(f"另有 {more:,} 家")
    if named:
        english.append(f"{named:,} known by name only")
        chinese.append(f"仅有名称的 {named:,} 家")
    return ", ".join(english), "，".join(chinese)

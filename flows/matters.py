"""All that waits for a person, and whose exemptions it stops until then.

What waits in quarantine or beside a refused file may be the end of a record, so windows exempt
nobody by what it may contradict. What is not landed, not stated complete, or overdue stops them too.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import httpx
import polars as pl

from connectors import lake
from connectors.errors import MiantiError
from connectors.heartbeat import has_log, held_through
from connectors.settings import Settings
from connectors.stack import Stack
from connectors.topics import publisher_of
from flows.complete import Cycle, cycles, stated
from flows.log import PLACE, POSITION, QUARANTINE
from flows.origin import stopped
from flows.status import status
from flows.waiting import waiting
from schemas.avro import FAMILIES
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
_EVERYONE: Final = ("every enterprise", "全部企业")


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


def matters(settings: Settings, now: dt.datetime) -> list[Matter]:
    """Return what waits in the lake and at the home's window, at a time (UTC).

    Raises what reading the tables raises.
    """
    landed = [family for family in FAMILIES if has_log(settings, family)]
    found = [one for family in landed for one in _of_family(settings, family, now)]
    # A window of a home where nothing was ever landed has nothing to answer from.
    return [*found, *(_at_window(settings) if landed else ())]


def _of_family(settings: Settings, family: str, now: dt.datetime) -> Iterator[Matter]:
    yield from _landing(settings, family, now)
    log = lake.open_table(settings, "log", family)
    if log is not None:
        rows = waiting(log, _SEEN)
        yield from quarantined(family, rows.collect())
    statements = stated(settings, family)
    yield from _refused(family, statements)
    heard = [one for one in cycles(settings, family) if one.heard_at is not None]
    yield from silent(heard, statements, now)


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
        yield Matter(
            "quarantine",
            f"{row['topic']}/{row['reason']}",
            (said.en, said.zh),
            _EVERYONE if row["everyone"] else whom(row["held"]),
            (
                f"`mianti quarantine show --family {family} --publisher {publisher_of(row['topic'])}`, "
                "then redrive or discard",
                "用上述命令查看后执行 redrive 或 discard",
            ),
            row["count"],
            row["since"],
        )


def _refused(family: str, statements: pl.DataFrame) -> Iterator[Matter]:
    for publisher, layout, _, excepted, everyone in statements.iter_rows():
        if excepted or everyone:
            yield Matter(
                "refused",
                f"{family}/{publisher}/{layout}",
                (
                    "Refused rows or failed files of this layout wait to be mended.",
                    "该版式有被退回的行或失败的文件待更正。",
                ),
                _EVERYONE if everyone else whom(excepted),
                (
                    f"`mianti refused list --publisher {publisher}`; its department mends and sends again",
                    "用上述命令查看，由该部门更正后重新报送",
                ),
                0 if everyone else len(excepted),
            )


def silent(heard: Iterable[Cycle], statements: pl.DataFrame, now: dt.datetime) -> Iterator[Matter]:
    """Yield the publishers that missed their cycle, or never stated completeness; pure."""
    complete = statements.drop_nulls("complete_through")["publisher"].unique()
    for one in heard:
        about = f"{one.family}/{one.publisher}"
        papers = (
            "every enterprise, where a paper needs these data complete",
            "全部企业（须以该部门数据完整为依据的材料）",
        )
        if one.missed(now):
            days = one.cycle / dt.timedelta(days=1)
            yield Matter(
                "cycle",
                about,
                (
                    f"It has published nothing for longer than the {days:g} days it promised.",
                    f"已超过承诺周期（{days:g} 天）未报送。",
                ),
                papers,
                ("ask the department to publish", "请该部门报送"),
                since=one.heard_at,
            )
        if one.publisher not in complete:
            yield Matter(
                "completeness",
                about,
                (
                    "It has published, and never stated through which time its data are complete.",
                    "已有报送，但从未声明数据完整至何时。",
                ),
                papers,
                (
                    "publish a whole export with `--complete-through`",
                    "报送全量导出文件并使用 `--complete-through`",
                ),
            )


def _landing(settings: Settings, family: str, now: dt.datetime) -> Iterator[Matter]:
    """Yield that a family is not landed any more, by its heartbeat; or not settled any more."""
    through, limit = held_through(settings, family), settings.mianti_window_behind_seconds
    if through is None or (now - through).total_seconds() > limit:
        why = _why(settings, family)
        yield Matter(
            "landing",
            family,
            (
                f"What is published is not landed any more. {why}".strip(),
                f"新发布的数据未能入库。{'原因见左。' if why else ''}",
            ),
            (f"{_EVERYONE[0]}: windows answer 503", f"{_EVERYONE[1]}：服务窗口返回 503"),
            ("`mianti status`, and what it says", "执行 `mianti status` 并按提示处理"),
            since=through,
        )
    other = stopped(settings, family)
    if other is not None:
        yield Matter(
            "settling",
            family,
            (str(other), "history 和数据集已停止更新，说明见左。"),
            _EVERYONE,
            (f"`mianti rebuild {family}`, or restore", "重建或恢复备份"),
        )


def _why(settings: Settings, family: str) -> str:
    try:
        return status(settings, family).stopped or ""
    except MiantiError as error:
        return str(error)


def _at_window(settings: Settings) -> Iterator[Matter]:
    server = Stack.read(settings.mianti_home).window
    if server is None or server.pid is None:  # never opened, or closed by `mianti down`
        return
    try:
        answer = httpx.get(f"{server.address}/health", timeout=10, trust_env=False)
        told = str(answer.status_code)
    except httpx.TransportError as error:
        told = type(error).__name__
    if told != str(httpx.codes.OK.value):
        yield Matter(
            "window",
            settings.mianti_window_name,
            (f"The window does not answer questions ({told}).", f"服务窗口不能应答（{told}）。"),
            _EVERYONE,
            ("`mianti window status`; `mianti up`", "执行 `mianti window status` 或 `mianti up`"),
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

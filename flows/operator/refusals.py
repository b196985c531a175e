"""The quarantined messages of one landing: a few examples for each reason, by position alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Final

import polars as pl

from connectors import lake
from connectors.settings import Settings
from flows.land import Landed, Part
from flows.log import QUARANTINED
from schemas.reasons import REASONS, sentence

#: Where a refused message is and what is wrong with which field: nothing of what it said.
EXAMPLE: Final = ("reason", "topic", "partition", "offset", "reason_where")
_EACH: Final = 5


@dataclass(frozen=True)
class Refusal:
    """One reason of one landing: how many messages, and examples with the columns `EXAMPLE`."""

    reason: str
    count: int
    examples: pl.DataFrame


def refusals(settings: Settings, landed: Landed) -> list[Refusal]:
    """Return why messages of one landing were quarantined, the most frequent reason first."""
    log = lake.open_table(settings, "log", landed.family)
    if not landed.quarantined or log is None:
        return []
    bad = lake.scan(log).filter((pl.col("verdict") == QUARANTINED) & _within(landed.parts))
    few = bad.select(EXAMPLE).sort(EXAMPLE).group_by("reason", maintain_order=True).head(_EACH)
    found = few.collect()
    return [
        Refusal(reason, count, found.filter(pl.col("reason") == reason).select(EXAMPLE))
        for reason, count in sorted(landed.reasons.items(), key=lambda item: (-item[1], item[0]))
    ]


def as_markdown(family: str, found: Iterable[Refusal]) -> str:
    """Return a page of the refusals: a table of reasons, then where to find a few of each."""
    refused = list(found)
    reasons = [[f"`{r.reason}`", f"{r.count:,}", *_meaning(r)] for r in refused]
    where = [
        ["—" if c is None else str(c) for c in row]
        for r in refused
        for row in r.examples.iter_rows()
    ]
    total = sum(r.count for r in refused)
    return "\n\n".join(
        [
            f"# {family}: {total:,} quarantined · {total:,} 条未通过检查",
            _table(["reason", "messages", "what it means", "含义"], reasons),
            f"## Examples, at most {_EACH} of each · 示例（每种原因最多 {_EACH} 条）",
            _table(["reason", "topic", "partition", "offset", "field"], where),
            "They wait (`mianti quarantine`). Where the rule was wrong, mend it and run `redrive`; "
            "else ask the publisher to send them again, mended, and `discard` these.",
            "这些消息在隔离区等待处理（`mianti quarantine`）。规则有误的，修正后执行 `redrive`；否则请发布部门更正后"
            "重新报送，并执行 `discard`。",
        ]
    )


def _within(parts: Iterable[Part]) -> pl.Expr:
    return reduce(
        or_,
        (
            (pl.col("topic") == part.topic)
            & (pl.col("partition") == part.partition)
            & pl.col("offset").is_between(part.start, part.end, closed="left")
            for part in parts
            if part.quarantined
        ),
    )


def _meaning(refusal: Refusal) -> list[str]:
    if refusal.reason not in REASONS:
        return ["", ""]
    said = sentence(refusal.reason, "…")
    return [said.en, said.zh]


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *([c.replace("|", "\\|") for c in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)

"""The quarantine as a workplace: what waits, and what is given up.

A quarantined message stays in the log as it came. To close it a row of its own is added
(`flows.closing`); nothing is changed or deleted. What is right by now is redriven (`flows.redrive`).
"""

from __future__ import annotations

import datetime as dt
import logging
from dataclasses import dataclass
from typing import Final

import polars as pl
from deltalake import DeltaTable

from connectors import lake
from connectors.errors import MiantiError
from connectors.settings import Settings
from connectors.topics import topic_name
from flows.closing import Closings, Overtaken, closing
from flows.log import DISCARDED, PLACE, log_columns
from flows.waiting import discarded, waiting
from schemas.personal import holds_personal

_log = logging.getLogger(__name__)
#: Messages closed by one commit.
_TOGETHER: Final = 50_000
#: Kafka counts in 64 bits.
_MOST: Final = (1 << 63) - 1
_UTC: Final = pl.Datetime("us", "UTC")
#: How many messages of a topic wait for one reason, and when the first and last were landed.
LISTED: Final = pl.Schema(
    {
        "topic": pl.String(),
        "reason": pl.String(),
        "messages": pl.Int64(),
        "oldest": _UTC,
        "newest": _UTC,
    }
)
#: What is shown of a message: where it is and what is wrong with it, never what it says.
SHOWN: Final = pl.Schema(
    {
        "topic": pl.String(),
        "partition": pl.Int64(),
        "offset": pl.Int64(),
        "landed_at": _UTC,
        "reason": pl.String(),
        "reason_where": pl.String(),
        "schema_id": pl.Int64(),
    }
)


class NotSaid(MiantiError):
    """A message is discarded without a reason or a name, or with more than that in them."""


class BadPlace(MiantiError):
    """A place is not written as the lists print it."""


@dataclass(frozen=True)
class Chosen:
    """Which messages are meant: all that fit everything given. Times of landing are UTC.

    `place`: topic, partition, offset. `discarded`: those that were given up, not those that wait.
    """

    reason: str | None = None
    publisher: str | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    place: tuple[str, int, int] | None = None
    discarded: bool = False

    def among(self, log: DeltaTable, family: str, columns: pl.Schema) -> pl.LazyFrame:
        """Return the rows of a log that are meant; `columns` as `flows.waiting.waiting` has them."""
        rows = discarded(log, columns) if self.discarded else waiting(log, columns)
        return rows.filter(self.rows(family))

    def rows(self, family: str) -> pl.Expr:
        """Return whether a row of the log is meant."""
        asked = [pl.lit(value=True)]
        if self.reason is not None:
            asked.append(pl.col("reason") == self.reason)
        if self.publisher is not None:
            asked.append(pl.col("topic") == topic_name(family, self.publisher))
        if self.since is not None:
            asked.append(pl.col("landed_at") >= self.since)
        if self.until is not None:
            asked.append(pl.col("landed_at") < self.until)
        if self.place is not None:
            asked += [pl.col(n).eq(v) for n, v in zip(PLACE, self.place, strict=True)]
        return pl.all_horizontal(asked)


def listed(settings: Settings, family: str, chosen: Chosen) -> pl.DataFrame:
    """Return how much waits, by topic and reason (columns `LISTED`), the most first."""
    log = lake.open_table(settings, "log", family)
    if log is None:
        return pl.DataFrame(schema=LISTED)
    meant = chosen.among(log, family, _columns(family))
    counted = meant.group_by("topic", "reason").agg(
        messages=pl.len().cast(pl.Int64),
        oldest=pl.col("landed_at").min(),
        newest=pl.col("landed_at").max(),
    )
    told = counted.select(*LISTED).sort(
        "messages", "topic", "reason", descending=[True, False, False]
    )
    return told.collect()


def shown(settings: Settings, family: str, chosen: Chosen, limit: int) -> pl.DataFrame:
    """Return the first messages that wait (columns `SHOWN`), in the order of their places."""
    log = lake.open_table(settings, "log", family)
    if log is None:
        return pl.DataFrame(schema=SHOWN)
    told = chosen.among(log, family, _columns(family)).select(*SHOWN)
    return told.sort(PLACE).head(limit).collect()


def discard(settings: Settings, family: str, chosen: Chosen, *, by: str, why: str) -> int:
    """Give up what waits and is meant; return how many. Who did it and why is recorded.

    Raises NotSaid, and connectors.lake.Lost when landings were always first.
    """
    require_said(by, why)
    if lake.open_table(settings, "log", family) is None:
        return 0
    done = 0
    while True:  # whoever was first has left less to do
        try:
            log = lake.ensure_table(settings, "log", family, log_columns(family), ["verdict"])
            closings = Closings(log)
            meant = chosen.among(log, family, _columns(family))
            for places in meant.select(PLACE).sort(PLACE).collect().iter_slices(_TOGETHER):
                closings.write(closing(places, DISCARDED, by=by, why=why))
                done += places.height
            return done
        except Overtaken:
            _log.info("%s: another closed messages; reading again", family)


def parse_place(text: str) -> tuple[str, int, int]:
    """Return topic, partition and offset of `TOPIC/PARTITION/OFFSET`. Raises BadPlace."""
    topic, *numbers = text.strip().split("/")
    written = len(numbers) == 2 and all(n.isascii() and n.isdecimal() for n in numbers)
    if not written or any(int(n) > _MOST for n in numbers):
        raise BadPlace("write TOPIC/PARTITION/OFFSET", "应为 主题/分区/位点")
    return topic, int(numbers[0]), int(numbers[1])


def require_said(by: str, why: str) -> None:
    """Raise NotSaid unless both are said, on one line, without a person's number."""
    texts = [by, why]
    if all(text.strip() and text.isprintable() for text in texts):
        said = pl.DataFrame({"text": texts})
        if not said.select(holds_personal(pl.col("text")).any()).item():
            return
    raise NotSaid(
        "Discarding needs a name and a reason, each on one line, without a person's number.",
        "放弃隔离消息必须写明经办人和原因，各一行，且不得含个人证件号码或电话。",
    )


def _columns(family: str) -> pl.Schema:
    return pl.Schema({name: log_columns(family)[name] for name in (*SHOWN, "verdict")})

"""The quarantine as a workplace: what waits, what may be accepted by now, what is given up.

A quarantined message stays in the log as it came. To close it a row of its own is added, in the
same commit as the accepted row where it was redriven: `landed_at` is the time of that commit, so
that answers of before stay explained. Nothing is changed or deleted.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

import polars as pl
from deltalake import DeltaTable

from connectors import lake
from connectors.errors import MiantiError
from connectors.settings import Settings
from connectors.topics import topic_name
from connectors.transactions import transactions
from flows.judge import judge
from flows.log import (
    ACCEPTED,
    CLOSED,
    CLOSINGS,
    DISCARDED,
    LANDED,
    PLACE,
    QUARANTINED,
    REDRIVEN,
    landed_number,
    log_columns,
    next_landed_at,
)
from schemas import contract
from schemas.personal import holds_personal

_log = logging.getLogger(__name__)
#: Messages judged and committed together; each may be 1 MiB.
_TOGETHER: Final = 2_000
#: Landings go on meanwhile, and whoever is second reads again.
_TRIES: Final = 10
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
        "raw_digest": pl.String(),
        "bytes": pl.Int64(),
    }
)


class NotSaid(MiantiError):
    """A message is discarded without a reason or a name, or with a person's number in them."""


@dataclass(frozen=True)
class Chosen:
    """Which messages are meant: all that fit everything given. Times of landing are UTC.

    `place`: topic, partition, offset.
    """

    reason: str | None = None
    publisher: str | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    place: tuple[str, int, int] | None = None

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


@dataclass
class Redriven:
    """What redriving did: messages accepted by now, refused still, and kept without their bytes."""

    family: str
    accepted: int = 0
    refused: int = 0
    without_bytes: int = 0


class _Message(NamedTuple):
    """A quarantined message, under the names of kafka-python's ConsumerRecord."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None


def waiting(log: DeltaTable) -> pl.LazyFrame:
    """Return the quarantined rows of a log that are not closed."""
    rows = lake.scan(log)
    closed = rows.filter(pl.col("verdict") == CLOSED).select(PLACE)
    return rows.filter(pl.col("verdict") == QUARANTINED).join(closed, on=PLACE, how="anti")


def standing(log: DeltaTable) -> pl.LazyFrame:
    """Return each message of a log once: what was redriven as it was accepted."""
    rows = lake.scan(log)
    redriven = rows.filter((pl.col("verdict") == CLOSED) & (pl.col("reason") == REDRIVEN))
    held = rows.filter(pl.col("verdict") == QUARANTINED)
    return pl.concat(
        [
            rows.filter(pl.col("verdict") == ACCEPTED),
            held.join(redriven.select(PLACE), on=PLACE, how="anti"),
        ]
    )


def listed(settings: Settings, family: str, chosen: Chosen) -> pl.DataFrame:
    """Return how much waits, by topic and reason (columns `LISTED`), the most first."""
    log = lake.open_table(settings, "log", family)
    if log is None:
        return pl.DataFrame(schema=LISTED)
    meant = waiting(log).filter(chosen.rows(family))
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
    meant = waiting(log).filter(chosen.rows(family))
    told = meant.with_columns(bytes=pl.col("raw").bin.size().cast(pl.Int64))
    return told.select(*SHOWN).sort(PLACE).head(limit).collect()


def redrive(settings: Settings, family: str, chosen: Chosen) -> Redriven:
    """Judge again what waits, by the rules of today, and accept what they accept, once.

    What they refuse waits on. Raises connectors.lake.Lost when others were always first.
    """
    done = Redriven(family)
    for attempt in range(_TRIES):
        try:
            _redrive(settings, family, chosen, done)
            return done
        except lake.Lost:
            _log.info("%s: another writer was first; reading again", family)
            if attempt == _TRIES - 1:
                raise
    return done


def discard(settings: Settings, family: str, chosen: Chosen, *, by: str, why: str) -> int:
    """Give up what waits and is meant; return how many. Who did it and why is recorded.

    Raises NotSaid, and connectors.lake.Lost when others were always first.
    """
    _require_said(by, why)
    done = 0
    for attempt in range(_TRIES):
        try:
            for log, mark, places in _pieces(settings, family, chosen):
                _commit(log, mark, _closing(places, DISCARDED, by=by, why=why))
                done += places.height
            return done
        except lake.Lost:
            if attempt == _TRIES - 1:
                raise
    return done


def _redrive(settings: Settings, family: str, chosen: Chosen, done: Redriven) -> None:
    publishers = contract.publishers(settings.mianti_publishers).publishers
    done.refused = done.without_bytes = 0
    for log, mark, places in _pieces(settings, family, chosen):
        held = waiting(log).join(places.lazy(), on=PLACE, how="semi").collect()
        told = held.filter(pl.col("raw").is_not_null()).select(*PLACE, "raw_key", "raw")
        rows = judge([_Message(*row) for row in told.iter_rows()], family, publishers)
        good = rows.filter(verdict=ACCEPTED)
        if not good.is_empty():
            _commit(log, mark, pl.concat([good, _closing(good, REDRIVEN)], how="diagonal"))
        done.accepted += good.height
        done.refused += told.height - good.height
        done.without_bytes += held.height - told.height


def _pieces(
    settings: Settings, family: str, chosen: Chosen
) -> Iterator[tuple[DeltaTable, int, pl.DataFrame]]:
    """Yield the log, how many closings it had when it was read, and the places of some messages.

    The log is read again for each piece, as the one before it has changed it.
    """
    if lake.open_table(settings, "log", family) is None:
        return
    log = lake.ensure_table(settings, "log", family, log_columns(family), ["verdict"])
    meant = waiting(log).filter(chosen.rows(family)).select(PLACE).sort(PLACE).collect()
    for places in meant.iter_slices(_TOGETHER):
        mark = transactions(log).get(CLOSINGS, 0)
        still = waiting(log).join(places.lazy(), on=PLACE, how="semi").select(PLACE).collect()
        if still.height != places.height:
            raise lake.Lost
        yield log, mark, places


def _commit(log: DeltaTable, mark: int, rows: pl.DataFrame) -> None:
    """Write rows as landed now; nobody may have closed anything meanwhile. Raises Lost."""
    log.update_incremental()
    known = transactions(log)
    if known.get(CLOSINGS, 0) != mark:
        raise lake.Lost
    at = next_landed_at(known, dt.datetime.now(dt.UTC))
    stamped = rows.with_columns(landed_at=pl.lit(at, _UTC))
    columns = lake.schema(log)
    whole = pl.concat([pl.DataFrame(schema=columns), stamped], how="diagonal")
    lake.append(log, whole, {CLOSINGS: mark + 1, LANDED: landed_number(at)})
    log.update_incremental()
    closed = lake.scan(log).filter((pl.col("verdict") == CLOSED) & (pl.col("landed_at") == at))
    if closed.select(pl.len()).collect().item() != rows.filter(verdict=CLOSED).height:
        raise lake.Lost  # the answer was lost, and what is in is another's


def _closing(places: pl.DataFrame, how: str, **said: str) -> pl.DataFrame:
    told = {f"closed_{name}": pl.lit(text) for name, text in said.items()}
    return places.select(*PLACE, verdict=pl.lit(CLOSED), reason=pl.lit(how), **told)


def _require_said(*said: str) -> None:
    texts = pl.DataFrame({"text": said}, schema={"text": pl.String})
    personal = texts.select(holds_personal(pl.col("text")).any()).item()
    if personal or not all(text.strip() for text in said):
        raise NotSaid(
            "Discarding needs a name and a reason, without a person's number in either.",
            "放弃隔离消息必须写明经办人和原因，且不得含个人证件号码或电话。",
        )

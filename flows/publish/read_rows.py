"""Read, map and check every row of a file: events are set aside, faults are returned. No Kafka."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Final

import polars as pl

from flows.check import LARGEST_GIVEN, Check, all_reasons, checks, with_reasons
from flows.publish.doubts import Doubts
from flows.publish.events import stamp
from flows.publish.future import date_checks
from flows.publish.job import Job, Progress
from flows.publish.mapping import faults_of, map_rows, named_rows
from flows.publish.native import map_native, named_events
from flows.publish.outcome import Outcome
from flows.publish.preview import preview
from flows.publish.records import Records
from flows.publish.spill import Spill

#: A fault of a row: its code, and the event field or column it is about.
FAULT: Final = pl.Schema({"__row": pl.Int64(), "code": pl.String(), "where": pl.String()})


def read_rows(
    job: Job, aside: Spill, outcome: Outcome, progress: Progress, doubts: Doubts
) -> Iterator[pl.DataFrame]:
    """Read, map and check every row; set the events aside and yield the faults."""
    dialect = job.match.dialect
    to_events = map_native if dialect.native else map_rows
    named = named_events if dialect.native else named_rows
    sender = job.sender(dt.datetime.now(dt.UTC))  # the edition is the ledger's to say, later
    records = Records(job.rows, job.match, job.context.now)
    for rows in records:
        outcome.read += rows.height
        outcome.skipped = records.skipped
        mapped = to_events(rows, dialect, job.context)
        doubts.filled |= mapped.filled
        stamped = stamp(mapped.events, sender)
        judged = with_reasons(stamped, _checks(stamped, job))
        bad = judged.filter(pl.col("__why").is_not_null()).select("__row").unique()
        good = mapped.events.join(bad, on="__row", how="anti") if bad.height else mapped.events
        aside.add(good)
        if len(outcome.shown) < job.request.show:
            outcome.shown += preview(good, job.request.show - len(outcome.shown))
        # What else is wrong with a row that has a fault is said at once, too.
        faulty = stamp(mapped.faulty, sender) if mapped.faulty.height else None
        wrong = [mapped.faults.cast(FAULT)]
        if bad.height:
            wrong.append(_found_by_checks(stamped.join(bad, on="__row", how="semi"), job))
        if faulty is not None:
            # A part that could not be read is empty in the event: that is no mismatch of its own.
            also = _found_by_checks(faulty, job)
            wrong.append(also.filter(pl.col("code") != "content_mismatch"))
        found = pl.concat(wrong)
        if found.height:
            doubts.note_faulty(mapped.faulty)
            refused = rows.join(found, on="__row", how="semi", maintain_order="left")
            doubts.refuse(refused, named(refused, dialect, job.context), found, dialect)
        doubts.look_for(rows, lambda rows: named(rows, dialect, job.context), dialect)
        yield found
        progress("reading", job.rows.position(), job.rows.size)


def _found_by_checks(events: pl.DataFrame, job: Job) -> pl.DataFrame:
    return faults_of(all_reasons(events, _checks(events, job))).cast(FAULT)


def _checks(events: pl.DataFrame, job: Job) -> Iterator[Check]:
    """Yield the checks of every event, and those that only a publisher makes."""
    yield from checks(events, job.family, job.owner, job.request.publisher)
    yield pl.col("sequence") > LARGEST_GIVEN, pl.lit("sequence_range")
    yield from date_checks(events, job.family, job.context.now)

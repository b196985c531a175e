"""The ledger as a follower of its publisher's own topic: what it lost, it reads again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

import polars as pl

from connectors.framing import Undecodable, decode
from connectors.ledger import Ledger
from connectors.raw_batches import Unread
from connectors.reading import bounds, check_bounds, consumer, read
from connectors.schema_ids import SchemaIds
from connectors.settings import Settings
from connectors.topics import partitions
from flows.check import LARGEST_SEQUENCE, with_digest
from flows.judge import judge
from flows.log import ACCEPTED, QUARANTINED
from flows.overruled import counting
from flows.publish.waiting import lost_entries, merged
from schemas import contract
from schemas.bucket import partition
from schemas.facets import STATEMENT
from schemas.names_held import is_unified
from schemas.publishers import Publisher

#: What a version is called.
_NAME: Final = pl.Schema(
    {
        "record_key": pl.String(),
        "facet": pl.String(),
        "sequence": pl.Int64(),
        "subject": pl.String(),
    }
)
_VERSION: Final = ("record_key", "facet", "sequence")
#: The digest is no content's: whatever is published next differs from it.
_NOTHING_SAID: Final = (
    pl.lit("").alias("digest"),
    pl.lit(None, pl.Datetime("us", "UTC")).alias("edition"),
    pl.lit(None, pl.String).alias("file"),
    pl.lit(None, pl.Int64).alias("row"),
    pl.lit(value=False).alias("sent"),
    pl.lit(None, pl.String).alias("mark"),
    pl.lit(None, pl.String).alias("layout"),
)


def catch_up(ledger: Ledger, settings: Settings, topic: str, family: str) -> int:
    """Read what the topic holds beyond the ledger's position into it; return how many events.

    What a ledger has not written down itself, it had lost: it was new, lost, or put back from a
    backup. That sets the floors below which old files can no longer be put in order. What landing
    would refuse is not held for published: its sequence is known, so that it is given to nothing
    else. Raises OffsetGone, RegistryUnreachable.
    """
    known = ledger.position(topic)
    publishers = contract.publishers(settings.mianti_publishers).publishers
    found, ids = 0, SchemaIds(settings, family)
    with consumer(settings) as client:
        parts = partitions(client, topic)
        first, ends = bounds(client, parts)
        start = {part: known.get(part.partition, first[part]) for part in parts}
        for part in parts:
            check_bounds(part, start[part], first[part], ends[part])
        for batch in read(client, start, ends):
            found += _absorb(ledger, batch.records, family, publishers, ids)
            ledger.set_positions(topic, [(p.partition, at) for p, at in batch.positions.items()])
    if ledger.lost:
        ledger.raise_floors()
    return found


def landed_of(
    settings: Settings, topic: str, family: str, subject: str
) -> tuple[pl.DataFrame, bool]:
    """Return what landing accepts of one enterprise's messages in a topic (log rows), and whether
    none of the topic's first messages are gone. Reads the topic whole.
    """
    publishers = contract.publishers(settings.mianti_publishers).publishers
    ids, key = SchemaIds(settings, family), subject.encode()
    frames = [judge([], family, publishers, ids)]
    with consumer(settings) as client:
        first, ends = bounds(client, partitions(client, topic))
        for batch in read(client, first, ends):
            mine = [one for one in batch.records if getattr(one, "key", None) == key]
            frames.append(judge(mine, family, publishers, ids))
    return pl.concat(frames).filter(verdict=ACCEPTED), not any(first.values())


def _absorb(
    ledger: Ledger,
    records: list[Any],
    family: str,
    publishers: Mapping[str, Publisher],
    ids: SchemaIds,
) -> int:
    """Write into the ledger what it lacks; return how many events there were."""
    if not records:
        return 0
    judged = judge(records, family, publishers, ids).sort("partition", "offset")
    frame = with_digest(judged.filter(verdict=ACCEPTED), family)
    lost = frame.join(ledger.exact(frame["record_key"]), on=_VERSION, how="anti")
    if lost.height:
        ledger.note_lost()  # first: a crash behind the next line would leave nothing to tell it by
    ledger.write(ledger_rows(frame, sent=True))
    ledger.note_identities(frame)
    ledger.note_issuers(frame["issuer"])
    refused = judged.filter(verdict=QUARANTINED).select("partition", "offset").rows()
    if refused:
        _keep_sequences(ledger, records, {*refused}, family, ids)
    stated = frame.filter(pl.col("file_digest").is_not_null() & pl.col("edition").is_not_null())
    for digest, layout, edition in (
        stated.select("file_digest", "layout", "edition").unique().sort("edition").iter_rows()
    ):
        ledger.note_file(digest, layout, edition)
        ledger.note_edition(layout, edition)
    _restore_waiting(ledger, lost)
    return frame.height


def _keep_sequences(
    ledger: Ledger,
    records: list[Any],
    places: set[tuple[int, int]],
    family: str,
    ids: SchemaIds,
) -> None:
    """Note what some messages called themselves, and nothing of what they said."""
    read = [record for record in records if not isinstance(record, Unread)]
    refused = [r.value for r in read if (r.partition, r.offset) in places]
    events = [event for event in (_event(value, family, ids) for value in refused) if event]
    named = [{name: event[name] for name in _NAME} for event in events]
    named = [name for name in named if name["sequence"] <= LARGEST_SEQUENCE]
    ledger.write(pl.DataFrame(named, schema=_NAME).with_columns(_NOTHING_SAID))


def _restore_waiting(ledger: Ledger, lost: pl.DataFrame) -> None:
    """Let what the newest statements hold wait, where the ledger had not written them itself.

    Which rows they were is in no event: only a person ends what is restored, or a later statement
    among those lost.
    """
    said = counting(lost).filter(pl.col("facet") == STATEMENT).sort("sequence")
    last = said.group_by("record_key", maintain_order=True).last()
    for [layout], parts in last.group_by(["layout"]):
        waiting, kept = ledger.waiting(str(layout)), []
        for row in parts.iter_rows(named=True):
            told = row[STATEMENT]
            names = [*(told["excepted"] or []), *([""] if told["unnamed"] else [])]
            kept.append(held_again(names, row["edition"]))
            here = partition(pl.col("subject"), told["partitions"]) == told["partition"]
            anywhere = ~is_unified(pl.col("subject"))
            own = (here | anywhere) & ~pl.col("subject").is_in(names)
            waiting = waiting.filter(~own)
        ledger.note_waiting(str(layout), merged(waiting, *kept))


def held_again(names: list[str], edition: dt.datetime | None) -> pl.DataFrame:
    """Return the entries that hold again whom a statement named ("": everyone), now."""
    now = dt.datetime.now(dt.UTC)
    return lost_entries(pl.Series(names, dtype=pl.String), edition or now, now)


def _event(value: bytes | None, family: str, ids: SchemaIds) -> dict[str, Any] | None:
    try:
        return decode(value, family, ids)[1]
    except Undecodable:
        return None  # no event of this publisher's: landing explains it


def ledger_rows(events: pl.DataFrame, *, sent: bool) -> pl.DataFrame:
    """Return what the ledger keeps of events with `content_digest`."""
    return events.select(
        "record_key",
        "facet",
        "sequence",
        "subject",
        pl.col("content_digest").alias("digest"),
        "edition",
        pl.col("file_digest").alias("file"),
        pl.col("file_row").alias("row"),
        pl.lit(sent).alias("sent"),
        pl.col("withdrawal").struct.field("reason_code").alias("mark"),
        "layout",
        overrules=pl.col("overrules").struct.field("sequence"),
    )

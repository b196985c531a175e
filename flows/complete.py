"""How far each publisher's exports are complete, and whether it keeps its promised cycle."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

import polars as pl
from deltalake import DeltaTable

from connectors import lake
from connectors.settings import Settings
from flows.log import ACCEPTED, CLOSED, history_columns
from flows.overruled import counting
from flows.query import versions
from flows.stated import Completeness, Stated, completeness, together
from flows.waiting import held_back
from schemas import contract
from schemas.bucket import bucket
from schemas.facets import STATEMENT

#: By publisher and layout: complete through (UTC); None: never stated.
Layouts: TypeAlias = dict[str, dict[str, dt.datetime | None]]
_SENT: Final = pl.Schema(
    {"publisher": pl.String(), "layout": pl.String(), "heard_at": pl.Datetime("us", "UTC")}
)


@dataclass(frozen=True)
class Cycle:
    """A publisher's promise in one family: last heard at (UTC; None: never), promised each `cycle`.

    `sends`: the layouts of its line in the publishers' table.
    """

    publisher: str
    family: str
    heard_at: dt.datetime | None
    cycle: dt.timedelta
    sends: frozenset[str] = frozenset()

    def missed(self, now: dt.datetime) -> bool:
        """Return whether it has been silent for longer than it promised."""
        return self.heard_at is not None and now - self.heard_at > self.cycle


def complete_through(statements: pl.DataFrame) -> pl.DataFrame:
    """Return `publisher`, `layout`, `complete_through` (UTC), `excepted`, `everyone`; pure.

    `complete_through` is the earliest time of the partitions' newest statements, and null until
    there is one from every partition of the topic. `excepted` (the enterprises held) and `everyone`
    (all are held) apply as soon as any partition's newest statement says so.
    """
    said = pl.col(STATEMENT).struct
    newest = (
        counting(statements)
        .sort("sequence", "event_id")
        .with_columns(
            part=said.field("partition"),
            parts=said.field("partitions"),
            through=said.field("complete_through"),
            excepted=said.field("excepted"),
            unnamed=said.field("unnamed"),
        )
        .group_by("publisher", "layout", "part")
        .agg(pl.col("parts", "through", "excepted", "unnamed").drop_nulls().last())
    )
    whole = (pl.len() == pl.col("parts").max()) & pl.col("through").is_not_null().all()
    return (
        newest.group_by("publisher", "layout")
        .agg(
            complete_through=pl.when(whole.first()).then(pl.col("through").min().first()),
            excepted=pl.col("excepted").explode().drop_nulls().unique().sort(),
            everyone=(pl.col("unnamed").fill_null(0) > 0).any(),
        )
        .sort("publisher", "layout")
    )


def stated(
    settings: Settings,
    family: str,
    known_at: dt.datetime | None = None,
    codes: list[str] | None = None,
) -> pl.DataFrame:
    """Return what `complete_through` says of a family now, the unsettled tail included.

    `known_at` (UTC) leaves out what was landed after it. `codes`: those who may have stated it,
    where not the publishers of today.
    """
    if codes is None:
        table = contract.publishers(settings.mianti_publishers).publishers
        codes = [p.code for p in table.values() if family in p.families]
    numbers = pl.DataFrame({"code": codes}, schema={"code": pl.String}).select(
        bucket(pl.col("code"))
    )
    buckets = numbers.to_series().unique().sort().to_list()
    if not buckets:
        return complete_through(pl.DataFrame(schema=history_columns(family)))
    own = pl.col("subject") == pl.col("issuer")
    found = versions(settings, family, buckets).filter(pl.col("facet") == STATEMENT, own)
    known = found if known_at is None else found.filter(pl.col("landed_at") <= known_at)
    return complete_through(known)


def said(
    settings: Settings,
    known_at: Mapping[str, dt.datetime | None],
    codes: list[str] | None = None,
) -> Completeness:
    """Return the completeness of each family's data, as known at a time of its own (None: now).

    What waits in quarantine is looked up after the statements: what was landed before one of them
    is then in it.
    """
    found = []
    for family, at in known_at.items():
        statements = {
            (publisher, layout): Stated(through, frozenset(excepted), everyone)
            for publisher, layout, through, excepted, everyone in stated(
                settings, family, at, codes
            ).iter_rows()
        }
        found.append(completeness(family, statements, held_back(settings, family, at)))
    return together(found)


def sent(log: DeltaTable | None) -> pl.DataFrame:
    """Return each `publisher` and `layout` (null: none) ever landed, and `heard_at` (UTC), by one pass.

    `heard_at` is when it was landed last; null where all of it was redriven by an operator, which
    says nothing of its publisher: it was sent before.
    """
    if log is None:
        return pl.DataFrame(schema=_SENT)
    rows = lake.scan(log).select("publisher", "layout", "verdict", "landed_at")
    # Each commit has a time of its own.
    closed = rows.filter(pl.col("verdict") == CLOSED).select(pl.col("landed_at").unique())
    redriven = pl.col("landed_at").is_in(closed.collect().to_series().implode())
    accepted = rows.filter(pl.col("verdict") == ACCEPTED).group_by("publisher", "layout")
    heard_at = pl.col("landed_at").filter(~redriven).max().alias("heard_at")
    return accepted.agg(heard_at).sort("publisher", "layout").collect()


def cycles(settings: Settings, family: str, landed: pl.DataFrame | None = None) -> list[Cycle]:
    """Return each publisher of a family with when its last event or statement was landed.

    `landed`: what `sent` says of the family's log, where that is known.
    """
    if landed is None:
        landed = sent(lake.open_table(settings, "log", family))
    heard = dict(landed.group_by("publisher").agg(pl.col("heard_at").max()).iter_rows())
    table = contract.publishers(settings.mianti_publishers).publishers
    return [
        Cycle(name, family, heard.get(name), publisher.cycle, frozenset(publisher.layouts))
        for name, publisher in sorted(table.items())
        if family in publisher.families
    ]


def layouts(landed: pl.DataFrame, statements: pl.DataFrame) -> Layouts:
    """Return what is stated (`complete_through`'s frame) of every layout ever landed; pure."""
    told: Layouts = {}
    for publisher, layout, _ in landed.drop_nulls(["publisher", "layout"]).iter_rows():
        told.setdefault(publisher, {})[layout] = None
    for publisher, layout, through, *_ in statements.iter_rows():
        told.setdefault(publisher, {})[layout] = through
    return told

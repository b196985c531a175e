"""Events made whole: who sends them, from which file, with which id. Pure."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import polars as pl

from schemas.avro import event_columns
from schemas.canonical import content_digest, event_id


@dataclass(frozen=True)
class Sender:
    """What all events of one file share."""

    publisher: str
    family: str
    layout: str
    layout_version: str
    file_digest: str | None
    edition: dt.datetime


def stamp(events: pl.DataFrame, sender: Sender) -> pl.DataFrame:
    """Return mapped events (with `__row`) as whole events but for sequence and id.

    None of them overrules another: that is a person's to decide (`flows.publish.overrule`).
    """
    return events.with_columns(
        publisher=pl.lit(sender.publisher),
        layout=pl.lit(sender.layout),
        layout_version=pl.lit(sender.layout_version),
        file_digest=pl.lit(sender.file_digest, pl.String),
        file_row=pl.col("__row"),
        edition=pl.col("edition").fill_null(sender.edition),
        overrules=pl.lit(None, event_columns(sender.family)["overrules"]),
    )


def identified(events: pl.DataFrame, family: str) -> pl.DataFrame:
    """Return events that have their sequence and `content_digest` with their `event_id`."""
    return events.with_columns(event_id=event_id(events, family))


def single(family: str, fields: dict[str, Any]) -> pl.DataFrame:
    """Return a frame of one event, as `by_hand` makes it."""
    return by_hand(family, [fields])


def by_hand(family: str, events: list[dict[str, Any]]) -> pl.DataFrame:
    """Return events with `content_digest` and id from the fields of each.

    Fields left out are null; `void_ab_initio` is no unless given.
    """
    columns = event_columns(family)
    rows = [dict.fromkeys(columns) | {"void_ab_initio": "no"} | fields for fields in events]
    frame = pl.DataFrame(rows, schema=columns)
    return identified(frame.with_columns(content_digest=content_digest(frame, family)), family)

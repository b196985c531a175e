"""The verdict on Kafka messages: accepted, or quarantined with a reason. Looks at a batch alone."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any, Final

import polars as pl

from connectors.topics import publisher_of
from flows.check import check, identity, personal_in_event, with_digest
from flows.decode import decode_records
from flows.log import ACCEPTED, QUARANTINED, log_columns
from schemas.bucket import bucket
from schemas.publishers import Publisher

#: In bytes that are no event a number may touch anything, so nothing is asked of its edges.
_NUMBERS: Final = re.compile(r"1[3-9]\d{9}|\d{17}[\dXx]|\d{15}")
_GAPS: Final = re.compile(r"[\s\u00a0\u2010-\u2015\u2212\u3000\uff0d-]+")


def judge(records: list[Any], family: str, publishers: Mapping[str, Publisher]) -> pl.DataFrame:
    """Return log rows (without `landed_at`) of Kafka messages of one family, each with a verdict."""
    decoded = decode_records(records, family)
    frames = [_refused(decoded.refused, personal=_personal_bytes(decoded.refused["raw"]))]
    digested = with_digest(decoded.events, family)
    for (topic,), events in digested.group_by("topic", maintain_order=True):
        name = publisher_of(str(topic))
        owner = publishers.get(name)
        if owner is None:
            judged = events.with_columns(__why=pl.lit("unknown_publisher"))
        else:
            judged = check(events, family, owner, name)
        subject = pl.col("subject").cast(pl.Binary)
        wrong_key = pl.when(pl.col("key").ne_missing(subject))  # a key may be absent, or no text
        reasons = [pl.col("__why"), identity(family), wrong_key.then(pl.lit("key_mismatch"))]
        frames += _parted(judged.with_columns(__why=pl.coalesce(reasons)), family)
    columns = {n: t for n, t in log_columns(family).items() if n != "landed_at"}
    filled = [_shape(frame, columns) for frame in frames]
    return pl.concat(filled).sort("topic", "partition", "offset")


def _parted(judged: pl.DataFrame, family: str) -> list[pl.DataFrame]:
    accepted = judged.filter(pl.col("__why").is_null()).drop("raw", "raw_digest")
    bad = judged.filter(pl.col("__why").is_not_null())
    personal = bad.select(personal_in_event(family)).to_series()
    marked = accepted.with_columns(verdict=pl.lit(ACCEPTED), bucket=bucket(pl.col("subject")))
    return [marked, _refused(bad, personal)]


def _refused(bad: pl.DataFrame, personal: pl.Series) -> pl.DataFrame:
    """Return quarantine rows; what holds personal data keeps a digest and no bytes."""
    why = pl.col("__why").str.splitn(":", 2)
    return bad.select(
        "topic",
        "partition",
        "offset",
        "schema_id",
        "raw_digest",
        raw=pl.when(~personal).then(pl.col("raw")),
        verdict=pl.lit(QUARANTINED),
        reason=why.struct.field("field_0"),
        reason_where=why.struct.field("field_1"),
    )


def _shape(frame: pl.DataFrame, columns: dict[str, pl.DataType]) -> pl.DataFrame:
    missing = {n: pl.lit(None, t) for n, t in columns.items() if n not in frame.columns}
    return frame.with_columns(**missing).select(list(columns)).cast(columns)  # type: ignore[arg-type]


def _personal_bytes(raw: pl.Series) -> pl.Series:
    """Return whether bytes that could not be read may hold a number of a person."""
    return pl.Series([bool(value) and _may_hold_number(value) for value in raw], dtype=pl.Boolean)


def _may_hold_number(value: bytes) -> bool:
    """Full-width digits are digits, and blanks and hyphens hide nothing."""
    text = unicodedata.normalize("NFKC", value.decode("utf-8", "ignore"))
    return bool(_NUMBERS.search(_GAPS.sub("", text)))

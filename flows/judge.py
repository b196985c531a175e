"""The verdict on Kafka messages: accepted, or quarantined with a reason. Looks at a batch alone."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from base64 import b64decode
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, Final

import polars as pl

from connectors.raw_batches import RawBatch, Unread
from connectors.schema_ids import BUILT_IN, SchemaIds
from connectors.topics import publisher_of
from flows.check import Check, checks, identity, personal_in_event, with_digest, with_reasons
from flows.clock import CLOCKS_DIFFER
from flows.decode import Decoded, decode_records, digest, refuse_unread
from flows.decode_columns import decode_batches
from flows.log import ACCEPTED, QUARANTINED, log_columns
from schemas.bucket import bucket
from schemas.facets import STATEMENT
from schemas.identifiers import uscc
from schemas.publishers import Publisher

#: In bytes that are no event a number may touch anything, so nothing is asked of its edges.
_NUMBERS: Final = re.compile(r"1[3-9]\d{9}|\d{17}[\dXx]|\d{15}")
_UNKNOWN: Final[Mapping[str, tuple[int, int]]] = {}
_GAPS: Final = re.compile(r"[\s\u00a0\u00b7\u2010-\u2015\u2212\u3000\uff0d./_()-]+")
#: What programs write texts in; whatever the bytes are, digits show in one of them.
_ENCODINGS: Final = ("utf-8", "utf-16-le", "utf-16-be", "gb18030", "cp037")
_BASE64: Final = re.compile(rb"[A-Za-z0-9+/_=\s-]{15,}")
_URL_SAFE: Final = bytes.maketrans(b"-_", b"+/")


def judge(
    records: list[Any],
    family: str,
    publishers: Mapping[str, Publisher],
    ids: SchemaIds = BUILT_IN,
    partitions: Mapping[str, tuple[int, int]] = _UNKNOWN,
) -> pl.DataFrame:
    """Return log rows (without `landed_at`) of Kafka messages of one family, each with a verdict.

    The order of the rows is not defined.

    `records`: kafka-python's, whole batches and unread ones (`connectors.raw_batches`), or some of
    each. `partitions`: by topic, the least and the greatest number of partitions that it may have
    had when they were sent; not checked for other topics. Raises what `ids` raises where reading on
    would misread them.
    """
    columns = {n: t for n, t in log_columns(family).items() if n != "landed_at"}
    frames = [pl.DataFrame(schema=columns)]
    for decoded in _decoded(records, family, ids):
        for rows in _judged(decoded, family, publishers, partitions):
            frames.append(_shape(rows, columns))
    return pl.concat(frames)


def _decoded(records: list[Any], family: str, ids: SchemaIds) -> Iterator[Decoded]:
    """Decode the messages of one topic at a time."""
    topics: dict[str, tuple[list[RawBatch], list[Any]]] = {}
    no_events = decode_records([], family).events
    for record in records:
        if isinstance(record, Unread):
            yield Decoded(no_events, refuse_unread(record), lambda at: [])
            continue
        batches, singles = topics.setdefault(record.topic, ([], []))
        (batches if isinstance(record, RawBatch) else singles).append(record)
    for batches, singles in topics.values():
        if batches:
            yield from decode_batches(batches, family, ids)
        if singles:
            yield decode_records(singles, family, ids)


def _judged(
    decoded: Decoded,
    family: str,
    publishers: Mapping[str, Publisher],
    partitions: Mapping[str, tuple[int, int]],
) -> Iterator[pl.DataFrame]:
    unread = _of_no_publisher(decoded.refused, publishers)
    yield _refused(unread, personal=_personal_bytes(decoded.refused["raw"]))
    if decoded.events.is_empty():
        return
    events = with_digest(decoded.events, family)
    topic = events["topic"][0]
    name = publisher_of(topic)
    asked = _checks(events, family, publishers.get(name), name, partitions.get(topic))
    judged = with_reasons(events, asked)
    good = judged["__why"].is_null()
    accepted = judged if good.all() else judged.filter(good)
    yield accepted.with_columns(verdict=pl.lit(ACCEPTED), bucket=bucket(pl.col("subject")))
    if not good.all():
        bad = judged.filter(~good)
        yield _refused_events(bad, decoded.raw(bad["at"]), family)


def _checks(
    events: pl.DataFrame,
    family: str,
    owner: Publisher | None,
    name: str,
    counts: tuple[int, int] | None,
) -> Iterator[Check]:
    if owner is None:
        yield pl.lit(value=True), pl.lit("unknown_publisher")
        return
    yield from checks(events, family, owner, name)
    yield identity(events, family)
    # A key may be absent, or no text.
    wrong_key = pl.col("key").ne_missing(pl.col("subject").cast(pl.Binary))
    yield wrong_key, pl.lit("key_mismatch")
    yield pl.col("header_fault").is_not_null(), _where("header_mismatch", pl.col("header_fault"))
    if events[STATEMENT].null_count() < events.height:
        yield from _statements(counts)


def _statements(counts: tuple[int, int] | None) -> Iterator[Check]:
    """Check statements against where and when Kafka took them in."""
    statement = pl.col(STATEMENT).struct
    elsewhere = statement.field("partition") != pl.col("partition")
    yield elsewhere.fill_null(value=False), pl.lit("bad_value:statement.partition")
    if counts is not None:
        other = ~statement.field("partitions").is_between(*counts)
        yield other.fill_null(value=False), pl.lit("bad_value:statement.partitions")
    latest = pl.col("kafka_time") + CLOCKS_DIFFER // dt.timedelta(milliseconds=1)
    early = statement.field("complete_through").dt.epoch("ms") > latest
    early &= pl.col("kafka_time") >= 0
    yield early.fill_null(value=False), pl.lit("bad_value:statement.complete_through")


def _where(code: str, where: pl.Expr) -> pl.Expr:
    return pl.lit(f"{code}:") + where


def _refused_events(bad: pl.DataFrame, values: list[bytes], family: str) -> pl.DataFrame:
    personal = personal_in_event(bad, family)
    digests = [digest(value) for value in values]
    told = bad.with_columns(raw=pl.Series(values), raw_digest=pl.Series(digests))
    # One that names two enterprises may be of either; a statement is about those it names.
    own = pl.col("key").eq_missing(pl.col("subject").cast(pl.Binary))
    own &= pl.col("facet") != STATEMENT
    return _refused(told.with_columns(key=pl.when(own).then("key")), personal)


def _of_no_publisher(bad: pl.DataFrame, publishers: Mapping[str, Publisher]) -> pl.DataFrame:
    """Leave out keys that are a publisher's code: such a message may be a statement about anyone."""
    codes = [publisher.code.encode() for publisher in publishers.values()]
    other = ~pl.col("key").is_in(pl.Series(codes, dtype=pl.Binary).implode())
    return bad.with_columns(key=pl.when(other).then("key"))


def _refused(bad: pl.DataFrame, personal: pl.Series) -> pl.DataFrame:
    """Return quarantine rows; what holds personal data keeps a digest and no bytes.

    A key is an enterprise's code, or it is not kept: it may be anything, a person's number too.
    """
    why = pl.col("__why").str.splitn(":", 2)
    return bad.select(
        "topic",
        "partition",
        "offset",
        "schema_id",
        "raw_digest",
        raw=pl.when(~personal).then(pl.col("raw")),
        about=pl.Series([_code(key) for key in bad["key"]], dtype=pl.String),
        verdict=pl.lit(QUARANTINED),
        reason=why.struct.field("field_0"),
        reason_where=why.struct.field("field_1"),
    )


def _code(key: bytes | None) -> str | None:
    text = key.decode("ascii", "replace") if key is not None else ""
    return text if uscc.is_valid(text) else None


def _shape(frame: pl.DataFrame, columns: dict[str, pl.DataType]) -> pl.DataFrame:
    missing = {n: pl.lit(None, t) for n, t in columns.items() if n not in frame.columns}
    return frame.with_columns(**missing).select(list(columns)).cast(columns)  # type: ignore[arg-type]


def _personal_bytes(raw: pl.Series) -> pl.Series:
    """Return whether bytes that could not be read may hold a number of a person."""
    return pl.Series([bool(value) and may_hold_number(value) for value in raw], dtype=pl.Boolean)


def may_hold_number(value: bytes) -> bool:
    """Digits of any width, in any usual encoding; nothing that stands between hides them."""
    texts = (one.decode(code, "ignore") for one in _readings(value) for code in _ENCODINGS)
    plain = (_GAPS.sub("", unicodedata.normalize("NFKC", text)) for text in texts)
    return any(_NUMBERS.search(text) for text in plain)


def _readings(value: bytes) -> Iterator[bytes]:
    yield value
    if _BASE64.fullmatch(value):
        with suppress(ValueError):
            yield b64decode(value.translate(_URL_SAFE) + b"==")

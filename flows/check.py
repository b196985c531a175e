"""Whether an event may be believed: its codes, its publisher's rights, its ranges, its identity.

Pure, over columns. The same checks run before an event is sent and again before it is landed:
a topic is open to whoever may write to it. Each check gives `code` or `code:field` where it fails.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from typing import Final

import polars as pl

from schemas.avro import event_columns, facets, instance
from schemas.canonical import content_digest, event_id
from schemas.identifiers import uscc
from schemas.personal import holds_personal
from schemas.publishers import Publisher

EARLIEST: Final = dt.date(1900, 1, 1)
LATEST: Final = dt.date(2200, 12, 31)
LONGEST_TEXT: Final = 20_000
#: Bytes of an event's texts together: a Kafka message holds 1 MiB unless its broker says otherwise.
LARGEST_EVENT: Final = 900_000
#: decimal(20,2): Avro readers accept more digits than declared (`docs/decisions/0005-checks.md`).
LARGEST_AMOUNT: Final = 10**18


def check(events: pl.DataFrame, family: str, publisher: Publisher, name: str) -> pl.DataFrame:
    """Return the frame with `__why`: null, or the first reason against the event.

    `events` has the family's event columns and `content_digest`; `name` is the publisher's id.
    """
    return events.with_columns(__why=pl.coalesce(list(_checks(events, family, publisher, name))))


def _checks(
    events: pl.DataFrame, family: str, publisher: Publisher, name: str
) -> Iterator[pl.Expr]:
    subject = uscc.fault(pl.col("subject"))
    yield pl.when(subject.is_not_null()).then(subject + pl.lit(":subject"))
    yield from _rights(events, family, publisher, name)
    yield _why("key_without_issuer", ~pl.col("record_key").str.starts_with(_issuer_prefix()))
    yield _why("sequence_range", pl.col("sequence") < 1)
    yield _why("bad_value:file_digest", ~pl.col("file_digest").str.contains("^[0-9a-f]{64}$"))
    yield from _contents(family)
    yield from _dates(family)
    yield from _amounts(family)
    yield from _texts(family)


def identity(family: str) -> pl.Expr:
    """Return `bad_event_id` where an event's id does not follow from its content."""
    return _why("bad_event_id", pl.col("event_id") != event_id(family))


def with_digest(events: pl.DataFrame, family: str) -> pl.DataFrame:
    """Return the events with `content_digest`."""
    return events.with_columns(content_digest=content_digest(family))


def _why(reason: str, wrong: pl.Expr) -> pl.Expr:
    return pl.when(wrong).then(pl.lit(reason))


def _issuer_prefix() -> pl.Expr:
    issuer = pl.col("issuer").str.replace_all("%", "%25", literal=True)
    return issuer.str.replace_all("/", "%2F", literal=True) + pl.lit("/")


def _rights(
    events: pl.DataFrame, family: str, publisher: Publisher, name: str
) -> Iterator[pl.Expr]:
    yield _why("wrong_publisher", pl.col("publisher") != name)
    rights = publisher.families.get(family)
    if rights is None:
        yield pl.lit("family_not_owned")
        return
    yield _why("facet_not_owned", ~pl.col("facet").is_in(rights.owned()))
    pattern = re.compile(rights.issuer_pattern())
    issuers = [i for i in events["issuer"].unique() if i and pattern.fullmatch(i)]
    own = (pl.col("facet") == "statement") & (pl.col("issuer") == publisher.code)
    yield _why("issuer_not_owned", ~pl.col("issuer").is_in(issuers) & ~own)
    yield _why("layout_not_owned", ~pl.col("layout").is_in([*publisher.layouts, "mianti"]))


def _contents(family: str) -> Iterator[pl.Expr]:
    for facet in facets(family):
        named = pl.col("facet") == facet
        yield _why(f"content_mismatch:{facet}", named != pl.col(facet).is_not_null())


def _dates(family: str) -> Iterator[pl.Expr]:
    for path, value in leaves(family, pl.Date()):
        yield _why(f"date_out_of_range:{path}", ~value.is_between(EARLIEST, LATEST))
    reversed_ = pl.col("effective_from") > pl.col("effective_to")
    yield _why("dates_reversed:effective_to", reversed_)


def _amounts(family: str) -> Iterator[pl.Expr]:
    for path, value in leaves(family, pl.Decimal(20, 2)):
        yield _why(f"amount_out_of_range:{path}", (value < 0) | (value >= LARGEST_AMOUNT))


def _texts(family: str) -> Iterator[pl.Expr]:
    skipped = {"event_id", "subject", "file_digest"}  # each has a check of its own
    texts = [(path, v) for path, v in leaves(family, pl.String()) if path not in skipped]
    sizes = [value.str.len_bytes().fill_null(0) for _, value in texts]
    yield _why("too_large", pl.sum_horizontal(sizes) > LARGEST_EVENT)
    for path, value in texts:
        yield _why(f"control_character:{path}", value.str.contains(r"[\x00-\x1f\x7f]"))
        yield _why(f"too_long:{path}", value.str.len_chars() > LONGEST_TEXT)
        yield _why(f"personal_data:{path}", holds_personal(value))


def personal_in_event(family: str) -> pl.Expr:
    """Return whether any text of an event holds a number of a person."""
    texts = [holds_personal(value) for path, value in leaves(family, pl.String())]
    return pl.any_horizontal(texts).fill_null(value=False)


def leaves(family: str, wanted: pl.DataType) -> Iterator[tuple[str, pl.Expr]]:
    """Yield (path, expression) for every leaf of one type; texts in lists are joined to one."""
    for name, dtype in event_columns(family).items():
        yield from _leaves(name, pl.col(name), dtype, wanted)


def _leaves(
    path: str, value: pl.Expr, dtype: pl.DataType, wanted: pl.DataType
) -> Iterator[tuple[str, pl.Expr]]:
    if dtype == wanted:
        yield path, value
    elif isinstance(dtype, pl.Struct):
        for field in dtype.fields:
            inner = value.struct.field(field.name)
            yield from _leaves(f"{path}.{field.name}", inner, instance(field.dtype), wanted)
    elif isinstance(dtype, pl.List):
        yield from _list_leaves(path, value, instance(dtype.inner), wanted)


def _list_leaves(
    path: str, value: pl.Expr, inner: pl.DataType, wanted: pl.DataType
) -> Iterator[tuple[str, pl.Expr]]:
    if not isinstance(inner, pl.Struct):
        if inner == wanted == pl.String():
            yield path, value.list.join("\x20")
        return
    for field in inner.fields:
        one = value.list.eval(pl.element().struct.field(field.name))
        if field.dtype == wanted == pl.String():
            yield f"{path}.{field.name}", one.list.join(" ", ignore_nulls=True)
        elif field.dtype == wanted:
            yield f"{path}.{field.name}", one.list.max()
            yield f"{path}.{field.name}", one.list.min()

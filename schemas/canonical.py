"""The canonical content of an event, and the identifier made from it.

Content is written as `name=value` pairs in the order of the schema, absent values left out, so
that a field added to a schema later changes no identifier of an event that lacks it. Levels of
nesting are held apart by control characters, which no text of an event may contain.
"""

from __future__ import annotations

from typing import Final, cast

import polars as pl
from polars_hash import HExpr

from schemas.avro import facets

SEPARATORS: Final = ("\x1f", "\x1e", "\x1d", "\x1c")
EVENT_ID_LENGTH: Final = 32

#: What of the envelope is content; the rest says who sent it, when and from which file.
CONTENT_ENVELOPE: Final = (
    "event_type",
    "subject",
    "issuer_name",
    "effective_from",
    "effective_to",
    "void_ab_initio",
    "occurred_at",
)


def content_text(events: pl.DataFrame, family: str) -> pl.Expr:
    """Return the canonical content (String) of a frame of events of `family`.

    What is absent from all of them is left out beforehand: it is no part of any text.
    """
    names = [*CONTENT_ENVELOPE, *facets(family)]
    return _pairs([(name, pl.col(name), events[name]) for name in names], depth=0)


def content_digest(events: pl.DataFrame, family: str) -> pl.Expr:
    """Return the SHA-256 (64 hex characters) of the canonical content."""
    return sha256(content_text(events, family))


def event_id(events: pl.DataFrame, family: str) -> pl.Expr:
    """Return the identifier (32 hex characters) of each event of a frame with `content_digest`.

    The first 128 bits of SHA-256 over issuer, family, record_key, facet, sequence, content digest
    and what it overrules: never of a file or a row, so that one statement sent twice is one event.
    """
    parts = [
        pl.col("issuer"),
        pl.lit(family),
        pl.col("record_key"),
        pl.col("facet"),
        pl.col("sequence").cast(pl.String),
        pl.col("content_digest"),
    ]
    text = pl.concat_str(parts, separator=SEPARATORS[0])
    overrules = events.get_column("overrules", default=None)
    if overrules is not None and overrules.null_count() < len(overrules):
        said = _text(pl.col("overrules"), overrules, depth=1)
        text = pl.when(said.is_null()).then(text).otherwise(text + SEPARATORS[0] + said)
    return sha256(text).str.slice(0, EVENT_ID_LENGTH)


def sha256(text: pl.Expr) -> pl.Expr:
    """Return the SHA-256 (64 hex characters) of a text."""
    return cast(HExpr, text).chash.sha2_256()


def _pairs(fields: list[tuple[str, pl.Expr, pl.Series]], depth: int) -> pl.Expr:
    texts = [
        pl.lit(f"{name}=") + _text(expr, held, depth + 1)
        for name, expr, held in fields
        if held.null_count() < len(held)
    ]
    return pl.concat_str(texts or pl.lit(""), separator=SEPARATORS[depth], ignore_nulls=True)


def _text(expr: pl.Expr, held: pl.Series, depth: int) -> pl.Expr:
    dtype = held.dtype
    if isinstance(dtype, pl.Struct):
        fields = [
            (field.name, expr.struct.field(field.name), held.struct.field(field.name))
            for field in dtype.fields
        ]
        return pl.when(expr.is_not_null()).then(_pairs(fields, depth))
    if isinstance(dtype, pl.List):
        items = expr.list.eval(_text(pl.element(), held.explode(), depth + 1))
        joined = items.list.join(SEPARATORS[depth])
        return pl.when(expr.list.len() > 0).then(joined)
    if isinstance(dtype, pl.Date):
        return expr.dt.to_string("%Y-%m-%d")
    if isinstance(dtype, pl.Datetime):
        return expr.dt.epoch("us").cast(pl.String)
    return expr.cast(pl.String)

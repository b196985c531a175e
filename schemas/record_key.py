"""Record keys: an issuer, its own number and, as a rule, the enterprise, told apart as folded text.

A key is its parts joined by `/`, each folded (`schemas.folding`) and then escaped, so that one
number is one record however it was typed. Earlier releases wrote keys as the files did, and
without the enterprise; programs may still. What such a key means is its identity: the folded key
with the enterprise as its last part. Records of one identity are one record.
"""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from schemas.folding import fold, fold_text


def escape(part: pl.Expr) -> pl.Expr:
    """Return a part of a key in which `/` and `%` are written %2F and %25 (RFC 3986)."""
    return part.str.replace_all("%", "%25", literal=True).str.replace_all("/", "%2F", literal=True)


def folded_issuer(issuer: pl.Expr) -> pl.Expr:
    """Return the first part of a key for an issuer as written. Issuers are few: each is folded once."""
    return issuer.map_batches(
        lambda series: _each_once(series, lambda text: _escaped(fold_text(text))),
        return_dtype=pl.String,
        is_elementwise=True,
    )


def issuer_part(key: pl.Expr) -> pl.Expr:
    """Return the first part of keys, folded; null where there is no other part."""
    return key.str.extract("^([^/]*)/").map_batches(
        lambda series: _each_once(series, folded_key_text),
        return_dtype=pl.String,
        is_elementwise=True,
    )


def folded_key(key: pl.Expr) -> pl.Expr:
    """Return keys as this release writes them: every part folded."""
    text = pl.element().str.replace_all("%2F", "/", literal=True)
    part = text.str.replace_all("%25", "%", literal=True)
    return key.str.split("/").list.eval(escape(fold(part))).list.join("/")


def folded_key_text(key: str) -> str:
    """Return one key as `folded_key` writes it."""
    parts = (part.replace("%2F", "/").replace("%25", "%") for part in key.split("/"))
    return "/".join(_escaped(fold_text(part)) for part in parts)


def with_subject(key: pl.Expr, subject: pl.Expr) -> pl.Expr:
    """Return keys that end with the enterprise: of a folded key, its identity."""
    last = pl.lit("/") + subject
    return pl.when(key.str.ends_with(last)).then(key).otherwise(key + last)


def _escaped(part: str) -> str:
    return part.replace("%", "%25").replace("/", "%2F")


def _each_once(series: pl.Series, change: Callable[[str], str]) -> pl.Series:
    known = series.drop_nulls().unique()
    changed = pl.Series([change(text) for text in known], dtype=pl.String)
    return series.replace_strict(known, changed, default=None, return_dtype=pl.String)

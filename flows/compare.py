"""Two tables compared row by row, told in words. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import polars as pl

_TOLD = 20


def differences(
    expected: pl.DataFrame, found: pl.DataFrame, key: list[str], name: Callable[[str], str]
) -> Iterator[str]:
    """Yield what is missing, extra, doubled or different in `found`, the first 20 of each kind.

    `name` makes the beginning of a sentence of a kind ("missing", "extra", "doubled",
    "different"); the key of the row follows it.
    """
    left, right = _keyed(expected, key), _keyed(found, key)
    yield from _told(right.filter(pl.col("key").is_duplicated()), name("doubled"))
    yield from _told(left.join(right, on="key", how="anti"), name("missing"))
    yield from _told(right.join(left, on="key", how="anti"), name("extra"))
    both = left.join(right.unique("key"), on="key", suffix="_found")
    yield from _told(both.filter(pl.col("row") != pl.col("row_found")), name("different"))


def _keyed(frame: pl.DataFrame, key: list[str]) -> pl.DataFrame:
    columns = sorted(frame.columns)
    text = pl.concat_str([pl.col(c).cast(pl.String) for c in key], separator=" ")
    return frame.select(key=text, row=pl.struct(columns).struct.json_encode())


def _told(rows: pl.DataFrame, what: str) -> Iterator[str]:
    keys = rows["key"].unique(maintain_order=True)
    for key in keys.head(_TOLD):
        yield f"{what}: {key}"
    if len(keys) > _TOLD:
        yield f"{what}: {len(keys) - _TOLD:,} more"

"""The values an event is made of, however deep, as columns. Pure."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from schemas.avro import event_columns, instance


def leaves(events: pl.DataFrame, family: str, wanted: pl.DataType) -> Iterator[tuple[str, pl.Expr]]:
    """Yield (path, expression) for every leaf of one type; texts in lists are joined to one.

    Leaves that no event of the frame fills are left out: most layouts leave most of them empty.
    """
    for name in event_columns(family):
        held = events.get_column(name, default=None)
        if held is not None:
            yield from _leaves(name, pl.col(name), held, wanted)


def _leaves(
    path: str, value: pl.Expr, held: pl.Series, wanted: pl.DataType
) -> Iterator[tuple[str, pl.Expr]]:
    dtype = held.dtype
    if held.null_count() == len(held):
        return
    if dtype == wanted:
        yield path, value
    elif isinstance(dtype, pl.Struct):
        for field in dtype.fields:
            inner, part = value.struct.field(field.name), held.struct.field(field.name)
            yield from _leaves(f"{path}.{field.name}", inner, part, wanted)
    elif isinstance(dtype, pl.List) and held.list.len().max():
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

"""How a table grows: columns, and fields of structs, are added, never changed or taken away. Pure.

Not within a list: deltalake (1.6.6) does not read a list's older structs as newer ones.
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl


def changed(held: pl.Schema, wanted: pl.Schema) -> list[str]:
    """Return the columns, and fields of columns, that a table has otherwise than they are written.

    In another type, or although they are not written at all.
    """
    return sorted(_changed(dict(held), dict(wanted), ""))


def grows(held: pl.Schema, wanted: pl.Schema) -> bool:
    """Return whether a table lacks a column, or a field of one, that is written."""
    return _lacks(dict(held), dict(wanted))


Types = dict[str, pl.DataType]


def as_written(rows: pl.DataFrame, columns: pl.Schema) -> pl.DataFrame:
    """Return rows in the columns that are written now; null where a table has not grown to one yet."""
    return rows.match_to_schema(
        columns,
        missing_columns="insert",
        missing_struct_fields="insert",
        extra_columns="ignore",
        extra_struct_fields="ignore",
    )


def _changed(held: Types, wanted: Types, before: str) -> Iterator[str]:
    yield from (f"{before}{name}" for name in held.keys() - wanted.keys())
    for name in held.keys() & wanted.keys():
        mine, theirs = held[name], wanted[name]
        if isinstance(mine, pl.Struct) and isinstance(theirs, pl.Struct):
            yield from _changed(_fields(mine), _fields(theirs), f"{before}{name}.")
        elif mine != theirs:
            yield f"{before}{name}"


def _lacks(held: Types, wanted: Types) -> bool:
    if wanted.keys() - held.keys():
        return True
    return any(
        isinstance(mine := held[name], pl.Struct)
        and isinstance(theirs, pl.Struct)
        and _lacks(_fields(mine), _fields(theirs))
        for name, theirs in wanted.items()
    )


def _fields(dtype: pl.Struct) -> Types:
    return {field.name: field.dtype for field in dtype.fields}  # type: ignore[misc]

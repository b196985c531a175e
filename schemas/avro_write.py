"""Event columns to Avro bodies, a whole frame at a time: the same bytes that fastavro writes.

Every part of a body becomes a column of hexadecimal digits, and Polars puts the columns together.
Parts that are the same throughout, which most are in one layout, cost nothing for each event.
What the schema has no room for (a null, a word of no enum) never becomes bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, TypeAlias

import polars as pl

from schemas.avro import event_schema
from schemas.errors import MiantiError

_NULL: Final = "00"
_THERE: Final = "02"


#: A part of every body: one text of hexadecimal digits for all, or one for each.
_Part: TypeAlias = str | pl.Series


class NotWritable(MiantiError):
    """Events hold in `field` (a dotted path) what their schema has no room for."""

    def __init__(self, field: str, count: int) -> None:
        """Name the field, and say in how many events."""
        self.field = field
        super().__init__(
            f"{count} events hold nothing, or no word of the schema, in {field}, which needs it: they "
            "were not sent. Run `mianti dialect check`, mend what it finds, and publish the file again.",
            f"有 {count} 个事件的字段 {field} 为空或取值不在模式中，而该字段必填：均未发送。"
            "请运行 `mianti dialect check`，改正后重新发布同一文件。",
        )


def bodies(events: pl.DataFrame, family: str, before: bytes = b"") -> pl.Series:
    """Return the Avro body (Binary) of each event of a frame with the family's event columns.

    `before`: bytes that stand before each body. Raises NotWritable.
    """
    fields = event_schema(family)["fields"]
    parts = [_hex(field["type"], events[field["name"]], field["name"]) for field in fields]
    return _joined([before.hex(), *parts], events.height).str.decode("hex")


def _hex(node: Any, held: pl.Series, path: str, gone: int = 0) -> _Part:
    """Return what the values of one column are written as.

    `gone`: in how many rows the record that the column is in is not there; what stands for its
    values is never looked at. Raises NotWritable where a value is missing in any other.
    """
    if isinstance(node, list):
        return _union(node[1], held, path)
    if held.null_count() != gone:
        raise NotWritable(path, held.null_count() - gone)
    if node == "string":
        return _counted(held.str.len_bytes(), held.cast(pl.Binary).bin.encode("hex"))
    if node == "bytes":
        return _counted(held.bin.size(), held.bin.encode("hex"))
    if node == "long":
        return _longs(held)
    if node["type"] == "enum":
        written = {symbol: _long(number) for number, symbol in enumerate(node["symbols"])}
        try:
            return _mapped(held, written)
        except KeyError:
            known = held.is_in(node["symbols"]) | held.is_null()
            raise NotWritable(path, len(held) - int(known.sum())) from None
    if node["type"] == "array":
        return _array(node["items"], held, path)
    if node["type"] == "record":
        parts = [
            _hex(f["type"], held.struct.field(f["name"]), f"{path}.{f['name']}", gone)
            for f in node["fields"]
        ]
        return _joined(parts, len(held))
    if node["logicalType"] == "decimal":
        return _mapped(held.to_physical(), _decimal)
    return _longs(held.to_physical())


def _union(node: Any, held: pl.Series, path: str) -> _Part:
    missing = held.null_count()
    if missing == len(held):
        return _NULL
    part = _hex(node, held, path, missing)
    if not missing:
        return _joined([_THERE, part], len(held))
    present = _joined([_THERE, part], len(held))
    return present.zip_with(held.is_not_null(), pl.Series([_NULL]))


def _counted(lengths: pl.Series, texts: pl.Series) -> _Part:
    return _joined([_longs(lengths), texts], len(texts))


def _longs(held: pl.Series) -> _Part:
    return _mapped(held, _long)


def _mapped(held: pl.Series, write: Any) -> _Part:
    """Write each distinct value once; a column of one value is one text."""
    distinct = held.unique()
    written = [None if value is None else _write(write, value) for value in distinct]
    if len(distinct) == 1 and written[0] is not None:
        return written[0]
    return held.replace_strict(distinct, pl.Series(written, dtype=pl.String))


def _write(write: Any, value: Any) -> str:
    found: str = write[value] if isinstance(write, dict) else write(value)
    return found


def _array(items: Any, held: pl.Series, path: str) -> _Part:
    """One block with its count, then the end; an empty array is its end alone."""
    counts = held.list.len()
    if not counts.max():
        return _NULL
    rows = pl.DataFrame({"row": pl.int_range(len(held), eager=True), "one": held})
    rows = rows.filter(counts > 0).explode("one")
    part = _hex(items, rows["one"], path)
    texts = pl.repeat(part, rows.height, eager=True) if isinstance(part, str) else part
    blocks = rows.select("row", text=texts).group_by("row").agg(pl.col("text").str.join(""))
    whole = pl.DataFrame({"row": pl.int_range(len(held), eager=True)}).join(
        blocks, on="row", how="left", maintain_order="left"
    )["text"]
    filled = _joined([_longs(counts), whole, _NULL], len(held))
    return filled.zip_with(counts > 0, pl.Series([_NULL]))


def _joined(parts: list[_Part], height: int) -> pl.Series:
    """Put parts together, those that are the same throughout beforehand."""
    merged = list(_merged(parts))
    columns = [
        pl.lit(part) if isinstance(part, str) else part.alias(str(number))
        for number, part in enumerate(merged)
    ]
    frame = pl.DataFrame([part for part in columns if isinstance(part, pl.Series)])
    named = [pl.col(part.name) if isinstance(part, pl.Series) else part for part in columns]
    if not frame.width:
        return pl.repeat("".join(str(part) for part in merged), height, eager=True)
    return frame.select(pl.concat_str(named, ignore_nulls=True)).to_series()


def _merged(parts: list[_Part]) -> Iterator[_Part]:
    constant = ""
    for part in parts:
        if isinstance(part, str):
            constant += part
            continue
        if constant:
            yield constant
        constant = ""
        yield part
    if constant:
        yield constant


def _long(number: int) -> str:
    """Return an Avro long: zigzag, seven bits a byte, the lowest first."""
    rest, written = (number << 1) ^ (number >> 63), bytearray()
    while rest > 0x7F:
        written.append(rest & 0x7F | 0x80)
        rest >>= 7
    written.append(rest)
    return written.hex()


def _decimal(unscaled: int) -> str:
    """Return an unscaled number as Avro bytes: two's complement, big-endian."""
    size = abs(unscaled).bit_length() // 8 + 1
    return _long(size) + unscaled.to_bytes(size, "big", signed=True).hex()

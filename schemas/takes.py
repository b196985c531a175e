"""What each field of an event takes from a dialect, as its Avro schema says. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, Final, Literal, NamedTuple

from pydantic import BaseModel

from schemas import dialect as d
from schemas.avro import event_schema
from schemas.faults import Said

Kind = Literal["text", "word", "day", "time", "amount", "number", "texts", "records", "record"]

#: The kinds of field that each map can feed; a constant feeds what it can be read as.
FEEDS: Final[Mapping[type[BaseModel], tuple[Kind, ...]]] = MappingProxyType(
    {
        d.Text: ("text",),
        d.First: ("text",),
        d.Part: ("text",),
        d.Const: ("text", "word", "day", "time", "amount", "texts"),
        d.Date: ("day",),
        d.Time: ("time",),
        d.Term: ("word",),
        d.Yuan: ("amount",),
        d.WanYuan: ("amount",),
        d.Amount: ("amount",),
        d.Code: ("text", "word"),
        d.IfPresent: ("text", "word"),
        d.Codes: ("texts",),
        d.Split: ("texts",),
        d.Each: ("records",),
    }
)
#: What the map `term` says.
TERM_WORDS: Final = ("fixed", "open_ended", "not_stated")
_A_COLUMN: Final = Said("a column's name", "列名")
_LOGICAL: Final[Mapping[str, Kind]] = MappingProxyType(
    {"date": "day", "timestamp-micros": "time", "decimal": "amount"}
)


class Takes(NamedTuple):
    """What a field takes; `words`: those of an enum, `fields`: those of a record, or of a list's.

    `needed`: the schema has no null there, and no default.
    """

    kind: Kind
    needed: bool
    words: tuple[str, ...] = ()
    fields: Mapping[str, Takes] = MappingProxyType({})

    @property
    def maps(self) -> list[type[BaseModel]]:
        """Return the maps that can feed the field."""
        found = [kind for kind, feeds in FEEDS.items() if self.kind in feeds]
        return [one for one in found if one is not d.Term or set(TERM_WORDS) <= set(self.words)]

    def told(self) -> Said:
        """Return what may stand in the field's place."""
        spelt = ["{" + word + ": …}" for word, kind in d.MAPS.items() if kind in self.maps]
        column = self.kind == "text"
        english = [_A_COLUMN.en, *spelt[1:]] if column else spelt
        chinese = [_A_COLUMN.zh, *spelt[1:]] if column else spelt
        words = ", ".join(self.words)
        return Said(
            f"it takes {' or '.join(english)}" + (f"; its words: {words}" if words else ""),
            f"可用 {' 或 '.join(chinese)}" + (f"；可用的词：{words}" if words else ""),
        )


@cache
def fields_of(family: str) -> Mapping[str, Takes]:
    """Return what the fields of a family's events take, those of each facet within its own."""
    return _fields(event_schema(family))


def _fields(record: Mapping[str, Any]) -> Mapping[str, Takes]:
    return MappingProxyType({f["name"]: _takes(f["type"], f) for f in record["fields"]})


def _takes(node: Any, field: Mapping[str, Any]) -> Takes:
    needed = not isinstance(node, list) and "default" not in field
    node = node[1] if isinstance(node, list) else node
    if isinstance(node, str):
        return Takes("number" if node == "long" else "text", needed)
    if "logicalType" in node:
        return Takes(_LOGICAL[node["logicalType"]], needed)
    if node["type"] == "enum":
        return Takes("word", needed, tuple(node["symbols"]))
    if node["type"] == "record":
        return Takes("record", needed, fields=_fields(node))
    items = node["items"]
    if isinstance(items, dict) and items["type"] == "record":
        return Takes("records", needed, fields=_fields(items))
    return Takes("texts", needed, tuple(items["symbols"]) if isinstance(items, dict) else ())

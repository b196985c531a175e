"""The Avro schemas of events and datasets, their built-in ids, and their columns in Polars.

A message is read by the version it was written in; columns are those of the newest version.
"""

import json
import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Any, Final, Literal

import fastavro
import polars as pl
import yaml
from fastavro.types import Schema
from polars.datatypes import DataTypeClass

from schemas.families import FAMILIES as FAMILIES

Kind = Literal["events", "datasets"]

_PRIMITIVES: Final = MappingProxyType(
    {"string": pl.String(), "bytes": pl.Binary(), "long": pl.Int64()}
)
_LOGICAL: Final = MappingProxyType(
    {"date": pl.Date(), "timestamp-micros": pl.Datetime("us", "UTC")}
)


class UnknownSchemaError(KeyError):
    """A family, version or schema id that this installation does not hold."""

    def __str__(self) -> str:
        return str(self.args[0])


def schema_of(kind: Kind, family: str, version: int) -> dict[str, Any]:
    """Return one version of a schema, shared as in `event_schema`. Raises UnknownSchemaError."""
    return _load(kind, family, version)


@cache
def released(kind: Kind, family: str) -> dict[int, str]:
    """Return the fingerprints (`schemas.compatible`) of a schema's released versions."""
    text = (files("schemas") / "released.yaml").read_text(encoding="utf-8")
    return dict(yaml.safe_load(text)[kind].get(family, {}))


def event_schema(family: str, version: int | None = None) -> dict[str, Any]:
    """Return a version of the family's event schema as its file holds it, the newest unless told.

    The dict is shared between callers: copy it before changing it.
    Raises UnknownSchemaError.
    """
    return _load("events", family, version or versions("events", family)[-1])


def dataset_schema(family: str, version: int | None = None) -> dict[str, Any]:
    """Return a version of the schema of the family's dataset rows, shared as in `event_schema`.

    Raises UnknownSchemaError.
    """
    return _load("datasets", family, version or versions("datasets", family)[-1])


@cache
def versions(kind: Kind, family: str) -> tuple[int, ...]:
    """Return the versions of a schema that are held, the oldest first. Raises UnknownSchemaError."""
    names = (
        re.fullmatch(rf"{family}\.v(\d+)\.avsc", file.name) for file in _folder(kind).iterdir()
    )
    found = sorted(int(name[1]) for name in names if name)
    if family not in FAMILIES or not found:
        raise UnknownSchemaError(f"no {kind} schema for {family!r}; known: {FAMILIES}")
    return tuple(found)


@cache
def parsed_event_schema(family: str, version: int | None = None) -> Schema:
    """Return a version of the event schema parsed for fastavro's readers and writers.

    Raises UnknownSchemaError.
    """
    return fastavro.parse_schema(event_schema(family, version))


@cache
def columnar_event_schema(family: str, version: int | None = None) -> Schema:
    """Return the parsed event schema with every enum as the `long` its bytes are (same wire form).

    For `polars.read_avro` only: Polars 2.1.0 panics on an enum that is nullable or inside a
    record or array. `name_enums` puts the symbols back. Raises UnknownSchemaError.
    """
    return fastavro.parse_schema(_enums_as_long(event_schema(family, version)))


def name_enums(events: pl.DataFrame, family: str, version: int | None = None) -> pl.DataFrame:
    """Turn the enum numbers of `columnar_event_schema` into symbols: columns as `event_columns`.

    Other columns of the frame stay. Raises polars.exceptions.InvalidOperationError for a number
    that stands for no symbol, UnknownSchemaError for a family not held.
    """
    fields = event_schema(family, version)["fields"]
    return events.with_columns(_named(f["type"], pl.col(f["name"])) for f in fields)


def schema_id(family: str) -> int:
    """Return the built-in id of the family's newest event schema, for Confluent framing.

    Raises UnknownSchemaError.
    """
    versions = {v: i for i, (name, v) in _ids().items() if name == family}
    if not versions:
        raise UnknownSchemaError(f"no schema id for family {family!r}; known: {FAMILIES}")
    return versions[max(versions)]


def family_and_version(schema_id: int) -> tuple[str, int]:
    """Return of which family's event schema this is the built-in id, and of which version.

    Raises UnknownSchemaError.
    """
    try:
        return _ids()[schema_id]
    except KeyError:
        raise UnknownSchemaError(
            f"no event schema with id {schema_id}; known: {sorted(_ids())}"
        ) from None


def numbered() -> list[tuple[str, int]]:
    """Return the family and version of each built-in id, the smallest first."""
    return [one for _, one in sorted(_ids().items())]


@cache
def event_columns(family: str) -> pl.Schema:
    """Return the Polars columns of the family's events; enums are strings, times are UTC.

    Raises UnknownSchemaError.
    """
    return pl.Schema(_columns(event_schema(family)))


@cache
def dataset_columns(family: str) -> pl.Schema:
    """Return the Polars columns of the family's dataset; enums are strings, times are UTC.

    Raises UnknownSchemaError.
    """
    return pl.Schema(_columns(dataset_schema(family)))


def facets(family: str) -> tuple[str, ...]:
    """Return the facets a record of the family has. Raises UnknownSchemaError."""
    return symbols(family, "facet")


def symbols(family: str, path: str) -> tuple[str, ...]:
    """Return the symbols allowed at a dotted path of the event, such as `standing.state`.

    A path goes through arrays and nulls without naming them (`decision.addresses.kind`).
    Raises UnknownSchemaError for a family not held or a path that is no enum.
    """
    found = dict(enums(family))
    if path not in found:
        raise UnknownSchemaError(f"no enum at {path!r} in {family} events; known: {sorted(found)}")
    return found[path]


def enums(family: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield (path, symbols) for every enum of the family's events. Raises UnknownSchemaError."""
    yield from _enums(event_schema(family), "")


def dataset_enums(family: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield (path, symbols) for every enum of the family's dataset. Raises UnknownSchemaError."""
    yield from _enums(dataset_schema(family), "")


def instance(dtype: pl.DataType | DataTypeClass) -> pl.DataType:
    """Return a Polars type as an instance; Polars gives some inner types as classes."""
    return dtype if isinstance(dtype, pl.DataType) else dtype()


def _folder(kind: Kind) -> Traversable:
    return files("schemas") / kind


@cache
def _load(kind: Kind, family: str, version: int) -> dict[str, Any]:
    file = _folder(kind) / f"{family}.v{version}.avsc"
    if family not in FAMILIES or not file.is_file():
        raise UnknownSchemaError(f"no {kind} schema for {family!r} v{version}; known: {FAMILIES}")
    schema: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return schema


@cache
def _ids() -> dict[int, tuple[str, int]]:
    text = (files("schemas") / "ids.yaml").read_text(encoding="utf-8")
    return {row["id"]: (row["family"], row["version"]) for row in yaml.safe_load(text)}


def _columns(record: dict[str, Any]) -> dict[str, pl.DataType]:
    return {field["name"]: _dtype(field["type"]) for field in record["fields"]}


def _dtype(node: Any) -> pl.DataType:
    """Map an Avro type to its Polars type; a type the contract forbids raises KeyError."""
    node = _not_null(node)
    if isinstance(node, str):
        return _PRIMITIVES[node]
    if node.get("logicalType") == "decimal":
        return pl.Decimal(node["precision"], node["scale"])
    if "logicalType" in node:
        return _LOGICAL[node["logicalType"]]
    if node["type"] == "record":
        return pl.Struct(_columns(node))
    if node["type"] == "array":
        return pl.List(_dtype(node["items"]))
    return {"enum": pl.String()}[node["type"]]


def _enums(node: Any, path: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    node = _not_null(node)
    if isinstance(node, str):
        return
    if node["type"] == "enum":
        yield path, tuple(node["symbols"])
    elif node["type"] == "array":
        yield from _enums(node["items"], path)
    for field in node.get("fields", ()):
        yield from _enums(field["type"], f"{path}.{field['name']}".lstrip("."))


def _enums_as_long(node: Any) -> Any:
    if isinstance(node, list):
        return [_enums_as_long(part) for part in node]
    if not isinstance(node, dict):
        return node
    if node["type"] == "enum":
        return "long"
    nested = {key: _enums_as_long(node[key]) for key in ("type", "items", "fields") if key in node}
    return {**node, **nested}


def _named(node: Any, column: pl.Expr) -> pl.Expr:
    """Return the column with the enums in it, at any depth, as symbols."""
    node = _not_null(node)
    kind = node if isinstance(node, str) else node["type"]
    if kind == "enum":
        return column.replace_strict(dict(enumerate(node["symbols"])), return_dtype=pl.String)
    if kind == "array":
        return column.list.eval(_named(node["items"], pl.element()))
    if kind == "record":
        return column.struct.with_fields(
            _named(field["type"], pl.field(field["name"])) for field in node["fields"]
        )
    return column


def _not_null(node: Any) -> Any:
    """Return X of the only union allowed, ["null", X]; anything else as it is."""
    return node[1] if isinstance(node, list) else node

"""The contract as plain data: event and dataset schemas, schema ids, the publishers' table."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import fastavro
import yaml

SCHEMAS = Path(__file__).parents[2] / "schemas"
#: Facets of which every publisher may speak.
OF_ALL = ("withdrawal", "statement")


@cache
def schema(family: str, kind: str = "events", version: int | None = None) -> dict[str, Any]:
    """Return an Avro schema as its file holds it, the newest unless told; `kind`: `events` or
    `datasets`."""
    held = (SCHEMAS / kind).glob(f"{family}.v*.avsc")
    number = version or max(int(path.name.split(".")[1][1:]) for path in held)
    path = SCHEMAS / kind / f"{family}.v{number}.avsc"
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


@cache
def parsed(family: str, version: int) -> Any:
    """Return a version of the events' schema as fastavro takes it."""
    return fastavro.parse_schema(schema(family, version=version))


def names(family: str, kind: str = "events") -> list[str]:
    """Return the fields of a schema in their order."""
    return [one["name"] for one in schema(family, kind)["fields"]]


def facets(family: str) -> list[str]:
    """Return the facets of a family, in the order of their fields."""
    [words] = [one["type"]["symbols"] for one in schema(family)["fields"] if one["name"] == "facet"]
    return [name for name in names(family) if name in words]


@cache
def meant_by(schema_id: int) -> tuple[str, int] | None:
    """Return whose schema an id is, and which version of it; None where nobody's."""
    rows = yaml.safe_load((SCHEMAS / "ids.yaml").read_text("utf-8"))
    meant = {row["id"]: (str(row["family"]), int(row["version"])) for row in rows}
    return meant.get(schema_id)


@cache
def publishers(path: Path) -> dict[str, Any]:
    """Return the lines of a publishers' table by publisher, and of the shipped one it adds to."""
    table: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
    own: dict[str, Any] = table["publishers"]
    if table.get("extends") == "shipped":
        return publishers(SCHEMAS / "publishers.yaml") | own
    return own


def leaves(family: str, event: dict[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """Yield path, type and value of all that an event holds, however deep; nothing that is null.

    Types are `string`, `enum`, `long`, and the logical `date`, `timestamp-micros`, `decimal`.
    """
    yield from _leaves(schema(family), event, "")


def _leaves(node: Any, value: Any, path: str) -> Iterator[tuple[str, str, Any]]:
    node = next(one for one in node if one != "null") if isinstance(node, list) else node
    if value is None:
        return
    kind = _kind(node)
    if kind == "record":
        for one in node["fields"]:
            inner = f"{path}.{one['name']}".lstrip(".")
            yield from _leaves(one["type"], value[one["name"]], inner)
    elif kind == "array":
        for item in value:
            yield from _leaves(node["items"], item, path)
    else:
        yield path, kind, value


def _kind(node: Any) -> str:
    if isinstance(node, list):
        return _kind(next(one for one in node if one != "null"))
    return node if isinstance(node, str) else str(node.get("logicalType") or node["type"])

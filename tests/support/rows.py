"""Rows for any dialect, made from its own file: a value that fits in every column it names."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import yaml

from tests.support.codes import uscc
from tests.support.kafka import SCHEMAS

DIALECTS: Final = sorted((SCHEMAS / "dialects").glob("*.yaml"))
#: The words of the dialects' grammar that name a column beside them.
_NAMING: Final = ("text", "date", "time", "term", "yuan", "wan_yuan", "code", "split", "if_present")
_VALUES: Final = {
    "date": "2026-01-05",
    "time": "2026-01-05",
    "term": "2031-01-05",
    "yuan": "15000",
    "wan_yuan": "1.5",
    "or_yuan": "15000",
    "code": "1",
    "codes": "1",
    "if_present": "",
    "or_present": "",
}


@dataclass(frozen=True)
class Layout:
    """One dialect as its file holds it."""

    path: Path

    @cached_property
    def file(self) -> dict[str, Any]:
        found: dict[str, Any] = yaml.safe_load(self.path.read_text("utf-8"))
        return found

    @property
    def id(self) -> str:
        return str(self.file["id"])

    @property
    def family(self) -> str:
        return str(self.file["family"])

    @property
    def native(self) -> bool:
        return bool(self.file.get("native"))

    @property
    def amounts(self) -> set[str]:
        """Return the columns of amounts: eleven digits there are an amount."""
        words_of_amounts = {"yuan", "wan_yuan", "or_yuan"}
        return {c for c, words in self.maps.items() if words & words_of_amounts}

    @property
    def columns(self) -> list[str]:
        return list(self.file["columns"])

    @cached_property
    def maps(self) -> dict[str, set[str]]:
        """Return the words under which each mapped column is named."""
        found: dict[str, set[str]] = {}
        fixed = [self.file["subject"], *self.file["record_key"]["columns"]]
        fixed += [self.file.get("issuer_name"), self.file["issuer"], self.file.get("edition")]
        for spec in [*fixed, *self.file.get("events", [])]:
            for word, column in _named(spec):
                if column in self.file["columns"]:
                    found.setdefault(column, set()).add(word)
        return found

    def lists(self) -> dict[str, str]:
        """Return the dialect's code lists, and one code's meaning that fits its field."""
        found = {}
        for event in self.file.get("events", []):
            for name, spec in event["content"].items():
                for wanted in _lists(spec):
                    found[wanted] = _symbol(self.family, event["facet"], name)
        return found

    def row(self, number: int, issuer: str) -> dict[str, str]:
        """Return a row with something in every column, a record of its own by `number`."""
        row = dict.fromkeys(self.columns, f"文字{number}")
        for column, words in self.maps.items():
            for word in words & set(_VALUES):
                row[column] = _VALUES[word]
        for word, column in _named(self.file["issuer"]):
            if word != "const":
                row[column] = issuer
        row[self.file["subject"]] = uscc(number)
        if self.file.get("edition"):
            row[self.file["edition"]] = "2026-05-01 10:00:00"
        return row


def _named(spec: Any) -> Iterator[tuple[str, str]]:
    """Yield (word, column) of a field map, however deep; a bare string names a column."""
    if isinstance(spec, str):
        yield "text", spec
    elif isinstance(spec, Mapping):
        for word, value in spec.items():
            if isinstance(value, str):
                if word in _NAMING or word not in ("const", "list", "then", "else", "needs"):
                    yield word, value
            elif isinstance(value, list) and all(isinstance(item, str) for item in value):
                yield from ((word, item) for item in value)
            elif word != "const":
                yield from _named(value)
    elif isinstance(spec, list):
        for item in spec:
            yield from _named(item)


def _lists(spec: Any) -> Iterator[str]:
    """Yield the names of the code lists in a field map, however deep."""
    if isinstance(spec, Mapping):
        if isinstance(spec.get("list"), str):
            yield spec["list"]
        for value in spec.values():
            yield from _lists(value)
    elif isinstance(spec, list):
        for item in spec:
            yield from _lists(item)


def _symbol(family: str, facet: str, name: str) -> str:
    """Return the first symbol of an enum field, or a text."""
    field = dict(strings(family, with_enums=True)).get(f"{facet}.{name}")
    return field[0] if field else "普通"


def event_schema(family: str) -> dict[str, Any]:
    path = max((SCHEMAS / "events").glob(f"{family}.v*.avsc"))
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


def strings(family: str, *, with_enums: bool = False) -> Iterator[tuple[str, list[str]]]:
    """Yield the dotted path of every string of an event and, where asked for, of every enum."""
    for path, kind in _leaves(event_schema(family), ""):
        if kind == "string":
            yield path, []
        elif with_enums and isinstance(kind, dict) and kind["type"] == "enum":
            yield path, kind["symbols"]


def _leaves(node: Any, path: str) -> Iterator[tuple[str, Any]]:
    node = node[1] if isinstance(node, list) else node
    kind = node if isinstance(node, str) else node["type"]
    if kind == "record":
        for field in node["fields"]:
            yield from _leaves(field["type"], f"{path}.{field['name']}".lstrip("."))
    elif kind == "array":
        yield from _leaves(node["items"], path)
    else:
        yield path, kind if isinstance(kind, str) and kind != "enum" else node


def filled(family: str, facet: str, path: str = "", text: str = "") -> Any:
    """Return a facet's content with one item in each list, and `text` at one path."""
    fields = {field["name"]: field["type"] for field in event_schema(family)["fields"]}
    return _filled(fields[facet], facet, path, text)


def _filled(node: Any, here: str, path: str, text: str) -> Any:
    optional = isinstance(node, list)
    node = node[1] if isinstance(node, list) else node
    kind = node if isinstance(node, str) else node["type"]
    if kind == "record":
        return {
            field["name"]: _filled(field["type"], f"{here}.{field['name']}", path, text)
            for field in node["fields"]
        }
    if kind == "array":
        return [_filled(node["items"], here, path, text)]
    if here == path:
        return text
    if kind == "enum":
        return node["symbols"][0]
    return None if optional or kind != "string" else "文字"

"""What a new version of a schema may do: add what may be null, and nothing else."""

from __future__ import annotations

import copy
import io
from collections.abc import Callable
from typing import Any

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.avro import FAMILIES, released, schema_of, versions
from schemas.compatible import breaks, fingerprint

OLD: dict[str, Any] = {
    "type": "record",
    "name": "E",
    "doc": "words",
    "fields": [
        {"name": "id", "type": "string"},
        {"name": "kind", "type": {"type": "enum", "name": "K", "symbols": ["a", "b"]}},
        {"name": "note", "type": ["null", "string"], "default": None},
        {
            "name": "fine",
            "type": [
                "null",
                {"type": "bytes", "logicalType": "decimal", "precision": 20, "scale": 2},
            ],
            "default": None,
        },
        {
            "name": "deep",
            "type": [
                "null",
                {"type": "record", "name": "D", "fields": [{"name": "x", "type": "long"}]},
            ],
            "default": None,
        },
        {
            "name": "many",
            "type": {
                "type": "array",
                "items": {
                    "type": "record",
                    "name": "M",
                    "fields": [{"name": "y", "type": "string"}],
                },
            },
        },
    ],
}
ADDED = {"name": "more", "type": ["null", "string"], "default": None}


def field(schema: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in schema["fields"] if one["name"] == name)


def deep(schema: dict[str, Any]) -> list[Any]:
    fields: list[Any] = field(schema, "deep")["type"][1]["fields"]
    return fields


def listed(schema: dict[str, Any]) -> list[Any]:
    fields: list[Any] = field(schema, "many")["type"]["items"]["fields"]
    return fields


Change = Callable[[dict[str, Any]], object]
GOOD: dict[str, Change] = {
    "nothing": lambda s: None,
    "other words": lambda s: s.update(doc="other"),
    "a field": lambda s: s["fields"].insert(1, ADDED),
    "a field within": lambda s: deep(s).append(ADDED),
    "a word": lambda s: field(s, "kind")["type"]["symbols"].insert(0, "c"),
    "may be null by now": lambda s: field(s, "id").update(type=["null", "string"]),
}
BAD: dict[str, tuple[Change, str, str]] = {
    "a field gone": (lambda s: s["fields"].pop(2), "note", "taken away"),
    "a field within gone": (lambda s: deep(s).pop(), "deep.x", "taken away"),
    "a field needed": (
        lambda s: s["fields"].append({"name": "n", "type": "string"}),
        "n",
        "do not have it",
    ),
    "a field with a default of its own": (
        lambda s: s["fields"].append({"name": "n", "type": "string", "default": "x"}),
        "n",
        "default null",
    ),
    "without a default": (
        lambda s: s["fields"].append({"name": "n", "type": ["null", "string"]}),
        "n",
        "default null",
    ),
    "a field in a list": (lambda s: listed(s).append(ADDED), "many.more", "within a list"),
    "a field in a list gone": (lambda s: listed(s).pop(), "many.y", "taken away"),
    "no null any more": (lambda s: field(s, "note").update(type="string"), "note", "null any more"),
    "a word gone": (lambda s: field(s, "kind")["type"]["symbols"].pop(), "kind", "words"),
    "a wider number": (lambda s: deep(s)[0].update(type="double"), "deep.x", "another type"),
    "another scale": (
        lambda s: field(s, "fine")["type"][1].update(scale=4),
        "fine",
        "another type",
    ),
    "a list no more": (lambda s: field(s, "many").update(type="string"), "many", "another type"),
}


def changed(change: Change) -> dict[str, Any]:
    new = copy.deepcopy(OLD)
    change(new)
    return new


@pytest.mark.parametrize("name", GOOD)
def test_what_is_additive_breaks_nothing(name: str) -> None:
    assert breaks(OLD, changed(GOOD[name])) == []


@pytest.mark.parametrize("name", BAD)
def test_what_breaks_is_named_in_words(name: str) -> None:
    change, path, why = BAD[name]
    [found] = breaks(OLD, changed(change))
    assert found.path == path
    assert why in found.why.en
    assert found.why.zh


EVENT = st.fixed_dictionaries(
    {
        "id": st.text(),
        "kind": st.sampled_from("ab"),
        "note": st.none() | st.text(),
        "fine": st.none() | st.decimals(-9999, 9999, places=2),
        "deep": st.none() | st.fixed_dictionaries({"x": st.integers(-(2**63), 2**63 - 1)}),
        "many": st.lists(st.fixed_dictionaries({"y": st.text()}), max_size=3),
    }
)


@given(EVENT, st.sets(st.sampled_from([*GOOD])))
def test_avro_itself_reads_the_old_by_the_new_and_nothing_is_lost(
    event: dict[str, Any], names: set[str]
) -> None:
    """Avro's own rules of resolution, by fastavro, hold whatever is called additive."""
    new = copy.deepcopy(OLD)
    for name in names:
        GOOD[name](new)
    assert breaks(OLD, new) == []
    written = io.BytesIO()
    fastavro.schemaless_writer(written, OLD, event)
    written.seek(0)
    read = fastavro.schemaless_reader(written, OLD, new)
    assert isinstance(read, dict)
    within = read["deep"] or {}
    assert (read.pop("more", None), within.pop("more", None)) == (None, None)
    assert read == event


@pytest.mark.parametrize("kind", ["events", "datasets"])
@pytest.mark.parametrize("family", FAMILIES)
def test_every_version_reads_all_before_it_and_none_was_changed(kind: Any, family: str) -> None:
    held = versions(kind, family)
    for at, older in enumerate(held):
        for newer in held[at:]:
            assert breaks(schema_of(kind, family, older), schema_of(kind, family, newer)) == []
    for version, noted in released(kind, family).items():
        assert fingerprint(schema_of(kind, family, version)) == noted


def test_a_fingerprint_is_of_all_but_the_words() -> None:
    assert fingerprint(changed(GOOD["other words"])) == fingerprint(OLD)
    others = [fingerprint(changed(GOOD[name])) for name in GOOD if "nothing" not in name]
    assert len(set(others)) == len(others)

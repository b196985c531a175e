"""The contract's schemas keep their own rules, and both Avro readers agree on every event."""

import io
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from importlib.resources import files
from typing import Any

import fastavro
import polars as pl
import pytest
from polars.exceptions import InvalidOperationError

from schemas.avro import (
    FAMILIES,
    UnknownSchemaError,
    columnar_event_schema,
    dataset_columns,
    dataset_schema,
    enums,
    event_columns,
    event_schema,
    facets,
    family_and_version,
    name_enums,
    parsed_event_schema,
    schema_id,
    symbols,
)

DATE = {"type": "int", "logicalType": "date"}
TIME = {"type": "long", "logicalType": "timestamp-micros"}
MONEY = {"type": "bytes", "logicalType": "decimal", "precision": 20, "scale": 2}
SYNC = bytes(range(16))
ENVELOPE_LENGTH = 19
EVERY = [(family, facet) for family in FAMILIES for facet in facets(family)]
SCHEMAS = [read(family) for read in (event_schema, dataset_schema) for family in FAMILIES]
BEFORE_DECISION = [
    "subject",
    "record_key",
    "usable",
    "unusable_reason",
    "state",
    "as_of",
    "usable_until",
    "publisher",
    "issuer",
    "issuer_name",
    "effective_from",
    "effective_to",
    "occurred_at",
]
AFTER_DECISION = [
    "objection",
    "layout",
    "layout_version",
    "file_digest",
    "file_row",
    "decision_event_id",
    "standing_event_id",
    "versions",
    "first_landed_at",
    "last_landed_at",
    "bucket",
]
NEVER_NULL = [
    "subject",
    "record_key",
    "usable",
    "as_of",
    "versions",
    "first_landed_at",
    "last_landed_at",
    "bucket",
]


def nodes(node: Any) -> Iterator[Any]:
    """Yield every type in a schema, and every field."""
    yield node
    if isinstance(node, list):
        children: list[Any] = node
    elif isinstance(node, dict):
        children = [node[key] for key in ("type", "items") if key in node]
        children += node.get("fields", [])
    else:
        children = []
    for child in children:
        yield from nodes(child)


def named(schema: Any) -> list[dict[str, Any]]:
    return [node for node in nodes(schema) if isinstance(node, dict) and "name" in node]


def full(node: Any) -> Any:
    """Return a value with nothing null and every enum at its last symbol."""
    if isinstance(node, list):
        return full(node[1])
    if isinstance(node, str):
        return {"string": "证 x", "long": 2**40}[node]
    if "logicalType" in node:
        values = {
            "date": date(1949, 10, 1),
            "timestamp-micros": datetime(2026, 4, 1, 16, 0, 0, 1, tzinfo=UTC),
            "decimal": Decimal("-999999999999999999.99"),
        }
        return values[node["logicalType"]]
    if node["type"] == "enum":
        return node["symbols"][-1]
    if node["type"] == "array":
        return [full(node["items"]), full(node["items"])]
    return {field["name"]: full(field["type"]) for field in node["fields"]}


def sparse(node: Any) -> Any:
    """Return a value with all that may be null null, arrays empty, enums at their first symbol."""
    if isinstance(node, list):
        return None
    if isinstance(node, dict):
        if node["type"] == "enum":
            return node["symbols"][0]
        if node["type"] == "array":
            return []
        if node["type"] == "record":
            return {field["name"]: sparse(field["type"]) for field in node["fields"]}
    return {"string": "", "long": 0}[node]


def example(family: str, facet: str, value: Any) -> dict[str, Any]:
    """Return an event whose one facet is filled by `value` (full or sparse)."""
    event: dict[str, Any] = {
        field["name"]: None if field["name"] in facets(family) else value(field["type"])
        for field in event_schema(family)["fields"]
    }
    (content,) = [f for f in event_schema(family)["fields"] if f["name"] == facet]
    return {**event, "facet": facet, facet: value(content["type"][1])}


def examples(family: str) -> list[dict[str, Any]]:
    return [example(family, facet, value) for facet in facets(family) for value in (full, sparse)]


def body(event: dict[str, Any], family: str) -> bytes:
    out = io.BytesIO()
    fastavro.schemaless_writer(out, parsed_event_schema(family), event, strict=True)
    return out.getvalue()


def long(number: int) -> bytes:
    out = io.BytesIO()
    fastavro.schemaless_writer(out, "long", number)
    return out.getvalue()


def read_numbers(bodies: list[bytes], family: str) -> pl.DataFrame:
    """Read event bodies as they are by Polars, under a header that says enums are longs."""
    container = io.BytesIO()
    fastavro.writer(container, columnar_event_schema(family), [], sync_marker=SYNC)
    block = b"".join(bodies)
    container.write(long(len(bodies)) + long(len(block)) + block + SYNC)
    container.seek(0)
    return pl.read_avro(container)


def read_columns(bodies: list[bytes], family: str) -> pl.DataFrame:
    return name_enums(read_numbers(bodies, family), family)


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda s: s["name"])
def test_everything_named_is_explained_in_both_languages(schema: dict[str, Any]) -> None:
    for node in named(schema):
        doc = node.get("doc", "")
        assert re.search(r"[A-Za-z]{4}", doc), node["name"]
        assert re.search(r"[\u4e00-\u9fff]{2}", doc), node["name"]


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda s: s["name"])
def test_only_types_that_both_readers_agree_on(schema: dict[str, Any]) -> None:
    for field in (node for node in named(schema) if node.get("type") not in ("record", "enum")):
        kind = field["type"]
        if isinstance(kind, list):
            assert (kind[0], field["default"]) == ("null", None), field["name"]
            (kind,) = kind[1:]
        if isinstance(kind, dict) and kind["type"] not in ("record", "enum", "array"):
            assert kind in (DATE, TIME, MONEY), field["name"]
        elif isinstance(kind, str):
            assert kind in ("string", "long"), field["name"]


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda s: s["name"])
def test_names_are_unique_so_that_files_stand_alone(schema: dict[str, Any]) -> None:
    types = [node["name"] for node in named(schema) if node.get("type") in ("record", "enum")]
    assert len(types) == len(set(types))
    fastavro.parse_schema(schema)


def test_envelopes_differ_only_in_two_lists_of_symbols() -> None:
    def envelope(family: str) -> list[Any]:
        fields = event_schema(family)["fields"][:ENVELOPE_LENGTH]
        free = ("event_type", "facet")
        return [
            {**f, "type": {**f["type"], "symbols": []}} if f["name"] in free else f for f in fields
        ]

    assert envelope("licence") == envelope("registration") == envelope("credit")
    assert envelope("licence")[-1]["name"] == "overrules"


@pytest.mark.parametrize("family", FAMILIES)
def test_each_facet_is_one_nullable_record_after_the_envelope(family: str) -> None:
    contents = event_schema(family)["fields"][ENVELOPE_LENGTH:]
    assert tuple(field["name"] for field in contents) == facets(family)
    for field in contents:
        null, record = field["type"]
        assert (null, record["type"], field["default"]) == ("null", "record", None)


def test_only_credit_can_be_repaired() -> None:
    assert [family for family in FAMILIES if "repair" in facets(family)] == ["credit"]


@pytest.mark.parametrize("name", ["Objection", "Withdrawal", "Statement", "Term"])
def test_types_shared_by_families_are_the_same_in_each(name: str) -> None:
    found = [node for f in FAMILIES for node in named(event_schema(f)) if node["name"] == name]
    assert len(found) >= 2
    assert all(node == found[0] for node in found)


@pytest.mark.parametrize(("family", "facet"), EVERY)
@pytest.mark.parametrize("value", [full, sparse])
def test_an_event_of_every_facet_survives_fastavro(family: str, facet: str, value: Any) -> None:
    event = example(family, facet, value)
    data = io.BytesIO(body(event, family))
    assert fastavro.schemaless_reader(data, parsed_event_schema(family), None) == event
    assert data.read() == b""


@pytest.mark.parametrize("family", FAMILIES)
def test_polars_reads_the_same_bytes_to_the_same_events(family: str) -> None:
    events = examples(family)
    frame = read_columns([body(event, family) for event in events], family)
    assert frame.schema == event_columns(family)
    assert frame.to_dicts() == events


@pytest.mark.parametrize(("family", "facet"), EVERY)
def test_polars_reads_a_batch_of_one_facet(family: str, facet: str) -> None:
    event = example(family, facet, full)
    frame = read_columns([body(event, family)] * 2, family)
    assert frame.to_dicts() == [event, event]
    assert [name for name in facets(family) if frame[name].null_count() == 0] == [facet]


@pytest.mark.parametrize("family", FAMILIES)
def test_polars_reads_a_container_written_by_fastavro(family: str) -> None:
    events = examples(family)
    numbered = [
        fastavro.schemaless_reader(
            io.BytesIO(body(event, family)), columnar_event_schema(family), None
        )
        for event in events
    ]
    container = io.BytesIO()
    fastavro.writer(container, columnar_event_schema(family), numbered)
    container.seek(0)
    assert name_enums(pl.read_avro(container), family).to_dicts() == events


@pytest.mark.parametrize("family", FAMILIES)
def test_a_batch_without_events_has_the_same_columns(family: str) -> None:
    none = read_numbers([body(examples(family)[0], family)], family).clear()
    assert name_enums(none, family).schema == event_columns(family)


def test_an_enum_number_without_a_symbol_is_an_error_not_a_null() -> None:
    good = body(example("licence", "standing", full), "licence")
    last = len(symbols("licence", "standing.state")) - 1
    marker = long(1) + long(last) + long(1)  # record present, state, authority present
    assert good.count(marker) == 1
    with pytest.raises(InvalidOperationError):
        read_columns([good.replace(marker, long(1) + long(last + 1) + long(1))], "licence")


@pytest.mark.parametrize("family", FAMILIES)
def test_columns_beside_the_event_stay(family: str) -> None:
    frame = pl.DataFrame({"offset": [7]}).hstack(
        read_numbers([body(example(family, "decision", full), family)], family)
    )
    assert name_enums(frame, family)["offset"].to_list() == [7]


def test_enum_paths_lead_through_nulls_and_arrays() -> None:
    assert symbols("licence", "decision.addresses.kind")[0] == "registered"
    assert symbols("credit", "decision.severity") == ("minor", "general", "serious")
    assert dict(enums("registration"))["standing.state"][-1] == "other"
    with pytest.raises(UnknownSchemaError, match=r"standing\.stat"):
        symbols("licence", "standing.stat")


@pytest.mark.parametrize("family", FAMILIES)
def test_dataset_holds_the_decision_as_the_event_does_but_nullable(family: str) -> None:
    (decision,) = [f for f in event_schema(family)["fields"] if f["name"] == "decision"]
    fields = dataset_schema(family)["fields"]
    copied = fields[len(BEFORE_DECISION) : -len(AFTER_DECISION)]
    assert [f["name"] for f in fields] == [
        *BEFORE_DECISION,
        *(f["name"] for f in decision["type"][1]["fields"]),
        *AFTER_DECISION,
    ]
    for mine, theirs in zip(copied, decision["type"][1]["fields"], strict=True):
        kind = theirs["type"]
        assert mine["type"] == (kind if isinstance(kind, list) else ["null", kind]), mine["name"]
    decided = event_columns(family)["decision"]
    assert isinstance(decided, pl.Struct)
    assert {f.name: f.dtype for f in decided.fields}.items() <= dataset_columns(family).items()


@pytest.mark.parametrize("family", FAMILIES)
def test_a_stopped_row_can_be_empty_but_for_its_key_and_reason(family: str) -> None:
    fields = dataset_schema(family)["fields"]
    assert [f["name"] for f in fields if not isinstance(f["type"], list)] == NEVER_NULL


def test_columns_have_the_types_others_build_on() -> None:
    columns = event_columns("credit")
    assert columns["occurred_at"] == pl.Datetime("us", "UTC")
    assert columns["effective_from"] == pl.Date
    assert columns["facet"] == pl.String
    assert dataset_columns("credit")["fine_yuan"] == pl.Decimal(20, 2)
    assert dataset_columns("credit")["categories"] == pl.List(pl.String)
    assert dataset_columns("licence")["addresses"] == pl.List(
        pl.Struct({"kind": pl.String, "text": pl.String})
    )


def test_ids_are_unique_and_name_their_family() -> None:
    assert {family: schema_id(family) for family in FAMILIES} == {
        "registration": 4,
        "licence": 5,
        "credit": 6,
    }
    assert [family_and_version(number) for number in range(1, 7)] == [
        (family, version) for version in (1, 2) for family in FAMILIES
    ]
    text = (files("schemas") / "ids.yaml").read_text(encoding="utf-8")
    ids = re.findall(r"\bid: (\d+)", text)
    shipped = [f for f in (files("schemas") / "events").iterdir() if f.name.endswith(".avsc")]
    assert len(ids) == len(set(ids)) == len(shipped)


@pytest.mark.parametrize("unknown", [0, 7, 2**31])
def test_an_unknown_id_says_which_are_known(unknown: int) -> None:
    with pytest.raises(UnknownSchemaError, match=rf"id {unknown}; known: \[1, 2, 3, 4, 5, 6\]"):
        family_and_version(unknown)


@pytest.mark.parametrize("read", [event_schema, dataset_schema, parsed_event_schema, schema_id])
def test_an_unknown_family_says_which_are_known(read: Any) -> None:
    with pytest.raises(UnknownSchemaError, match=r"obligation.*registration"):
        read("obligation")

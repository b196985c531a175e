"""What schema ids mean: by a registry that is asked once, by the log that remembers, by `ids.yaml`."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from connectors.registry import NotRegistered, RegistryUnreachable, registry
from connectors.schema_ids import ForeignSchemaError, SchemaChanged, SchemaIds, id_to_write
from connectors.settings import Settings
from flows.remembered import remembered, to_remember
from schemas.avro import FAMILIES, UnknownSchemaError, event_schema, numbered, schema_id
from schemas.meaning import NO_SCHEMA, number_of, number_of_version, version_of
from tests.support.registry import StandIn, stand_in, text

NEWEST = 2
LICENCE = number_of_version("licence", NEWEST)
CREDIT = number_of_version("credit", NEWEST)
STRANGER = '{"type":"record","name":"Stranger","fields":[]}'
Change = Callable[[dict[str, Any]], object]


@pytest.fixture
def there() -> Iterator[StandIn]:
    """A registry that has nothing but what a test lets it say."""
    with stand_in() as one:
        yield one


def settings(there: StandIn, **more: Any) -> Settings:
    return Settings(mianti_schema_registry=there.url, **more)


def fields(schema: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = schema["fields"]
    return found


SAME: dict[str, Change] = {
    "other words": lambda s: s.update(doc="…"),
    "no words": lambda s: fields(s)[0].pop("doc"),
    "its name in full": lambda s: s.update(name=f"{s.pop('namespace')}.{s['name']}"),
    "the names within it in full": lambda s: fields(s)[1]["type"].update(
        namespace="mianti.licence"
    ),
    "another order of keys": lambda s: s.update(fields=s.pop("fields")),
}
OTHER: dict[str, Change] = {
    "a field less": lambda s: fields(s).pop(),
    "another order of fields": lambda s: fields(s).reverse(),
    "another name": lambda s: s.update(name="Other"),
    "another namespace": lambda s: s.update(namespace="other"),
}


@pytest.mark.parametrize("how", SAME)
def test_a_schema_is_the_same_however_it_is_written(how: str) -> None:
    schema = json.loads(json.dumps(event_schema("licence")))
    SAME[how](schema)
    assert number_of(json.dumps(schema, indent=3)) == LICENCE


@pytest.mark.parametrize("how", OTHER)
def test_what_changes_a_byte_makes_another_schema(how: str) -> None:
    schema = json.loads(json.dumps(event_schema("licence")))
    OTHER[how](schema)
    assert number_of(json.dumps(schema)) not in (LICENCE, NO_SCHEMA)


def test_what_changes_a_meaning_makes_another_schema_though_every_byte_reads_the_same() -> None:
    written = json.dumps(event_schema("credit"))
    assert written.count('"scale": 2') > 0
    assert number_of(written.replace('"scale": 2', '"scale": 3')) not in (CREDIT, NO_SCHEMA)
    days = written.replace('"logicalType": "date"', '"logicalType": "time-millis"')
    assert number_of(days) not in (CREDIT, NO_SCHEMA)


@pytest.mark.parametrize("said", ["", "nonsense", "{}", "[" * 100_000, "7", "null,"])
def test_what_is_no_schema_has_no_number(said: str) -> None:
    assert number_of(said) == NO_SCHEMA


def test_every_version_has_a_number_that_fits_a_table() -> None:
    numbers = [number_of_version(*one) for one in numbered()]
    assert [version_of(number) for number in numbers] == numbered()
    assert all(0 < number < 1 << 63 for number in numbers)


def test_without_a_registry_the_ids_are_those_of_the_file() -> None:
    ids = SchemaIds(Settings(), "licence")
    assert ids.version(schema_id("licence")) == ("licence", NEWEST)
    with pytest.raises(UnknownSchemaError):
        ids.version(999)
    assert ids.learnt() == {schema_id("licence"): LICENCE}
    assert [id_to_write(Settings(), family) for family in FAMILIES] == [*map(schema_id, FAMILIES)]


def test_an_id_is_asked_for_once_and_what_is_not_there_once_a_run(there: StandIn) -> None:
    there.schema(70, text("licence"))
    for _ in range(2):
        ids = SchemaIds(settings(there), "licence")
        assert [ids.version(70) for _ in range(3)] == [("licence", NEWEST)] * 3
        for _ in range(3):
            with pytest.raises(UnknownSchemaError) as none:
                ids.version(71)
            assert none.type is UnknownSchemaError
        assert ids.learnt() == {70: LICENCE}
    assert there.asked == {"/schemas/ids/70": 1, "/schemas/ids/71": 2}


def test_an_id_beyond_what_a_registry_counts_is_not_asked_for(there: StandIn) -> None:
    with pytest.raises(UnknownSchemaError):
        SchemaIds(settings(there)).version(1 << 31)
    assert there.asked == {}


@pytest.mark.parametrize("said", [STRANGER, "nonsense", text("licence", namespace="other")])
def test_a_schema_of_nobody_we_know_is_told_from_none(there: StandIn, said: str) -> None:
    there.schema(70, said)
    ids = SchemaIds(settings(there), "licence")
    with pytest.raises(ForeignSchemaError):
        ids.version(70)
    assert ids.learnt() == {}


def test_a_schema_of_another_kind_is_none_of_ours(there: StandIn) -> None:
    told = {"schemaType": "JSON", "schema": text("licence")}
    there.says["/schemas/ids/70"] = 200, json.dumps(told).encode()
    with pytest.raises(ForeignSchemaError):
        SchemaIds(settings(there), "licence").version(70)


def test_only_what_the_family_is_read_by_is_learnt(there: StandIn) -> None:
    there.schema(70, text("credit"))
    ids = SchemaIds(settings(there), "licence")
    assert ids.version(70) == ("credit", NEWEST)
    assert ids.learnt() == {}


@pytest.mark.parametrize("wrong", [STRANGER, text("credit")])
def test_what_is_put_right_is_seen_by_the_same_process(there: StandIn, wrong: str) -> None:
    there.schema(70, wrong)
    found = []
    for said in (wrong, text("licence")):
        there.schema(70, said)
        ids = SchemaIds(settings(there), "licence")
        with suppress(UnknownSchemaError):
            found.append(ids.version(70))
    assert found[-1] == ("licence", NEWEST)
    with pytest.raises(SchemaChanged):
        SchemaIds(settings(there), "licence", {70: CREDIT}).version(70)


@pytest.mark.parametrize("answer", [None, (500, b"{}"), (200, b"[" * 100_000), (200, b"\xff")])
def test_where_no_answer_comes_what_is_known_counts(there: StandIn, answer: Any) -> None:
    there.says = dict.fromkeys(["/schemas/ids/70", "/schemas/ids/71"], answer)
    ids = SchemaIds(settings(there), "licence", {70: LICENCE})
    assert ids.version(70) == ("licence", NEWEST)
    assert ids.version(70) == ("licence", NEWEST)
    assert there.asked["/schemas/ids/70"] == 1
    with pytest.raises(RegistryUnreachable, match="schema id 71"):
        ids.version(71)


def test_what_the_registry_has_lost_is_still_known(there: StandIn) -> None:
    assert SchemaIds(settings(there), "licence", {70: LICENCE}).version(70) == ("licence", NEWEST)


def test_a_changed_schema_is_refused_until_it_is_put_back(there: StandIn) -> None:
    there.schema(70, text("credit"))
    for _ in range(2):
        with pytest.raises(
            SchemaChanged, match=r"70 has changed.*licence v2, and now it is credit"
        ):
            SchemaIds(settings(there), "licence", {70: LICENCE}).version(70)
    there.schema(70, text("licence"))
    assert SchemaIds(settings(there), "licence", {70: LICENCE}).version(70) == ("licence", NEWEST)


def test_what_another_landing_has_learnt_otherwise_is_asked_for_again(there: StandIn) -> None:
    there.schema(70, text("licence"))
    assert SchemaIds(settings(there), "licence").version(70) == ("licence", NEWEST)
    there.schema(70, text("credit"))
    assert SchemaIds(settings(there), "licence").version(70) == ("licence", NEWEST)
    assert SchemaIds(settings(there), "licence", {70: CREDIT}).version(70) == ("credit", NEWEST)


def test_a_log_holds_what_is_learnt_once_and_never_two_things() -> None:
    known = {"offset:t:0": 5, "schema:70": LICENCE}
    assert remembered(known) == {70: LICENCE}
    assert to_remember(known, {70: LICENCE, 71: CREDIT}) == {"schema:71": CREDIT}
    with pytest.raises(SchemaChanged, match="licence v2, and now it is credit v2"):
        to_remember(known, {70: CREDIT})


def test_the_id_to_write_is_the_registrys(there: StandIn) -> None:
    there.number("mianti.licence.LicenceEvent", 70)
    assert [id_to_write(settings(there), "licence") for _ in range(2)] == [70, 70]
    assert there.asked == {"/subjects/mianti.licence.LicenceEvent": 1}
    with pytest.raises(NotRegistered, match="mianti schema register"):
        id_to_write(settings(there), "credit")


@pytest.mark.parametrize("told", [b"{}", b'{"id":true}', b'{"id":"7"}', b'{"id":-1}'])
def test_an_id_that_is_none_is_not_written(there: StandIn, told: bytes) -> None:
    there.says["/subjects/mianti.licence.LicenceEvent"] = 200, told
    with pytest.raises(RegistryUnreachable, match="no id"):
        id_to_write(settings(there), "licence")


def test_the_login_is_sent_and_never_told(there: StandIn, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    login = {
        "mianti_schema_registry_username": "clerk",
        "mianti_schema_registry_password": "xyzzy-not-to-be-told",
    }
    there.says["/schemas/ids/70"] = 401, b'{"error_code":401}'
    with pytest.raises(RegistryUnreachable, match="HTTP 401") as refused:
        SchemaIds(settings(there, **login)).version(70)
    assert there.logins == {"Basic Y2xlcms6eHl6enktbm90LXRvLWJlLXRvbGQ="}
    assert "xyzzy" not in caplog.text + str(refused.value) + repr(
        registry(settings(there, **login))
    )
    assert "Y2xlcms6" not in caplog.text

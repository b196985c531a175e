"""Publishers that contradict themselves, are late, have a wrong clock, or take what is another's."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from connectors.topics import ensure_topic
from tests.faults.processes import again
from tests.faults.reliability import Fault
from tests.faults.scene import Scene
from tests.faults.whole import Place
from tests.oracle.identity import event_id
from tests.support import kafka as raw
from tests.support.codes import uscc
from tests.support.exchange import Department, Exchange

Event = dict[str, Any]
_INGEST = ("ingest", "licence")


def begun(exchange: Exchange, name: str = "dept") -> Scene:
    """Return a department with thirty licences published."""
    scene = Scene(exchange, exchange.department(name))
    scene.publish(*range(1, 31))
    return scene


def saying(event: Event, **changes: Any) -> bytes:
    """Return a message that says something else, with the id that follows from it."""
    other = event | changes
    return raw.encode(other | {"event_id": event_id("licence", other)}, "licence")


def send(department: Department, event: Event, *values: bytes) -> list[Place]:
    """Send messages about an event's subject, each as its publisher's program would."""
    topic, key = department.topic(), event["subject"].encode()
    ensure_topic(department.exchange.settings, topic)
    sent = [(key, value) for value in values]
    return [(topic, *place) for place in raw.send(department.exchange.address, topic, sent)]


def of(department: Department, facet: str, number: int) -> Event:
    """Return the newest event of one facet of a licence."""
    key = department.key(number)
    found = [e for e in department.events() if (e["record_key"], e["facet"]) == (key, facet)]
    return max(found, key=lambda event: event["sequence"])


@pytest.mark.fault(
    "one sequence with two contents",
    how="the second sent to the topic, at once and a landing later",
)
def test_one_sequence_with_two_contents(exchange: Exchange, fault: Fault) -> None:
    scene = begun(exchange)
    department = scene.department
    for number in (1, 2):
        event = of(department, "decision", number)
        twice = event["decision"] | {"scope": "热食类食品制售"}
        send(department, event, saying(event, decision=twice))
        again(exchange.environment, *_INGEST)

    rows = {row["record_key"]: row for row in exchange.dataset().iter_rows(named=True)}
    assert len(rows) == 30
    assert exchange.log().filter(verdict="accepted").height == 32
    for number in (1, 2):
        row = rows[department.key(number)]
        assert (row["usable"], row["unusable_reason"], row["scope"]) == ("no", "conflicted", None)
    assert {row["usable"] for key, row in rows.items() if not conflicted(department, key)} == {
        "yes"
    }
    exchange.verified()

    scene.publish(1, 2, XK_NR="糕点类食品制售")  # a higher sequence ends it
    again(exchange.environment, *_INGEST)
    fault.flowed = scene.whole()
    assert fault.flowed == 30 + 2 + 2


def conflicted(department: Department, key: str) -> bool:
    return key in (department.key(1), department.key(2))


@pytest.mark.fault(
    "events days late, and a publisher's clock a day off, either way",
    how="newer sequences first, older ones two landings later; times a day off and days apart",
)
def test_late_events_and_wrong_clocks(exchange: Exchange, fault: Fault) -> None:
    scene = begun(exchange)
    department = scene.department
    day, late = dt.timedelta(days=1), []
    for number in range(1, 11):
        event = of(department, "decision", number)
        # The newest by its sequence says it is from yesterday, the late one that it is from tomorrow.
        later = event["decision"] | {"scope": f"第{number}次"}
        send(department, event, saying(event, sequence=3, decision=later, **at(event, -day)))
        late.append((event, saying(event, sequence=2, **at(event, day))))
        scene.rows.append(department.licence(number, XK_NR=f"第{number}次"))
    again(exchange.environment, *_INGEST)
    scene.publish(*range(31, 41))
    again(exchange.environment, *_INGEST)
    for event, value in late:
        send(department, event, value)  # it is no news, so no row of the scene's
    again(exchange.environment, *_INGEST)
    fault.flowed = scene.whole()
    assert fault.flowed == 30 + 10 + 10 + 10


def at(event: Event, off: dt.timedelta) -> Event:
    """Return the times of an event as a clock tells them that is off."""
    return {name: event[name] + off for name in ("edition", "occurred_at") if event[name]}


@pytest.mark.fault(
    "a publisher in another's topic, family, facet and issuer",
    how="sent to the topics by a program, good ones round them",
)
def test_a_publisher_in_anothers_place(exchange: Exchange, fault: Fault) -> None:
    scene, other = begun(exchange), exchange.department("other")
    code = uscc(3, kind="11")  # the third of the exchange
    rights = {"facets": ["standing"], "issuers": [code]}
    narrow = exchange.department("narrow", families={"licence": rights})
    alien = exchange.department("alien", families={"credit": rights})
    plain = [other.licence(number) for number in range(41, 51)]
    other.publish(plain)
    scene.rows += plain

    event = of(scene.department, "decision", 1)
    organ = uscc(99, kind="11")
    stray = {
        "topic": (other, saying(event)),
        "issuer": (scene.department, saying(event, issuer=organ, record_key=f"{organ}/1")),
        "family": (alien, saying(event, publisher=alien.id)),
        "facet": (narrow, saying(event, publisher=narrow.id)),
    }
    for department, value in stray.values():
        scene.bad += send(department, event, value)
    again(exchange.environment, *_INGEST)
    fault.flowed = scene.whole()
    assert fault.flowed == 30 + 10 + len(stray)
    log = exchange.log().filter(verdict="quarantined")
    told = log.select("topic", "partition", "offset", "reason").iter_rows()
    reasons = {tuple(place): reason for *place, reason in told}
    assert [reasons[place] for place in scene.bad] == [
        "wrong_publisher",
        "issuer_not_owned",
        "family_not_owned",
        "facet_not_owned",
    ]

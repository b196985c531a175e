"""A facet that was given one of the last sequences is set right by an event that names it."""

from __future__ import annotations

import datetime as dt
import re
import shlex
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from connectors.errors import MiantiError
from connectors.ledger import NoSequenceLeft
from deploy.cli.main import cli
from flows.answer.at_window import Gathering
from flows.complete import said
from flows.operators import UnknownOperator
from flows.publish.overrule import NothingToOverrule, NothingToSay, Wrong, overrule
from flows.replica import place
from tests.oracle import kafka_reader
from tests.oracle.delta import Table
from tests.oracle.identity import event_id
from tests.oracle.ledger import examine_ledger
from tests.oracle.log_account import examine_log
from tests.oracle.report import Report
from tests.oracle.settled import examine_settled
from tests.oracle.verdict import Tables
from tests.support import kafka as raw
from tests.support.codes import uscc
from tests.support.exchange import Department, Exchange
from tests.support.window import follow

LAST = 2**53 - 1
REVOKED = "3"


@pytest.fixture
def dept(exchange: Exchange) -> Department:
    return exchange.department()


def day(number: int) -> dt.datetime:
    return dt.datetime(2026, 3, number, tzinfo=dt.UTC)


def forge(dept: Department, event: dict[str, Any], partition: int | None = None) -> None:
    """Write an event into a topic as a stranger who has the right to: whole, with its true id."""
    made = dict(event)
    made["event_id"] = event_id("licence", made)
    message = (made["subject"].encode(), raw.encode(made, "licence"))
    raw.send(dept.exchange.address, dept.topic(), [message], partition)


def poison(dept: Department, facet: str, content: dict[str, Any], sequence: int = LAST) -> None:
    """Let a stranger say something of the first licence that nothing can follow."""
    [first] = [event for event in dept.events() if event["facet"] == "decision"][:1]
    lacking = {"authority": None, "reason": None, "reason_code": None}
    words = {"standing": "status_stated", "withdrawal": "restored", "decision": "granted"}
    said = first[facet] | content if first[facet] else lacking | content
    event = first | {"facet": facet, "event_type": words[facet], "sequence": sequence}
    forge(dept, event | {"decision": None, facet: said, "edition": None})


def right(dept: Department, facet: str, *sequences: int, key: str | None = None) -> int:
    wrong = Wrong(key or dept.key(1), facet, sequences or (LAST,))
    return overrule(
        dept.exchange.settings, dept.id, wrong, by="li-wei", reason="sent by a stranger"
    )


def examine(exchange: Exchange) -> None:
    """Recount everything by the product, and by a reading of files and topic that shares no code."""
    exchange.verified()
    lake = Path(exchange.lake)
    if not lake.is_dir():
        return  # the oracle reads directories; what is in a bucket is the same
    table = exchange.settings.mianti_publishers
    assert table is not None
    report = Report()
    [dept] = exchange.departments
    kafka = kafka_reader.read(exchange.address, [dept.topic()])
    tables = Tables([(dt.datetime.min.replace(tzinfo=dt.UTC), table)])
    log = examine_log("licence", Table(lake / "log/licence"), kafka, tables, report)
    history, dataset = (Table(lake / kind / "licence") for kind in ("history", "datasets"))
    examine_settled(log, history, dataset, report)
    ledger = exchange.settings.mianti_ledger / f"{dept.id}.licence.sqlite"
    examine_ledger(ledger, kafka, {*log.refused()}, report)
    assert report.faults == []
    assert (report.accepted, report.unjudged) == (len(dept.messages()), 0)


def state(exchange: Exchange) -> str:
    """Land, recount, and return the state of the only licence, or why it may not be used."""
    exchange.ingest()
    examine(exchange)
    [row] = exchange.query().rows(named=True)
    return str(row["state"] or row["unusable_reason"])


def test_a_standing_that_hides_a_revocation_is_set_right(
    exchange: Exchange, dept: Department
) -> None:
    dept.publish([dept.licence(1)], edition=day(1))
    poison(dept, "standing", {"state": "in_force"})
    revoked = [dept.licence(1, XK_ZT=REVOKED)]
    told = dept.publish(revoked, edition=day(2))
    assert (told.published, told.reasons) == (0, {"no_sequence_left": 1})
    assert right(dept, "standing") == 1
    assert state(exchange) == "in_force"
    assert dept.publish(revoked, edition=day(3)).published == 1
    assert state(exchange) == "revoked"


def test_it_is_said_again_what_was_said_before_and_by_whom_and_why(
    exchange: Exchange, dept: Department
) -> None:
    rows = [dept.licence(1, XK_ZT=REVOKED)]
    dept.publish(rows, edition=day(1))
    poison(dept, "standing", {"state": "in_force"})
    poison(dept, "standing", {"state": "suspended"}, LAST - 1)
    assert state(exchange) == "in_force"
    assert right(dept, "standing", LAST, LAST - 1) == 2
    assert state(exchange) == "revoked"
    own = [e for e in dept.events() if e["overrules"]]
    assert [event["overrules"] for event in own] == [
        {"sequence": wrong, "by": "Li Wei", "reason": "sent by a stranger"}
        for wrong in (LAST - 1, LAST)
    ]
    assert [event["sequence"] for event in own] == [2, 3]
    assert dept.publish(rows, edition=day(2)).events == 0


def test_a_decision_is_put_back(exchange: Exchange, dept: Department) -> None:
    rows = [dept.licence(1)]
    dept.publish(rows, edition=day(1))
    poison(dept, "decision", {"name": "另一许可"})
    exchange.ingest()
    assert exchange.query()["name"].to_list() == ["另一许可"]
    right(dept, "decision")
    assert state(exchange) == "in_force"
    assert exchange.query()["name"].to_list() == [rows[0]["XK_XKZS"]]
    again = dept.publish(rows, edition=day(2))
    assert (again.unchanged, again.refused) == (1, 0)


def test_what_was_published_wrongly_can_be_taken_back_again(
    exchange: Exchange, dept: Department
) -> None:
    dept.publish([dept.licence(1)], edition=day(1))
    poison(dept, "withdrawal", {"state": "none"})
    with pytest.raises(NoSequenceLeft, match=rf"mianti overrule .* --facet withdrawal .*{LAST}"):
        dept.publisher.withdraw(dept.key(1), "公示有误")
    right(dept, "withdrawal")
    assert dept.publisher.withdraw(dept.key(1), "公示有误")
    assert state(exchange) == "withdrawn"


def test_the_command_that_is_told_sets_it_right_as_it_is_typed(
    exchange: Exchange, dept: Department
) -> None:
    dept.publish([dept.licence(1)], edition=day(1))
    poison(dept, "withdrawal", {"state": "none"})
    cli_ = CliRunner(env=exchange.environment)
    who = ["--publisher", dept.id]
    withdraw = ["withdraw", dept.key(1), *who, "--reason", "公示有误"]
    told = cli_.invoke(cli, withdraw)
    [said] = re.findall(r"right: mianti (overrule .*) --publisher … --by … --reason …", told.stderr)
    assert told.exit_code == 2
    done = cli_.invoke(cli, [*shlex.split(said), *who, "--by", "li", "--reason", "not ours"])
    assert (done.exit_code, done.stderr) == (0, "")
    assert "Overruled · 已更正 1" in done.stdout
    assert cli_.invoke(cli, withdraw).exit_code == 0
    assert state(exchange) == "withdrawn"


def test_as_known_before_it_was_overruled_it_counted(exchange: Exchange, dept: Department) -> None:
    dept.publish([dept.licence(1, XK_ZT=REVOKED)], edition=day(1))
    poison(dept, "standing", {"state": "in_force"})
    exchange.ingest()
    before = exchange.log()["landed_at"].max()
    right(dept, "standing")
    exchange.ingest()
    then = exchange.query(known_at=before)
    assert then["state"].to_list() == ["in_force"]
    assert exchange.query()["state"].to_list() == ["revoked"]


def test_a_ledger_made_anew_knows_what_was_overruled(exchange: Exchange, dept: Department) -> None:
    dept.publish([dept.licence(1, XK_ZT=REVOKED)], edition=day(1))
    poison(dept, "standing", {"state": "in_force"})
    right(dept, "standing")
    for path in exchange.settings.mianti_ledger.glob(f"{dept.id}*"):
        path.unlink()
    assert dept.publish([dept.licence(1)], edition=day(4)).published == 1
    assert state(exchange) == "in_force"
    assert [e["sequence"] for e in dept.events() if e["facet"] == "standing"] == [1, LAST, 2, 3]


def test_a_statement_that_hides_who_is_held_is_set_right_for_lake_and_window_alike(
    exchange: Exchange, dept: Department
) -> None:
    path = dept.file([dept.licence(1), dept.licence(2, XK_JDRQ="nonsense")], "a-20260301.csv")
    dept.publisher.publish_file(path, complete_through=day(1))
    stated = raw.events(exchange.address, dept.topic())
    stated = [event for event in stated if event["facet"] == "statement"]
    [held] = [event for event in stated if event["statement"]["excepted"]]
    number = held["statement"]["partition"]
    content = held["statement"] | {"excepted": []}
    forge(dept, held | {"sequence": LAST, "statement": content}, number)
    exchange.ingest()
    assert holding(exchange) == ([], [])
    later = dept.file([dept.licence(3, XK_JDRQ="nonsense")], "b-20260302.csv")
    with pytest.raises(NoSequenceLeft, match="--facet statement"):
        dept.publisher.publish_file(later)
    right(dept, "statement", key=held["record_key"])
    exchange.ingest()
    everybody = [uscc(number) for number in (1, 2, 3)]  # for the file that has failed
    assert holding(exchange) == (everybody, everybody)
    dept.publisher.publish_file(later)
    exchange.ingest()
    exchange.verified()
    assert holding(exchange) == ([uscc(2), uscc(3)], [uscc(2), uscc(3)])
    completeness = said(exchange.settings, {"licence": None})
    assert completeness.through == {(dept.id, "cn-sgs-2018-licence"): day(1)}


def holding(exchange: Exchange) -> tuple[list[str], list[str]]:
    """Return which of three enterprises are held, by the lake and by a window's replica."""
    lake = said(exchange.settings, {"licence": None})
    follow(exchange.settings)
    asked = [uscc(number) for number in (1, 2, 3)]
    with closing(place(exchange.settings).open()) as replica:
        gathering = Gathering(replica, {})
        window = [one for one in asked if gathering.gather(one).facts.excepted]
    return [one for one in asked if lake.holding(one, frozenset())], window


def test_what_needs_no_overruling_is_not_overruled(exchange: Exchange, dept: Department) -> None:
    dept.publish([dept.licence(1)], edition=day(1))
    poison(dept, "standing", {"state": "suspended"}, 2**52 - 1)
    poison(dept, "standing", {"state": "revoked"}, LAST)
    poison(dept, "standing", {"state": "revoked"}, LAST - 1)
    before = len(dept.messages())
    with pytest.raises(NothingToOverrule, match="publish what is right"):
        right(dept, "standing", 2**52 - 1)
    with pytest.raises(NothingToOverrule, match=f"no version {LAST - 5}.*{LAST}, {LAST - 1}"):
        right(dept, "standing", LAST - 5)
    with pytest.raises(NoSequenceLeft, match=f"{LAST - 1} would still hide"):
        right(dept, "standing", LAST)
    with pytest.raises(NothingToOverrule, match="no objection of this record key"):
        right(dept, "objection")
    wrong = Wrong(dept.key(1), "standing", [LAST])
    with pytest.raises(UnknownOperator):
        overrule(exchange.settings, dept.id, wrong, by="nobody", reason="…")
    with pytest.raises(MiantiError, match="name and a reason"):
        overrule(exchange.settings, dept.id, wrong, by="li", reason=" ")
    assert len(dept.messages()) == before


def test_what_stands_alone_has_nothing_to_be_put_in_its_place(
    exchange: Exchange, dept: Department
) -> None:
    dept.publish([dept.licence(1)], edition=day(1))
    [first] = [event for event in dept.events() if event["facet"] == "decision"]
    key = first["record_key"].replace(dept.key(1).split("/")[1], "另一号")
    forge(dept, first | {"record_key": key, "sequence": LAST})
    with pytest.raises(NothingToSay, match="withdraw the record"):
        right(dept, "decision", key=key)
    assert dept.publisher.withdraw(key, "非本机关所发")


@pytest.mark.parametrize("named", [5, 2**52 - 1, 2**53, -1])
def test_landing_refuses_to_overrule_what_can_be_followed(
    exchange: Exchange, dept: Department, named: int
) -> None:
    dept.publish([dept.licence(1)], edition=day(1))
    [first] = [event for event in dept.events() if event["facet"] == "decision"]
    overrules = {"sequence": named, "by": None, "reason": "…"}
    forge(dept, first | {"sequence": 4, "overrules": overrules})
    forge(dept, first | {"sequence": 2**52 + 7, "overrules": overrules | {"sequence": 2**52 + 7}})
    assert exchange.ingest().landed.quarantined == 2
    log = exchange.log().filter(verdict="quarantined")
    assert {*log.select("reason", "reason_where").iter_rows()} == {
        ("bad_value", "overrules.sequence")
    }


def test_what_it_overrules_is_under_the_events_id(exchange: Exchange, dept: Department) -> None:
    dept.publish([dept.licence(1)], edition=day(1))
    [first] = [event for event in dept.events() if event["facet"] == "decision"]
    forged = first | {"overrules": {"sequence": LAST, "by": None, "reason": "…"}}
    message = (forged["subject"].encode(), raw.encode(forged, "licence"))
    raw.send(exchange.address, dept.topic(), [message])
    exchange.ingest()
    assert exchange.log().filter(verdict="quarantined")["reason"].to_list() == ["bad_event_id"]


def test_a_program_that_brings_one_is_told_that_it_is_not_read(
    exchange: Exchange, dept: Department
) -> None:
    row = dept.native(1) | {"overrules": {"sequence": LAST, "reason": "…"}}
    told = dept.publisher.publish_rows("mianti-licence", [row])
    assert [column.column for column in told.unread_columns] == ["overrules"]
    assert [event["overrules"] for event in dept.events()] == [None]

"""The quarantine as a workplace: redriven once, discarded with a name, and never shown."""

from __future__ import annotations

import copy
import datetime as dt
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import polars as pl
import pytest
import yaml
from click.testing import CliRunner

from connectors import lake, schema_ids
from connectors.settings import Settings
from deploy.cli.main import cli
from flows import redrive as redriving
from flows.ingest import ingest
from flows.judge import judge
from flows.land import land
from flows.log import PLACE
from flows.quarantine import Chosen, NotSaid, discard, listed, shown
from flows.redrive import Redriven, redrive
from flows.status import status
from schemas.avro import UnknownSchemaError
from tests.support import kafka as raw
from tests.support.codes import uscc
from tests.support.exchange import Department, Exchange
from tests.support.lake import delta

FAMILY = "licence"
EVERY = Chosen()


def of(department: Department) -> Chosen:
    return Chosen(publisher=department.id)


def strict(exchange: Exchange, department: Department) -> Settings:
    """Return settings of a publishers' table that gives the department no right to any organ."""
    line = copy.deepcopy(department.line)
    for rights in line["families"].values():
        rights["issuers"] = [uscc(99, kind="11")]
    lines = {one.id: one.line for one in exchange.departments} | {department.id: line}
    path = exchange.home / "strict.yaml"
    path.write_text(yaml.safe_dump({"publishers": lines}, allow_unicode=True), "utf-8")
    return exchange.settings_with(mianti_publishers=path)


def refused(exchange: Exchange, department: Department, count: int) -> pl.DataFrame:
    """Publish licences that are refused for want of a right; return what waits."""
    department.publish([department.licence(n) for n in range(1, count + 1)])
    ingest(strict(exchange, department), FAMILY)
    found = shown(exchange.settings, FAMILY, of(department), 10_000)
    assert found["reason"].unique().to_list() == ["issuer_not_owned"]
    assert found.height >= count
    return found


def places(rows: pl.DataFrame) -> list[Any]:
    return rows.select(PLACE).sort(PLACE).rows()


def closed(exchange: Exchange) -> pl.DataFrame:
    return exchange.log().filter(verdict="closed")


def test_what_a_mended_right_accepts_is_redriven_once(exchange: Exchange) -> None:
    department = exchange.department()
    waits = refused(exchange, department, 20)
    assert exchange.dataset().height == 0
    assert status(exchange.settings, FAMILY).quarantined == waits.height
    others = exchange.log().filter(pl.col("topic") != department.topic())
    assert others.is_empty()

    done = redrive(exchange.settings, FAMILY, EVERY)
    assert done == Redriven(FAMILY, accepted=waits.height)
    assert redrive(exchange.settings, FAMILY, EVERY) == Redriven(FAMILY)
    taken = exchange.log().filter(verdict="accepted")
    assert places(taken) == places(waits)
    assert taken["landed_at"].n_unique() == 1
    assert taken["landed_at"][0] > waits["landed_at"].max()
    exchange.ingest()
    assert exchange.dataset().height == 20
    found = exchange.verified()
    assert (found.accepted, found.quarantined) == (waits.height, 0)
    assert status(exchange.settings, FAMILY).quarantined == 0


def test_a_statement_of_a_publisher_without_its_right_yet_is_redriven(exchange: Exchange) -> None:
    department = exchange.department()
    department.publish([department.licence(1), department.licence(2, XK_ZT="no such code")])
    table = exchange.home / "others.yaml"
    line = copy.deepcopy(department.line)
    del line["families"][FAMILY]
    table.write_text(yaml.safe_dump({"publishers": {department.id: line}}), "utf-8")
    land(exchange.settings_with(mianti_publishers=table), FAMILY)
    waits = shown(exchange.settings, FAMILY, EVERY, 100)
    assert waits["reason"].unique().to_list() == ["family_not_owned"]
    assert redrive(exchange.settings, FAMILY, EVERY) == Redriven(FAMILY, accepted=waits.height)
    taken = exchange.log().filter(verdict="accepted")
    assert "statement" in taken["facet"].to_list()
    assert exchange.verified().quarantined == 0


def test_it_takes_its_place_by_its_sequence_and_past_answers_stay(exchange: Exchange) -> None:
    department = exchange.department()

    def publish(state: str, edition: str, settings: Settings) -> None:
        day = {"edition": dt.datetime.fromisoformat(f"{edition}T00:00:00+00:00")}
        department.publish([department.licence(1, XK_ZT=state)], f"{edition}.csv", **day)
        ingest(settings, FAMILY)

    publish("1", "2026-03-01", exchange.settings)
    publish("2", "2026-03-02", strict(exchange, department))
    assert exchange.dataset()["state"].to_list() == ["in_force"]
    before = dt.datetime.now(dt.UTC)
    waits = shown(exchange.settings, FAMILY, EVERY, 10)
    assert waits.height >= 1
    done = redrive(exchange.settings, FAMILY, EVERY)
    assert done.accepted == waits.height
    exchange.ingest()
    stopped = exchange.dataset()
    assert stopped["state"].to_list() != ["in_force"]
    past = exchange.query(known_at=before)
    assert past["state"].to_list() == ["in_force"]
    publish("1", "2026-03-03", exchange.settings)
    assert exchange.dataset()["state"].to_list() == ["in_force"]
    exchange.verified()


def test_redriving_at_once_and_beside_a_landing_doubles_nothing(exchange: Exchange) -> None:
    department = exchange.department()
    waits = refused(exchange, department, 50)
    department.publish([department.licence(n) for n in range(100, 150)], "more.csv")
    ready = threading.Barrier(4)

    def run(which: int) -> int:
        ready.wait()
        if which == 0:
            land(exchange.settings, FAMILY)
            return 0
        return redrive(exchange.settings, FAMILY, EVERY).accepted

    with ThreadPoolExecutor(4) as pool:
        accepted = sum(pool.map(run, range(4)))
    assert accepted == waits.height
    exchange.ingest()
    assert exchange.dataset().height == 100
    assert exchange.verified().quarantined == 0


def test_who_was_overtaken_begins_again(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    department = exchange.department()
    waits = refused(exchange, department, 5)

    def overtaken(*given: Any) -> pl.DataFrame:
        monkeypatch.setattr(redriving, "judge", judge)
        assert redrive(exchange.settings, FAMILY, EVERY).accepted == waits.height
        return judge(*given)

    monkeypatch.setattr(redriving, "judge", overtaken)
    assert redrive(exchange.settings, FAMILY, EVERY) == Redriven(FAMILY)
    assert closed(exchange).height == waits.height
    exchange.verified()


def test_a_commit_whose_answer_was_lost_is_not_made_twice(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    department = exchange.department()
    waits = refused(exchange, department, 5)
    append = lake.append

    def lost(*given: Any) -> None:
        append(*given)
        monkeypatch.setattr(lake, "append", append)
        raise lake.Lost

    monkeypatch.setattr(lake, "append", lost)
    redrive(exchange.settings, FAMILY, EVERY)
    assert places(exchange.log().filter(verdict="accepted")) == places(waits)
    assert closed(exchange).height == waits.height
    exchange.verified()


def test_a_commit_that_only_seems_to_be_in_is_made_again(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer that was lost is looked up by ids, which another's commit may have brought."""
    department = exchange.department()
    waits = refused(exchange, department, 5)
    append = lake.append
    monkeypatch.setattr(lake, "append", lambda *_: monkeypatch.setattr(lake, "append", append))
    assert redrive(exchange.settings, FAMILY, EVERY).accepted == waits.height
    assert closed(exchange).height == waits.height
    exchange.verified()


def test_what_is_still_wrong_waits_on(exchange: Exchange) -> None:
    """Poison, another's key, and a number of a person, whose bytes nobody kept."""
    department = exchange.department()
    department.publisher.publish_rows("mianti-licence", [department.native(1)])
    event = department.events()[0]
    key = event["subject"].encode()
    phone = event | {"decision": event["decision"] | {"name": "139" + "1234" * 2}}
    sent = [
        (key, b"poison"),
        (key, None),
        (uscc(2).encode(), raw.encode(event, FAMILY)),
        (("139" + "1234" * 2).encode(), raw.encode(event, FAMILY)),
        (key, raw.encode(phone, FAMILY)),
    ]
    raw.send(exchange.address, department.topic(), sent, partition=0)
    exchange.ingest()
    done = redrive(exchange.settings, FAMILY, EVERY)
    reasons = {"bad_frame": 1, "tombstone": 1, "key_mismatch": 2, "personal_data": 1}
    assert done == Redriven(FAMILY, reasons=reasons)
    kept = exchange.log().filter(verdict="quarantined").sort("offset")
    assert kept["about"].to_list() == [uscc(1), uscc(1), None, None, uscc(1)]
    assert kept["raw"].is_null().to_list() == [False, True, False, False, True]
    found = exchange.verified()
    assert found.quarantined == 5
    raw.delete_records(exchange.address, department.topic())
    gone = redrive(exchange.settings, FAMILY, EVERY)
    del reasons["personal_data"]
    assert gone == Redriven(FAMILY, reasons=reasons, without_bytes=1)


def undecodable(
    exchange: Exchange, department: Department, monkeypatch: pytest.MonkeyPatch
) -> pl.DataFrame:
    """Publish licences and land them with a release that does not know their schema."""

    def unknown(_: int) -> tuple[str, int]:
        raise UnknownSchemaError

    department.publish([department.licence(n) for n in range(1, 21)])
    with monkeypatch.context() as patched:
        patched.setattr(schema_ids, "family_and_version", unknown)
        land(exchange.settings, FAMILY, plain=True)
    waits = shown(exchange.settings, FAMILY, EVERY, 100)
    assert waits["reason"].unique().to_list() == ["unknown_schema"]
    return waits


def test_what_a_new_schema_can_read_is_read_from_kafka_where_no_bytes_were_kept(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A code with many digits in a row looks like a person's number in what cannot be read."""
    department = exchange.department()
    waits = undecodable(exchange, department, monkeypatch)
    assert exchange.log()["raw"].null_count() > 0
    assert redrive(exchange.settings, FAMILY, EVERY) == Redriven(FAMILY, accepted=waits.height)
    exchange.ingest()
    assert exchange.dataset().height == 20
    exchange.verified()


def test_another_message_at_the_same_place_is_not_taken_for_it(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    department = exchange.department()
    waits = undecodable(exchange, department, monkeypatch)
    without = exchange.log()["raw"].null_count()
    topic = department.topic()
    raw.delete_topics(exchange.address, lambda name: name == topic)
    department.lose_ledger()
    department.publish([department.licence(n) for n in range(21, 61)], "others.csv")
    done = redrive(exchange.settings, FAMILY, EVERY)
    assert (done.accepted, done.without_bytes) == (waits.height - without, without)


def test_only_what_is_meant_is_touched(exchange: Exchange) -> None:
    one, other = exchange.department(), exchange.department("other")
    for department in (one, other):
        department.publish([department.licence(n) for n in range(1, 4)])
        raw.send(exchange.address, department.topic(), [(b"k", b"poison")], partition=0)
    lines = {each.id: copy.deepcopy(each.line) for each in (one, other)}
    for line in lines.values():
        del line["families"][FAMILY]
    without = exchange.home / "without.yaml"
    without.write_text(yaml.safe_dump({"publishers": lines}, allow_unicode=True), "utf-8")
    land(exchange.settings_with(mianti_publishers=without), FAMILY)
    counted = listed(exchange.settings, FAMILY, Chosen(publisher=one.id))
    assert {row["topic"] for row in counted.to_dicts()} == {one.topic()}
    mine = Chosen(publisher=one.id, reason="family_not_owned")
    count = shown(exchange.settings, FAMILY, mine, 100).height
    assert count >= 3
    first = shown(exchange.settings, FAMILY, mine, 1).row(0, named=True)
    place = Chosen(place=(first["topic"], first["partition"], first["offset"]))
    before = Chosen(until=first["landed_at"], publisher=one.id)
    assert shown(exchange.settings, FAMILY, before, 100).is_empty()
    assert redrive(exchange.settings, FAMILY, place).accepted == 1
    assert redrive(exchange.settings, FAMILY, mine).accepted == count - 1
    now = dt.datetime.now(dt.UTC)
    assert redrive(exchange.settings, FAMILY, Chosen(since=now)) == Redriven(FAMILY)
    assert shown(exchange.settings, FAMILY, Chosen(until=now, publisher=other.id), 100).height >= 4
    assert discard(exchange.settings, FAMILY, Chosen(reason="bad_frame"), by="Li", why="noise") == 2
    assert shown(exchange.settings, FAMILY, Chosen(publisher=one.id), 100).is_empty()


def test_what_is_discarded_is_recorded_and_stays_in_the_account(exchange: Exchange) -> None:
    department = exchange.department()
    waits = refused(exchange, department, 3)
    wrong = (("", "w"), ("Li", " "), ("Li", "ring 139" + "1234" * 2), ("Li\udc80", "w"))
    for by, why in wrong:
        with pytest.raises(NotSaid):
            discard(exchange.settings, FAMILY, EVERY, by=by, why=why)
    assert discard(exchange.settings, FAMILY, EVERY, by="Li Wei", why="sent again") == waits.height
    assert discard(exchange.settings, FAMILY, EVERY, by="Li Wei", why="sent again") == 0
    told = closed(exchange).select("reason", "closed_by", "closed_why").unique().rows()
    assert told == [("discarded", "Li Wei", "sent again")]
    assert redrive(exchange.settings, FAMILY, EVERY) == Redriven(FAMILY)
    assert status(exchange.settings, FAMILY).quarantined == 0
    assert exchange.verified().quarantined == waits.height


def test_what_was_discarded_by_mistake_is_taken_back(exchange: Exchange) -> None:
    """Its publisher holds it for published, and would not send the same again."""
    department = exchange.department()
    waits = refused(exchange, department, 3)
    first = waits.row(0, named=True)
    place = (first["topic"], first["partition"], first["offset"])
    discard(exchange.settings, FAMILY, EVERY, by="Li Wei", why="sent again")
    assert department.publish([department.licence(1)], "again.csv").published == 0
    given_up = Chosen(discarded=True)
    assert places(shown(exchange.settings, FAMILY, given_up, 100)) == places(waits)
    one = Chosen(place=place, discarded=True)
    assert redrive(exchange.settings, FAMILY, one) == Redriven(FAMILY, accepted=1)
    assert redrive(exchange.settings, FAMILY, one) == Redriven(FAMILY)
    assert redrive(exchange.settings, FAMILY, given_up).accepted == waits.height - 1
    assert redrive(exchange.settings, FAMILY, given_up) == Redriven(FAMILY)
    assert status(exchange.settings, FAMILY).quarantined == 0
    exchange.ingest()
    assert exchange.dataset().height == 3
    exchange.verified()


def test_what_was_redriven_and_is_gone_is_found(exchange: Exchange) -> None:
    department = exchange.department()
    waits = refused(exchange, department, 2)
    redrive(exchange.settings, FAMILY, EVERY)
    from flows.verify import verify

    row = waits.row(0, named=True)
    where = (
        f"verdict = 'accepted' AND \"offset\" = {row['offset']} AND partition = {row['partition']}"
    )
    delta(f"{exchange.lake}/log/{FAMILY}").delete(where)
    told = "\n".join(verify(exchange.settings, FAMILY).differences)
    assert f"offset {row['offset']} was redriven, but not accepted" in told


def test_the_commands_of_a_day(exchange: Exchange, monkeypatch: pytest.MonkeyPatch) -> None:
    department = exchange.department()
    waits = refused(exchange, department, 2)
    for name, value in exchange.environment.items():
        monkeypatch.setenv(name, value)

    def run(*arguments: str) -> tuple[int, str]:
        done = CliRunner().invoke(cli, ["quarantine", *arguments])
        return done.exit_code, done.output

    code, told = run("list", "--json")
    assert code == 0
    [line] = json.loads(told)
    assert (line["topic"], line["messages"]) == (department.topic(), waits.height)
    secret = department.licence(1)["XK_XDR_MC"]
    for arguments in (("list",), ("show",), ("show", "--json")):
        code, told = run(*arguments)
        assert code == 0
        assert "issuer_not_owned" in told
        assert secret not in told
        assert uscc(1) not in told
    assert run("discard", "--by", "Li", "--why", "x")[0] == 2
    first = waits.row(0, named=True)
    place = f"{first['topic']}/{first['partition']}/{first['offset']}"
    assert run("discard", "--place", place, "--by", "Li", "--why", "sent again")[0] == 0
    code, told = run("redrive", "--family", FAMILY, "--json")
    assert code == 0
    assert json.loads(told)[FAMILY]["accepted"] == waits.height - 1
    raw.send(exchange.address, department.topic(), [(b"k", b"poison")], partition=0)
    exchange.ingest()
    assert run("redrive")[0] == 1
    assert run("show", "--place", "nonsense")[0] == 2
    assert run("list", "--since", "yesterday")[0] == 2
    exchange.verified()

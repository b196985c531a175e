"""Prefect at work: a schedule fires by itself, a run tells what it did, a second run is cancelled.

One stack for the module, as `mianti up` starts it: Kafka, the Prefect server, the deployments.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml
from kafka import TopicPartition

import flows.operator.planned
import schemas
from connectors import lake
from connectors.settings import Settings, kafka_address
from connectors.stack import Stack
from connectors.topics import topic_name
from deploy.local.lifecycle import down, up
from deploy.local.prefect_client import client_of
from deploy.local.processes import stop
from flows.land import land
from flows.publish import Publisher
from flows.quarantine import Chosen, shown
from flows.sample.export import FEWEST_ROWS
from flows.sample.generate import generate
from flows.status import status
from schemas.avro import FAMILIES
from tests.support import kafka as raw
from tests.support.codes import citizen
from tests.support.prefect import ENDED, SECONDS, Prefect, of_home, rows_of, wait_for
from tests.support.receiver import Receiver, receiver

pytestmark = pytest.mark.timeout(600)  # starting the stack is part of the first test


@pytest.fixture(scope="module")
def hook() -> Iterator[Receiver]:
    with receiver() as made:
        yield made


@pytest.fixture(scope="module")
def settings(
    new_home: Callable[[], Path], new_lake: Callable[[Path], str], hook: Receiver
) -> Iterator[Settings]:
    """A home with the whole stack up, and the first files of the sample published."""
    with pytest.MonkeyPatch.context() as environment:
        for variable in ("KAFKA_BOOTSTRAP_SERVERS", "PREFECT_API_URL"):
            environment.delenv(variable, raising=False)
        environment.setenv("PREFECT_RUNNER_POLL_FREQUENCY", "1")  # asked for, a run starts at once
        environment.setenv("MIANTI_ALARM_WEBHOOK", hook.address)
        home = new_home()
        home.mkdir(parents=True, exist_ok=True)
        (home / "operators.yaml").write_text("operators: {one: an operator}", "utf-8")
        environment.setenv("MIANTI_PUBLISHERS", str(hasty_publishers(home)))
        environment.setenv("MIANTI_LAKE", new_lake(home))
        made = Settings(mianti_home=home)
        try:
            following = up(made).follow
            assert following is not None
            stop(following, seconds=SECONDS)  # it would be first: here the schedule is to land
            manifest = generate(FEWEST_ROWS, 1, made.mianti_home / "sample")
            for name in [name for name in manifest.files if "/" not in name]:
                department = Publisher(manifest.files[name].publisher, made)
                department.publish_file(made.mianti_home / "sample" / name)
            yield made
        finally:
            down(made)


def hasty_publishers(home: Path) -> Path:
    """Write the shipped table, but with one publisher that promises something each second."""
    table = yaml.safe_load(Path(schemas.__path__[0], "publishers.yaml").read_text("utf-8"))
    table["publishers"]["samr-demo"]["cycle"] = "PT1S"
    path = home / "publishers.yaml"
    path.write_text(yaml.safe_dump(table, allow_unicode=True), "utf-8")
    return path


@pytest.fixture(scope="module")
def kafka(settings: Settings) -> str:
    return kafka_address(settings)


@pytest.fixture(scope="module")
def prefect(settings: Settings) -> Prefect:
    return of_home(settings)


def test_the_schedule_fires_by_itself(settings: Settings, prefect: Prefect) -> None:
    waiting = sum(status(settings, family).lag or 0 for family in FAMILIES)

    def done() -> list[dict[str, Any]]:
        return [run for run in prefect.runs("ingest", *ENDED) if "accepted" in (run["name"] or "")]

    wait_for(lambda: bool(done()), "a scheduled run that lands")

    (first,) = done()
    assert first["auto_scheduled"]
    assert first["state"]["type"] == "COMPLETED"
    assert first["name"].startswith("ingest: ")
    accepted = sum(status(settings, family).accepted or 0 for family in FAMILIES)
    assert 0 < waiting <= accepted
    assert f"{accepted:,} accepted" in first["name"]
    for name in ("ingest", "settle-by-date", "maintain"):
        assert prefect.runs(name, "SCHEDULED"), f"{name}: no next run"


def test_a_run_asked_for_tells_what_it_did(kafka: str, prefect: Prefect) -> None:
    prefect.schedule("ingest", on=False)
    wait_for(lambda: not prefect.runs("ingest", "PENDING", "RUNNING"), "the last tick to end")
    topic, person = topic_name("licence", "housing-demo"), citizen(1)
    raw.send(kafka, topic, [(None, f"no event of {person}".encode())] * 2, partition=1)

    asked = prefect.ask("ingest", {"families": ["licence"]})

    (run,) = prefect.ended("ingest", asked)
    assert run["state"]["type"] == "COMPLETED"
    assert run["name"] == "ingest: 0 accepted, 2 quarantined (licence)"
    prefect.logged(asked, "licence: 0 accepted, 2 quarantined")

    rows = pl.DataFrame(rows_of(prefect.artifact("ingest-licence")))
    assert rows.columns == [
        *("topic", "partition", "from", "to", "accepted", "quarantined", "no message", "lag")
    ]
    (moved,) = rows.iter_rows(named=True)
    assert (moved["topic"], moved["partition"]) == (topic, 1)
    assert (moved["to"] - moved["from"], moved["quarantined"], moved["lag"]) == (2, 2, 0)

    page = str(prefect.artifact("quarantine-licence")["data"])
    assert f"| bad_frame | {topic} | 1 | {moved['from']} |" in page
    assert person not in page

    wait_for(lambda: bool(prefect.events("mianti.quarantine.grew")), "the event")
    event = prefect.events("mianti.quarantine.grew")[0]
    assert event["resource"]["prefect.resource.id"] == "mianti.family.licence"
    assert event["payload"]["reasons"] == {"bad_frame": 2}


def test_what_another_landed_is_told_by_the_run_that_settles_it(
    settings: Settings, prefect: Prefect
) -> None:
    """As the landing that runs on does: the run itself lands nothing of it."""
    file = settings.mianti_home / "sample" / "day2" / "licences-20260502.xlsx"
    Publisher("housing-demo", settings).publish_file(file)
    landed = land(settings, "licence").accepted
    assert landed

    (run,) = prefect.ended("ingest", prefect.ask("ingest", {}))

    told = f"{landed} accepted (licence); licence "
    assert run["name"].startswith(f"ingest: {told}")
    assert run["state"]["message"].startswith(told)
    prefect.logged(run["id"], f"licence: {told}")
    lines = {row["family · 类别"]: row for row in rows_of(prefect.artifact("ingest"))}
    assert lines["licence"]["accepted since the last run · 上次运行以来入库"] == landed
    assert lines["licence"]["of these by this run · 其中本次运行入库"] == 0
    assert lines["licence"]["taken into the dataset · 本次更新"] > 0
    assert lines["credit"]["accepted since the last run · 上次运行以来入库"] == 0
    (again,) = prefect.ended("ingest", prefect.ask("ingest", {}))
    assert again["name"] == "ingest: nothing new"


def test_what_waits_is_on_one_page_and_its_alarms_call_the_webhook(
    settings: Settings, prefect: Prefect, hook: Receiver
) -> None:
    """The watch is in the process that serves: the one that followed was ended."""
    place = f"{topic_name('licence', 'housing-demo')}/bad_frame"
    awaited = {f"quarantine/{place}", "cycle/registration/samr-demo"}
    wait_for(lambda: awaited <= hook.raised.keys(), "the webhook to be called")
    assert "Stops the exemptions of: every enterprise." in hook.raised[f"quarantine/{place}"]["en"]

    def kept() -> set[str]:  # Prefect writes its events a while after it has acted on them
        return {event["payload"]["alarm"] for event in prefect.events("mianti.alarm.raised")}

    wait_for(lambda: awaited <= kept(), "the events to be kept")

    page = prefect.artifact("what-waits")
    lines = {row["where · 位置"]: row for row in rows_of(page)}
    assert lines[place]["how many · 数量"] == "2"
    assert lines[place]["whose exemptions it stops · 影响哪些企业"] == "every enterprise · 全部企业"
    wanted = {"artifacts": {"key": {"any_": ["what-waits"]}}}
    assert len(prefect.post("/artifacts/filter", wanted)) == 1, "it has no history"

    told = b"".join(path.read_bytes() for path in (settings.mianti_home / "log").iterdir())
    assert hook.secret.encode() not in told
    block = prefect.get("/block_types/slug/webhook/block_documents/name/mianti-alarms")
    assert hook.secret not in json.dumps(block)


def test_of_two_runs_at_once_one_is_cancelled(prefect: Prefect) -> None:
    asked = [prefect.ask("maintain", {"retain_days": 1}) for _ in range(2)]
    runs = prefect.ended("maintain", *asked)
    assert sorted(run["state"]["type"] for run in runs) == ["CANCELLED", "COMPLETED"]
    tables = {row["table"] for row in rows_of(prefect.artifact("maintain"))}
    wanted = {f"{kind}/{f}" for kind in ("log", "history", "datasets") for f in FAMILIES}
    assert tables - {"window/receipts"} == wanted  # those, too, once any were shipped


def test_a_failed_family_is_told_and_stops_no_other(
    settings: Settings, kafka: str, prefect: Prefect
) -> None:
    """Messages are gone from Kafka before they were landed, as retention would have it."""
    place = TopicPartition(topic_name("licence", "housing-demo"), 2)
    ends = raw.send(kafka, place.topic, [(None, b"one"), (None, b"two")], partition=2)
    with raw.admin(kafka) as client:
        client.delete_records({place: ends[-1][1]})

    (run,) = prefect.ended("ingest", prefect.ask("ingest", {}))

    assert run["state"]["type"] == "FAILED"
    assert run["name"] == "ingest: licence failed; nothing new"
    told = f"licence: {place.topic}/2: 1 messages from offset {ends[0][1]} on are gone"
    assert told in run["state"]["message"]
    assert "1 条消息已被清除" in run["state"]["message"]
    prefect.logged(run["id"], "credit: nothing new")

    asked = prefect.ask("ingest", {"families": ["licence"], "accept_gap": True})
    (run,) = prefect.ended("ingest", asked)
    assert run["name"] == "ingest: 0 accepted, 1 quarantined (licence)"


def test_the_quarantine_is_worked_through_runs(settings: Settings, prefect: Prefect) -> None:
    these = {"families": ["licence"], "reason": "bad_frame"}
    (run,) = prefect.ended("redrive", prefect.ask("redrive", these))
    assert run["state"]["type"] == "COMPLETED"
    assert run["name"] == "redrive: 0 accepted, 3 wait on"
    (line,) = rows_of(prefect.artifact("quarantine"))
    assert (line["reason · 原因"], line["messages · 条数"]) == ("bad_frame", 3)

    said = {"by": "one", "why": "noise of a test"}
    for asked, why in (
        (said, "请指定"),
        (these | said | {"by": "Li Wei"}, "operators.yaml"),
        (these | said | {"by": " "}, "经办人和原因"),
        (said | {"place": "somewhere"}, "TOPIC/PARTITION/OFFSET"),
        (these | said | {"since": "2026-05-01T00:00:00"}, "时间须含时区"),
    ):
        (run,) = prefect.ended("discard", prefect.ask("discard", asked))
        assert (run["name"], run["state"]["type"]) == ("discard: failed", "FAILED")
        assert why in run["state"]["message"]
        prefect.logged(run["id"], why)
        assert "Traceback" not in prefect.log(run["id"])
    (where,) = shown(settings, "licence", Chosen(reason="bad_frame"), 1).rows()
    place = "/".join(map(str, where[:3]))
    (run,) = prefect.ended("discard", prefect.ask("discard", said | {"place": place}))
    assert run["name"] == "discard: 1 discarded"
    (run,) = prefect.ended("discard", prefect.ask("discard", these | said))
    assert run["name"] == "discard: 2 discarded"
    assert rows_of(prefect.artifact("quarantine")) == []
    waiting = [row["what waits · 事项"] for row in rows_of(prefect.artifact("what-waits"))]
    assert "in quarantine · 隔离" not in waiting
    log = lake.open_table(settings, "log", "licence")
    assert log is not None
    closed = lake.scan(log).select("closed_by").drop_nulls().unique().collect()
    assert closed["closed_by"].to_list() == ["an operator"]


def test_a_publisher_that_missed_its_cycle_is_told_of(prefect: Prefect) -> None:
    (run,) = prefect.ended("settle-by-date", prefect.ask("settle-by-date", {}))
    assert run["state"]["type"] == "COMPLETED"
    assert run["name"].endswith("; silent: samr-demo")
    states = {row["publisher"]: row["state"] for row in rows_of(prefect.artifact("publishers"))}
    assert states["samr-demo"] == "missed · 超期未报送"
    assert states["housing-demo"] == "kept · 正常"
    assert states["nmpa"] == "not heard yet · 尚未报送"
    wait_for(lambda: bool(prefect.events("mianti.cycle.missed")), "the event")
    (event,) = prefect.events("mianti.cycle.missed")
    assert event["resource"]["prefect.resource.id"] == "mianti.publisher.samr-demo"


def test_a_run_that_was_killed_blocks_no_other(settings: Settings, prefect: Prefect) -> None:
    asked = prefect.ask("maintain", {})
    wait_for(lambda: bool(prefect.runs("maintain", "PENDING", "RUNNING")), "the run to begin")
    serving = Stack.read(settings.mianti_home).serve
    assert serving is not None
    assert serving.pid is not None
    os.killpg(serving.pid, signal.SIGKILL)
    wait_for(lambda: not serving.alive, "the process to be gone")

    up(settings)

    (killed,) = prefect.ended("maintain", asked)
    assert killed["state"]["type"] == "CRASHED"
    assert "The process of this run was killed" in killed["state"]["message"]
    (after,) = prefect.ended("maintain", prefect.ask("maintain", {}))
    assert after["state"]["type"] == "COMPLETED"


def test_what_is_stopped_in_its_work_is_cancelled_not_crashed(
    settings: Settings, prefect: Prefect
) -> None:
    asked = prefect.ask("maintain", {})
    wait_for(lambda: bool(prefect.runs("maintain", "PENDING", "RUNNING")), "the run to begin")
    serving = Stack.read(settings.mianti_home).serve
    assert serving is not None
    stop(serving, seconds=SECONDS)

    (run,) = prefect.ended("maintain", asked)
    said = run["state"]["type"], run["state"]["message"]
    assert said[0] in ("CANCELLED", "COMPLETED"), said
    assert said[0] == "COMPLETED" or "mianti down" in said[1]
    up(settings)
    assert asked not in {one["id"] for one in prefect.runs("maintain", "CRASHED")}


def test_what_is_planned_anew_is_as_it_was(settings: Settings, prefect: Prefect) -> None:
    """Asked for once more, nothing is planned twice; by new schedules, all of it, as it was."""
    name, who = "settle-by-date", {"families": ["credit"]}
    path = f"/deployments/{prefect.deployment(name)}/schedules"
    (own,) = prefect.get(path)
    more = [
        {"schedule": own["schedule"], "active": True, "parameters": who, "max_scheduled_runs": 5},
        {"schedule": own["schedule"], "active": False, "parameters": who},
    ]
    prefect.post(path, more)

    def planned(*, anew: bool) -> tuple[set[str], list[Any], list[Any]]:
        with client_of(settings, prefect.api):
            assert flows.operator.planned.plan([name], anew=anew)
        schedules = prefect.get(path)
        kept = ("schedule", "active", "parameters", "max_scheduled_runs")
        said = sorted(json.dumps([one[part] for part in kept]) for one in schedules)
        runs = [
            (r["expected_start_time"], r["parameters"]) for r in prefect.runs(name, "SCHEDULED")
        ]
        return {one["id"] for one in schedules}, said, sorted(runs, key=str)

    ids, said, runs = planned(anew=False)
    assert len(said) == 3
    assert [told for _, told in runs].count(who) == len(runs) / 2 > 0, "of each that is on"
    assert planned(anew=False) == (ids, said, runs)
    others, *same = planned(anew=True)
    assert same == [said, runs]
    assert not others & ids

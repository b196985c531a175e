"""The table of deployments: schedules fit their flows, one run at a time; what runs are called."""

import datetime as dt
import inspect
import logging
from typing import Any, get_args

import polars as pl
import pytest
from prefect.client.schemas.objects import ConcurrencyLimitStrategy
from prefect.deployments.runner import RunnerDeployment
from prefect.utilities.callables import parameter_schema

from connectors.errors import MiantiError
from flows.complete import Cycle
from flows.deployments import DEPLOYMENTS, Deployment
from flows.ingest import Ingested
from flows.land import Landed, Part
from flows.operator import words
from flows.operator.families import EVERY, Family, each
from flows.operator.refusals import EXAMPLE, Refusal, as_markdown
from flows.operator.story import Total, change, rows, summary, totals
from flows.settle import Settled
from schemas.avro import FAMILIES

every = pytest.mark.parametrize("row", DEPLOYMENTS, ids=lambda row: row.name)
NOON = dt.datetime(2026, 5, 1, 12, tzinfo=dt.UTC)


def parameters_of(made: RunnerDeployment) -> list[dict[str, Any]]:
    """Return the parameters a run has that each schedule starts, its flow's defaults aside."""
    return [made.parameters | (one.parameters or {}) for one in made.schedules or []]


scheduled = [row for row in DEPLOYMENTS if row.schedule is not None]


def test_only_what_an_operator_decides_runs_by_hand_alone() -> None:
    assert {row.name for row in DEPLOYMENTS} - {row.name for row in scheduled} == {
        "redrive",
        "discard",
    }


@pytest.mark.parametrize("row", scheduled, ids=lambda row: row.name)
def test_the_parameters_of_every_schedule_fit_the_flow(row: Deployment) -> None:
    given = parameters_of(row.as_prefect())
    assert given
    for parameters in given:
        inspect.signature(row.flow.fn).bind(**parameters)
        row.flow.validate_parameters(parameters)


def test_a_parameter_that_does_not_fit_is_seen() -> None:
    row = DEPLOYMENTS[0]
    wrong = Deployment(row.flow, "wrong", row.schedule, "", parameters={"famlies": []})
    with pytest.raises(TypeError):
        inspect.signature(wrong.flow.fn).bind(**parameters_of(wrong.as_prefect())[0])


@every
def test_one_run_at_a_time_and_a_second_is_cancelled(row: Deployment) -> None:
    made = row.as_prefect()
    assert made.concurrency_limit == 1
    assert made.concurrency_options is not None
    assert made.concurrency_options.collision_strategy == ConcurrencyLimitStrategy.CANCEL_NEW


@every
def test_the_form_of_a_run_explains_each_parameter_in_both_languages(row: Deployment) -> None:
    for name, about in parameter_schema(row.flow.fn).properties.items():
        said = about.get("description") or ""
        assert said.isascii() is False, f"{name}: no Chinese"
        assert said[0].isascii(), f"{name}: no English"
        assert about.get("type") or about.get("anyOf"), f"{name}: no type"


@every
def test_a_deployment_is_found_wherever_it_is_served(row: Deployment) -> None:
    assert row.as_prefect().entrypoint == f"{row.flow.fn.__module__}.{row.flow.fn.__name__}"


def test_names_are_unique() -> None:
    assert len({row.name for row in DEPLOYMENTS}) == len(DEPLOYMENTS)


def test_calendar_schedules_follow_china_time() -> None:
    crons = [row.schedule for row in DEPLOYMENTS if row.schedule and row.schedule.cron]
    assert len(crons) == 3
    assert {schedule.timezone for schedule in crons} == {"Asia/Shanghai"}


def test_the_form_offers_every_family() -> None:
    assert get_args(Family) == FAMILIES == tuple(EVERY)


class NoBroker(MiantiError):
    """As Kafka being away."""


def test_a_family_that_fails_stops_none_of_the_others(caplog: pytest.LogCaptureFixture) -> None:
    def work(family: str) -> int:
        if family == "licence":
            raise NoBroker("Kafka is away.", "Kafka 不可用。")
        if family == "credit":
            raise ValueError(f"could not convert {phone}")
        return 7

    phone = "139" + "1234" * 2
    with caplog.at_level(logging.INFO, "flows"):
        outcome = each(["licence", "registration", "credit"], work)

    assert outcome.done == {"registration": 7}
    told = words.failure_text(outcome.failed)
    assert "licence: Kafka is away.\nKafka 不可用。" in told
    assert "credit: Something unexpected went wrong (ValueError)" in told
    assert phone not in told + caplog.text
    assert "test_deployments.py" in caplog.text


def ingested(family: str, *parts: Part, settled: Settled | None = None) -> Ingested:
    return Ingested(Landed(family, list(parts)), settled or Settled(family, 0, 0, 1, 1), 0.1)


def test_a_run_is_named_for_what_it_did() -> None:
    some = ingested("credit", Part("t", 0, 0, 5194, 5191, 3))
    told = [
        change(some, Total(5191, 3, 1), Total(0, 0, 1)),
        change(ingested("licence"), Total(7, 0, 7), Total(7, 0, 7)),
    ]
    assert summary(told) == "5,191 accepted, 3 quarantined (credit)"
    assert words.run_name("ingest", summary(told), []) == f"ingest: {summary(told)}"
    assert words.run_name("ingest", "x", ["licence"]) == "ingest: licence failed; x"
    assert summary(told[1:]) == "nothing new"


def test_what_another_landed_and_this_run_settled_is_told_by_its_name() -> None:
    """The landing that runs on was first; the run took it into the dataset."""
    settled = Settled("credit", 64, 225, 693, 468)
    done = ingested("credit", settled=settled)
    for before in (Total(468, 2, 468), None):
        one = change(done, Total(693, 2, 693), before)
        assert summary([one]) == "225 accepted (credit); credit 468 → 693 rows"
        (line,) = rows([one], {})
        assert line["of these by this run · 其中本次运行入库"] == 0
        assert totals([line]) == {"credit": Total(693, 2, 693)}


def test_what_was_landed_and_is_not_settled_yet_is_told_once() -> None:
    landed = change(ingested("credit"), Total(12, 1, 9), Total(10, 0, 9))
    assert summary([landed]) == "2 accepted, 1 quarantined (credit)"
    later = Settled("credit", 2, 2, 9, 9)
    then = change(ingested("credit", settled=later), Total(12, 1, 9), landed.now)
    assert summary([then]) == "credit 2 updated"


def test_what_was_told_of_another_log_does_not_count() -> None:
    """The lake was put back, or made anew: it has no more than was told, and yet it grew."""
    done = ingested("credit", Part("t", 0, 0, 30, 30), settled=Settled("credit", 64, 30, 30, 0))
    one = change(done, Total(30, 0, 30), Total(30, 0, 30))
    assert summary([one]) == "30 accepted (credit); credit 0 → 30 rows"


def test_what_other_families_were_told_of_is_kept() -> None:
    one = change(ingested("credit"), Total(2, 0, 1), Total(1, 0, 1))
    told = {"licence": Total(5, 1, 4), "credit": Total(1, 0, 1)}
    assert totals(rows([one], told)) == {"licence": Total(5, 1, 4), "credit": Total(2, 0, 1)}
    assert totals(["", {}, {"dataset rows": 1}]) == {}


def test_the_table_of_an_ingest_has_what_moved_and_what_waits() -> None:
    landed = Landed("credit", [Part("b", 1, 10, 15, 3, 1, 1), Part("a", 0, 0, 2, 2)])
    rows = words.landed_rows(landed, {("b", 1): 4, ("b", 2): 9, ("b", 3): 0})
    assert [(r["topic"], r["partition"], r["from"], r["to"], r["lag"]) for r in rows] == [
        ("a", 0, 0, 2, 0),
        ("b", 1, 10, 15, 4),
        ("b", 2, "", "", 9),
    ]
    assert (rows[1]["accepted"], rows[1]["quarantined"], rows[1]["no message"]) == (3, 1, 1)
    assert len({tuple(row) for row in rows}) == 1, "a table has the same columns in each row"


def test_refusals_show_where_and_why_and_nothing_else() -> None:
    examples = pl.DataFrame([("bad_frame", "t|x", 0, 7, None)], schema=EXAMPLE, orient="row")
    page = as_markdown("credit", [Refusal("bad_frame", 1200, examples)])
    assert "1,200" in page
    assert "The message has no Confluent frame." in page
    assert "消息没有 Confluent 帧头。" in page
    assert "| bad_frame | t\\|x | 0 | 7 | — |" in page
    assert set(EXAMPLE) == {"reason", "topic", "partition", "offset", "reason_where"}


def test_a_cycle_is_kept_missed_or_not_yet_begun() -> None:
    month = dt.timedelta(days=31)
    rows = words.cycle_rows(
        [
            Cycle("a", "credit", NOON - month - dt.timedelta(seconds=1), month),
            Cycle("b", "credit", NOON - month, month),
            Cycle("c", "credit", None, month),
        ],
        NOON,
    )
    assert [str(row["state"]).split(" · ")[0] for row in rows] == [
        "missed",
        "kept",
        "not heard yet",
    ]

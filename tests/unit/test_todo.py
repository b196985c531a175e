"""What `mianti status` asks of a person."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from flows.complete import Cycle
from flows.status import FamilyStatus
from flows.todo import Waiting, to_do

NOW = dt.datetime(2026, 5, 20, tzinfo=dt.UTC)
WEEK = dt.timedelta(days=7)


def asked(waiting: Waiting | None = None, **known: object) -> str:
    family = FamilyStatus("licence", **known)  # type: ignore[arg-type]
    return "\n".join(english for english, _ in to_do([family], waiting or Waiting(), NOW))


def days_ago(days: int) -> dt.datetime:
    return NOW - dt.timedelta(days=days)


def test_nothing_is_asked_where_nothing_waits() -> None:
    heard = Cycle("fire", "licence", days_ago(1), WEEK)
    complete = {"fire": {"list": days_ago(1).isoformat()}}
    known: dict[str, Any] = {"lag": 3, "lag_seconds": 1.0, "quarantined": 0}
    assert asked(cycles=[heard], complete_through=complete, **known) == ""


def test_what_could_not_be_looked_at_asks_for_nothing_by_itself() -> None:
    assert asked() == ""


@pytest.mark.parametrize(("seconds", "told"), [(599.0, False), (601.0, True)])
def test_what_is_not_landed_for_long_is_to_be_landed(seconds: float, *, told: bool) -> None:
    assert ("`mianti ingest`" in asked(lag=2, lag_seconds=seconds)) == told
    assert asked(lag=2, lag_seconds=seconds, stopped="why") == ""  # says itself what to do


def test_a_publisher_never_heard_of_is_not_late() -> None:
    assert asked(cycles=[Cycle("fire", "licence", None, WEEK)]) == ""


def test_a_late_publisher_is_told_once_and_not_for_each_layout() -> None:
    late = Cycle("fire", "licence", days_ago(9), WEEK)
    told = asked(cycles=[late], complete_through={"fire": {"list": days_ago(9).isoformat()}})
    assert "fire (licence) is late: silent for 9 days, promised every 7" in told
    assert told.count("\n") == 0


def test_a_layout_stated_longer_ago_than_promised_is_told_though_its_publisher_is_heard() -> None:
    heard = Cycle("fire", "licence", days_ago(1), WEEK)
    told = asked(cycles=[heard], complete_through={"fire": {"list": days_ago(9).isoformat()}})
    assert "fire list was stated complete longer ago than promised" in told
    assert "--publisher fire --layout list --complete-through TIME`" in told


def test_what_was_never_stated_complete_is_told_with_the_option_to_type() -> None:
    told = asked(complete_through={"fire": {"list": None}})
    assert "fire list was never stated complete" in told
    assert "--publisher fire --layout list --complete-through TIME`" in told

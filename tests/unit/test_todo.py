"""What `mianti status` asks of a person."""

from __future__ import annotations

from typing import Any

import pytest

from flows.matters import Matter
from flows.status import FamilyStatus
from flows.todo import Waiting, to_do


def asked(waiting: Waiting | None = None, **known: object) -> str:
    family = FamilyStatus("licence", **known)  # type: ignore[arg-type]
    return "\n".join(english for english, _ in to_do([family], waiting or Waiting()))


def test_nothing_is_asked_where_nothing_waits() -> None:
    assert asked(lag=3, lag_seconds=1.0, quarantined=0) == ""


def test_what_could_not_be_looked_at_asks_for_nothing_by_itself() -> None:
    assert asked() == ""


@pytest.mark.parametrize(("seconds", "told"), [(599.0, False), (601.0, True)])
def test_what_is_not_landed_for_long_is_to_be_landed(seconds: float, *, told: bool) -> None:
    assert ("`mianti ingest`" in asked(lag=2, lag_seconds=seconds)) == told
    assert asked(lag=2, lag_seconds=seconds, stopped="why") == ""  # says itself what to do


def test_a_matter_is_told_as_its_alarm_tells_it() -> None:
    one = Matter("cycle", "licence/fire", ("Why.", "原因。"), ("all", "全部"), ("do", "处理"))
    assert asked(matters=[one]) == ("licence/fire: Why. To do: do. Stops the exemptions of: all.")


def test_refused_rows_are_told_once_though_ledger_and_lake_know_of_them() -> None:
    here = Waiting(refused={"fire": 3})
    assert "fire: 3 refused rows or failed files wait" in asked(here)
    words: Any = [("Rows wait.", ""), ("all", ""), ("do", "")]
    landed = Matter("refused", "licence/fire/list", *words)
    told = asked(here, matters=[landed])
    assert told.count("\n") == 0
    assert told.startswith("licence/fire/list: Rows wait.")

"""When what is due is planned anew: whenever a time of day comes once more, until it was done."""

from __future__ import annotations

import time
from collections.abc import Sequence

import pytest

from flows.operator import planned

DAY = 24 * 3600


class Enough(Exception):
    """The clock is read no more."""


def asked(
    monkeypatch: pytest.MonkeyPatch, times: Sequence[float], away: Sequence[int] = ()
) -> list[bool]:
    """Return, of each turn after the first time, whether it asks anew; at some Prefect is away."""
    told = iter(times)
    asks: list[bool] = []

    def now() -> float:
        for moment in told:
            return moment
        raise Enough

    def plan(_: Sequence[str], *, anew: bool) -> bool:
        asks.append(anew)
        return len(asks) not in away

    monkeypatch.setattr(time, "time", now)
    monkeypatch.setattr(time, "sleep", lambda _: None)
    monkeypatch.setattr(planned, "plan", plan)
    with pytest.raises(Enough):
        planned.keep_planned(["ingest"])
    return asks


@pytest.mark.parametrize(
    ("times", "anew"),
    [
        pytest.param([0, 30, 60, 90], [False] * 3, id="goes on"),
        pytest.param([0, 30, DAY, DAY + 30], [False] * 3, id="ahead"),
        pytest.param([DAY, 0, 30, 60], [True, False, False], id="a day back"),
        pytest.param([DAY, 0, DAY, 0, 30], [True, False, True, False], id="back, ahead, back"),
        pytest.param([100, 80, 95, 110], [False] * 3, id="a little back"),
        pytest.param(
            [100, 90, 80, 70, 60, 50], [False, False, False, True, False], id="bit by bit"
        ),
    ],
)
def test_a_time_that_comes_once_more_is_planned_anew_once(
    monkeypatch: pytest.MonkeyPatch, times: Sequence[float], anew: list[bool]
) -> None:
    assert asked(monkeypatch, times) == anew


def test_it_is_asked_anew_until_prefect_has_done_it(monkeypatch: pytest.MonkeyPatch) -> None:
    times = [DAY, 0, 30, 2 * DAY, 2 * DAY + 30]
    assert asked(monkeypatch, times, away=[1, 2]) == [True, True, True, False]

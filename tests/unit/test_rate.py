"""How often somebody may ask."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from deploy.window.rate import Rate


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@given(count=st.integers(1, 20), pauses=st.lists(st.floats(0, 5), max_size=100))
@settings(deadline=None)
def test_who_waits_as_told_is_never_refused_and_nobody_gets_more_than_twice_the_rate(
    count: int, pauses: list[float]
) -> None:
    clock = Clock()
    rate = Rate(f"{count}/second", clock)
    let_in: list[float] = []
    for pause in pauses:
        clock.now += pause
        wait = rate.wait("a")
        if wait:
            clock.now += wait + 1e-6
            assert rate.wait("a") == 0
        let_in.append(clock.now)
    for at in let_in:
        assert sum(at <= other < at + 1 for other in let_in) <= 2 * count


def test_all_at_once_then_one_by_one() -> None:
    clock = Clock()
    rate = Rate("3/minute", clock)
    assert [rate.wait("a") > 0 for _ in range(5)] == [False, False, False, True, True]
    assert 0 < rate.wait("a") <= 20
    assert rate.wait("b") == 0
    clock.now += 20
    assert [rate.wait("a") > 0 for _ in range(2)] == [False, True]


def test_a_flood_of_names_neither_fills_the_memory_nor_frees_who_keeps_asking() -> None:
    clock = Clock()
    rate = Rate("1/hour", clock)
    assert rate.wait("patient") == 0
    for number in range(30_000):
        assert rate.wait(f"guess {number}") == 0
        if number % 5_000 == 0:
            assert rate.wait("patient") > 0
    assert rate.remembered <= 10_000
    clock.now += 3600
    assert rate.wait("patient") == 0

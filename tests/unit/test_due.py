"""What is settled now: nothing that waits is passed over, nothing that is behind is forgotten."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.due import FAR_BEHIND, GROUP_ROWS, OLDEST_WAIT, SMALL_BUCKET, Plan, Stand, Waiting, plan
from schemas.bucket import BUCKETS

NOW = dt.datetime(2026, 5, 1, 12, tzinfo=dt.UTC)
END = 50
LARGE = 10 * SMALL_BUCKET
JUST_NOW = NOW - dt.timedelta(minutes=1)


def stand(**changes: Any) -> Stand:
    """Return how things stand where nothing is to be done."""
    level = dict.fromkeys(range(BUCKETS), END)
    told: dict[str, Any] = {"end": END, "history": level, "dataset": level, "rows": {}}
    return Stand(**(told | {"waiting": {}, "turned": set()} | changes))


def planned(*, everything: bool = False, **changes: Any) -> Plan:
    return plan(stand(**changes), NOW, everything=everything)


def settled(found: Plan) -> list[int]:
    return [bucket for group in found.groups for bucket in group.buckets]


def marks(**changes: int) -> dict[int, int]:
    """Return watermarks at the end, but for those given as `_7=3`."""
    return dict.fromkeys(range(BUCKETS), END) | {int(k[1:]): v for k, v in changes.items()}


def test_where_nothing_is_new_nothing_is_done() -> None:
    assert planned() == Plan([], [], [])


@pytest.mark.parametrize(
    ("new", "rows", "due"),
    [
        (Waiting(1, JUST_NOW, stops=False), 0, True),
        (Waiting(1, JUST_NOW, stops=False), SMALL_BUCKET - 1, True),
        (Waiting(1, JUST_NOW, stops=False), LARGE, False),
        (Waiting(1, JUST_NOW, stops=True), LARGE, True),
        (Waiting(LARGE // 20, JUST_NOW, stops=False), LARGE, True),
        (Waiting(LARGE // 20 - 1, JUST_NOW, stops=False), LARGE, False),
        (Waiting(1, NOW - OLDEST_WAIT * 1.01, stops=False), LARGE, True),
        # Landed by a clock that has gone back since: how long it has waited is not known.
        (Waiting(1, NOW + dt.timedelta(minutes=1), stops=False), LARGE, False),
        (Waiting(1, NOW + dt.timedelta(days=365), stops=False), LARGE, True),
    ],
)
def test_a_large_bucket_waits_for_a_fair_part_unless_something_stops_or_grows_old(
    new: Waiting, rows: int, due: bool
) -> None:
    found = planned(history=marks(_3=40), dataset=marks(_3=40), rows={3: rows}, waiting={3: new})
    assert settled(found) == ([3] if due else [])
    assert found.quiet == []


def test_what_is_held_of_a_bucket_that_is_to_be_made_again_is_made_again() -> None:
    """The log may have nothing of it: then nothing else asks for it."""
    found = planned(history=marks(_3=0, _4=0), dataset=marks(_3=0, _4=0), rows={3: 7})
    assert settled(found) == [3]
    assert 3 not in found.quiet


def test_what_waits_is_not_passed_over_when_others_are_settled() -> None:
    low = dict.fromkeys(range(BUCKETS), 10)
    waiting = {3: Waiting(1, JUST_NOW, stops=False), 4: Waiting(1, JUST_NOW, stops=True)}
    rows = {3: LARGE, 4: LARGE}
    found = planned(history=low, dataset=low, rows=rows, waiting=waiting)
    assert settled(found) == [4]
    assert set(found.quiet) == set(range(BUCKETS)) - {3, 4}
    assert found.level == found.quiet


def test_quiet_buckets_are_left_until_they_are_far_behind() -> None:
    near = dict.fromkeys(range(BUCKETS), END - 1 - FAR_BEHIND)
    far = dict.fromkeys(range(BUCKETS), END - 2 - FAR_BEHIND)
    assert planned(history=near, dataset=near).quiet == []
    assert planned(history=far, dataset=far).quiet == [*range(BUCKETS)]


def test_a_dataset_left_behind_by_a_crash_is_folded_and_its_history_not_written() -> None:
    (group,) = planned(dataset=marks(_5=7), rows={5: 10}).groups
    assert (group.buckets, group.gaining) == ([5], [])
    assert (group.dataset, group.after) == ({5: 7}, {5: END})


def test_a_bucket_that_waits_and_has_turned_is_folded_as_far_as_it_is_settled() -> None:
    low = marks(_5=40)
    new = {5: Waiting(1, JUST_NOW, stops=False)}
    (group,) = planned(history=low, dataset=low, rows={5: LARGE}, waiting=new, turned={5}).groups
    assert (group.gaining, group.after) == ([], {5: 40})


def test_everything_takes_in_what_could_wait_and_folds_all_that_has_rows() -> None:
    low = marks(_5=40, _6=0)
    new = {5: Waiting(1, JUST_NOW, stops=False)}
    rows = {5: LARGE, 6: 1, 7: 1}
    found = planned(
        everything=True, history=low, dataset=low, rows=rows, waiting=new, turned={5, 6, 7}
    )
    assert sorted(settled(found)) == [5, 6, 7]
    assert sorted(b for group in found.groups for b in group.gaining) == [5, 6]
    assert all(mark == END for group in found.groups for mark in group.after.values())


stands = st.builds(
    lambda history, lag, rows, late, turned: stand(
        history=history,
        dataset={b: max(0, mark - lag.get(b, 0)) for b, mark in history.items()},
        rows=rows,
        waiting={b: w for b, w in late.items() if history[b] < END},
        turned=turned,
    ),
    st.fixed_dictionaries(dict.fromkeys(range(BUCKETS), st.integers(0, END))),
    st.dictionaries(st.integers(0, BUCKETS - 1), st.integers(1, 9)),
    st.dictionaries(st.integers(0, BUCKETS - 1), st.integers(1, 2 * GROUP_ROWS)),
    st.dictionaries(
        st.integers(0, BUCKETS - 1),
        st.builds(Waiting, st.integers(1, GROUP_ROWS), st.just(JUST_NOW), st.booleans()),
    ),
    st.sets(st.integers(0, BUCKETS - 1)),
)


@given(stands, st.booleans())
def test_no_bucket_is_lost_doubled_or_set_back(now: Stand, everything: bool) -> None:
    found = plan(now, NOW, everything=everything)
    buckets = settled(found)
    assert len(buckets) == len(set(buckets))
    assert not set(found.quiet) & now.waiting.keys()
    assert set(found.level) <= set(found.quiet)
    assert now.turned <= set(buckets)
    for group in found.groups:
        rows = sum(now.rows.get(b, 0) for b in group.buckets)
        assert rows <= GROUP_ROWS or len(group.buckets) == 1
        for bucket, mark in group.after.items():
            assert mark >= group.history[bucket] >= now.history[bucket]
            assert mark >= group.dataset[bucket] >= now.dataset[bucket]
            passed = bucket in found.quiet
            assert group.history[bucket] == (END if passed else now.history[bucket])
            assert mark in (group.history[bucket], END)
    for bucket in set(range(BUCKETS)) - set(buckets):
        behind = now.history[bucket] > now.dataset[bucket]
        assert not behind
    for bucket, new in now.waiting.items():
        assert bucket in buckets or not (new.stops or everything)

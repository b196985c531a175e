"""A crash after every numbered step, then the same again, changes nothing.

On the whole real path: files, ledger, Kafka, log, history, dataset, the window's replica. First
every step of every deed, one after the other; then any deeds in any order, each dying anywhere.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)

from connectors.clients import kept
from tests.property.effort import some
from tests.property.law_rows import NUMBERS, SUBJECTS, editions, files, numbers
from tests.property.law_world import ISSUER, founded, told
from tests.property.mortal import Mortal

RUNS, STEPS_OF_A_RUN = 8, 15
#: A deed of a few events takes hardly more steps; None: it does not die.
deaths = st.integers(-2, 10).map(lambda steps: None if steps < 0 else steps)


def row(subject: int, number: str, **more: str) -> dict[str, str]:
    return {"代码": SUBJECTS[subject], "编号": number, "机关": ISSUER} | more


def news(world: Mortal, turn: int) -> None:
    """Publish what the file before did not say: changes, a move to another subject, a new record."""
    state = str(1 + turn % 3)
    said = [row(0, NUMBERS[0], 状态=state), row(turn % 2, NUMBERS[1], 内容=f"第{turn}次", 状态="1")]
    said += [row(2, f"新{turn}", 状态="2"), row(0, "", 状态="1")]
    said += [row(2, f"两{turn}", 状态=state, 时间戳=f"2020-02-0{state}") for state in "23"]
    world.file(said, dt.date(2020, 1, 1) + dt.timedelta(turn))


def landed(world: Mortal, turn: int) -> None:
    news(world, turn)
    world.land()


Deed = Callable[[Mortal], None]
#: What goes before each deed, the deed, and how often it dies at least.
DEEDS: dict[str, tuple[Callable[[Mortal, int], None], Deed, int]] = {
    "land": (news, Mortal.land, 3),
    "settle": (landed, lambda world: world.settle(1), 10),
    "rebuild": (landed, Mortal.rebuild, 12),
    "maintain": (landed, Mortal.maintain, 8),
    "follow": (landed, Mortal.follow, 2),
    "build": (landed, Mortal.build, 6),
}


@pytest.mark.timeout(some(900))
def test_publishing_dies_after_each_of_its_steps(kafka: str) -> None:
    def publish(world: Mortal, turn: int) -> None:
        news(world, turn)
        if turn % 3 == 2:
            world.land()  # what has arrived before the publisher comes back
            world.settle(0)
        world.resume()

    with founded(Mortal, kafka) as world, kept():
        died = every_step(world, publish, "publish")
        whole(world, died, at_least=30)


@pytest.mark.timeout(some(900))
@pytest.mark.parametrize("deed", DEEDS)
def test_a_deed_dies_after_each_of_its_steps(kafka: str, deed: str) -> None:
    before, work, least = DEEDS[deed]

    def again(world: Mortal, turn: int) -> None:
        dies, world.dies = world.dies, None
        before(world, turn)
        world.dies = dies
        work(world)
        work(world)

    with founded(Mortal, kafka) as world, kept():
        news(world, 0)
        world.ingest(0)
        world.follow()
        died = every_step(world, again, deed)
        whole(world, died, at_least=least)


def every_step(world: Mortal, work: Callable[[Mortal, int], None], deed: str) -> int:
    """Do something again and again, dying one step later each time, until it outlives its death."""
    turn = 0
    while world.deaths[deed] == turn:
        world.dies = turn
        turn += 1
        work(world, turn)
    return world.deaths[deed]


def whole(world: Mortal, died: int, *, at_least: int) -> None:
    found = world.whole()
    world.close()
    assert died >= at_least
    assert found.accepted > 3 * died, "every turn publishes some versions"
    assert found.duplicates == 0
    assert found.history_rows == found.accepted


class Law(RuleBasedStateMachine):
    """Any deeds in any order; each may die after any of its steps."""

    def __init__(self, kafka: str, seen: Counter[str]) -> None:
        super().__init__()
        self._ends, self._seen = ExitStack(), seen
        self.world = self._ends.enter_context(founded(Mortal, kafka))
        self._ends.enter_context(kept())

    @initialize(dated=st.sampled_from([False, False, True]), data=st.data())
    def begin(self, dated: bool, data: st.DataObject) -> None:
        self.rows = files(dated=dated)
        self.world.file(data.draw(self.rows), data.draw(editions))

    @rule(data=st.data(), edition=editions, dies=deaths)
    def publish(self, data: st.DataObject, edition: dt.date | None, dies: int | None) -> None:
        self._do("file", data.draw(self.rows), edition, dies=dies)

    @rule(number=st.integers(0, 9), edition=editions, dies=deaths)
    def publish_again(self, number: int, edition: dt.date | None, dies: int | None) -> None:
        self._do("again", number % len(self.world.files), edition, dies=dies)

    @rule(number=numbers, undo=st.booleans(), dies=deaths)
    def withdraw(self, number: str, undo: bool, dies: int | None) -> None:
        self._do("undo" if undo else "withdraw", number, dies=dies)

    @rule(number=numbers, state=st.sampled_from(["in_force", "suspended"]), on=st.integers(0, 1))
    def overhear(self, number: str, state: str, on: int) -> None:
        self._do("overhear", number, "standing", state, on)

    @rule()
    def lose_the_ledger(self) -> None:
        self._do("lose")

    @rule(count=st.integers(1, 12))
    def replay(self, count: int) -> None:
        self._do("replay", count)

    @rule(dies=deaths)
    def land(self, dies: int | None) -> None:
        self._do("land", dies=dies)

    @rule(further=st.integers(0, 3), dies=deaths)
    def settle(self, further: int, dies: int | None) -> None:
        self._do("settle", further, dies=dies)

    @rule(further=st.integers(0, 3))
    def ingest(self, further: int) -> None:
        self._do("ingest", further)

    @rule(dies=deaths)
    def rebuild(self, dies: int | None) -> None:
        self._do("rebuild", dies=dies)

    @rule(dies=deaths)
    def maintain(self, dies: int | None) -> None:
        self._do("maintain", dies=dies)

    @rule(dies=deaths)
    def follow(self, dies: int | None) -> None:
        self._do("follow", dies=dies)

    @rule(dies=deaths)
    def build(self, dies: int | None) -> None:
        self._do("build", dies=dies)

    def _do(self, deed: str, *given: Any, dies: int | None = None) -> None:
        told(f"{deed}, to die after {dies} steps")
        self._seen[deed] += 1
        self.world.dies = dies
        getattr(self.world, deed)(*given)
        self.world.dies = None

    def teardown(self) -> None:
        with self._ends:
            found = self.world.whole()
            self.world.close()
            self._seen["deaths"] += self.world.deaths.total()
            self._seen["events"] += found.accepted
            self._seen["replayed"] += self.world.replayed
            self._seen["runs"] += 1


@pytest.mark.timeout(some(3600))  # most of it only where a failure is made smaller
def test_any_deeds_in_any_order_each_dying_anywhere(kafka: str) -> None:
    seen: Counter[str] = Counter()
    run_state_machine_as_test(
        lambda: Law(kafka, seen),  # type: ignore[arg-type]  # calls it, whatever it is
        settings=settings(
            max_examples=some(RUNS),
            stateful_step_count=STEPS_OF_A_RUN,
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert seen["runs"] >= some(RUNS)
    assert seen["events"] > 3 * seen["runs"], seen
    assert seen["deaths"] >= seen["runs"], seen

"""Whatever way an enterprise loses a licence, and however that was written, no paper is exempted by it.

Histories are events as landed: two folds and two engines decide on each. The ways are written as
departments' exports write them; among them stands noise that ends nothing, which alone must leave
every paper exempt. How events come to be landed, or are refused and wait, is tried by
`test_lost_on_the_way.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from flows.answer.decide import EXEMPT
from tests.property import lost_licences, lost_penalties
from tests.property.effort import some
from tests.property.lost_deal import Deal
from tests.property.lost_nothing import noise
from tests.property.lost_records import HELD, Event, exempted, outcomes, said

EXAMPLES: Final = 2
#: So many enterprises at once, each with a history of its own: more than any choice has spellings.
ENTERPRISES: Final = 72
WAYS: Final = [*lost_licences.WAYS, *lost_penalties.WAYS]
Way = Callable[[Deal], list[Event]]
seeds = st.integers(0, 2**32)
#: A lesser seed is no simpler history: what fails is told one by one instead.
PHASES: Final = (Phase.generate,)


@pytest.mark.parametrize(
    ("paper", "way", "held"), WAYS, ids=[f"{paper}-{way.__name__}" for paper, way, _ in WAYS]
)
def test_what_was_lost_exempts_from_nothing(paper: str, way: Way, held: list[Event]) -> None:
    @settings(max_examples=some(EXAMPLES), phases=PHASES)
    @given(seeds)
    def none_exempt(seed: int) -> None:
        deal = Deal(seed)
        histories = [[*held, *noise(deal), *way(deal)] for _ in range(ENTERPRISES)]
        wrong = exempted(histories, paper, deal)
        assert not wrong, "\n\n".join(wrong)

    none_exempt()


def test_what_ends_nothing_leaves_every_paper_exempt() -> None:
    @settings(max_examples=some(3 * EXAMPLES), phases=PHASES)
    @given(seeds)
    def every_exempt(seed: int) -> None:
        deal = Deal(seed)
        histories = [[*HELD, *noise(deal)] for _ in range(ENTERPRISES)]
        told = outcomes(histories, deal)
        wrong = [
            said(one)
            for one, of in zip(histories, told, strict=True)
            if not {*of.values()} <= {*EXEMPT}
        ]
        assert not wrong, "\n\n".join(wrong)

    every_exempt()

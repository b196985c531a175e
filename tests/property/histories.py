"""What may happen between a department's files and a dataset: deeds of a world, in their order."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.property.law_rows import editions, files, numbers
from tests.property.law_world import ASKED

Deed = tuple[Any, ...]

deeds: st.SearchStrategy[Deed] = st.one_of(
    st.tuples(st.just("land")),
    st.tuples(st.just("settle"), st.integers(0, 3)),
    st.tuples(st.just("ingest"), st.integers(0, 3)),
    st.tuples(st.just("ingest"), st.integers(0, 3)),
    st.tuples(st.just("lose")),
    st.tuples(st.just("rebuild")),
    st.tuples(st.just("withdraw"), numbers),
    st.tuples(st.just("undo"), numbers),
    st.tuples(
        st.just("overhear"),
        numbers,
        st.just("standing"),
        st.sampled_from(["in_force", "suspended"]),
        st.integers(0, 1),
    ),
    st.tuples(st.just("ask"), st.integers(0, len(ASKED)), st.integers(0, 3), st.integers(-1, 1)),
)


@st.composite
def histories(draw: st.DrawFn) -> list[Deed]:
    """Return one to six files, new ones or earlier ones again, and what happens in between."""
    dated = draw(st.sampled_from([False, False, True]))
    history: list[Deed] = []
    for number in range(draw(st.integers(1, 6))):
        if number and draw(st.integers(0, 3)) == 0:
            history.append(("again", draw(st.integers(0, number - 1)), draw(editions)))
        else:
            history.append(("file", draw(files(dated=dated)), draw(editions)))
        history += draw(st.lists(deeds, max_size=2))
    return history

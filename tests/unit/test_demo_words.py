"""What the demo says of the rows that its sample has refused."""

from __future__ import annotations

import pytest

from deploy.cli.demo import _meant
from flows.publish import Outcome


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ({"bad_date": 1}, "(all meant · 均为有意放入)"),
        ({"bad_date": 2}, "(not meant · 并非有意放入: bad_date 1)"),
        ({"bad_date": 2, "older_edition": 20}, "bad_date 1, older_edition 20)"),
        ({"bad_date": 1, "older_edition": 20}, "(20 older than what was published since, the rest"),
    ],
)
def test_refusals_that_the_sample_was_not_made_for_are_told_apart(
    found: dict[str, int], told: str
) -> None:
    assert told in _meant(Outcome("a.csv", "fire", reasons=found), {"bad_date": 1})

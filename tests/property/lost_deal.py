"""Choices dealt from shuffled decks: all of a choice comes once before any of it comes again."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Deal:
    """What a history is made of, drawn by a seed; over some histories every spelling is tried."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._decks: dict[str, list[int]] = {}

    def one(self, of: Sequence[T]) -> T:
        """Return one of some things that print differently."""
        deck = self._decks.setdefault(repr(of), [])
        if not deck:
            deck.extend(self.shuffled(range(len(of))))
        return of[deck.pop()]

    def some(self, of: Sequence[T], one_in: int) -> list[T]:
        """Return as a rule one in so many."""
        return [one for one in of if not self._random.randrange(one_in)]

    def shuffled(self, of: Sequence[T]) -> list[T]:
        """Return them in some order."""
        return self._random.sample(of, len(of))


def listed(text: str) -> tuple[str, ...]:
    """Return the words of a text."""
    return tuple(text.split())

"""Completeness of publishers' data: until when, and for which enterprises not. Pure.

A refused row, a file that failed and a message in quarantine may each be what ends a record. They
hold their enterprise, or everyone where they name none. What is held is held for the publisher and
its family as a whole: the row that ends a record may come in another layout than the record.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeAlias

import polars as pl

from schemas.names_held import is_digest

#: Publisher and layout.
Pair: TypeAlias = tuple[str, str]
#: Publisher and family.
Source: TypeAlias = tuple[str, str]

#: Where a unified social credit code has the organisation code (GB 11714) in it.
_INNER: Final = slice(8, 17)


class Stated(NamedTuple):
    """What a layout's statements say.

    `through` (UTC; None: nothing) is when the layout is complete. `excepted`: the enterprises that
    are held, by their unified codes, organisation codes (9 characters) or the digests of their
    names (`schemas.names_held`). `everyone`: all are held.
    """

    through: dt.datetime | None
    excepted: frozenset[str] = frozenset()
    everyone: bool = False


class Held(NamedTuple):
    """The enterprises that a publisher's data in one family hold; `everyone`: all of them."""

    subjects: frozenset[str] = frozenset()
    everyone: bool = False

    def holds(self, subject: str, names: frozenset[str]) -> bool:
        """Return whether an enterprise is held, by its code, the organisation code in it or a name.

        `names`: the digests of all its names. Without any it may be each that is held by name.
        """
        by_code = subject in self.subjects or subject[_INNER] in self.subjects
        by_name = not self.subjects.isdisjoint(names) if names else self.names_any
        return self.everyone or by_code or by_name

    @property
    def names_any(self) -> bool:
        """Whether any enterprise is held by its name."""
        return any(map(is_digest, self.subjects))


@dataclass(frozen=True)
class Completeness:
    """Until when each layout is complete (UTC), and what each publisher holds in each family."""

    through: Mapping[Pair, dt.datetime] = field(default_factory=dict)
    held: Mapping[Source, Held] = field(default_factory=dict)

    def holding(self, subject: str, names: frozenset[str]) -> frozenset[Source]:
        """Return the publishers and families that hold an enterprise (see `Held.holds`)."""
        return frozenset(source for source, held in self.held.items() if held.holds(subject, names))

    def holding_everyone(self) -> frozenset[Source]:
        """Return the publishers and families that hold every enterprise."""
        return frozenset(source for source, held in self.held.items() if held.everyone)

    def named_among(self, subjects: pl.Series, names: pl.DataFrame) -> pl.Series:
        """Return those of some enterprises that any publisher holds, by whatever names them.

        `names`: `subject` and the `digest` of each name that is known of it.
        """
        entries = [*frozenset().union(*(held.subjects for held in self.held.values()))]
        named = pl.Series(entries, dtype=pl.String).implode()
        inner = subjects.str.slice(_INNER.start, _INNER.stop - _INNER.start)
        held = subjects.is_in(named) | inner.is_in(named)
        by_name = names.filter(pl.col("digest").is_in(named))["subject"].unique()
        held |= subjects.is_in(by_name.implode())
        if any(map(is_digest, entries)):
            held |= ~subjects.is_in(names["subject"].unique().implode())
        return subjects.filter(held)


def completeness(
    family: str,
    statements: Mapping[Pair, Stated],
    messages: Iterable[tuple[str, str | None]],
) -> Completeness:
    """Return what a family's statements and its messages in quarantine come to.

    `messages`: (publisher, enterprise) of what waits in quarantine; None: it names no enterprise.
    """
    found: dict[Source, Held] = {}

    def hold(publisher: str, subjects: frozenset[str], *, everyone: bool) -> None:
        if subjects or everyone:
            before = found.get((publisher, family), Held())
            found[publisher, family] = Held(before.subjects | subjects, before.everyone or everyone)

    for (publisher, _), one in statements.items():
        hold(publisher, one.excepted, everyone=one.everyone)
    for publisher, subject in messages:
        named = frozenset() if subject is None else frozenset([subject])
        hold(publisher, named, everyone=subject is None)
    through = {pair: one.through for pair, one in statements.items() if one.through is not None}
    return Completeness(through, found)


def together(parts: Iterable[Completeness]) -> Completeness:
    """Return what is known of several families as one."""
    through: dict[Pair, dt.datetime] = {}
    found: dict[Source, Held] = {}
    for part in parts:
        through |= part.through
        found |= part.held
    return Completeness(through, found)

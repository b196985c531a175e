"""Versions that no longer count, because a later one of their record and facet overrules them. Pure.

A version that was given one of the last sequences hides whatever its publisher says afterwards. An
event that names that sequence takes it out, as if it had never been landed, from its own landing on.
It names a greater sequence than its own (`flows.check`), so that the least version of a facet always
counts and no record can be made to vanish.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import polars as pl

FACET: Final = ("subject", "record_key", "facet")
OVERRULES: Final = "overrules"


def counting(versions: pl.DataFrame) -> pl.DataFrame:
    """Return the versions (`FACET`, `sequence`, `overrules`) that none of the others overrules."""
    named = versions.filter(pl.col(OVERRULES).is_not_null())
    if named.is_empty():
        return versions
    gone = named.select(*FACET, sequence=pl.col(OVERRULES).struct.field("sequence"))
    return versions.join(gone, on=[*FACET, "sequence"], how="anti", maintain_order="left")


def counting_rows(versions: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the same of versions as rows, in which what is null may lack."""
    every = [*versions]
    gone = {(*_facet(one), said["sequence"]) for one in every if (said := one.get(OVERRULES))}
    return [one for one in every if (*_facet(one), one["sequence"]) not in gone] if gone else every


def _facet(version: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(version[name] for name in FACET)

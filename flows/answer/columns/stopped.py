"""Licences and registrations that a penalty stops: the one step that goes row by row. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import polars as pl

from flows.answer.columns.penalties import holds
from flows.answer.facts import Facts, Row
from flows.answer.stopping import FACTS, NUMBERS, TELLING, stop_of, stopped_by
from schemas import penalty_words as words

#: What a row of each family is known by.
_KNOWN_BY: Final = {
    "licence": (
        *("name", *NUMBERS["licence"], "valid_to"),
        *("occurred_at", "effective_from", "valid_from"),
    ),
    "registration": NUMBERS["registration"],
}
_PENALTY: Final = (
    *("kind", "unusable_reason", *TELLING, *FACTS),
    *("valid_to", "effective_from", "issuer", "issuer_name", "document_number"),
)
STOP: Final = pl.Struct(
    {"by": pl.String, "state": pl.String, "since": pl.Date, "document": pl.String}
)
_SCHEMA: Final = pl.Schema({"nr": pl.UInt32(), "stopped": pl.Boolean(), "stop": STOP})


def with_stopped(
    rows: pl.DataFrame, family: str, licences: pl.DataFrame, credit: pl.DataFrame, known: Facts
) -> pl.DataFrame:
    """Return rows (`who`, `nr`) with `stopped`, and `stop`: who does it, and how."""
    if family not in _KNOWN_BY:
        return rows
    named = pl.col("licences_affected").is_not_null()
    before = pl.any_horizontal(holds(name, words.TAKEN_BEFORE) for name in FACTS)
    penalty = (pl.col("kind") == "penalty").fill_null(value=True)
    naming = credit.filter(
        penalty, named | ~pl.col("told") | holds("said", words.STOPPING) | before
    )
    found = pl.DataFrame([*_found(rows, family, licences, credit, naming, known)], _SCHEMA)
    return rows.join(found, on="nr", how="left", maintain_order="left")


def _found(
    rows: pl.DataFrame,
    family: str,
    licences: pl.DataFrame,
    credit: pl.DataFrame,
    naming: pl.DataFrame,
    known: Facts,
) -> Iterator[dict[str, Any]]:
    few = credit.join(naming, on="who", how="semi", maintain_order="left")
    penalties = _by_enterprise(few.select("who", *_PENALTY))
    theirs = rows.join(naming, on="who", how="semi", maintain_order="left")
    others = licences.join(naming, on="who", how="semi", maintain_order="left")
    held = _by_enterprise(others.select("who", "nr", *_KNOWN_BY["licence"]))
    for who, mine in _by_enterprise(theirs.select("who", "nr", *_KNOWN_BY[family])).items():
        of = {"licence": held.get(who, []), "credit": penalties[who], family: mine}
        facts = Facts(known.on, known.asked_at, of, {}, {})
        for row in mine:
            penalty = stopped_by(row, family, facts)
            if penalty is not None:
                yield {"nr": row["nr"], "stopped": True, "stop": stop_of(penalty)}


def _by_enterprise(rows: pl.DataFrame) -> dict[int, list[Row]]:
    found: dict[int, list[Row]] = {}
    for row in rows.iter_rows(named=True):
        found.setdefault(row["who"], []).append(row)
    return found

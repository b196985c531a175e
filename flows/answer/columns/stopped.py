"""Licences and registrations that a penalty stops: the one step that goes row by row. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import polars as pl

from flows.answer.facts import Facts, Row
from flows.answer.stopping import stopped_by

#: A penalty without any of these names no licence (`flows.answer.stopping`, which then decides).
_WORDS: Final = ("暂扣", "吊销", "降低")
#: What a row of each family is known by.
_NUMBERS: Final = {
    "licence": ("name", "number", "document_number", "identifier"),
    "registration": ("subject", "registration_number"),
}
_PENALTY: Final = (
    *("unusable_reason", "licences_affected", "penalty_content", "categories"),
    *("valid_to", "effective_from", "issuer", "issuer_name"),
)
_SCHEMA: Final = {"nr": pl.UInt32, "stopped": pl.Boolean, "stopped_by": pl.String}


def with_stopped(
    rows: pl.DataFrame, family: str, credit: pl.DataFrame, known: Facts
) -> pl.DataFrame:
    """Return rows (`who`, `nr`) with `stopped`, and `stopped_by`: the organ whose penalty does it."""
    if family not in _NUMBERS:
        return rows
    content = pl.col("penalty_content").str.contains_any([*_WORDS])
    naming = credit.filter(pl.col("licences_affected").is_not_null() | content)
    found = pl.DataFrame(_found(rows, family, credit, naming, known), _SCHEMA, orient="row")
    return rows.join(found, on="nr", how="left", maintain_order="left")


def _found(
    rows: pl.DataFrame, family: str, credit: pl.DataFrame, naming: pl.DataFrame, known: Facts
) -> Iterator[tuple[int, bool, str | None]]:
    few = credit.join(naming, on="who", how="semi", maintain_order="left")
    penalties = _by_enterprise(few.select("who", *_PENALTY))
    theirs = rows.join(naming, on="who", how="semi", maintain_order="left")
    for who, mine in _by_enterprise(theirs.select("who", "nr", *_NUMBERS[family])).items():
        of = {"credit": penalties[who], family: mine}
        facts = Facts(known.on, known.asked_at, of, {}, {})
        for row in mine:
            penalty = stopped_by(row, family, facts)
            if penalty is not None:
                yield row["nr"], True, penalty["issuer_name"] or penalty["issuer"]


def _by_enterprise(rows: pl.DataFrame) -> dict[int, list[Row]]:
    found: dict[int, list[Row]] = {}
    for row in rows.iter_rows(named=True):
        found.setdefault(row["who"], []).append(row)
    return found

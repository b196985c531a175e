"""How many papers were saved, and which are still asked for, and why. Pure, over columns.

A frame of decided papers has `matter`, `material`, `outcome`, `reason`, `evidence`, `source`, as
`flows.answer.decide.Decision` names them.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from flows.answer.decide import EXEMPT
from schemas.catalogue.grammar import Catalogue

DECIDED: Final = ("matter", "material", "outcome", "reason", "evidence", "source")
#: What a receipt's text holds of the decisions (`flows.receipt.entry`).
_ANSWERS: Final = pl.Struct(
    {
        "answers": pl.List(
            pl.Struct(
                {
                    "matter": pl.String,
                    "papers": pl.List(pl.Struct(dict.fromkeys(DECIDED[1:], pl.String))),
                }
            )
        )
    }
)


def decided_in(receipts: pl.Series) -> pl.DataFrame:
    """Return the papers decided in the texts of receipts of answers, one row each."""
    answers = receipts.str.json_decode(_ANSWERS).struct.field("answers")
    by_matter = pl.DataFrame({"a": answers}).explode("a").drop_nulls().unnest("a")
    return by_matter.explode("papers").drop_nulls("papers").unnest("papers").select(DECIDED)


def saved(decided: pl.DataFrame, found: Catalogue) -> pl.DataFrame:
    """Return, by department and matter: papers asked, exempt, promised, to follow, to bring, not accepted."""
    outcome = pl.col("outcome")
    departments = {code: matter.department for code, matter in found.matters.items()}
    return (
        decided.group_by("matter")
        .agg(
            pl.len().alias("asked"),
            outcome.is_in(EXEMPT).sum().alias("exempt"),
            (outcome == "on_promise").sum().alias("promised"),
            (outcome == "may_follow").sum().alias("to_follow"),
            (outcome == "must_bring").sum().alias("to_bring"),
            (outcome == "not_accepted").sum().alias("not_accepted"),
        )
        .with_columns(
            department=pl.col("matter").replace_strict(
                departments, default=None, return_dtype=pl.String
            )
        )
        .select(
            *("department", "matter", "asked", "exempt", "promised", "to_follow", "to_bring"),
            "not_accepted",
        )
        .sort("department", "matter", nulls_last=True)
    )


def still_asked(decided: pl.DataFrame, most: int = 20) -> pl.DataFrame:
    """Return the papers most often still to be brought, with the reason and the source it lies at.

    Papers that only the enterprise has are left out: nobody can do anything about them.
    """
    mine = pl.col("outcome").is_in(["must_bring", "not_accepted"]) & pl.col("reason").ne_missing(
        "own_paper"
    )
    by = ["material", "reason", "evidence", "source"]
    return (
        decided.filter(mine)
        .group_by(by)
        .agg(pl.len().alias("times"), pl.col("matter").unique().sort().alias("matters"))
        .sort(pl.col("times"), *by, descending=[True, *[False] * len(by)])
        .head(most)
    )

"""What penalties tell of their kind and their amount, in columns: see `flows.answer.stopping`. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

from flows.answer.credit_check import fine_beside, fine_in_words, is_rate
from flows.answer.stopping import TELLING
from schemas import penalty_words as words
from schemas.wording import worded_column

_READ: Final = pl.Schema(
    {"nr": pl.UInt32(), "fine_read": pl.Decimal(38, 2), "any_fine": pl.Boolean()}
)


def with_told(credit: pl.DataFrame) -> pl.DataFrame:
    """Return credit records (`nr`) with `said`, `told`, and the fine that stands in words.

    `said`: all that may tell the kind, folded; `told`: whether it does; `fine_read`: the amount out
    of the content, which counts where it is greater than the column's; `any_fine`: it is a fine,
    and of how much is not told.
    """
    telling = [pl.col("categories").list.join("。"), *(pl.col(name) for name in TELLING[1:])]
    said = worded_column(pl.concat_str(telling, separator="。", ignore_nulls=True))
    for one, parted in words.PARTED.items():
        said = said.str.replace_all(one, parted, literal=True)
    for empty in words.EMPTY:
        said = said.str.replace_all(empty, "", literal=True)
    rows = credit.with_columns(said=said).with_columns(told=holds("said", words.TELLING))
    amount = holds("said", words.AMOUNTS) & ~holds("said", [words.CONFISCATED])
    named = pl.col("said").str.contains(words.FINED_AMOUNT).fill_null(value=False)
    fined = ~pl.col("told") | holds("said", words.FINED) | named | amount
    penalties = rows.filter(pl.col("kind") == "penalty")
    lacking = pl.col("fine_yuan").fill_null(0) == 0
    alone = penalties.filter(lacking & fined).select("nr", "penalty_content")
    beside = penalties.filter(~lacking & holds("said", words.FINED))
    beside_it = {
        text: (fine_beside(text), is_rate(text)) for text in beside["penalty_content"].unique()
    }
    read = [(nr, fine_in_words(text)) for nr, text in alone.iter_rows()]
    told = [(nr, fine, fine is None) for nr, fine in read]
    told += [
        (nr, *beside_it[text]) for nr, text in beside.select("nr", "penalty_content").iter_rows()
    ]
    found = pl.DataFrame(told, _READ, orient="row")
    return rows.join(found, on="nr", how="left", maintain_order="left")


def holds(name: str, of: Sequence[str]) -> pl.Expr:
    """Return whether a folded text holds one of some words; null holds none."""
    return pl.col(name).str.contains_any([*of]).fill_null(value=False)

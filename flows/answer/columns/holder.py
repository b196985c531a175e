"""Licences whose holder bears another name than the register has. Pure."""

from __future__ import annotations

import polars as pl

from schemas.folding import fold


def with_holder(licences: pl.DataFrame, registrations: pl.DataFrame) -> pl.DataFrame:
    """Return licences (`who`, `nr`) with `other_holder`; where a name is not known, it is no other.

    Names that are the same as they stand are not folded: few differ.
    """
    registered = registrations.filter((pl.col("usable") == "yes") & (pl.col("name") != ""))
    names = registered.select("who", written="name")
    held = licences.filter(pl.col("subject_name") != "").select("who", "nr", written="subject_name")
    differing = held.join(names, on="who", how="semi").join(
        names, on=["who", "written"], how="anti"
    )
    compared = _folded(names.join(differing, on="who", how="semi"))
    others = _folded(differing).join(compared, on=["who", "written"], how="anti")
    return licences.with_columns(other_holder=pl.col("nr").is_in(others["nr"].implode()))


def _folded(names: pl.DataFrame) -> pl.DataFrame:
    return names.with_columns(fold(pl.col("written")))

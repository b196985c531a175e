"""Which record a row is about: the one the ledger knows by its identity, however it was written.

A row's key is folded and, in most layouts, holds the enterprise. Records of earlier releases have
keys as they were typed, and without the enterprise; a program may leave it out, too. Such a record
goes on under the key it has (`docs/decisions/0017-identity.md`).
"""

from __future__ import annotations

from typing import Final

import polars as pl

from connectors.ledger import Ledger
from schemas.facets import DECISION, STATEMENT, WITHDRAWAL
from schemas.names_held import is_unified
from schemas.record_key import folded_key, with_subject

_KEYS: Final = ["record_key", "subject"]
_PAIR: Final = {"record_key": pl.String(), "known": pl.String()}
_CODE_LAST: Final = "/[0-9A-Z]{18}$"
_BLOCKING: Final = ("publisher_error", "decision_changed")
#: The same record twice: which one is to be taken back, whose it is, and which one goes on.
REPEATED: Final = pl.Schema(dict.fromkeys((*_KEYS, "instead"), pl.String()))


def known_records(events: pl.DataFrame, ledger: Ledger) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return events with the key that their record is known by, and `REPEATED` records.

    `events`: folded keys in `record_key`, and `subject`; one of a record that the ledger does not
    know keeps its key. Of several records of one identity (to earlier releases each spelling was
    a number of its own) the newest goes on, of those not withdrawn.
    """
    if ledger.plain and events.select(_holds_subject().all()).item():
        return events, pl.DataFrame(schema=REPEATED)
    asked = events.select(*_KEYS).unique()
    asked = asked.with_columns(identity=with_subject(pl.col("record_key"), pl.col("subject")))
    every = ledger.identified(asked["identity"])
    facets = ledger.latest(every["record_key"])
    ranked = every.join(_ranked(facets), on="record_key", maintain_order="right")
    # A record may have moved to another enterprise since it had this identity.
    held = ranked.join(
        asked.select("identity", "subject").unique(), on=["identity", "subject"], how="semi"
    )
    best = held.unique("identity", keep="first", maintain_order=True)
    asked = asked.join(best.select("identity", own="record_key"), on="identity", how="left")
    others = _of_others(asked.filter(pl.col("own").is_null()), ledger)
    found = asked.join(others, on="record_key", how="left").with_columns(
        # Of two ways to write one new record, with and without the enterprise, the fuller.
        known=pl.coalesce("own", "others", pl.col("record_key").max().over("identity"))
    )
    return _renamed(events, found), _repeated(held, facets)


def known_waiting(waiting: pl.DataFrame, ledger: Ledger, *, by_subject: bool) -> pl.DataFrame:
    """Return what waits to be mended (`waiting.WAITING`) with the keys rows have in this release.

    `by_subject`: the layout's key holds the enterprise.
    """
    key = pl.col("record_key")
    known = ledger.latest(waiting["record_key"]).select("record_key").unique()
    kept = waiting.join(known, on="record_key", how="semi")
    rest = waiting.join(known, on="record_key", how="anti").with_columns(folded_key(key))
    if by_subject:
        bare = (key != "") & ~key.str.contains(_CODE_LAST)
        rest = rest.with_columns(
            pl.when(bare).then(with_subject(key, pl.col("subject"))).otherwise(key)
        )
    named, _ = known_records(rest.filter(key != ""), ledger)
    every = pl.concat([kept, named, rest.filter(key == "")])
    names = [name for name in waiting.columns if name != "edition"]
    return every.group_by(names).agg(pl.col("edition").max()).select(waiting.columns).sort(names)


def known_refused(refused: pl.DataFrame, ledger: Ledger, *, numbered: bool) -> pl.DataFrame:
    """Return refused rows (`waiting.WAITING`) with the keys their records are known by.

    A key that ends with `/` is of a row whose enterprise cannot be read: it may be about each
    record of that number, or about one that nobody knows. `numbered`: the key has the number of a
    document. Where it has a year or a list alone, all records would begin so: there the row's name
    says whom it is about.
    """
    key = pl.col("record_key")
    nobody = key.str.ends_with("/").fill_null(value=False)
    unified = is_unified(pl.col("subject"))
    whole = refused.filter(~nobody & key.is_not_null() & unified)
    rest = refused.filter(~nobody & (key.is_null() | ~unified))
    unread = refused.filter(nobody).with_columns(key.str.strip_chars_end("/"))
    numbers: list[str] = unread["record_key"].unique().to_list() if numbered else []
    under = [(number, record) for number in numbers for record in ledger.under(number)]
    pairs = pl.DataFrame(under, ["record_key", "known"], orient="row", schema_overrides=_PAIR)
    each = unread.join(pairs, on="record_key").with_columns(record_key="known").drop("known")
    alone = unread.with_columns(record_key=pl.lit(None, pl.String))
    return pl.concat([known_records(whole, ledger)[0], rest, alone, each])


def holders(facets: pl.DataFrame) -> pl.DataFrame:
    """Return `record_key`, whose it is (`subject`) and its newest `edition` in microseconds.

    `facets`: the latest versions, as the ledger gives them. Sequences of different facets do not
    compare; the decision says whose the record is.
    """
    said = facets.filter(~pl.col("facet").is_in([WITHDRAWAL, STATEMENT]))
    last = said.sort(pl.col("facet") == DECISION, "sequence", maintain_order=True)
    edition = pl.col("edition").dt.epoch("us").fill_null(0).max()
    return last.group_by("record_key", maintain_order=True).agg(pl.col("subject").last(), edition)


def _holds_subject() -> pl.Expr:
    return pl.col("record_key").str.ends_with(pl.lit("/") + pl.col("subject"))


def _ranked(facets: pl.DataFrame) -> pl.DataFrame:
    """Return `record_key`, `subject` (whose it is) and whether it was taken `back`; best first."""
    records = holders(facets)
    stop = (pl.col("facet") == WITHDRAWAL) & pl.col("mark").is_in(_BLOCKING)
    back = facets.filter(stop).select("record_key", back=pl.lit(value=True)).unique()
    joined = records.join(back, on="record_key", how="left")
    ordered = joined.with_columns(pl.col("back").fill_null(value=False))
    return ordered.sort("back", "edition", "record_key", descending=[False, True, True])


def _of_others(asked: pl.DataFrame, ledger: Ledger) -> pl.DataFrame:
    """Return the records (`others`) of other enterprises whose folded key is a row's own."""
    bare = asked.filter(~_holds_subject())["record_key"].unique()
    every = ledger.spelt(bare)
    same = every.filter(folded_key(pl.col("record_key")) == pl.col("folded"))
    ranked = _ranked(ledger.latest(same["record_key"]))
    best = same.join(ranked, on="record_key", maintain_order="right")
    first = best.unique("folded", keep="first", maintain_order=True)
    return first.select(record_key="folded", others="record_key")


def _renamed(events: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    changed = found.filter(pl.col("known") != pl.col("record_key")).select(*_KEYS, "known")
    if changed.is_empty():
        return events
    joined = events.join(changed, on=_KEYS, how="left", maintain_order="left")
    return joined.with_columns(record_key=pl.coalesce("known", "record_key")).drop("known")


def _repeated(held: pl.DataFrame, facets: pl.DataFrame) -> pl.DataFrame:
    """Return the records beside the best of each identity of which it says all, and later."""
    live = held.filter(~pl.col("back"))
    best = pl.col("record_key").first().over("identity")
    doubles = live.with_columns(instead=best).filter(pl.col("record_key") != pl.col("instead"))
    if doubles.is_empty():
        return pl.DataFrame(schema=REPEATED)
    edition = pl.col("edition").dt.epoch("us").fill_null(0)
    said = facets.filter(~pl.col("facet").is_in([WITHDRAWAL, STATEMENT]))
    said = said.select("record_key", "facet", "sequence", since=edition)
    later = said.select("facet", instead="record_key", until="since")
    stated = doubles.join(said.filter(pl.col("sequence") > 0), on="record_key")
    compared = stated.join(later, on=["instead", "facet"], how="left")
    ahead = (pl.col("until").is_null() | (pl.col("until") < pl.col("since"))).any()
    alone = compared.group_by("record_key").agg(ahead).filter("until")
    return (
        doubles.join(alone, on="record_key", how="anti")
        .select(REPEATED.names())
        .unique("record_key")
    )

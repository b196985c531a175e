"""By whom and for what an enterprise's data were used: its receipts, of all windows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from connectors import lake
from connectors.receipts import Receipts
from connectors.settings import Settings
from flows.receipt.chain import Sealed, window_and_sequence
from flows.receipt.ship import COLUMNS, frame, shipped, shipped_table
from schemas.catalogue.grammar import Catalogue

#: Uses in one answer at most.
PAGE: Final = 50
_COLUMNS = ("window", "sequence", "hash", "signature", "text")
#: The newest first; two windows may have answered in the same microsecond.
_ORDER: Final = ("at", "window", "sequence")
#: An enterprise that looks at its own uses has a receipt, and is no use of its data.
_ITS_OWN_LOOK: Final = (pl.col("kind") == "look") & (pl.col("departments").list.len() == 0)
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True)
class Cursor:
    """Where a page of uses ends: the time (UTC) and the place of its last receipt."""

    at: dt.datetime
    window: str
    sequence: int

    def __str__(self) -> str:
        """Return it as callers send it back: microseconds since 1970, and the receipt's id."""
        micro = (self.at - _EPOCH) // dt.timedelta(microseconds=1)
        return f"{micro}.{self.window}-{self.sequence}"


@dataclass(frozen=True)
class Scope:
    """Whose uses a clerk sees: matters it may ask, and looks by its departments (ids)."""

    matters: Collection[str]
    departments: Collection[str]


@dataclass(frozen=True)
class UsesPage:
    """Some uses, the newest first; `next`: where the next page begins, None after the last.

    `others`: how many uses there are in all that are not the caller's to see.
    """

    entries: list[Sealed]
    next: Cursor | None
    others: int


def cursor(text: str) -> Cursor | None:
    """Return the cursor that a caller has sent back; None where it is none."""
    micro, _, id_ = text.partition(".")
    place = window_and_sequence(id_)
    if place is None or not (micro.isascii() and micro.isdecimal() and len(micro) <= 16):
        return None
    return Cursor(_EPOCH + dt.timedelta(microseconds=int(micro)), *place)


def uses_page(
    settings: Settings,
    subject: str,
    receipts: Receipts,
    scope: Scope | None,
    after: Cursor | None = None,
) -> UsesPage:
    """Return a page of the uses of an enterprise's data, the newest first.

    `receipts`: this window's own, of which those not shipped yet are added. `scope`: what a clerk
    may see; None for the enterprise itself, who may see all. `after`: the page before ended there.
    Raises what reading the lake raises.
    """
    found = _receipts(settings, subject, receipts).filter(~_ITS_OWN_LOOK)
    seen = pl.lit(value=True) if scope is None else _seen(scope)
    own = found.filter(seen)
    if after is not None:
        own = own.filter(_behind(after))
    rows = own.sort(_ORDER, descending=True).head(PAGE + 1).select(*_COLUMNS, "at")
    hidden = found.filter(~seen).select(pl.len())
    page, others = pl.collect_all([rows, hidden])
    entries = [Sealed(*row) for row in page.head(PAGE).select(_COLUMNS).iter_rows()]
    end = None
    if page.height > PAGE:
        end = Cursor(page["at"][PAGE - 1], page["window"][PAGE - 1], page["sequence"][PAGE - 1])
    return UsesPage(entries, end, others.item())


def _receipts(settings: Settings, subject: str, receipts: Receipts) -> pl.LazyFrame:
    """Return the receipts about an enterprise (`ship.COLUMNS`), shipped and not yet."""
    table, window = shipped_table(settings), settings.mianti_window_name
    rows = receipts.of(subject, shipped(table, window))
    own = frame([Sealed(window, *row[:1], *row[2:]) for row in rows]).lazy()
    if table is None:
        return own
    there = lake.scan(table).filter(pl.col("subject") == subject).select(COLUMNS.names())
    return pl.concat([there, own], how="vertical_relaxed")


def _seen(scope: Scope) -> pl.Expr:
    """Return whether a receipt is of a clerk's own: of one of its matters, or its departments' look."""
    of_matter = pl.col("matters").list.eval(pl.element().is_in([*scope.matters])).list.any()
    looked = pl.col("departments").list.eval(pl.element().is_in([*scope.departments])).list.any()
    return (of_matter | ((pl.col("kind") == "look") & looked)).fill_null(value=False)


def _behind(after: Cursor) -> pl.Expr:
    """Return whether a receipt stands behind a cursor, in the order of the newest first."""
    at, window, sequence = (pl.col(name) for name in _ORDER)
    here = (window == after.window) & (sequence < after.sequence)
    same = (at == after.at) & ((window < after.window) | here)
    return (at < after.at) | same


def uses(settings: Settings, subject: str, receipts: Receipts | None = None) -> list[Sealed]:
    """Return the receipts about an enterprise, the newest first.

    `receipts`: this window's own, of which those not shipped yet are added.
    """
    table = shipped_table(settings)
    found: list[Sealed] = []
    if table is not None:
        mine = lake.scan(table).filter(pl.col("subject") == subject).select(*_COLUMNS, "at")
        rows = mine.collect().sort("at", "sequence").select(_COLUMNS)
        found = [Sealed(*row) for row in rows.iter_rows()]
    if receipts is not None:
        window = settings.mianti_window_name
        found += [
            Sealed(window, sequence, hash_, signature, text)
            for sequence, _, hash_, signature, text in receipts.of(subject, shipped(table, window))
        ]
    return found[::-1]


def use(one: Sealed, found: Catalogue) -> dict[str, Any]:
    """Return one use as plain JSON values: when, by which department, for which matter."""
    body = one.body
    codes = [code for code in body["matters"] if code in found.matters]
    departments = (
        [id_ for id_ in body["who"]["departments"] if id_ in found.departments]
        if body["kind"] == "look"
        else [found.matters[code].department for code in codes]
    )
    evidence = {
        paper["evidence"]
        for answer in body.get("answers", [])
        for paper in answer["papers"]
        if paper["evidence"] is not None
    }
    return {
        "receipt": one.id,
        "at": body["at"],
        "window": one.window,
        "kind": body["kind"],
        "departments": [
            {"id": id_, "name": found.departments[id_].name.model_dump()}
            for id_ in dict.fromkeys(departments)
        ],
        "matters": [
            {"code": code, "name": found.matters[code].name.model_dump()} for code in codes
        ],
        "bundle": body["bundle"],
        "purposes": [_purpose(one, found) for one in body["purposes"]],
        "evidence": [
            {"id": id_, "name": found.evidence[id_].name.model_dump()}
            for id_ in sorted(evidence)
            if id_ in found.evidence
        ],
        "why": body.get("why"),
    }


def _purpose(id_: str, found: Catalogue) -> dict[str, Any]:
    """Return a purpose, `department/purpose`, with its name where the catalogue still has it."""
    department, _, purpose = id_.partition("/")
    known = found.departments.get(department)
    named = known.purposes.get(purpose) if known else None
    return {"id": id_, "name": named.name.model_dump() if named else {"en": id_, "zh": id_}}

"""By whom and for what an enterprise's data were used: its receipts, of all windows."""

from __future__ import annotations

from typing import Any

import polars as pl

from connectors import lake
from connectors.receipts import Receipts
from connectors.settings import Settings
from flows.receipt.chain import Sealed
from flows.receipt.ship import shipped, shipped_table
from schemas.catalogue.grammar import Catalogue

_COLUMNS = ("window", "sequence", "hash", "signature", "text")


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
            for id_ in dict.fromkeys(found.matters[code].department for code in codes)
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

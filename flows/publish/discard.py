"""Refused rows and failed files that wait: listed, and discarded by a person with a reason."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import polars as pl

from connectors.ledger import Ledger, open_ledger
from connectors.settings import Settings
from flows.publish.holding import is_stated, state_now
from flows.publish.job import publisher_line
from flows.publish.waiting import IDENTITY, WAITING
from flows.quarantine import require_said
from schemas.personal import holds_personal, redact_path
from schemas.publishers import Publisher

#: What is told of each entry: no cell of any row. `number`: to discard it by; it does not change
#: while the entry waits, and is another one once another row waits in its place.
LISTED: Final = pl.Schema(
    {
        "number": pl.Int64(),
        "family": pl.String(),
        "layout": pl.String(),
        "subject": pl.String(),
        "record_key": pl.String(),
        "code": pl.String(),
        "file": pl.String(),
        "row": pl.Int64(),
        "edition": pl.Datetime("us", "UTC"),
        "since": pl.Datetime("us", "UTC"),
    }
)


@dataclass(frozen=True)
class Which:
    """Which entries are meant; None: any. `number`: one of `listed`; `file`: a file's name."""

    layout: str | None = None
    code: str | None = None
    file: str | None = None
    number: int | None = None

    def among(self, entries: pl.DataFrame) -> pl.DataFrame:
        """Return the entries that are meant."""
        asked = {"layout": self.layout, "code": self.code, "file": self.file, "number": self.number}
        tests = [pl.col(name) == value for name, value in asked.items() if value is not None]
        return entries.filter(pl.all_horizontal(tests)) if tests else entries


ANY: Final = Which()


def listed(settings: Settings, publisher: str, which: Which = ANY) -> pl.DataFrame:
    """Return what waits of a publisher (columns `LISTED`); a key or a file's name with a person's
    number is hidden.

    Raises UnknownPublisher, LedgerBusy."""
    owner = publisher_line(settings, publisher)
    found = which.among(_numbered(settings, publisher, owner))
    key = pl.col("record_key")
    shown = pl.when(~holds_personal(key)).then(key).otherwise(pl.lit("…"))
    names = pl.col("file").map_elements(redact_path, return_dtype=pl.String)
    return found.with_columns(shown.alias("record_key"), names).select(LISTED.names())


def discard(settings: Settings, publisher: str, which: Which, *, by: str, why: str) -> int:
    """Discard what waits and is meant; return how many entries. Who did it and why is kept.

    It is stated at once: the answers follow when that is landed. Raises UnknownPublisher, NotSaid,
    LedgerBusy, and what sending raises; the next publish then states it.
    """
    require_said(by, why)
    owner = publisher_line(settings, publisher)
    chosen = which.among(_numbered(settings, publisher, owner))
    for [family], mine in chosen.group_by(["family"], maintain_order=True):
        with open_ledger(settings.mianti_ledger, publisher, str(family)) as ledger:
            _discard(ledger, mine, by, why)
    for name in _unstated(settings, publisher, owner):
        state_now(settings, publisher, owner, name)
    return chosen.height


def _discard(ledger: Ledger, chosen: pl.DataFrame, by: str, why: str) -> None:
    for [layout], mine in chosen.group_by(["layout"], maintain_order=True):
        waiting = ledger.waiting(str(layout))
        gone = waiting.join(mine, on=WAITING.names(), how="semi", nulls_equal=True)
        left = waiting.join(gone, on=WAITING.names(), how="anti", nulls_equal=True)
        ledger.discard(str(layout), left, gone, by, why)


def _unstated(settings: Settings, publisher: str, owner: Publisher) -> list[str]:
    """Return the families in which what waits has changed since it was stated, by a crash, too."""
    return [
        family
        for family, ledger in _ledgers(settings, publisher, owner)
        if not all(is_stated(ledger, layout) for layout in ledger.waiting_layouts())
    ]


def _numbered(settings: Settings, publisher: str, owner: Publisher) -> pl.DataFrame:
    empty = pl.DataFrame(schema={"family": pl.String(), "layout": pl.String(), **WAITING})
    found = pl.concat([empty, *_waiting(settings, publisher, owner)])
    names = found.select("family", "layout", *IDENTITY, "print").iter_rows()
    return found.with_columns(number=pl.Series(map(_number, names), dtype=pl.Int64))


def _number(names: tuple[str, ...]) -> int:
    """Return 12 digits: a position in the list would be another entry's after the next discard."""
    digest = hashlib.sha256("\0".join(names).encode()).digest()
    return int.from_bytes(digest[:8], "big") % 10**12


def _waiting(settings: Settings, publisher: str, owner: Publisher) -> Iterator[pl.DataFrame]:
    for family, ledger in _ledgers(settings, publisher, owner):
        for layout in ledger.waiting_layouts():
            entries = ledger.waiting(layout).sort("since", "file", "row")
            yield entries.select(
                pl.lit(family).alias("family"), pl.lit(layout).alias("layout"), *WAITING
            )


def _ledgers(settings: Settings, publisher: str, owner: Publisher) -> Iterator[tuple[str, Ledger]]:
    """Open one after the other the ledgers that there are of a publisher."""
    for family in sorted(owner.families):
        if (settings.mianti_ledger / f"{publisher}.{family}.sqlite").exists():
            with open_ledger(settings.mianti_ledger, publisher, family) as ledger:
                yield family, ledger

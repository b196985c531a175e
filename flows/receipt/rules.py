"""The rule book an answer was decided by: the catalogue and the publishers' promises, by digest."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import orjson

from connectors import store
from connectors.settings import Settings
from flows.answer.ask import rights_of
from flows.catalogue import catalogue
from flows.receipt.chain import digest
from flows.stated import Source
from schemas import contract
from schemas.catalogue.grammar import Catalogue
from schemas.publishers import PublishersTable


@dataclass(frozen=True)
class RuleBook:
    """A catalogue, how often each publisher promised to publish, and under which code it speaks.

    `rights`: by publisher and family, a regular expression of the issuers it may speak for; a book
    of an earlier release has none.
    `digest`: SHA-256 of `text`.
    """

    catalogue: Catalogue
    cycles: dict[str, dt.timedelta]
    codes: list[str]
    rights: dict[Source, str]
    text: bytes
    digest: str


def rule_book(settings: Settings) -> RuleBook:
    """Return the rule book in use. Raises schemas.contract.BadContract."""
    found = catalogue(settings.mianti_catalogue)
    table = contract.publishers(settings.mianti_publishers)
    lines = table.publishers.items()
    codes = [one.code for _, one in lines]
    return _book(found, {id_: one.cycle for id_, one in lines}, codes, rights_of(table))


def publishers_of(settings: Settings) -> PublishersTable:
    """Return the publishers' table in use. Raises schemas.contract.BadContract."""
    return contract.publishers(settings.mianti_publishers)


def keep_here(settings: Settings, book: RuleBook) -> None:
    """Keep a rule book at the window, before the first answer by it; it is shipped with receipts."""
    path = settings.mianti_window / "rules" / f"{book.digest}.json"
    store.write_once(str(path), book.text)


def kept(settings: Settings, wanted: str) -> RuleBook | None:
    """Return a rule book of the evidence, or one not yet shipped.

    None where it lacks, or is not what its digest says.
    """
    text = store.read(place(settings, wanted))
    here = settings.mianti_window / "rules" / f"{wanted}.json"
    if text is None and here.exists():
        text = here.read_bytes()
    if text is None or digest(text) != wanted:
        return None
    found: dict[str, Any] = orjson.loads(text)
    cycles = {id_: dt.timedelta(seconds=seconds) for id_, seconds in found["cycles"].items()}
    rights = {(id_, family): issuers for id_, family, issuers in found.get("rights", [])}
    return _book(Catalogue.model_validate(found["catalogue"]), cycles, found["codes"], rights)


def _book(
    found: Catalogue,
    cycles: dict[str, dt.timedelta],
    codes: list[str],
    rights: dict[Source, str],
) -> RuleBook:
    plain: dict[str, Any] = {
        "catalogue": found.model_dump(mode="json", by_alias=True),
        "cycles": {id_: cycle.total_seconds() for id_, cycle in cycles.items()},
        "codes": codes,
    }
    if rights:
        plain["rights"] = [[*source, issuers] for source, issuers in rights.items()]
    text = orjson.dumps(plain)  # in its own order: of several sources the first is told
    return RuleBook(found, cycles, codes, rights, text, digest(text))


def place(settings: Settings, name: str) -> str:
    """Return where a rule book lies among the evidence."""
    return f"{settings.mianti_evidence}/rules/{name}.json"

"""The catalogue as it is used: with the materials that stand in spreadsheets."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from connectors.files import Unreadable, open_source
from schemas import contract
from schemas.catalogue import spreadsheet
from schemas.catalogue.check import broken
from schemas.catalogue.grammar import Catalogue, Material, Matter, Use
from schemas.faults import BadContract, Fault, Said

_SHIPPED = Path(contract.__file__).parent / "catalogue"


@cache
def catalogue(folder: Path | None = None) -> Catalogue:
    """Return the catalogue of a directory, or the one shipped, for answering by.

    Raises BadContract, where a reference in it leads nowhere, too.
    """
    found = as_it_stands(folder)
    if wrong := broken(found):
        faults = [Fault("catalogue", one.where, Said(one.says.en, one.says.zh)) for one in wrong]
        raise BadContract(faults, "catalogue")
    return found


@cache
def as_it_stands(folder: Path | None = None) -> Catalogue:
    """Return the same, whatever `schemas.catalogue.check` finds in it. Raises BadContract."""
    found = contract.catalogue(folder)
    materials, matters = dict(found.materials), dict(found.matters)
    for code, matter in found.matters.items():
        if matter.materials_file is not None:
            path = (folder or _SHIPPED) / matter.materials_file
            new, listed = _read(path, code, found)
            materials |= new
            matters[code] = Matter(**{**dict(matter), "materials": listed})
    return found.model_copy(update={"materials": materials, "matters": matters})


def _read(path: Path, code: str, known: Catalogue) -> tuple[dict[str, Material], list[Use]]:
    try:
        return spreadsheet.uses(_rows(path), code, known)
    except (OSError, Unreadable, spreadsheet.BadSheet) as error:
        told = [*str(error).splitlines(), ""]
        said = Said(told[0], told[1] or told[0])
        raise BadContract([Fault(path.name, f"matters.{code}", said)], "catalogue") from error


def _rows(path: Path) -> Iterator[spreadsheet.Row]:
    source = open_source(path)
    missing = [name for name in spreadsheet.COLUMNS if name not in source.columns]
    if missing:
        raise spreadsheet.BadSheet(f"no column {', '.join(missing)}")
    for chunk in source.chunks():
        yield from chunk.rows.iter_rows(named=True)

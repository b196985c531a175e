"""A matter's materials out of the national layout (`dn_task_general_material`). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, TypeVar

from schemas.catalogue.grammar import (
    Catalogue,
    LicenceEvidence,
    Material,
    Necessity,
    Origin,
    Use,
)
from schemas.dialect import Words

#: The columns that are read; the licence link (cert_code, cert_name) is of newer local forms.
COLUMNS: Final = ("row_guid", "task_code", "material_name", "is_need", "source_type")
_NECESSITY: Final[Mapping[str, Necessity]] = {
    "0": "required",
    "1": "optional",
    "2": "may_follow",
    "3": "on_promise",
}
_ORIGIN: Final[Mapping[str, Origin]] = {"0": "own", "1": "issued", "2": "other"}

Row = Mapping[str, str | None]
_Meaning = TypeVar("_Meaning")


class BadSheet(ValueError):
    """A row of the spreadsheet cannot be read; the text says which and why."""


def uses(rows: Iterable[Row], code: str, known: Catalogue) -> tuple[dict[str, Material], list[Use]]:
    """Return the materials of one matter that the catalogue does not know yet, and its list.

    A material of a known name is that material; another is linked to a licence by its type code
    (cert_code) or the certificate's name. Raises BadSheet.
    """
    names = {material.name.zh: id_ for id_, material in known.materials.items()}
    new: dict[str, Material] = {}
    listed: list[Use] = []
    for row in rows:
        if row.get("task_code") != code:
            continue
        name, id_ = _filled(row, "material_name"), f"{code}/{_filled(row, 'row_guid')}"
        if name not in names:
            if id_ in new and new[id_].name.zh != name:
                raise BadSheet(f"row_guid {row['row_guid']} stands twice, with two names")
            new[id_] = Material(
                name=Words(en=name, zh=name),
                origin=_coded(row, "source_type", _ORIGIN),
                replaced_by=_linked(row, known),
            )
        necessity = _coded(row, "is_need", _NECESSITY)
        listed.append(Use(material=names.get(name, id_), necessity=necessity))
    if not listed:
        raise BadSheet(f"no row has the task_code {code}")
    return new, listed


def _linked(row: Row, known: Catalogue) -> list[str]:
    """Return the one evidence of a licence; none where several fit: the check tells of it."""
    code, name = row.get("cert_code"), row.get("cert_name")
    found = [
        id_
        for id_, evidence in known.evidence.items()
        if isinstance(evidence, LicenceEvidence)
        and (code in evidence.type_codes or (not code and name in evidence.certificates))
    ]
    return found if len(found) == 1 else []


def _filled(row: Row, column: str) -> str:
    value = row.get(column)
    if not value:
        raise BadSheet(f"{column} is empty in the row {row.get('row_guid') or '?'}")
    return value


def _coded(row: Row, column: str, codes: Mapping[str, _Meaning]) -> _Meaning:
    value = _filled(row, column)
    if value not in codes:
        raise BadSheet(f"{column} of {row.get('row_guid')} is none of {', '.join(codes)}")
    return codes[value]

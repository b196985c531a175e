"""The grammar of the catalogue: matters, their materials, and the evidence that replaces each.

`docs/catalogue.md` explains every word with an example. Names follow the national exchange layout
of matters and materials (`dn_task_general_basic`, `dn_task_general_material`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from decimal import Decimal
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from schemas.dialect import Words

#: 来源渠道: 0 申请人自备, 1 政府部门核发, 2 其他.
Origin = Literal["own", "issued", "other"]
#: 材料必要性: 0 必要, 1 非必要, 2 容缺后补, 3 信息免交、信用后补.
Necessity = Literal["required", "optional", "may_follow", "on_promise"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Rule(_Strict):
    """One article of one law; `source` says where its text was read."""

    law: Words
    article: str
    says: Words
    source: str = ""


class Purpose(_Strict):
    """What a department may look at for one purpose (政府信息共享的使用用途): ids of evidence."""

    name: Words
    may_use: list[str]


class Department(_Strict):
    """A department with a window; `code` is its unified social credit code."""

    name: Words
    code: str
    purposes: dict[str, Purpose]


class _Evidence(_Strict):
    """What may stand in for a paper.

    `sources`: publishers, and the layouts each states completeness for; only when all of them are
    complete does nothing on file mean that there is nothing. `max_age`: how long ago, at most,
    they may be complete through.
    """

    name: Words
    rule: str
    sources: dict[str, Annotated[list[str], Field(min_length=1)]] = Field(min_length=1)
    max_age: dt.timedelta


class LicenceEvidence(_Evidence):
    """A licence in force, by its type code (21 characters) or its certificate's name.

    `scope`: words of which what is permitted must hold one; none means any scope will do.
    """

    kind: Literal["licence"]
    type_codes: list[str] = []
    certificates: list[str] = []
    scope: list[str] = []


class FieldEvidence(_Evidence):
    """Fields of a dataset's row, the first of which must not be empty.

    `where`: columns that must have one of the values listed. `period_years`: how many years ago,
    at most, the record's period (评价年度) may lie.
    """

    kind: Literal["field"]
    family: Literal["registration", "licence", "credit"]
    fields: list[str] = Field(min_length=1)
    where: dict[str, list[str]] = {}
    period_years: int | None = Field(default=None, ge=0)


class Bar(_Strict):
    """Credit records that bar: all that is stated must hold; `within`: decided so long ago at most.

    `categories` are words for kinds of penalty (行政处罚法 art. 9), looked for in the penalty's
    kinds and its content; `fine_from`: a fine of so many yuan bars, whatever its kind; `lists` are
    codes of lists.
    """

    kind: Literal["penalty", "listing"]
    categories: list[str] = []
    severities: list[Literal["minor", "general", "serious"]] = []
    fine_from: Decimal | None = None
    lists: list[str] = []
    within: dt.timedelta | None = None

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Bar:
        of_penalties = self.categories or self.severities or self.fine_from is not None
        if self.kind == "listing" and of_penalties:
            raise ValueError("a listing has no categories, severities or fine")
        if self.kind == "penalty" and self.lists:
            raise ValueError("a penalty is on no list")
        return self


class CreditEvidence(_Evidence):
    """One question to the credit records, answered yes or no: never the file."""

    kind: Literal["credit_check"]
    question: Words
    bars: list[Bar] = Field(min_length=1)


class PromiseEvidence(_Strict):
    """A written promise of the enterprise (告知承诺)."""

    kind: Literal["promise"]
    name: Words
    rule: str
    text: Words


Evidence = Annotated[
    LicenceEvidence | FieldEvidence | CreditEvidence | PromiseEvidence,
    Field(discriminator="kind"),
]
#: The evidence that comes out of what departments publish.
SharedEvidence = LicenceEvidence | FieldEvidence | CreditEvidence

#: The reference of a form's field to the enterprise's own code.
SUBJECT: Final = "subject"
#: What a form may be given of a licence: what an answer shows of it, and nothing else.
LICENCE_COLUMNS: Final = (
    *("number", "name", "subject_name", "scope", "state", "issuer", "issuer_name"),
    *("valid_from", "valid_to", "effective_from", "effective_to"),
)


class FormField(_Strict):
    """A field of a matter's form; `from`: `evidence.column`, the best first, or `subject`."""

    id: str
    name: Words
    origins: list[str] = Field(alias="from", min_length=1)


def origin(reference: str) -> tuple[str, str]:
    """Return the evidence and the column that a reference of a form's field names."""
    evidence, _, column = reference.rpartition(".")
    return evidence, column


def columns_for_forms(evidence: Evidence) -> Collection[str]:
    """Return what a form may be given of a piece of evidence: of a check or a promise, nothing."""
    if isinstance(evidence, LicenceEvidence):
        return LICENCE_COLUMNS
    return evidence.fields if isinstance(evidence, FieldEvidence) else ()


class Material(_Strict):
    """A paper; `replaced_by`: ids of evidence, the best first.

    `not_shared`: why a paper that departments issue can as yet be had from none of them.
    """

    name: Words
    origin: Origin
    replaced_by: list[str] = []
    not_shared: Words | None = None


class Use(_Strict):
    """A material that a matter asks for."""

    material: str
    necessity: Necessity = "required"


class Matter(_Strict):
    """A matter (事项). Days are working days; null: the law sets none, or nothing was promised.

    The materials are listed, or stand in a spreadsheet beside the catalogue (`materials_file`).
    `follow_within`: how many days what may follow (容缺后补) may take. `form`: its form, if it has
    one.
    """

    name: Words
    department: str
    purpose: str
    basis: list[str] = Field(min_length=1)
    legal_days: int | None = Field(default=None, ge=0)
    promised_days: int | None = Field(default=None, ge=0)
    follow_within: int | None = Field(default=None, ge=1)
    materials: list[Use] = []
    materials_file: str | None = None
    form: str | None = None


class Bundle(_Strict):
    """Several matters handled as one (一件事), with one list of papers."""

    name: Words
    matters: list[str] = Field(min_length=2)


class Catalogue(_Strict):
    """The whole catalogue, each part by its ids; matters by their code (事项编码)."""

    rules: dict[str, Rule] = {}
    departments: dict[str, Department] = {}
    evidence: dict[str, Evidence] = {}
    materials: dict[str, Material] = {}
    forms: dict[str, list[FormField]] = {}
    matters: dict[str, Matter] = {}
    bundles: dict[str, Bundle] = {}

"""Dialects: declarative files, one a layout, that map a department's own columns to events.

A dialect says in YAML what each event field comes from. `docs/dialects.md` explains every word of
it with an example; here is their grammar.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Text(_Strict):
    """The column's text, as it stands."""

    text: str


class Const(_Strict):
    """The same value for every row of the layout."""

    const: str


class First(_Strict):
    """The first column that holds anything."""

    first: list[str]


class Date(_Strict):
    """A calendar date in any spelling known; a date listed under `no_end` means none."""

    date: str


class Time(_Strict):
    """A point in time; a date alone means midnight in China (UTC+8)."""

    time: str


class Term(_Strict):
    """Whether the end date is fixed, open-ended (a `no_end` placeholder) or not stated."""

    term: str


class Yuan(_Strict):
    """An amount in yuan."""

    yuan: str


class WanYuan(_Strict):
    """An amount in 万元 (ten thousand yuan), published in yuan."""

    wan_yuan: str


class Code(_Strict):
    """A code of the list the publisher's line names; an unknown code refuses the row."""

    code: str
    list: str


class Codes(_Strict):
    """The words of a code list for the codes in some columns, empty ones left out."""

    codes: list[str]
    list: str


class Split(_Strict):
    """Several words in one cell, held apart by 、 , ; or their full-width forms."""

    split: str


class Part(_Strict):
    """A part of a text: what the first group of a regular expression finds in the column.

    For a cell that holds a code and a name, such as `1201 食品经营`. A filled cell in which the
    pattern finds nothing refuses the row.
    """

    part: str
    pattern: str


class Amount(_Strict):
    """An amount with its unit in the cell: 元, 万元 or 亿元, in digits or Chinese numerals.

    Published in yuan. `unit` is what an amount without a unit is in; without it such a cell
    refuses the row.
    """

    amount: str
    unit: Literal["yuan", "wan_yuan"] | None = None


class IfPresent(_Strict):
    """One word when the column holds anything, another when it is empty."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)
    if_present: str
    then: str
    otherwise: str = Field(alias="else")


class Each(_Strict):
    """A list of records; one whose `needs` field is empty is left out."""

    each: list[dict[str, FieldMap]]
    needs: str


def _column_is_text(value: Any) -> Any:
    return {"text": value} if isinstance(value, str) else value


FieldMap = Annotated[
    Text
    | Const
    | First
    | Date
    | Time
    | Term
    | Yuan
    | WanYuan
    | Code
    | Codes
    | Split
    | Part
    | Amount
    | IfPresent
    | Each,
    BeforeValidator(_column_is_text),
]


class Words(_Strict):
    """One sentence in both languages."""

    en: str
    zh: str

    @property
    def both(self) -> dict[str, str]:
        """Return both as JSON has them; a tenth of `model_dump`'s time."""
        return {"en": self.en, "zh": self.zh}


class RecordKey(_Strict):
    """What is tracked: the issuer, then the columns that hold the issuer's own number.

    A constant among the columns keeps two lists of one organ apart. The subject's column makes a
    decision about several enterprises several records.
    """

    columns: list[str | Const] = Field(min_length=1)
    says: Words


class EventMap(_Strict):
    """One event of a row: a facet, and where each of its fields comes from."""

    facet: str
    type: FieldMap
    effective_from: FieldMap | None = None
    effective_to: FieldMap | None = None
    occurred_at: FieldMap | None = None
    content: dict[str, FieldMap]


class Moves(_Strict):
    """Which records of others a row of the layout may take over; without it such a row is refused.

    `subjects`: a record may move to another enterprise. `layouts`: records that these layouts
    published continue in this one, and fields that it does not map are erased.
    """

    subjects: bool = False
    layouts: list[str] = []


class Header(_Strict):
    """A header line that does not say what the columns hold."""

    as_found: list[str]
    means: list[str]


class Dialect(_Strict):
    """One layout of one family; see `docs/dialects.md`."""

    id: str
    version: str
    family: Literal["registration", "licence", "credit"]
    title: Words
    record_key: RecordKey
    native: bool = False
    columns: dict[str, list[str]]
    headers: list[Header] = []
    #: The columns in their order, for files that have no header.
    headerless: list[str] = []
    #: Columns that are known and not wanted; any other column that is not read is reported.
    ignore: list[str] = []
    #: A row whose first filled cell begins with one of these words (合计, 填报人) is no record.
    skip_rows: list[str] = []
    #: Where the records of a JSON page are, such as `data.rows`.
    records: str | None = None
    recognise: list[str] = Field(min_length=1)
    required: list[str] = []
    personal: list[str] = []
    #: Columns that hold numbers of documents, which are then no numbers of persons.
    document_numbers: list[str] = []
    #: The column of 组织机构代码 (GB 11714), by which a refused row still names its enterprise.
    organisation_code: str | None = None
    blank: list[str] = []
    no_end: list[dt.date] = []
    edition: str | None = None
    sequence: str | None = None
    subject: str
    moves: Moves = Moves()
    issuer: FieldMap
    issuer_name: FieldMap | None = None
    events: list[EventMap] = []

    @model_validator(mode="after")
    def _columns_are_declared(self) -> Dialect:
        unknown = sorted(used_columns(self) - set(self.columns))
        if unknown:
            raise ValueError(f"dialect {self.id} uses columns it does not declare: {unknown}")
        forbidden = sorted(mapped_columns(self) & set(self.personal))
        if forbidden:
            raise ValueError(f"dialect {self.id} maps personal columns: {forbidden}")
        return self

    def aliases(self) -> dict[str, str]:
        """Return every known spelling of a column, folded by `fold_name`, to its own name."""
        return {
            fold_name(spelling): name
            for name, others in self.columns.items()
            for spelling in [name, *others]
        }

    def code_lists(self) -> set[str]:
        """Return the names of the code lists the dialect uses."""
        specs = [s for event in self.events for s in (event.type, *event.content.values())]
        inner = [
            s for each in specs if isinstance(each, Each) for i in each.each for s in i.values()
        ]
        return {spec.list for spec in [*specs, *inner] if isinstance(spec, Code | Codes)}


Each.model_rebuild()


def fold_name(name: str) -> str:
    """Return a column name as it is compared: without blanks, lower case."""
    return "".join(name.split()).lower()


def mapped_columns(dialect: Dialect) -> set[str]:
    """Return the columns whose values reach an event."""
    maps: list[Any] = [dialect.issuer, dialect.issuer_name]
    for event in dialect.events:
        maps += [event.type, event.effective_from, event.effective_to, event.occurred_at]
        maps += event.content.values()
    found = {dialect.subject, *key_columns(dialect)}
    return found.union(*(columns_of(m) for m in maps if m is not None))


def key_columns(dialect: Dialect) -> list[str]:
    """Return the columns of the record key, without its constants."""
    return [column for column in dialect.record_key.columns if isinstance(column, str)]


def used_columns(dialect: Dialect) -> set[str]:
    """Return every column the dialect names."""
    named = [dialect.edition, dialect.sequence, dialect.organisation_code]
    listed = [*dialect.required, *dialect.personal, *dialect.recognise]
    listed += [*dialect.document_numbers, *dialect.headerless]
    return mapped_columns(dialect) | set(listed) | {n for n in named if n}


def columns_of(field: Any) -> set[str]:
    """Return the columns one field map reads."""
    if isinstance(field, Const):
        return set()
    if isinstance(field, First):
        return set(field.first)
    if isinstance(field, Codes):
        return set(field.codes)
    if isinstance(field, Each):
        return set().union(*(columns_of(f) for item in field.each for f in item.values()))
    first = next(iter(type(field).model_fields))
    return {getattr(field, first)}

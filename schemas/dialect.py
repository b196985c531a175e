"""Dialects: declarative files, one a layout, that map a department's own columns to events.

A dialect says in YAML what each event field comes from. `docs/dialects.md` explains every word of
it with an example; here is their grammar.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from typing import Annotated, Any, Final, Literal, NamedTuple

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag

from schemas.folding import fold_text

# As `fold_text` writes them. A unit, such as （元）, is no mark.
_MARKS: Final = re.compile(
    r"^[*★☆]+|(?:[*★☆:]|\((?:必填|必填项|必录|非必填|选填|可选|可空|非空|必须|required|optional)\))+$",
    re.IGNORECASE,
)


#: Fields that hold numbers of documents, in whatever facet; a placeholder (无, /) in them is none.
NUMBERS: Final = ("number", "document_number", "identifier", "registration_number")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Text(_Strict):
    """The column's text, as it stands."""

    text: str


def _day_is_text(value: Any) -> Any:
    """YAML reads 2029-01-01 as a day, in quotes or not it is meant as the same."""
    return value.isoformat() if type(value) is dt.date else value


class Const(_Strict):
    """The same value for every row of the layout: a text, a word, a day, a time or an amount."""

    const: Annotated[str, BeforeValidator(_day_is_text)]


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
    """An amount in 万元 (ten thousand yuan), published in yuan.

    `or_yuan` names a second column for files that give the amount in yuan; where both are filled,
    they must say the same.
    """

    wan_yuan: str
    or_yuan: str | None = None


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
    """One word when the column holds anything, another when it is empty.

    `or_present` names a second column that tells the same; what says nothing there (无, /) is empty.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)
    if_present: str
    or_present: str | None = None
    then: str
    otherwise: str = Field(alias="else")


class Each(_Strict):
    """A list of records; one whose `needs` field is empty is left out."""

    each: list[dict[str, FieldMap]]
    needs: str


def _column_is_text(value: Any) -> Any:
    return {"text": value} if isinstance(value, str) else value


def _which(value: Any) -> str | None:
    """Return the word by which a map is known among others; None where it has none, or several."""
    if isinstance(value, dict):
        found = [word for word in MAPS if word in value]
        return found[0] if len(found) == 1 else None
    return next((word for word, kind in MAPS.items() if isinstance(value, kind)), None)


FieldMap = Annotated[
    Annotated[Text, Tag("text")]
    | Annotated[Const, Tag("const")]
    | Annotated[First, Tag("first")]
    | Annotated[Date, Tag("date")]
    | Annotated[Time, Tag("time")]
    | Annotated[Term, Tag("term")]
    | Annotated[Yuan, Tag("yuan")]
    | Annotated[WanYuan, Tag("wan_yuan")]
    | Annotated[Code, Tag("code")]
    | Annotated[Codes, Tag("codes")]
    | Annotated[Split, Tag("split")]
    | Annotated[Part, Tag("part")]
    | Annotated[Amount, Tag("amount")]
    | Annotated[IfPresent, Tag("if_present")]
    | Annotated[Each, Tag("each")],
    Discriminator(_which),
    BeforeValidator(_column_is_text),
]

_EVERY_MAP: Final[tuple[type[BaseModel], ...]] = (
    *(Text, Const, First, Date, Time, Term, Yuan, WanYuan, Code, Codes, Split, Part, Amount),
    *(IfPresent, Each),
)
#: Every map by its first word, by which it is known.
MAPS: Final = {next(iter(kind.model_fields)): kind for kind in _EVERY_MAP}


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

    def aliases(self) -> dict[str, str]:
        """Return every known spelling of a column, folded by `fold_name`, to its own name."""
        return {
            fold_name(spelling): name
            for name, others in self.columns.items()
            for spelling in [name, *others]
        }

    def maps(self) -> Iterator[Fed]:
        """Yield every field map outside of `each`, and the field of the event that it feeds."""
        yield Fed("issuer", ("issuer",), self.issuer)
        if self.issuer_name is not None:
            yield Fed("issuer_name", ("issuer_name",), self.issuer_name)
        for event in self.events:
            yield Fed(f"{event.facet}.type", ("event_type",), event.type)
            for name in ("effective_from", "effective_to", "occurred_at"):
                if (spec := getattr(event, name)) is not None:
                    yield Fed(f"{event.facet}.{name}", (name,), spec)
            for name, spec in event.content.items():
                yield Fed(f"{event.facet}.{name}", (event.facet, name), spec)

    def code_lists(self) -> set[str]:
        """Return the names of the code lists the dialect uses."""
        specs: list[Any] = [fed.spec for fed in self.maps()]
        found = set()
        while specs:
            spec = specs.pop()
            if isinstance(spec, Each):
                specs += [inner for item in spec.each for inner in item.values()]
            elif isinstance(spec, Code | Codes):
                found.add(spec.list)
        return found


class Fed(NamedTuple):
    """A field map; `place`: where it stands, `path`: the field of the event that it feeds."""

    place: str
    path: tuple[str, ...]
    spec: FieldMap


Each.model_rebuild()


def fold_name(name: str) -> str:
    """Return a column name as it is compared.

    Folded as numbers and names are, and without the marks that templates put beside the columns
    to be filled in: a star, （必填）, （选填）.
    """
    return _MARKS.sub("", fold_text(name)).lower()


def mapped_columns(dialect: Dialect) -> set[str]:
    """Return the columns whose values reach an event."""
    found = {dialect.subject, *key_columns(dialect)}
    return found.union(*(columns_of(fed.spec) for fed in dialect.maps()))


def key_columns(dialect: Dialect) -> list[str]:
    """Return the columns of the record key, without its constants."""
    return [column for column in dialect.record_key.columns if isinstance(column, str)]


def has_document_number(dialect: Dialect) -> bool:
    """Return whether a column of the record key holds the number of a document."""
    numbers = set(dialect.document_numbers)
    for event in dialect.events:
        for name, spec in event.content.items():
            if name in NUMBERS:
                numbers |= columns_of(spec)
    return not numbers.isdisjoint(set(key_columns(dialect)) - {dialect.subject})


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
    if isinstance(field, WanYuan):
        return {field.wan_yuan} | ({field.or_yuan} if field.or_yuan else set())
    if isinstance(field, IfPresent):
        return {field.if_present} | ({field.or_present} if field.or_present else set())
    if isinstance(field, Codes):
        return set(field.codes)
    if isinstance(field, Each):
        return set().union(*(columns_of(f) for item in field.each for f in item.values()))
    first = next(iter(type(field).model_fields))
    return {getattr(field, first)}

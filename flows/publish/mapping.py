"""Rows of a layout to events of its family: one row to one or several, or to a fault.

Pure: no client, no clock, no file. What a row says is decided by its dialect alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import polars as pl

from flows.publish.clean import clean
from flows.publish.days import moments
from flows.publish.fields import Compiled, Context, compile_field, lost_digits
from schemas.avro import event_columns, instance
from schemas.dialect import (
    NUMBERS,
    Code,
    Const,
    Dialect,
    EventMap,
    columns_of,
    key_columns,
    mapped_columns,
)
from schemas.folding import fold, fold_text, is_placeholder
from schemas.identifiers import org_code, uscc
from schemas.names_held import NAME_FIELDS, digest_of_name
from schemas.record_key import escape, folded_issuer
from schemas.takes import fields_of

#: Columns of a mapped event that the plan fills in later.
LATER = (
    *("event_id", "publisher", "layout", "layout_version", "file_digest", "file_row"),
    "overrules",
)

_TIMES: Final = ("effective_from", "effective_to", "occurred_at")
_UNIFIED: Final = "([0-9A-HJ-NP-RTUWXY]{18})"
_OLDEST: Final = pl.lit(0, pl.Int64).cast(pl.Datetime("us", "UTC"))


@dataclass(frozen=True)
class Mapped:
    """What rows come to.

    `events`: event columns without `LATER`, with `__row` and `__unstated`, the state column that is
    empty, if one is. `faults`: `__row`, `code`, `where`, all of each row. `faulty`: the events of
    rows with faults, as far as they can be told, to be checked for what else is wrong with them.
    `filled`: the state columns that hold anything.
    """

    events: pl.DataFrame
    faults: pl.DataFrame
    faulty: pl.DataFrame
    filled: frozenset[str] = frozenset()


def map_rows(rows: pl.DataFrame, dialect: Dialect, context: Context) -> Mapped:
    """Map rows (String columns named as in the dialect, `__row`, `__fault`) to events.

    A row with a fault gives no event at all.
    """
    cleaned = _cleaned(rows, dialect)
    base = _base(dialect, context)
    compiled = [_event_fields(event, dialect.family, context) for event in dialect.events]
    every = [*base.values(), *(c for event in compiled for c in event.values())]
    states = state_columns(dialect, context)
    checks = [*_row_faults(dialect, base, states), *(fault for c in every for fault in c.faults)]
    judged = cleaned.with_columns(
        __why=pl.coalesce([pl.col("__fault"), *checks]), __unstated=_unstated(states)
    )
    bad = judged.filter(pl.col("__why").is_not_null())
    # A fault of one cell (`code:column`) leaves the others to be read.
    unreadable = pl.col("__fault").str.contains(":", literal=True).not_().fill_null(value=False)
    readable = bad.filter(~unreadable)

    def events_of(some: pl.DataFrame) -> pl.DataFrame:
        return pl.concat(
            _select(some, dialect, base | fields, event.facet)
            for event, fields in zip(dialect.events, compiled, strict=True)
        )

    return Mapped(
        events_of(judged.filter(pl.col("__why").is_null())),
        pl.concat(
            [faults_of(bad.filter(unreadable)), _all(readable, [pl.col("__fault"), *checks])]
        ),
        events_of(readable),
        frozenset(c for c in states if judged[c].null_count() < judged.height),
    )


def _all(bad: pl.DataFrame, checks: list[pl.Expr]) -> pl.DataFrame:
    """Return every fault of some rows, each once."""
    said = bad.select("__row", __why=pl.concat_list(checks).list.drop_nulls())
    each = said.explode("__why", empty_as_null=True).unique(maintain_order=True)
    return faults_of(each)


def state_columns(dialect: Dialect, context: Context) -> dict[str, bool]:
    """Return the columns of a standing's state that the layout cannot do without.

    And whether an empty cell has a meaning in the publisher's code list: it has where the whole
    column is empty. Where other rows of the file fill it, an empty cell says that the state was
    not told, and never that all is well.
    """
    specs = [event.content.get("state") for event in dialect.events if event.facet == "standing"]
    return {
        spec.code: "" in context.codes[spec.list]
        for spec in specs
        if isinstance(spec, Code) and spec.code in dialect.recognise
    }


def _unstated(states: dict[str, bool]) -> pl.Expr:
    empty = [pl.when(pl.col(column).is_null()).then(pl.lit(column)) for column in states]
    return pl.coalesce(*empty, pl.lit(None, pl.String))


def named_rows(rows: pl.DataFrame, dialect: Dialect, context: Context) -> pl.DataFrame:
    """Return whom rows that may have faults are about (`waiting.WAITING`); null: not known.

    A row whose own edition cannot be read is taken for the oldest, so that any mends it. A key
    whose last part, the enterprise, cannot be read ends with `/`.
    """
    base = _base(dialect, context, valid_subjects=True)
    subject, edition = base["subject"].value, base["edition"].value
    unread = [pl.when(fault.is_not_null()).then(_OLDEST) for fault in base["edition"].faults]
    return _cleaned(rows, dialect).select(
        record_key=base["record_key"].value,
        facet=pl.lit(""),
        subject=_whom(dialect, subject, context),
        edition=pl.coalesce(edition, *unread),
    )


def _whom(dialect: Dialect, subject: pl.Expr, context: Context) -> pl.Expr:
    """Return a row's unified code; else its organisation code; else what its name tells.

    That is a unified code which stands there, else the name's digest.
    """
    found: list[pl.Expr] = [pl.when(uscc.fault(subject).is_null()).then(subject)]
    if dialect.organisation_code is not None:
        code = org_code.normalise(pl.col(dialect.organisation_code))
        found.append(pl.when(org_code.valid(code)).then(code))
    for event in dialect.events:
        spec = event.content.get(NAME_FIELDS[dialect.family])
        if spec is not None:
            # A record that could not be split stands whole in its first column: that is no name.
            others = mapped_columns(dialect) - columns_of(spec)
            split = pl.any_horizontal(pl.col(column).is_not_null() for column in sorted(others))
            name = compile_field(spec, context).value
            # Columns that were swapped: the code stands where the name should.
            code = fold(name).str.extract(f"(?:^|[^0-9A-Z]){_UNIFIED}(?:$|[^0-9A-Z])")
            found.append(pl.when(split & uscc.fault(code).is_null()).then(code))
            found.append(pl.when(split).then(digest_of_name(name)))
    return pl.coalesce(found)


def faults_of(judged: pl.DataFrame) -> pl.DataFrame:
    """Return `__row`, `code`, `where` of rows whose `__why` holds `code` or `code:column`."""
    parts = pl.col("__why").str.splitn(":", 2)
    return judged.filter(pl.col("__why").is_not_null()).select(
        "__row",
        code=parts.struct.field("field_0"),
        where=parts.struct.field("field_1"),
    )


def columns_by_path(dialect: Dialect) -> dict[str, str]:
    """Return, for the path of an event field, the layout's columns it is read from."""
    paths = {"subject": dialect.subject, "record_key": "+".join(key_columns(dialect))}
    paths["issuer"] = "+".join(sorted(columns_of(dialect.issuer)))
    for event in dialect.events:
        times = {name: getattr(event, name) for name in _TIMES}
        fed = {name: spec for name, spec in times.items() if spec is not None} | event.content
        for name, spec in fed.items():
            paths[f"{event.facet}.{name}"] = "+".join(sorted(columns_of(spec)))
    return paths


def _cleaned(rows: pl.DataFrame, dialect: Dialect) -> pl.DataFrame:
    named = {*mapped_columns(dialect), *dialect.required}
    named |= {c for c in (dialect.edition, dialect.sequence, dialect.organisation_code) if c}
    missing = [pl.lit(None, pl.String).alias(c) for c in sorted(named - set(rows.columns))]
    filled = rows.with_columns(missing)
    blank = dialect.blank
    return filled.select("__row", "__fault", *(clean(c, blank) for c in sorted(named)))


def _base(
    dialect: Dialect, context: Context, *, valid_subjects: bool = False
) -> dict[str, Compiled]:
    """Return what all events of a row share; `valid_subjects`: others are none in the key."""
    issuer = compile_field(dialect.issuer, context)
    subject = uscc.normalise(pl.col(dialect.subject))
    named = pl.when(uscc.fault(subject).is_null()).then(subject).otherwise(pl.lit(""))
    parts = [_issuer_part(issuer.value)]
    for column in dialect.record_key.columns:
        if column == dialect.subject:
            parts.append(named if valid_subjects else subject)
        else:
            parts.append(escape(_key_part(column)))
    base = {
        "issuer": issuer,
        "subject": Compiled(subject),
        "record_key": Compiled(pl.concat_str(parts, separator="/")),
        "edition": Compiled(pl.lit(None, pl.Datetime("us", "UTC"))),
        "sequence": Compiled(pl.lit(None, pl.Int64)),
    }
    if dialect.issuer_name is not None:
        base["issuer_name"] = compile_field(dialect.issuer_name, context)
    if dialect.edition:
        time = moments(pl.col(dialect.edition))
        wrong = pl.col(dialect.edition).is_not_null() & time.is_null()
        fault = pl.when(wrong).then(pl.lit(f"bad_time:{dialect.edition}"))
        base["edition"] = Compiled(time, [fault])
    return base


def _issuer_part(issuer: pl.Expr) -> pl.Expr:
    return pl.when(~is_placeholder(issuer)).then(folded_issuer(issuer))


def _key_part(column: str | Const) -> pl.Expr:
    """Return a part of the key; null where the column holds nothing, or says so (无, /, NULL)."""
    if isinstance(column, Const):
        return pl.lit(fold_text(column.const))
    return pl.when(~is_placeholder(pl.col(column))).then(fold(pl.col(column)))


def number_columns(dialect: Dialect) -> set[str]:
    """Return the columns of document numbers: of the record key, of events, and as declared."""
    specs = [spec for e in dialect.events for n, spec in e.content.items() if n in NUMBERS]
    fed = set().union(*map(columns_of, specs))
    return fed | {*key_columns(dialect), *dialect.document_numbers, dialect.subject}


def _row_faults(
    dialect: Dialect, base: dict[str, Compiled], states: dict[str, bool]
) -> Iterator[pl.Expr]:
    subject = uscc.fault(base["subject"].value)
    yield pl.when(subject.is_not_null()).then(subject + pl.lit(f":{dialect.subject}"))
    for column in dialect.required:
        yield pl.when(pl.col(column).is_null()).then(pl.lit(f"missing:{column}"))
    # Not asked of the declared columns alone: only these are cleaned.
    for column in sorted(number_columns(dialect) & mapped_columns(dialect)):
        yield lost_digits(column)
    for column, has_meaning in states.items():
        if not has_meaning:
            yield pl.when(pl.col(column).is_null()).then(pl.lit(f"state_not_stated:{column}"))
    # What a missing cell entails is said once.
    told = pl.any_horizontal(pl.lit(value=False), *(pl.col(c).is_null() for c in dialect.required))
    no_issuer = _issuer_part(base["issuer"].value).is_null()
    yield pl.when(no_issuer & ~told).then(pl.lit("issuer_missing"))
    for column in key_columns(dialect):
        missing = pl.col(column).is_null()
        none = is_placeholder(pl.col(column)) | (missing & ~pl.lit(column in dialect.required))
        if column != dialect.subject:
            yield pl.when(none).then(pl.lit(f"key_incomplete:{column}"))


def _event_fields(event: EventMap, family: str, context: Context) -> dict[str, Compiled]:
    """Return the fields of one event of a row; those of its content are named `.name`."""
    columns = event_columns(family)
    types = _types(columns[event.facet])
    fields = {"event_type": compile_field(event.type, context)}
    for name in _TIMES:
        spec = getattr(event, name)
        if spec is not None:
            fields[name] = compile_field(spec, context, columns[name])
    for name, spec in event.content.items():
        compiled = compile_field(spec, context, types[name])
        if name in NUMBERS:
            kept = pl.when(~is_placeholder(compiled.value)).then(compiled.value)
            compiled = Compiled(kept, compiled.faults)
        fields[f".{name}"] = compiled
    _add_missing(event, family, fields)
    return fields


def _types(facet: pl.DataType) -> Mapping[str, pl.DataType]:
    assert isinstance(facet, pl.Struct)  # noqa: S101 - a facet is a record by the schema
    return {field.name: instance(field.dtype) for field in facet.fields}


def _add_missing(event: EventMap, family: str, fields: dict[str, Compiled]) -> None:
    """Let a row be refused whose empty cell leaves a field empty that the schema needs.

    Only a code's meaning can be so. An event whose state says nothing is none (`_select`).
    """
    known = fields_of(family)[event.facet].fields
    needed = {f".{name}": event.content.get(name) for name, takes in known.items() if takes.needed}
    state = fields.get(".state")
    for name, spec in {"event_type": event.type, **needed}.items():
        if isinstance(spec, Code) and name != ".state":
            empty = fields[name].value.is_null()
            wrong = empty & state.value.is_not_null() if state else empty
            fields[name].faults.append(pl.when(wrong).then(pl.lit(f"missing:{spec.code}")))


def _select(
    rows: pl.DataFrame, dialect: Dialect, fields: dict[str, Compiled], facet: str
) -> pl.DataFrame:
    columns = event_columns(dialect.family)
    content = _content(columns[facet], {n: c.value for n, c in fields.items() if n[0] == "."})
    known = {n: c.value for n, c in fields.items() if n[0] != "."}
    known["facet"] = pl.lit(facet)
    known[facet] = content
    known["void_ab_initio"] = _void(fields)
    selected = [
        known.get(name, pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in columns.items()
        if name not in LATER
    ]
    # An event whose state column says nothing (an empty code not in the list) is no event.
    state = fields.get(".state")
    kept = rows.filter(state.value.is_not_null()) if state else rows
    return kept.select("__row", "__unstated", *selected)


def _content(dtype: pl.DataType, values: dict[str, pl.Expr]) -> pl.Expr:
    assert isinstance(dtype, pl.Struct)  # noqa: S101 - a facet is a record by the schema
    return pl.struct(
        [
            values.get(f".{field.name}", _absent(instance(field.dtype)))
            .cast(field.dtype)
            .alias(field.name)
            for field in dtype.fields
        ]
    )


def _absent(dtype: pl.DataType) -> pl.Expr:
    return pl.lit([], dtype=dtype) if isinstance(dtype, pl.List) else pl.lit(None)


def _void(fields: dict[str, Compiled]) -> pl.Expr:
    """撤销 is from the start: a record annulled was never rightly there (行政许可法 art. 69)."""
    state = fields.get(".state")
    if state is None:
        return pl.lit("no")
    return pl.when(state.value == "annulled").then(pl.lit("yes")).otherwise(pl.lit("no"))

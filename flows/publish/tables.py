"""Which of a file's sheets are read, under which header, as which layout. Pure but for reading."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from connectors.files import Sheet, Sheets, Source
from connectors.files.sheets import Named
from flows.publish.recognise import (
    ColumnTwice,
    Match,
    NotRecognised,
    best_match,
    layouts_of,
    looks_like_data,
    none_fits,
    recognise,
)
from flows.publish.source import Rows
from schemas.dialect import Dialect, Words, fold_name
from schemas.publishers import Publisher

_SHOWN: Final = 20


@dataclass
class Choice:
    """What is read of a file: the rows, and how they fit their layout.

    `left_sheets`: visible sheets with rows that are not read; `hidden_sheets`: hidden ones.
    `not_complete`: why nothing may be stated complete from the file; `notes`: what else a person
    should know.
    """

    match: Match
    rows: Rows
    left_sheets: list[str] = field(default_factory=list)
    hidden_sheets: list[str] = field(default_factory=list)
    not_complete: list[Words] = field(default_factory=list)
    notes: list[Words] = field(default_factory=list)


@dataclass(frozen=True)
class _Fit:
    """A table that is read: under one of its readings, as a layout."""

    match: Match
    table: Source


def choose(
    rows: Rows, dialects: Mapping[str, Dialect], owner: Publisher, layout: str | None
) -> Choice:
    """Return what to read of a file.

    All visible sheets of the first layout found are read as one table. Raises NotRecognised where
    there is none, ColumnTwice.
    """
    if not isinstance(rows, Source):
        return Choice(recognise(rows.header, dialects, owner, layout), rows)
    own = layouts_of(dialects, owner, layout)
    sheets = rows.sheets()
    if not any(not sheet.hidden for sheet in sheets):
        fit = _fit(rows, own, layout)
        if fit is None:
            raise none_fits(rows.header, own, layout)
        return _told(Choice(fit.match, fit.table), rows)
    return _of_sheets(rows, sheets, own, layouts_of(dialects, owner, None), layout)


def _of_sheets(
    rows: Source,
    sheets: Sequence[Sheet],
    own: Mapping[str, Dialect],
    every: Mapping[str, Dialect],
    layout: str | None,
) -> Choice:
    read: list[tuple[Sheet, _Fit]] = []
    left: list[Sheet] = []
    for sheet in (sheet for sheet in sheets if not sheet.hidden):
        fit = _fit(sheet.table, own, layout)
        if fit is not None and (not read or fit.match.dialect.id == read[0][1].match.dialect.id):
            read.append((sheet, fit))
        else:
            left.append(sheet)
    if not read:
        raise none_fits(rows.header, own, layout)
    choice = _joined(read)
    for sheet in left:
        _leave(choice, sheet, _layout_of(sheet.table, every), asked=layout is not None)
    for sheet in (sheet for sheet in sheets if sheet.hidden):
        _pass_over(choice, sheet, _layout_of(sheet.table, every))
    return _told(choice, rows)


def _fit(table: Source, own: Mapping[str, Dialect], layout: str | None) -> _Fit | None:
    """Return how a table fits a layout under the first of its readings that does."""
    for reading in table.readings():
        found = best_match(reading.header, own)
        if found is not None:
            renamed = found.renamed
            return _Fit(found, reading if renamed is None else reading.with_header(renamed))
    if layout is None:
        return None
    dialect = own[layout]
    names = {fold_name(name) for name in table.header} & set(dialect.aliases())
    counted = len(dialect.headerless) == len(table.columns) > 0
    if not counted or names or not looks_like_data(table.header):
        return None
    named = table.with_header(dialect.headerless, skip_first=False)
    return _Fit(Match(dialect, {}, dialect.headerless), named)


def _layout_of(table: Source, every: Mapping[str, Dialect]) -> str | None:
    """Return the layout of the publisher that a sheet which is not read would have."""
    try:
        fit = _fit(table, every, None)
    except (NotRecognised, ColumnTwice):
        return ""
    return None if fit is None else fit.match.dialect.id


def _joined(read: Sequence[tuple[Sheet, _Fit]]) -> Choice:
    """Read some sheets as one file, under the column names of the first that has each."""
    first = read[0][1]
    if len(read) == 1:
        return Choice(first.match, first.table)
    names: dict[str, str] = {}
    parts = []
    for sheet, fit in read:
        common = {name: names.setdefault(own, name) for name, own in fit.match.names.items()}
        parts.append(Named(sheet.name, fit.table, common))
    match = Match(first.match.dialect, {name: own for own, name in names.items()}, None)
    choice = Choice(match, Sheets(parts))
    listed = [sheet.name for sheet, _ in read][:_SHOWN]
    choice.notes.append(
        Words(
            en=f"{len(read)} sheets of the workbook were read: {', '.join(listed)}.",
            zh=f"已读取工作簿中的 {len(read)} 个工作表：{'、'.join(listed)}。",
        )
    )
    return choice


def _leave(choice: Choice, sheet: Sheet, layout: str | None, *, asked: bool) -> None:
    choice.left_sheets.append(sheet.name)
    if layout:
        words = Words(
            en=f"The sheet “{sheet.name}” was not read; it fits the layout {layout}: publish the file "
            f"again with --layout {layout}.",
            zh=f"工作表“{sheet.name}”未读取，其版式为 {layout}：请用 --layout {layout} 再次发布该文件。",
        )
    else:
        words = Words(
            en=f"The sheet “{sheet.name}” holds rows and was not read: its header does not fit the "
            "layout. Correct the header, or remove the sheet if it holds no records.",
            zh=f"工作表“{sheet.name}”有内容但未读取：表头与版式不符。请更正表头；如无数据请删除该工作表。",
        )
    # Whoever names the layout knows of the other ones: each is complete by itself.
    harmless = (layout and asked) or sheet.instructions
    (choice.notes if harmless else choice.not_complete).append(words)


def _pass_over(choice: Choice, sheet: Sheet, layout: str | None) -> None:
    choice.hidden_sheets.append(sheet.name)
    words = Words(
        en=f"The hidden sheet “{sheet.name}” holds rows and was not read: show it if they are to be "
        "published, or remove it.",
        zh=f"隐藏的工作表“{sheet.name}”有内容但未读取：如需发布请取消隐藏，否则请删除。",
    )
    # A hidden list of what may be chosen in a cell is common, and holds no records.
    (choice.notes if layout is None else choice.not_complete).append(words)


def _told(choice: Choice, rows: Source) -> Choice:
    choice.not_complete += [Words(en=english, zh=chinese) for english, chinese in rows.left_out]
    if isinstance(choice.rows, Source) and choice.rows.titles:
        count = choice.rows.titles
        choice.notes.append(
            Words(
                en=f"{count:,} rows above the header were passed over as titles or notes.",
                zh=f"表头上方有 {count:,} 行标题或说明，已略过。",
            )
        )
    return choice

"""What every reader gives: chunks of rows as text, and the faults of single rows."""

import copy
import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

import polars as pl

from connectors.files.columns import FAULT, ROW
from connectors.files.excel_texts import unwrap

LOST = "\ufffd"  # stands where a character could not be read

FAULTS: dict[str, tuple[str, str]] = {
    "bad_character": (
        "The row holds a character that cannot be read; it stands as � here.",
        "该行含有无法识别的字符，此处以 � 标出。",
    ),
    "too_many_fields": (
        "The row has more fields than the header; it stands whole in the first column.",
        "该行字段多于表头，整行原文放在第一列。",
    ),
    "too_few_fields": (
        "The row has fewer fields than the header; it stands whole in the first column.",
        "该行字段少于表头，整行原文放在第一列。",
    ),
    "broken_quotes": (
        "A quotation mark in the row is not closed, or closes before the field ends.",
        "该行的引号没有闭合，或在字段结束之前就已闭合。",
    ),
    "row_too_long": (
        "The row is far too long; only its beginning is kept.",
        "该行过长，此处只保留开头部分。",
    ),
    "number_lost_digits": (
        "A number of more than 15 digits was stored as a number, and Excel has lost its last "
        "digits: type it again into a cell formatted as text.",
        "超过 15 位的号码被存为数字，Excel 已丢失末尾数位：请将单元格设为文本格式后重新录入。",
    ),
    "number_format": (
        "A number is shown in a format that is not understood, so what it shows is not known: type "
        "it as text.",
        "数字使用了无法识别的单元格格式，无法确定所显示的内容：请改为文本格式录入。",
    ),
    "hidden_by_merge": (
        "Merged cells hide another value in this row: undo the merge, and keep the value that is meant.",
        "合并单元格遮盖了该行中的其他内容：请取消合并，保留正确的内容。",
    ),
    "formula_without_value": (
        "A cell holds a formula, and the file does not tell its value: open the file in Excel or "
        "WPS, save it and publish it again.",
        "单元格为公式，但文件中没有保存计算结果：请用 Excel 或 WPS 打开并保存后重新发布。",
    ),
    "error_value": (
        "A cell holds an error of the spreadsheet (such as #N/A or #REF!) instead of a value: "
        "correct the formula or type the value.",
        "单元格是表格软件的错误值（如 #N/A、#REF!），没有内容：请更正公式或直接录入。",
    ),
    "cut_text": (
        "The line after this row does not split into fields: it may be the rest of this row's last "
        "text, cut at a line break. Put the text on one line or into quotation marks.",
        "下一行无法拆分为字段，可能是本行最后一个文本因换行被截断：请将文本合并为一行或用引号括起。",
    ),
    "cut_at_end": (
        "The file ends in the middle of its last line, and this row's last cell is empty, which "
        "other rows fill: export the file again, or end its last line with a line break.",
        "文件在最后一行中间结束，且本行最后一格为空（其他行有内容）：请重新导出；如确无内容，请在行末补换行。",
    ),
    "not_an_object": (
        "The record is not a JSON object.",
        "该记录不是 JSON 对象。",
    ),
    "bad_json": (
        "The record is not valid JSON, or names one key twice with different values.",
        "该记录不是有效的 JSON，或同一键出现两次且值不同。",
    ),
}

Record = tuple[int, str | None, Sequence[str | None]]
"""A record's number, its fault and its values, one a column."""


@dataclass(frozen=True)
class Chunk:
    """Some rows of a file, in its order.

    `rows`: `__row` Int64 (of a workbook the row's number as Excel shows it, of other files the
    record's, 1-based, the header not counted; blank rows of a table are passed over but counted;
    `Source.place` says it in words), `__fault` String (null, or a key
    of `FAULTS`), then the file's columns, all String; null where blank.
    A record that could not be split stands whole in the first column.
    """

    rows: pl.DataFrame


@dataclass(frozen=True)
class Sheet:
    """A sheet of a workbook, to be read by itself.

    `instructions`: a short sheet of one or two columns whose name says that it holds no records.
    """

    name: str
    hidden: bool
    table: "Source"
    instructions: bool = False


class Source(ABC):
    """A file opened for reading, any number of times, in bounded memory."""

    format: str
    encoding: str

    def __init__(self, path: Path, chunk_rows: int) -> None:
        """Remember where the file is; nothing is held open between two passes."""
        self.path = path
        self.chunk_rows = chunk_rows
        self.size = path.stat().st_size
        self._position = 0

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the file's bytes, in hex; read in a pass of its own."""
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    @property
    @abstractmethod
    def header(self) -> list[str]:
        """The names as the file has them, stripped; blank ones at the end are left out."""

    @property
    @abstractmethod
    def columns(self) -> list[str]:
        """The names the chunks use: the header's, made unique, or those of `with_header`."""

    @abstractmethod
    def chunks(self) -> Iterator[Chunk]:
        """Read the file from its start; every pass gives the same."""

    def with_header(self, names: Sequence[str], *, skip_first: bool = True) -> Self:
        """Return the same file with its columns named by position.

        A record must then have `len(names)` fields (beside the columns a refused file adds).
        `skip_first=False` is for a file without a header: its first row is data.
        Raises ValueError for JSON, whose names stand in every record.
        """
        other = copy.copy(self)
        other.take_names(list(names), skip_first)
        return other

    def take_names(self, names: list[str], skip_first: bool) -> None:
        """Do what `with_header` says, to this source itself."""
        raise ValueError(f"{self.format} names its columns in every record")

    def readings(self) -> Iterator[Self]:
        """Yield this file under each header it may have, the likeliest first."""
        yield self

    def sheets(self) -> list[Sheet]:
        """All sheets that hold anything, hidden ones too; none where a file has no sheets."""
        return []

    @property
    def titles(self) -> int:
        """How many filled rows above the header are passed over."""
        return 0

    @property
    def ends_whole(self) -> bool:
        """Whether the file ends as one that was not cut off does, as far as its form tells."""
        return True

    @property
    def left_out(self) -> list[tuple[str, str]]:
        """What the file itself says is not all in it, as sentences in English and Chinese."""
        return []

    def place(self, row: int) -> str:
        """Say where the row of a number stands, as the sender finds it."""
        return str(row)

    def position(self) -> int:
        """Bytes read so far by the present pass, about; for a progress bar against `size`."""
        return min(self._position, self.size)


def frame(names: Sequence[str], records: Iterable[Record]) -> pl.DataFrame:
    """Make a chunk's frame of `records`, not yet finished."""
    found = list(records)
    values = list(zip(*(values for _, _, values in found), strict=True)) or [()] * len(names)
    columns = dict(zip(names, values, strict=True))
    data = {ROW: [row for row, _, _ in found], FAULT: [fault for _, fault, _ in found], **columns}
    try:
        return pl.DataFrame(data, schema=schema(names))
    except UnicodeEncodeError:  # half a surrogate pair, written out as \ud83d in JSON
        mended = {name: [mend(value) for value in column] for name, column in columns.items()}
        return pl.DataFrame({**data, **mended}, schema=schema(names))


def mend(value: str | None) -> str | None:
    """Replace halves of surrogate pairs, which are no characters, by U+FFFD."""
    return value and value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def schema(names: Iterable[str]) -> dict[str, pl.DataType]:
    """Give the types of a chunk with these columns."""
    return {ROW: pl.Int64(), FAULT: pl.String(), **dict.fromkeys(names, pl.String())}


def finish(rows: pl.DataFrame) -> pl.DataFrame:
    """Take off what Excel put around texts, make blanks null, mark rows that lost a character.

    A character lost before the file was written counts too: the name is wrong all the same, and
    a refused row that comes back unmended is refused again.
    """
    rows = unwrap(rows)
    values = pl.exclude(ROW, FAULT)
    lost = pl.any_horizontal(values.str.contains(LOST, literal=True).fill_null(False))
    marked = rows.with_columns(
        pl.when(lost).then(pl.lit("bad_character")).otherwise(FAULT).alias(FAULT)
    )
    return marked.with_columns(pl.when(values.str.strip_chars().str.len_bytes() > 0).then(values))


def drop_blank(rows: pl.DataFrame) -> pl.DataFrame:
    """Pass over rows of a table with nothing in them."""
    return rows.filter(pl.any_horizontal(pl.exclude(ROW).is_not_null()))

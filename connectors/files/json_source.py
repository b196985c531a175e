"""JSON: a list of objects, an object with one such list, or one object a line."""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from connectors.files.columns import MAX_COLUMNS, REFUSED_KEYS, rows_at_once, unique_names
from connectors.files.encoding import detect_encoding, texts
from connectors.files.json_stream import JsonStream, Page
from connectors.files.json_values import MAX_VALUE, Decoder, kind_of, text_of
from connectors.files.lines import TOO_LONG, Lines
from connectors.files.source import Chunk, Record, Source, finish, frame, mend
from connectors.files.unreadable import Unreadable, unreadable

Found = tuple[int, str | None, Any]
"""A record's number, its fault, and its value (with a fault, perhaps its text)."""

_CHUNK_CHARACTERS = 32 << 20


class JsonSource(Source):
    """Records that bring their own names; a first pass finds all, in the order of sight."""

    def __init__(self, path: Path, chunk_rows: int) -> None:
        """Read the whole file once: its names, and whether it is sound to the end."""
        super().__init__(path, chunk_rows)
        self.encoding = detect_encoding(path)
        self.kinds: dict[str, set[str]] = {}
        records = 0
        for _, _, value in self._records():
            records += 1
            if isinstance(value, dict):
                self._see(value)
        for key in REFUSED_KEYS:
            self.kinds.pop(key, None)
        self._names = unique_names(self.header)
        self._places = {key: at for at, key in enumerate(self.kinds)}
        if records and not self._names:
            raise unreadable("no_records")

    def _see(self, record: dict[str, Any]) -> None:
        for key, value in record.items():
            kinds = self.kinds.get(key)
            if kinds is None:
                kinds = self.kinds[key] = set()
                if len(self.kinds) > MAX_COLUMNS:
                    raise unreadable("too_many_columns", limit=MAX_COLUMNS)
            kinds.add(kind_of(value))

    @property
    def header(self) -> list[str]:
        """All keys of the file's records, stripped."""
        return [(mend(key) or "").strip() for key in self.kinds]

    @property
    def columns(self) -> list[str]:
        """The keys, made unique."""
        return list(self._names)

    def chunks(self) -> Iterator[Chunk]:
        """Read the file from its start."""
        rows: list[Record] = []
        characters, most = 0, rows_at_once(self.chunk_rows, len(self._names))
        for found in self._records():
            rows.append(self._row(*found))
            characters += sum(map(len, filter(None, rows[-1][2])))
            if len(rows) >= most or characters > _CHUNK_CHARACTERS:
                yield Chunk(finish(frame(self._names, rows)))
                rows, characters = [], 0
        if rows:
            yield Chunk(finish(frame(self._names, rows)))

    def _row(self, row: int, fault: str | None, value: Any) -> Record:
        try:
            if isinstance(value, dict):
                values: list[str | None] = [None] * len(self._names)
                for key, given in value.items():
                    if (at := self._places.get(key)) is not None:
                        values[at] = text_of(given)
                return row, fault, values
            text = text_of(value)
        except RecursionError:  # nested hundreds of levels deep
            fault, text = "bad_json", None
        return row, fault, [text, *(None for _ in self._names[1:])]

    @abstractmethod
    def _records(self) -> Iterator[Found]:
        """Read the records from the file's start."""


class JsonArraySource(JsonSource):
    """One JSON text. A record that is no object is a faulty row; broken text is Unreadable."""

    format = "json"
    _page: Page
    _rows = 0

    def __init__(self, path: Path, chunk_rows: int, places: Sequence[str] = ()) -> None:
        """Read the whole file once; `places` are tried first (`JsonStream`), then no place."""
        for place in places:
            self._place: str | None = place
            try:
                super().__init__(path, chunk_rows)
            except Unreadable:
                continue
            if self._page.found:
                return
        self._place = None
        super().__init__(path, chunk_rows)

    def _records(self) -> Iterator[Found]:
        with self.path.open("rb") as file:
            stream = JsonStream(texts(file, self.encoding), self._place)
            self._page, row = stream.page, 0
            for row, (value, flawed) in enumerate(stream.records(), start=1):
                self._position = file.tell()
                yield row, _fault(value, flawed), value
            self._rows = row

    @property
    def left_out(self) -> list[tuple[str, str]]:
        """What the objects around the records say: of a total, of further pages, of other lists."""
        page, said = self._page, []
        if page.total is not None and page.total != self._rows:
            said.append(
                (
                    f"The file states a total of {page.total:,} records and holds {self._rows:,}.",
                    f"文件声明共 {page.total:,} 条记录，实际包含 {self._rows:,} 条。",
                )
            )
        elif page.more:
            said.append(
                ("The file says that it is one page of several.", "文件标明本页之后还有其他页。")
            )
        if page.others:
            names = ", ".join(page.others[:5])
            said.append(
                (
                    f"Other lists in the file are not read: {names}.",
                    f"文件中的其他列表未读取：{names}。",
                )
            )
        return said


class JsonLinesSource(JsonSource):
    """One JSON object a line; a broken line is a faulty row. Rows count lines, blank ones too."""

    format = "jsonl"

    def _records(self) -> Iterator[Found]:
        lines = Lines(self.path, self.encoding, MAX_VALUE)
        decoder = Decoder()
        row = 0
        while count := lines.window(self.chunk_rows):
            self._position = lines.bytes_read
            for _ in range(count):
                row += 1
                line = lines.take().strip().removeprefix("\ufeff")
                if line.startswith(TOO_LONG):
                    yield row, "row_too_long", line.removeprefix(TOO_LONG)
                elif line:
                    yield row, *_decode(decoder, line)


def _decode(decoder: Decoder, line: str) -> tuple[str | None, Any]:
    decoder.flawed = False
    try:
        value = decoder.decode(line)
    except (ValueError, RecursionError):
        return "bad_json", line
    return _fault(value, decoder.flawed), value


def _fault(value: Any, flawed: bool) -> str | None:
    if not isinstance(value, dict):
        return "not_an_object"
    return "bad_json" if flawed else None

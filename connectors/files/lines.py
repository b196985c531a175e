"""Physical lines of a text file, with a way back for a record that turned out to be none."""

from collections.abc import Iterator
from pathlib import Path

from connectors.files.encoding import BLOCK, lines_of, utf8_bytes

MAX_RECORD = 1 << 20  # characters; an unclosed quotation mark swallows no more than this
MAX_RECORD_LINES = 1000
TOO_LONG = "\0"  # begins a line that was cut; no other line holds a NUL
_KEPT = 1000  # characters of a cut line
_WINDOW = 32 << 20  # characters handed out at once


class Lines:
    """The lines of a file in order, without their ends.

    As an iterator it feeds one record to `csv.reader`: it stops where the record would grow
    beyond its bounds. `begin` starts the next record, `give_back` all but its first line.
    """

    def __init__(self, path: Path, encoding: str, limit: int = MAX_RECORD) -> None:
        """Read `path`; a line much longer than `limit` bytes is cut and marked with `TOO_LONG`."""
        self._blocks = _blocks(path, encoding, limit)
        self._lines: list[str] = []
        self._at = self._start = self._taken = 0
        self.bytes_read = 0

    def window(self, rows: int) -> int:
        """Have up to `rows` lines at hand; return how many there are, 0 at the end."""
        del self._lines[: self._at]
        self._at = self._start = 0
        characters = sum(map(len, self._lines[:rows]))
        while len(self._lines) < rows and characters < _WINDOW and (new := self._more()):
            characters += sum(map(len, new))
        return min(rows, len(self._lines))

    def ahead(self, count: int) -> list[str]:
        """Look at the next `count` of the lines at hand."""
        return self._lines[self._at : self._at + count]

    def skip(self, count: int) -> None:
        """Take `count` lines unread."""
        self._at += count

    def take(self) -> str:
        """Take the next of the lines at hand."""
        self._at += 1
        return self._lines[self._at - 1]

    def begin(self) -> None:
        """Let the record begin again with the line just taken."""
        self._at -= 1
        self._start, self._taken = self._at, 0

    def give_back(self) -> str:
        """Return the record's first line; those after it are read again."""
        self._at = self._start + 1
        return self._lines[self._start]

    def record(self) -> list[str]:
        """Return the lines of the record that was just read."""
        return self._lines[self._start : self._at]

    @property
    def at(self) -> int:
        """Lines taken since `window`."""
        return self._at

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        """Feed the record's next line; stop at a bound, a cut line or the end of the file."""
        full = self._taken > MAX_RECORD or self._at - self._start >= MAX_RECORD_LINES
        if full or (self._at >= len(self._lines) and not self._more()):
            raise StopIteration
        line = self._lines[self._at]
        if line.startswith(TOO_LONG):
            raise StopIteration
        self._at += 1
        self._taken += len(line)
        return line + "\n"

    def _more(self) -> list[str]:
        new, self.bytes_read = next(self._blocks, ([], self.bytes_read))
        self._lines += new
        return new


def _blocks(path: Path, encoding: str, limit: int) -> Iterator[tuple[list[str], int]]:
    """Give lines in blocks, each with the bytes of the file read up to there."""
    with path.open("rb") as file:
        newline = _newline(file.read(BLOCK), encoding)
        file.seek(0)
        rest, cut = b"", False  # the line begun, or that its beginning was given and will do
        for block in utf8_bytes(file, encoding):
            if cut:
                _, found, block = block.partition(newline)
                cut = not found
            whole, found, rest = (rest + block).rpartition(newline)
            if found:
                yield lines_of(whole, encoding, newline), file.tell()
            if len(rest) > limit:
                yield [TOO_LONG + lines_of(rest, encoding, newline)[0][:_KEPT]], file.tell()
                rest, cut = b"", True
        if rest:
            yield lines_of(rest, encoding, newline), file.tell()


def _newline(head: bytes, encoding: str) -> bytes:
    if encoding == "utf-16":
        head = head.replace(b"\0", b"")
    return b"\r" if b"\r" in head and b"\n" not in head else b"\n"

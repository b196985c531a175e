"""How the parts of a workbook are parsed: by events, while they stream by."""

import re
import zipfile
from collections.abc import Iterator
from xml.parsers import expat

from connectors.files.unreadable import unreadable

_BLOCK = 1 << 16
#: Bytes in which no element ends, or that are one piece of markup: Excel's cells hold 32,767
#: characters, and a few kilobytes of an archive may unpack to gigabytes.
_LONGEST = 4 << 20
_MAX_MERGES = 1 << 20  # as many as a sheet has rows
_MERGE = re.compile(b"mergeCell|" + re.escape("mergeCell".encode("utf-16-le")))
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")  # ECMA-376 part 1, 22.9.2.19


class PartParser:
    """Parses one part; a subclass says what begins and ends there.

    Names come without their prefix: some programs write `x:row` for `row`. `texts` gathers
    what stands in the elements `t` and `v`, a phonetic guide (`rPh`) left out.
    """

    def __init__(self) -> None:
        """Prepare a parser; it parses one part."""
        self.texts: list[str] = []
        self.valued = False  # whether a `v` has begun; a subclass sets it back
        self._names: dict[str, str] = {}
        self._guide = False
        self._unended = 0
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end

    def parse(self, archive: zipfile.ZipFile, path: str) -> Iterator[None]:
        """Parse `path`, pausing after each block.

        Raises Unreadable for a text that no cell holds, and what a damaged part raises.
        """
        with archive.open(path) as file:
            while block := file.read(_BLOCK):
                self._unended += len(block)
                self._parser.Parse(block)
                if self._unended > _LONGEST:
                    raise unreadable("excel_too_big")
                yield
            self._parser.Parse(b"", True)
            yield

    def begin(self, name: str, about: dict[str, str]) -> None:
        """Act on an element's beginning, but for `t`, `v` and `rPh`."""

    def finish(self, name: str) -> None:
        """Act on an element's end, but for `t`, `v` and `rPh`."""

    def _start(self, name: str, about: dict[str, str]) -> None:
        kind = self._names.get(name) or self._names.setdefault(name, name.rpartition(":")[2])
        if kind in ("t", "v"):
            self.valued = self.valued or kind == "v"
            if not self._guide:
                self._parser.CharacterDataHandler = self.texts.append
        elif kind == "rPh":
            self._guide = True
        else:
            self.begin(kind, about)

    def _end(self, name: str) -> None:
        kind = self._names[name]
        self._unended = 0
        if kind in ("t", "v"):
            self._parser.CharacterDataHandler = None
        elif kind == "rPh":
            self._guide = False
        else:
            self.finish(kind)


def check(archive: zipfile.ZipFile, path: str) -> list[str]:
    """Read a part to its end for its form; return the references of its merged ranges.

    They stand behind the rows; only from there on elements are looked at, so that this costs a
    fraction of parsing the part.
    """
    found: list[str] = []

    def begin(name: str, about: dict[str, str]) -> None:
        if name.rpartition(":")[2] == "mergeCell":
            if len(found) == _MAX_MERGES:
                raise unreadable("excel_too_big")
            found.append(about.get("ref", ""))

    parser = expat.ParserCreate()
    tail, given = b"", 0
    with archive.open(path) as file:
        while block := file.read(_BLOCK):
            if parser.StartElementHandler is None and _MERGE.search(tail + block):
                parser.StartElementHandler = begin
            parser.Parse(block)
            given += len(block)
            if given - parser.CurrentByteIndex > _LONGEST:
                raise unreadable("excel_too_big")
            tail = block[-2 * len("mergeCell") :]
        parser.Parse(b"", True)
    return found


def unescape(text: str) -> str:
    """Put characters in place of their escapes, such as `_x000D_`."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text) if "_x" in text else text

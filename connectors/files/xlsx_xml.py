"""How the parts of a workbook are parsed: by events, while they stream by."""

import re
import zipfile
from collections.abc import Iterator
from xml.parsers import expat

_BLOCK = 1 << 16
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")  # ECMA-376 part 1, 22.9.2.19


class PartParser:
    """Parses one part; a subclass says what begins and ends there.

    Names come without their prefix: some programs write `x:row` for `row`. `texts` gathers
    what stands in the elements `t` and `v`, a phonetic guide (`rPh`) left out.
    """

    def __init__(self) -> None:
        """Prepare a parser; it parses one part."""
        self.texts: list[str] = []
        self._names: dict[str, str] = {}
        self._guide = False
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end

    def parse(self, archive: zipfile.ZipFile, path: str) -> Iterator[None]:
        """Parse `path`, pausing after each block. Raises what a damaged part raises."""
        with archive.open(path) as file:
            while block := file.read(_BLOCK):
                self._parser.Parse(block)
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
            if not self._guide:
                self._parser.CharacterDataHandler = self.texts.append
        elif kind == "rPh":
            self._guide = True
        else:
            self.begin(kind, about)

    def _end(self, name: str) -> None:
        kind = self._names[name]
        if kind in ("t", "v"):
            self._parser.CharacterDataHandler = None
        elif kind == "rPh":
            self._guide = False
        else:
            self.finish(kind)


def check(archive: zipfile.ZipFile, path: str) -> None:
    """Read a part to its end for its form alone; costs a fraction of parsing it."""
    with archive.open(path) as file:
        expat.ParserCreate().ParseFile(file)


def unescape(text: str) -> str:
    """Put characters in place of their escapes, such as `_x000D_`."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text) if "_x" in text else text

"""What a workbook says of itself: its sheets, its strings, how its styles show numbers."""

import posixpath
import zipfile
from dataclasses import dataclass
from datetime import datetime

from openpyxl.utils.datetime import CALENDAR_MAC_1904, CALENDAR_WINDOWS_1900

from connectors.files.unreadable import unreadable
from connectors.files.xlsx_formats import Shape, shape_of
from connectors.files.xlsx_xml import PartParser, unescape

_MAX_PART = 1 << 29  # bytes unpacked; as strings in memory they take up to three times as much
_STYLE_GROUPS = ("cellStyleXfs", "cellXfs", "cellStyles", "dxfs")
_READ = {"workbookPr", "sheet", "Relationship", "numFmt", "xf", *_STYLE_GROUPS}
_MAX_ELEMENTS = 1 << 18  # Excel itself allows 65,490 formats of cells
_RELATION = "/worksheet"


@dataclass(frozen=True)
class Part:
    """A sheet of a workbook: the path of its part, its name, whether it is hidden."""

    path: str
    name: str
    hidden: bool


@dataclass(frozen=True)
class Book:
    """What reading a sheet needs: `shapes` are those of the cell styles that are not plain."""

    sheets: list[Part]
    strings: list[str]
    shapes: dict[int, Shape]
    epoch: datetime


def read_book(archive: zipfile.ZipFile) -> Book:
    """Read all but the sheets' rows.

    Raises Unreadable for one too big, and what a damaged archive raises.
    """
    workbook = _elements(archive, "xl/workbook.xml")
    old_calendar = any(about.get("date1904") in ("1", "true") for _, about in workbook)
    return Book(
        _sheets(workbook, _elements(archive, "xl/_rels/workbook.xml.rels")),
        _strings(archive),
        _shapes(_elements(archive, "xl/styles.xml")),
        CALENDAR_MAC_1904 if old_calendar else CALENDAR_WINDOWS_1900,
    )


Elements = list[tuple[str, dict[str, str]]]


class _Elements(PartParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: Elements = []

    def begin(self, name: str, about: dict[str, str]) -> None:
        if name not in _READ:
            return
        if len(self.found) == _MAX_ELEMENTS:
            raise unreadable("excel_too_big")
        self.found.append((name, {key.rpartition(":")[2]: text for key, text in about.items()}))


class _Strings(PartParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def finish(self, name: str) -> None:
        if name == "si":  # one text, perhaps in parts of different fonts
            self.found.append(unescape("".join(self.texts)))
            self.texts.clear()


def _elements(archive: zipfile.ZipFile, path: str) -> Elements:
    parser = _Elements()
    _parse_whole(parser, archive, path)
    return parser.found


def _strings(archive: zipfile.ZipFile) -> list[str]:
    parser = _Strings()
    _parse_whole(parser, archive, "xl/sharedStrings.xml")
    return parser.found


def _parse_whole(parser: PartParser, archive: zipfile.ZipFile, path: str) -> None:
    if path not in archive.namelist():
        return
    if archive.getinfo(path).file_size > _MAX_PART:
        raise unreadable("excel_too_big")
    for _ in parser.parse(archive, path):
        pass


def _sheets(workbook: Elements, relations: Elements) -> list[Part]:
    targets = {
        about["Id"]: posixpath.join("/xl", about["Target"])[1:]
        for name, about in relations
        if name == "Relationship" and about["Type"].endswith(_RELATION)
    }
    sheets = [about for name, about in workbook if name == "sheet" and about["id"] in targets]
    hidden = [about.get("state", "visible") != "visible" for about in sheets]
    none = all(hidden)  # a workbook that shows nothing is read all the same
    return [
        Part(targets[about["id"]], about.get("name", ""), out and not none)
        for about, out in zip(sheets, hidden, strict=True)
    ]


def _shapes(styles: Elements) -> dict[int, Shape]:
    codes: dict[int, str] = {}
    numbers: list[int] = []
    group = ""
    for name, about in styles:
        if name == "numFmt":
            codes[int(about["numFmtId"])] = about.get("formatCode", "")
        elif name in _STYLE_GROUPS:
            group = name
        elif name == "xf" and group == "cellXfs":
            numbers.append(int(about.get("numFmtId", 0)))
    shapes = {number: shape_of(number, codes) for number in set(numbers)}
    return {style: shapes[number] for style, number in enumerate(numbers) if shapes[number]}

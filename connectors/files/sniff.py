"""What kind of file this is, by its first bytes; its name decides only where they do not."""

import json
import re
import zipfile
from pathlib import Path

from connectors.files.unreadable import Unreadable, unreadable

_HEAD = 1 << 16
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_ARCHIVES = (b"\x1f\x8b", b"Rar!", b"7z\xbc\xaf\x27\x1c", b"BZh", b"\xfd7zXZ")
_BINARIES = (b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"PAR1", b"Obj\x01", b"SQLite format 3\0")
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_CONTROL = bytes(set(range(32)) - set(b"\t\n\r\f\v")) + b"\x7f"
_MARKUP = re.compile(r"<(!doctype|html|table|meta|\?xml|head|body|style)", re.IGNORECASE)
_JSON = re.compile(r"\[\s*(\{|\]|$)|\{\s*(\"|\}|$)")
_PYTHON = re.compile(r"\[?\s*\{\s*'")
#: Where interfaces put the records of an answer.
_ENVELOPES = frozenset(
    (
        "data",
        "datas",
        "result",
        "results",
        "response",
        "body",
        "content",
        "page",
        "payload",
        "obj",
        "d",
    )
)
_LINES = (".jsonl", ".ndjson")


def sniff(path: Path) -> str:
    """Return `csv`, `xlsx`, `json` or `jsonl`; raise Unreadable for any other kind of file."""
    head = _head(path)
    if head.startswith(b"PK\x03\x04"):
        return _inside(path)
    if head.startswith(_OLE):
        raise unreadable("encrypted_excel" if _contains(path, _ENCRYPTED) else "old_excel")
    if head.startswith(_ARCHIVES):
        raise unreadable("compressed_file")
    if head.startswith(_BINARIES) or _is_binary(head):
        raise unreadable("binary_file")
    return _text_kind(path, head)


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError as error:
        raise _unopened(error) from error
    if not head:
        raise unreadable("empty_file")
    return head


def _unopened(error: OSError) -> Unreadable:
    if isinstance(error, FileNotFoundError):
        return unreadable("missing_file")
    if isinstance(error, IsADirectoryError):
        return unreadable("not_a_file")
    return unreadable("no_permission")


def _inside(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise unreadable("damaged_excel") from error
    if "xl/workbook.xml" in names:
        return "xlsx"
    other_tables = names & {"xl/workbook.bin", "content.xml"}  # .xlsb and .ods
    raise unreadable("binary_file" if other_tables else "compressed_file")


def _contains(path: Path, wanted: bytes) -> bool:
    with path.open("rb") as file:
        tail = b""
        while block := file.read(1 << 20):
            if wanted in tail + block:
                return True
            tail = block[-len(wanted) :]
    return False


def _is_binary(head: bytes) -> bool:
    """Tell by control characters: random bytes hold 11 % of them; a few alone are damage."""
    if head.startswith(_UTF16):
        return False
    found = len(head) - len(head.translate(None, _CONTROL))
    return found > 8 and found * 20 > len(head)


def _text_kind(path: Path, head: bytes) -> str:
    encoding = "utf-16" if head.startswith(_UTF16) else "utf-8"
    text = head.decode(encoding, "replace").lstrip("\ufeff").lstrip()
    suffix = path.suffix.lower()
    if _MARKUP.match(text):
        raise unreadable("web_page")
    if _PYTHON.match(text):
        raise unreadable("python_text")
    if suffix in _LINES:
        return "jsonl"
    if suffix != ".json" and not _JSON.match(text):
        return "csv"
    return "jsonl" if text.startswith("{") and _line_by_line(text) else "json"


def _line_by_line(text: str) -> bool:
    """Tell one object a line from one object over many: its first line is whole by itself."""
    first, _, rest = text.partition("\n")
    try:
        record = json.loads(first)
    except (ValueError, RecursionError):
        # a record too long to be seen whole here is none of an object's own first line
        return False
    return bool(rest.strip()) or not any(_holds_list(*member) for member in record.items())


def _holds_list(key: str, value: object) -> bool:
    """Whether a member of an object is a list of records, or an envelope with one in it."""
    if isinstance(value, dict) and key.lower() in _ENVELOPES:
        return any(_is_list(v) or _holds_list(k, v) for k, v in value.items())
    return _is_list(value)


def _is_list(value: object) -> bool:
    return isinstance(value, list) and (not value or isinstance(value[0], dict))

"""Which encoding a file is in, and bytes to text without losing more than a wrong character."""

import codecs
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from connectors.files.source import LOST

BLOCK = 1 << 20
_SAMPLE = 1 << 16  # of each block that is not UTF-8: bounds the work, and spreads over the file
_NON_ASCII = re.compile(r"[^\x00-\x7f]")
_CJK = re.compile(r"[\u3000-\u9fff\uff00-\uffee]")
# Four common Chinese characters of UTF-8 in a row are not GB18030 text but for one chance in
# about 10^10: such a line was pasted in from another file.
_CLASSES = bytes(76 if 0xE4 <= b <= 0xE9 else 67 if 0x80 <= b <= 0xBF else 46 for b in range(256))
_UTF8_RUN = b"LCC" * 4  # a lead byte and two continuations, four times
# Python's codec is GB18030 of 2000, which had no code points of their own for these characters.
# Source: GB 18030-2022 and the index gb18030 of the WHATWG Encoding Standard, as browsers read it.
_SINCE_2005 = {
    "\ue78d": "\ufe10", "\ue78e": "\ufe12", "\ue78f": "\ufe11", "\ue790": "\ufe13",
    "\ue791": "\ufe14", "\ue792": "\ufe15", "\ue793": "\ufe16", "\ue794": "\ufe17",
    "\ue795": "\ufe18", "\ue796": "\ufe19", "\ue7c7": "\u1e3f", "\ue81e": "\u9fb4",
    "\ue826": "\u9fb5", "\ue82b": "\u9fb6", "\ue82c": "\u9fb7", "\ue832": "\u9fb8",
    "\ue843": "\u9fb9", "\ue854": "\u9fba", "\ue864": "\u9fbb",
}  # fmt: skip


def detect_encoding(path: Path) -> str:
    """Say what the whole file is: `utf-16` (by its BOM), `utf-8-sig`, `utf-8` or `gb18030`.

    GB18030 holds GBK and GB 2312. A few wrong bytes do not make UTF-8 into GB18030: what counts
    is how much of the text beyond ASCII reads as UTF-8.
    """
    with path.open("rb") as file:
        head = file.read(3)
        if head[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            return "utf-16"
        if head == codecs.BOM_UTF8:
            return "utf-8-sig"
        file.seek(0)
        return "utf-8" if _mostly_utf8(file) else "gb18030"


def _mostly_utf8(file: BinaryIO) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    good = chinese = bad = 0
    while block := file.read(BLOCK):
        try:
            decoder.decode(block)
        except UnicodeDecodeError as error:
            decoder.reset()
            start = max(0, error.start - _SAMPLE // 2)
            text = block[start : start + _SAMPLE].decode("utf-8", "replace")
            lost = text.count(LOST)
            bad += lost
            good += len(_NON_ASCII.findall(text)) - lost
            chinese += len(_CJK.findall(text))
    # GB18030 read as UTF-8: some of what is beyond ASCII reads as something, next to none of it
    # as Chinese. So also a file put together from both keeps its wrong half refused.
    return good >= bad * 4 or chinese * 4 >= bad


def utf8_bytes(file: BinaryIO, encoding: str) -> Iterator[bytes]:
    """Give the file in blocks, UTF-16 as UTF-8, a byte-order mark left out."""
    if encoding == "utf-16":
        yield from (text.encode() for text in texts(file, encoding))
        return
    if encoding == "utf-8-sig":
        file.seek(len(codecs.BOM_UTF8))
    while block := file.read(BLOCK):
        yield block


def texts(file: BinaryIO, encoding: str) -> Iterator[str]:
    """Give the file as text, in blocks, each wrong byte and each NUL as U+FFFD."""
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    while block := file.read(BLOCK):
        yield _assigned(decoder.decode(block), encoding).replace("\0", LOST)
    yield decoder.decode(b"", final=True)


def lines_of(block: bytes, encoding: str, newline: bytes) -> list[str]:
    """Decode whole lines, a wrong byte as U+FFFD.

    Damage stays in its line: no byte of a character is a line end in UTF-8 or GB18030, and the
    decoder passes over a wrong byte alone, never over the one behind it.
    """
    if encoding == "gb18030" and _has_utf8(block):
        return [_line(raw) for raw in block.split(newline)]
    text = block.decode("gb18030" if encoding == "gb18030" else "utf-8", "replace")
    return _assigned(text, encoding).replace("\0", LOST).split(newline.decode())


def _line(raw: bytes) -> str:
    encoding = "utf-8" if _has_utf8(raw) else "gb18030"
    return _assigned(raw.decode(encoding, "replace"), encoding).replace("\0", LOST)


def _assigned(text: str, encoding: str) -> str:
    """Put the code points that characters have since 2005 in place of their private ones."""
    if encoding == "gb18030":
        for private, assigned in _SINCE_2005.items():
            text = text.replace(private, assigned)
    return text


def _has_utf8(raw: bytes) -> bool:
    return _UTF8_RUN in raw.translate(_CLASSES)

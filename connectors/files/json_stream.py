"""The records of a JSON text, one at a time, whatever the text's size.

`json`'s own decoder is tried at each record and given more text where it stops short. A parser
of events (ijson) ends a whole file at one wrong character, and holds a string of any length.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from connectors.files.json_values import MAX_VALUE, Decoder
from connectors.files.unreadable import Unreadable, elsewhere, unreadable

_SPACE = " \t\r\n\ufeff"
_DEEPEST = 8  # objects within objects in which records are looked for
#: Names under which interfaces tell how many records there are in all, folded.
_TOTALS = frozenset(
    {"total", "totals", "count", "allcount", "sumcount", "numfound", "numrecords", "rowcount"}
    | {f"total{what}" for what in ("count", "counts", "cnt", "num", "number", "size", "hits")}
    | {f"total{what}" for what in ("elements", "records", "rows", "results", "items")}
    | {"recordcount", "recordstotal", "recordtotal", "rowtotal"}
    | {"总数", "总条数", "总记录数", "记录总数", "总行数", "总计", "数据总量"}
)
_PAGES = frozenset(
    ["pages", "totalpages", "totalpage", "pagecount", "pagetotal", "allpages", "总页数"]
)
_MORE = frozenset(["hasnext", "hasnextpage", "hasmore", "more", "nextpage", "next", "nexturl"])
_LAST = frozenset(["last", "islast", "islastpage", "lastpage"])


@dataclass
class Page:
    """What the objects around a list of records say of it.

    `total`: the greatest number of records stated; `more`: that there are further pages;
    `others`: where further lists of objects are.
    """

    total: int | None = None
    more: bool = False
    found: bool = False
    empty: bool = False
    others: list[str] = field(default_factory=list)

    def note(self, key: str, value: Any) -> None:
        """Take up one member of an object that is no record."""
        name = "".join(c for c in key if c.isalnum()).lower()
        text = str(value).strip().replace(",", "")
        if name in _TOTALS and text.isdecimal():
            self.total = max(self.total or 0, int(text))
        elif name in _PAGES and text.isdecimal():
            self.more = self.more or int(text) > 1
        elif name in _MORE:
            self.more = self.more or text.lower() not in ("", "none", "false", "0", "null", "-1")
        elif name in _LAST:
            self.more = self.more or text.lower() == "false"


class JsonStream:
    """Reads a JSON array of records, or an object with one such array, from blocks of text."""

    def __init__(self, texts: Iterator[str], at: str | None = None) -> None:
        """Begin at the text's start; nothing is read yet.

        `at`: where the list of records is, such as `data.rows`; None: in the outermost object.
        """
        self._texts = texts
        self._wanted = at
        self._lists: list[str] = []
        self.page = Page()
        self._text = ""
        self._at = 0
        self._record = 0
        self._decoder = Decoder()

    def records(self) -> Iterator[tuple[Any, bool]]:
        """Give each record decoded, and whether it is flawed (`Decoder.flawed`).

        Raises Unreadable where the text is broken, cut off, or has no list or several.
        """
        if self._peek() == "[":
            self._begin_array()
            yield from self._items()
        elif self._peek() == "{":
            yield from self._members("", 1)
            self._require_one()
        else:
            raise unreadable("no_records")
        if self._peek():
            raise self._broken()

    def _members(self, path: str, depth: int) -> Iterator[tuple[Any, bool]]:
        self._take("{")
        while self._peek() != "}":
            key = self._value()
            if not isinstance(key, str):
                raise self._broken()
            self._take(":")
            here = f"{path}.{key}" if path else key
            if self._peek() == "[":
                yield from self._list(here, depth)
            elif self._peek() == "{" and depth < _DEEPEST:
                yield from self._members(here, depth + 1)
            else:
                self.page.note(key, self._value())
            self._end_item("}")
        self._take("}")

    def _list(self, path: str, depth: int) -> Iterator[tuple[Any, bool]]:
        """Read a list that is the one wanted; pass over any other and remember it."""
        wanted = path == self._wanted or (self._wanted is None and depth == 1)
        if self._begin_array() == "{":
            self._lists.append(path)
            if not wanted:
                self.page.others.append(path)
            elif self.page.found:
                raise unreadable("several_lists")
            else:
                self.page.found = True
                yield from self._items()
                return
        elif wanted and self._peek() == "]":
            self.page.empty = True
        for _ in self._items():
            pass

    def _require_one(self) -> None:
        """Raise Unreadable where no list was read, saying where there are some."""
        if self.page.found or (self.page.empty and not self._lists):
            return
        if self._lists:
            raise elsewhere(self._lists)
        raise unreadable("no_records")

    def _begin_array(self) -> str:
        """Pass over the bracket; give what follows it."""
        self._take("[")
        self._record = 0
        return self._peek()

    def _items(self) -> Iterator[tuple[Any, bool]]:
        while self._peek() != "]":
            self._record += 1
            self._decoder.flawed = False
            yield self._value(), self._decoder.flawed
            self._end_item("]")
        self._take("]")

    def _end_item(self, closing: str) -> None:
        if self._peek() == closing:
            return
        self._take(",")
        if self._peek() == closing:
            raise self._broken()

    def _value(self) -> Any:
        self._peek()
        while True:
            try:
                value, end = self._decoder.raw_decode(self._text, self._at)
            except RecursionError:
                raise self._broken() from None
            except json.JSONDecodeError:
                end = len(self._text)
                if end - self._at > MAX_VALUE or not self._more():
                    raise self._broken() from None
                continue
            if end < len(self._text) or not self._more():  # else a number may go on
                self._at = end
                return value

    def _peek(self) -> str:
        """Pass over white space; give the next character, or nothing at the end."""
        while True:
            while self._at < len(self._text):
                if self._text[self._at] not in _SPACE:
                    return self._text[self._at]
                self._at += 1
            if not self._more():
                return ""

    def _take(self, wanted: str) -> None:
        if self._peek() != wanted:
            raise self._broken()
        self._at += 1

    def _more(self) -> bool:
        """Read about as much again as is at hand, so that retrying a long value stays cheap."""
        self._text = self._text[self._at :]
        self._at = 0
        parts, wanted = [self._text], max(1, len(self._text))
        for part in self._texts:
            parts.append(part)
            wanted -= len(part)
            if wanted <= 0:
                break
        grown = len(parts) > 1
        self._text = "".join(parts)
        return grown

    def _broken(self) -> Unreadable:
        return unreadable("broken_json", record=max(1, self._record))

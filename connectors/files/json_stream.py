"""The records of a JSON text, one at a time, whatever the text's size.

`json`'s own decoder is tried at each record and given more text where it stops short. A parser
of events (ijson) ends a whole file at one wrong character, and holds a string of any length.
"""

import json
from collections.abc import Iterator
from typing import Any

from connectors.files.json_values import MAX_VALUE, Decoder
from connectors.files.unreadable import Unreadable, unreadable

_SPACE = " \t\r\n\ufeff"


class JsonStream:
    """Reads a JSON array of records, or an object with one such array, from blocks of text."""

    def __init__(self, texts: Iterator[str]) -> None:
        """Begin at the text's start; nothing is read yet."""
        self._texts = texts
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
            yield from self._members()
        else:
            raise unreadable("no_records")
        if self._peek():
            raise self._broken()

    def _members(self) -> Iterator[tuple[Any, bool]]:
        lists = empty = 0
        self._take("{")
        while self._peek() != "}":
            if not isinstance(self._value(), str):
                raise self._broken()
            self._take(":")
            if self._peek() != "[":
                self._value()
            elif self._begin_array() == "{":
                lists += 1
                if lists > 1:
                    raise unreadable("several_lists")
                yield from self._items()
            else:
                empty += self._peek() == "]"
                for _ in self._items():
                    pass
            self._end_item("}")
        self._take("}")
        if not lists and not empty:
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

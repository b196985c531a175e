"""JSON values as text, and back: numbers keep their spelling, nested values their structure."""

import json
from typing import Any

MAX_VALUE = 16 << 20  # characters of one record; a scanned licence fits in


class Number(str):
    """A JSON number as it was spelled: no digit of an amount or a code is lost."""

    __slots__ = ()


class Decoder(json.JSONDecoder):
    """Decodes one value; `flawed` tells of NaN, infinity, or one key given twice."""

    def __init__(self) -> None:
        """Accept raw line ends and tabs in strings, as careless exports write them."""
        super().__init__(
            parse_int=Number,
            parse_float=Number,
            parse_constant=self._constant,
            object_pairs_hook=self._object,
            strict=False,
        )
        self.flawed = False

    def _constant(self, name: str) -> Number:
        self.flawed = True
        return Number(name)

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs) and any(found[key] != value for key, value in pairs):
            self.flawed = True
        return found


def compact(value: Any) -> str:
    """Spell a decoded value as compact JSON, Chinese as it is."""
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, dict):
        members = (f"{_string(key)}:{compact(item)}" for key, item in value.items())
        return "{" + ",".join(members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(compact, value)) + "]"
    return _string(value)


def _string(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def text_of(value: Any) -> str | None:
    """Give a value as a column's text: a string as itself, null as None, the rest as JSON."""
    if value is None or type(value) is str:
        return value
    return compact(value)


def kind_of(value: Any) -> str:
    """Say which kind of JSON a value is: `string`, `nested`, `raw` (a number, true or false)."""
    if value is None or value == "":
        return ""
    if type(value) is str:
        return "string"
    return "nested" if isinstance(value, list | dict) else "raw"


def value_of(text: str | None, kinds: set[str]) -> Any:
    """Turn a column's text back into the value it was, given the `kind_of` all of the column.

    Where a column holds strings and numbers, which of them a text was is not known: a string.
    """
    kinds = kinds - {""}
    nested = "nested" in kinds and text is not None and text[:1] in ("[", "{")
    if text is None or not (nested or kinds == {"raw"}):
        return text
    try:
        return json.loads(text, parse_int=Number, parse_float=Number)
    except (ValueError, RecursionError):
        return text

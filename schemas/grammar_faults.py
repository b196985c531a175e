"""What pydantic finds wrong with a file of the contract, as faults in both languages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from schemas.dialect import MAPS
from schemas.faults import Fault, Said, near

_NO_MAP: Final = ("union_tag_not_found", "union_tag_invalid")
#: Chinese for pydantic's kinds of error; the English is its own.
_CHINESE: Final[Mapping[str, str]] = {
    "string_type": "应为文本，数字、日期等请加引号",
    "list_type": "应为列表 […]",
    "dict_type": "应为名称和值 {…}",
    "model_type": "应为名称和值 {…}",
    "model_attributes_type": "应为名称和值 {…}",
    "bool_type": "应为 true 或 false",
    "bool_parsing": "应为 true 或 false",
    "literal_error": "不是可用的取值",
    "too_short": "不能为空",
    "time_delta_parsing": "应为时长，如 P7D",
    "date_type": "应为日期，如 2029-01-01",
    "date_parsing": "应为日期，如 2029-01-01",
    "date_from_datetime_parsing": "应为日期，如 2029-01-01",
    "value_error": "取值不当",
}
_DEEPEST: Final = 8


def faults_of(file: str, model: type[BaseModel], error: ValidationError) -> Iterator[Fault]:
    """Yield each fault of a file that was read as a model, its place counted from 1."""
    for one in error.errors(include_url=False):
        place = ".".join(_step(step) for step in one["loc"][:_DEEPEST])
        yield Fault(file, place, _said(one, model))


def _step(step: int | str) -> str:
    return str(step + 1) if isinstance(step, int) else step


def _said(error: ErrorDetails, model: type[BaseModel]) -> Said:
    kind, loc = error["type"], error["loc"]
    if kind == "missing":
        return Said("is needed", "必填")
    if kind == "extra_forbidden":
        return _unknown(str(loc[-1]), _vocabulary(model, loc[:-1]))
    if kind in _NO_MAP and isinstance(error["input"], dict):
        return _no_map([str(word) for word in error["input"]])
    english = error["msg"]
    if kind == "string_type":
        english = "must be a text: put numbers and the like in quotes"
    return Said(english, _chinese(error))


def _chinese(error: ErrorDetails) -> str:
    told = _CHINESE.get(error["type"], error["msg"])
    expected = error.get("ctx", {}).get("expected")
    return f"{told}：{expected}" if expected else told


def _unknown(word: str, known: set[str]) -> Said:
    meant = near(word, known)
    listed = ", ".join(sorted(known)) or "-"
    if meant is not None:
        return Said(
            f"{word!r} is no word of the grammar; did you mean {meant}?",
            f"“{word}”不是语法中的词；是否应为“{meant}”？",
        )
    return Said(
        f"{word!r} is no word of the grammar; there are: {listed}",
        f"“{word}”不是语法中的词；可用：{listed}",
    )


def _no_map(given: list[str]) -> Said:
    """Say that a field comes from nothing known: none of the maps' words is there, or several."""
    maps = ", ".join("{" + word + ": …}" for word in [*MAPS][1:])
    known = [word for word in given if word in MAPS]
    if len(known) > 1:
        several = ", ".join(known)
        return Said(f"has several maps: {several}", f"同时写了多个来源：{several}")
    meant = next((found for word in given if (found := near(word, MAPS)) is not None), None)
    english, chinese = "is no map", "不是可用的来源"
    if meant is not None:
        english, chinese = f"{english}; did you mean {meant}?", f"{chinese}；是否应为“{meant}”？"
    return Said(
        f"{english} A field takes a column's name or one of {maps}",
        f"{chinese} 可用列名，或以下之一：{maps}",
    )


def _vocabulary(model: type[BaseModel], loc: tuple[int | str, ...]) -> set[str]:
    """Return the words that may stand at a place: those of the models that it may be."""
    here: set[type[BaseModel]] = {model}
    for step in loc:
        fields = [
            field
            for one in here
            for name, field in one.model_fields.items()
            if step in (name, field.alias)
        ]
        within = {one for field in fields for one in _models(field.annotation)}
        here = within or here  # an item of a list, or the kind of a map
    return {field.alias or name for one in here for name, field in one.model_fields.items()}


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)

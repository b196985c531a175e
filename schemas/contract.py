"""Reading the declarative part of the contract: dialects, code lists, the publishers' table."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Final, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from schemas.dialect import Dialect, Words
from schemas.errors import MiantiError
from schemas.publishers import PublishersTable

_Model = TypeVar("_Model", bound=BaseModel)
_HERE: Final = resources.files("schemas")


class BadContract(MiantiError):
    """A dialect, a code list or the publishers' table breaks the grammar."""

    def __init__(self, name: str, fault: str) -> None:
        super().__init__(
            f"{name}: {fault}. docs/dialects.md has every word of the grammar.",
            f"{name} 不符合规范：{fault}。语法说明见 docs/dialects.zh-CN.md。",
        )


class CodeList(BaseModel):
    """What the codes of one source mean; `source` says where that is known from."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    id: str
    says: Words
    source: str
    values: dict[str, str]


@cache
def dialects(extra: Path | None = None) -> dict[str, Dialect]:
    """Return all dialects by id: those shipped, and those of the directory `extra`.

    Raises BadContract when a file breaks the grammar.
    """
    found = [_read(Dialect, name, text) for name, text in _yaml_files("dialects", extra)]
    return {dialect.id: dialect for dialect in found}


@cache
def code_lists(extra: Path | None = None) -> dict[str, CodeList]:
    """Return all code lists by id: those shipped, and those of `extra`/codes."""
    folder = extra / "codes" if extra else None
    found = [_read(CodeList, name, text) for name, text in _yaml_files("codes", folder)]
    return {codes.id: codes for codes in found}


@cache
def publishers(path: Path | None = None) -> PublishersTable:
    """Return the publishers' table of `path`, or the one shipped."""
    file = path or _HERE / "publishers.yaml"
    return _read(PublishersTable, file.name, file.read_text("utf-8"))


def _read(model: type[_Model], name: str, text: str) -> _Model:
    try:
        return model.model_validate(yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise BadContract(name, " ".join(str(error).split())) from None
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, e['loc'][:4]))}: {e['msg']}" for e in error.errors()[:3]]
        raise BadContract(name, "; ".join(faults)) from None


def _yaml_files(folder: str, extra: Path | None) -> Iterator[tuple[str, str]]:
    shipped = sorted((_HERE / folder).iterdir(), key=lambda entry: entry.name)
    added = sorted(extra.glob("*.yaml")) if extra else []
    for entry in [*shipped, *added]:
        if entry.name.endswith(".yaml"):
            yield entry.name, entry.read_text("utf-8")

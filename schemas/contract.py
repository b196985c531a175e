"""Reading the declarative part of the contract: dialects, code lists, the publishers' table."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import BaseModel, ConfigDict

from schemas.dialect import Dialect, Words
from schemas.publishers import PublishersTable

_HERE: Final = resources.files("schemas")


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

    Raises pydantic.ValidationError when a file breaks the grammar.
    """
    found = [Dialect.model_validate(data) for data in _yaml_files("dialects", extra)]
    return {dialect.id: dialect for dialect in found}


@cache
def code_lists(extra: Path | None = None) -> dict[str, CodeList]:
    """Return all code lists by id: those shipped, and those of `extra`/codes."""
    folder = extra / "codes" if extra else None
    found = [CodeList.model_validate(data) for data in _yaml_files("codes", folder)]
    return {codes.id: codes for codes in found}


@cache
def publishers(path: Path | None = None) -> PublishersTable:
    """Return the publishers' table of `path`, or the one shipped."""
    text = path.read_text("utf-8") if path else (_HERE / "publishers.yaml").read_text("utf-8")
    return PublishersTable.model_validate(yaml.safe_load(text))


def _yaml_files(folder: str, extra: Path | None) -> Iterator[Any]:
    shipped = sorted((_HERE / folder).iterdir(), key=lambda entry: entry.name)
    added = sorted(extra.glob("*.yaml")) if extra else []
    for entry in [*shipped, *added]:
        if entry.name.endswith(".yaml"):
            yield yaml.safe_load(entry.read_text("utf-8"))

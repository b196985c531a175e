"""Reading the declarative contract: dialects, code lists, publishers' table, catalogue."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Final, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from schemas.catalogue.grammar import Catalogue
from schemas.dialect import Dialect, Words
from schemas.errors import MiantiError
from schemas.publishers import PublishersTable

_Model = TypeVar("_Model", bound=BaseModel)
_HERE: Final = resources.files("schemas")


class BadContract(MiantiError):
    """A dialect, a code list, the publishers' table or the catalogue breaks the grammar."""

    def __init__(self, name: str, fault: str, guide: str = "dialects") -> None:
        super().__init__(
            f"{name}: {fault}. docs/{guide}.md has every word of the grammar.",
            f"{name} 不符合规范：{fault}。语法说明见 docs/{guide}.zh-CN.md。",
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
    return _read(PublishersTable, file.name, _text(file))


@cache
def catalogue(folder: Path | None = None) -> Catalogue:
    """Return the catalogue of `folder`, or the one shipped, its spreadsheets not yet read.

    Its parts may stand in any number of files. Raises BadContract.
    """
    if folder is not None and not folder.is_dir():
        raise BadContract(str(folder), "there is no such directory", "catalogue")
    parts: dict[str, dict[str, Any]] = {}
    for name, text in _yaml_in(folder or _HERE / "catalogue", "catalogue"):
        for part, entries in _parts(name, text).items():
            known = parts.setdefault(part, {})
            if twice := sorted(map(str, known.keys() & entries.keys())):
                raise BadContract(name, f"{part}: {twice[0]} is in another file, too", "catalogue")
            known |= entries
    return _validated(Catalogue, "catalogue", parts, "catalogue")


def _parts(name: str, text: str) -> dict[str, dict[str, Any]]:
    content = _loaded(name, text, "catalogue") or {}
    if not isinstance(content, dict):
        raise BadContract(name, "must hold parts by their names", "catalogue")
    for part, entries in content.items():
        if not isinstance(entries, dict):
            raise BadContract(name, f"{part}: must hold entries by their names", "catalogue")
    return content


def _read(model: type[_Model], name: str, text: str) -> _Model:
    return _validated(model, name, _loaded(name, text))


def _loaded(name: str, text: str, guide: str = "dialects") -> Any:
    try:
        return yaml.load(text, _EachOnce)  # noqa: S506 - a safe loader, and stricter
    except yaml.YAMLError as error:
        raise BadContract(name, " ".join(str(error).split()), guide) from None
    except Exception as error:
        # PyYAML raises whatever its parts do (a day that is none, an odd tag, too great a depth).
        why = f"is no YAML that can be read ({type(error).__name__})"
        raise BadContract(name, why, guide) from None


def _validated(model: type[_Model], name: str, content: Any, guide: str = "dialects") -> _Model:
    try:
        return model.model_validate(content)
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, e['loc'][:4]))}: {e['msg']}" for e in error.errors()[:3]]
        raise BadContract(name, "; ".join(faults), guide) from None


class _EachOnce(yaml.SafeLoader):
    """YAML in which a key stands once: PyYAML lets the last one win without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.MarkedYAMLError(
                    problem=f"{key} stands twice", problem_mark=node.start_mark
                )
        return super().construct_mapping(node, deep)


def _yaml_files(folder: str, extra: Path | None) -> Iterator[tuple[str, str]]:
    yield from _yaml_in(_HERE / folder)
    if extra is not None and extra.is_dir():  # own dialects need no code lists of their own
        yield from _yaml_in(extra)


def _yaml_in(folder: Traversable, guide: str = "dialects") -> Iterator[tuple[str, str]]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.name.endswith(".yaml"):
            yield entry.name, _text(entry, guide)


def _text(file: Traversable, guide: str = "dialects") -> str:
    try:
        return file.read_text("utf-8")
    except UnicodeDecodeError as error:
        why = f"is not in UTF-8 (byte {error.start + 1}): save it as UTF-8"
        raise BadContract(file.name, why, guide) from None

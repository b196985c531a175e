"""Reading the declarative contract: dialects, code lists, publishers' table, catalogue.

What cannot work does not load, and all that is wrong is told at once. Every publisher keeps its own
dialects, and the table is one for all: a line is held against its layouts where they are published.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from schemas.catalogue.grammar import Catalogue
from schemas.code_list import CodeList
from schemas.dialect import Dialect
from schemas.dialect_check import wrong_in
from schemas.faults import BadContract, Fault, Said, no_such
from schemas.grammar_faults import faults_of
from schemas.publishers import PublishersTable
from schemas.publishers_check import (
    BadWord,
    twice_one,
    without_right,
    wrong_in_line,
    wrong_in_table,
)
from schemas.yaml_once import EachOnce

__all__ = ["BadContract", "CodeList", "agreed", "catalogue", "code_lists", "dialects", "publishers"]

_Model = TypeVar("_Model", bound=BaseModel)
_Named = TypeVar("_Named", Dialect, CodeList)
_HERE: Final = resources.files("schemas")
_LAYOUT: Final = Said("layout", "版式")


@dataclass(frozen=True)
class Contract:
    """Dialects and code lists by id, and the publishers' table: what publishing goes by."""

    dialects: dict[str, Dialect]
    code_lists: dict[str, CodeList]
    table: PublishersTable


@cache
def agreed(
    folder: Path | None = None, table: Path | None = None, publisher: str | None = None
) -> Contract:
    """Return dialects, code lists and table, each held against the others.

    `folder`, `table`: as for `dialects` and `publishers`. `publisher`: whose line to hold against
    the layouts; None for every line, and then with the rights that its layouts need, and against
    each other. Raises BadContract with every fault of all files.
    """
    layouts, codes = _dialects(folder), _code_lists(folder)
    file = table or _HERE / "publishers.yaml"
    found, faults = _table(file)
    faults = [*layouts.faults, *codes.faults, *faults]
    if found is not None:
        whole = layouts.whole and codes.whole
        lines = found.publishers
        chosen = {id_: lines[id_] for id_ in lines if publisher in (None, id_)}
        for id_, line in chosen.items():
            for wrong in wrong_in_line(id_, line, layouts.by_id, codes.by_id, whole=whole):
                if isinstance(wrong, BadWord):
                    at = codes.files[wrong.list]
                    faults.append(Fault(at, f"values.{wrong.code or chr(34) * 2}", wrong.says))
                else:
                    faults.append(Fault(file.name, *wrong))
            if publisher is None:
                rights = without_right(id_, line, layouts.by_id)
                faults += [Fault(file.name, *wrong) for wrong in rights]
        if publisher is None:
            faults += [Fault(file.name, *wrong) for wrong in twice_one(found)]
    if faults or found is None:
        raise BadContract(dict.fromkeys(faults))
    return Contract(layouts.by_id, codes.by_id, found)


@cache
def dialects(extra: Path | None = None) -> dict[str, Dialect]:
    """Return all dialects by id: those shipped, and those of the directory `extra`.

    Raises BadContract where one cannot work.
    """
    return _dialects(extra).sound()


@cache
def code_lists(extra: Path | None = None) -> dict[str, CodeList]:
    """Return all code lists by id: those shipped, and those of `extra`/codes."""
    return _code_lists(extra).sound()


@cache
def publishers(path: Path | None = None) -> PublishersTable:
    """Return the publishers' table of `path`, or the one shipped. Raises BadContract.

    Whether its layouts are there is not asked: whoever only lands events needs none of them.
    """
    found, faults = _table(path or _HERE / "publishers.yaml")
    if faults or found is None:
        raise BadContract(faults)
    return found


@cache
def catalogue(folder: Path | None = None) -> Catalogue:
    """Return the catalogue of `folder`, or the one shipped, its spreadsheets not yet read.

    Its parts may stand in any number of files. Raises BadContract.
    """
    if folder is not None and not folder.is_dir():
        raise BadContract([Fault(str(folder), "", _NO_FOLDER)], "catalogue")
    parts: dict[str, dict[str, Any]] = {}
    faults: list[Fault] = []
    for name, file in _yaml_in(folder or _HERE / "catalogue"):
        for part, entries in _parts(name, file, faults).items():
            known = parts.setdefault(part, {})
            for twice in sorted(map(str, known.keys() & entries.keys())):
                faults.append(Fault(name, f"{part}.{twice}", _TWICE))
            known |= entries
    found = _validated(Catalogue, "catalogue", parts, faults)
    if faults or found is None:
        raise BadContract(faults, "catalogue")
    return found


def _parts(name: str, file: Traversable, faults: list[Fault]) -> dict[str, dict[str, Any]]:
    content = _loaded(name, file, faults) or {}
    if content is _UNREAD:
        return {}
    if not isinstance(content, dict):
        faults.append(
            Fault(name, "", Said("must hold parts by their names", "应为按名称划分的部分"))
        )
        return {}
    for part, entries in content.items():
        if not isinstance(entries, dict):
            told = Said("must hold entries by their names", "应为按名称列出的条目")
            faults.append(Fault(name, str(part), told))
    return {part: entries for part, entries in content.items() if isinstance(entries, dict)}


_NO_FOLDER: Final = Said("there is no such directory", "没有该目录")
_TWICE: Final = Said("is in another file, too", "在另一个文件中重复")
_SHIPPED: Final = Said(
    "is a line of the shipped table, which this one extends: give it another id, or leave out "
    "`extends`, so that this table stands in the place of the shipped one",
    "与自带发布部门表中的编号重复，而本表已声明扩展自带的表（extends）：请改用其他编号，或去掉 extends，"
    "以本表代替自带的表",
)
_MISNAMED: Final = Said(
    "is not read: its name must end in .yaml", "不会被读取：文件名须以 .yaml 结尾"
)
_CODE_LIST: Final = Said(
    "is no dialect: a code list belongs into codes/ of this directory",
    "不是方言文件：代码表应放在该目录的 codes/ 下",
)


@dataclass
class _Found(Generic[_Named]):
    """What one kind of file holds: by id, in which file each is, and all that is wrong.

    `whole`: every file could be read.
    """

    by_id: dict[str, _Named] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    whole: bool = True

    def sound(self) -> dict[str, _Named]:
        """Return all by id. Raises BadContract where anything is wrong."""
        if self.faults:
            raise BadContract(self.faults)
        return self.by_id


@cache
def _dialects(extra: Path | None) -> _Found[Dialect]:
    found = _read_all(Dialect, "dialects", extra, "")
    for id_, dialect in found.by_id.items():
        found.faults += [Fault(found.files[id_], *wrong) for wrong in wrong_in(dialect)]
        others = {o for o, one in found.by_id.items() if one.family == dialect.family and o != id_}
        for layout in dialect.moves.layouts:
            if layout not in others:
                told = no_such(_LAYOUT, layout, others)
                found.faults.append(Fault(found.files[id_], "moves.layouts", told))
    return found


@cache
def _code_lists(extra: Path | None) -> _Found[CodeList]:
    return _read_all(CodeList, "codes", extra / "codes" if extra else None, "codes/")


def _read_all(model: type[_Named], shipped: str, own: Path | None, named: str) -> _Found[_Named]:
    """Read the shipped files, then one's own, which stand in the place of those of their id."""
    found: _Found[_Named] = _Found()
    if own is not None and not own.is_dir():
        # Own dialects need no code lists of their own.
        if not named:
            found.faults.append(Fault(str(own), "", _NO_FOLDER))
        own = None
    for folder in (_HERE / shipped, *([own] if own is not None else [])):
        here: set[str] = set()
        odd = (one.name for one in folder.iterdir() if one.name.endswith((".yml", ".YAML", ".YML")))
        found.faults += [Fault(named + name, "", _MISNAMED) for name in sorted(odd)]
        for name, file in _yaml_in(folder):
            content = _loaded(named + name, file, found.faults)
            if model is Dialect and _is_code_list(content):
                found.faults.append(Fault(named + name, "", _CODE_LIST))
                found.whole = False
                continue
            one = _validated(model, named + name, content, found.faults)
            if one is None:
                found.whole = False
                continue
            if one.id in here:
                found.faults.append(Fault(named + name, f"id.{one.id}", _TWICE))
            here.add(one.id)
            found.by_id[one.id], found.files[one.id] = one, named + name
    return found


def _is_code_list(content: Any) -> bool:
    return isinstance(content, dict) and "values" in content and "columns" not in content


def _table(file: Traversable) -> tuple[PublishersTable | None, list[Fault]]:
    faults: list[Fault] = []
    found = _validated(PublishersTable, file.name, _loaded(file.name, file, faults), faults)
    if found is None:
        return None, faults
    faults += [Fault(file.name, *wrong) for wrong in wrong_in_table(found)]
    if found.extends is not None:
        shipped, _ = _table(_HERE / "publishers.yaml")
        assert shipped is not None  # noqa: S101 - every release ships one that loads
        for twice in sorted(shipped.publishers.keys() & found.publishers.keys()):
            faults.append(Fault(file.name, f"publishers.{twice}", _SHIPPED))
        found = PublishersTable(publishers={**shipped.publishers, **found.publishers})
    return found, faults


#: What a file that cannot be read holds; its fault is told already.
_UNREAD: Final = object()


def _loaded(name: str, file: Traversable, faults: list[Fault]) -> Any:
    try:
        return yaml.load(file.read_text("utf-8"), EachOnce)  # noqa: S506 - a safe loader, and stricter
    except UnicodeDecodeError as error:
        byte = error.start + 1
        told = Said(
            f"is not in UTF-8 (byte {byte}): save it as UTF-8",
            f"不是 UTF-8 编码（第 {byte} 字节）：请另存为 UTF-8",
        )
    except yaml.YAMLError as error:
        why = re.sub(',? in "<[a-z ]+>",', " at", " ".join(str(error).split()))
        tab = r"character '\t'" in why
        told = Said(
            why + ("; indent with spaces, not tabs" if tab else ""),
            f"不是可读的 YAML（{why}）" + ("；请用空格缩进，不要用制表符" if tab else ""),
        )
    except OSError:
        raise
    except Exception as error:
        # PyYAML raises whatever its parts do (a day that is none, an odd tag, too great a depth).
        kind = type(error).__name__
        told = Said(f"is no YAML that can be read ({kind})", f"不是可读的 YAML（{kind}）")
    faults.append(Fault(name, "", told))
    return _UNREAD


def _validated(model: type[_Model], name: str, content: Any, faults: list[Fault]) -> _Model | None:
    if content is _UNREAD:
        return None
    try:
        return model.model_validate(content)
    except ValidationError as error:
        faults += faults_of(name, model, error)
        return None


def _yaml_in(folder: Traversable) -> Iterator[tuple[str, Traversable]]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.name.endswith(".yaml"):
            yield entry.name, entry

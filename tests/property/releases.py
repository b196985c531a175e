"""Releases of the contract that are yet to come, and this process as if it were one of them."""

from __future__ import annotations

import copy
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from schemas import avro

_SCHEMAS = Path(avro.__file__).parent
_ROOMS = ("schemas", "connectors", "flows")


Fields = list[tuple[int, dict[str, Any]]]


def publish_releases(folder: Path, family: str, added: list[Fields]) -> list[Path]:
    """Write one release after the other; each adds fields (where, and which) to a family's decision.

    One that is there already is put in its own place. Return the releases' folders; the first is
    what is released now, and a later one holds all before it.
    """
    ids = yaml.safe_load((_SCHEMAS / "ids.yaml").read_text("utf-8"))
    held = {kind: _versions(kind, family) for kind in ("events", "datasets")}
    made = [_written(folder / "1", family, held, ids)]
    for number, fields in enumerate(added, start=2):
        version = len(held["events"]) + 1
        ids = [*ids, {"id": 100 + number, "family": family, "version": version}]
        for schemas in held.values():
            schemas.append(_grown(schemas[-1], fields))
        made.append(_written(folder / str(number), family, held, ids))
    return made


def _versions(kind: str, family: str) -> list[Any]:
    paths = sorted((_SCHEMAS / kind).glob(f"{family}.v*.avsc"))
    return [json.loads(path.read_text("utf-8")) for path in paths]


def _grown(schema: dict[str, Any], fields: Fields) -> dict[str, Any]:
    new = copy.deepcopy(schema)
    decision = [field for field in new["fields"] if field["name"] == "decision"]
    into = decision[0]["type"][1]["fields"] if decision else new["fields"]
    for at, field in fields:
        names = [one["name"] for one in into]
        if field["name"] in names:
            into[names.index(field["name"])] = field
        else:
            into.insert(at % (len(into) + 1), field)
    return new


def _written(folder: Path, family: str, held: dict[str, list[Any]], ids: list[Any]) -> Path:
    for kind in ("events", "datasets"):
        (folder / kind).mkdir(parents=True)
        for path in (_SCHEMAS / kind).glob("*.avsc"):
            (folder / kind / path.name).write_bytes(path.read_bytes())
        for number, schema in enumerate(held[kind], start=1):
            path = folder / kind / f"{family}.v{number}.avsc"
            path.write_text(json.dumps(schema, ensure_ascii=False), "utf-8")
    (folder / "ids.yaml").write_text(yaml.safe_dump(ids), "utf-8")
    return folder


@contextmanager
def release(folder: Path) -> Iterator[None]:
    """Have this process hold the schemas of a release, and nothing it remembers of others."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(avro, "files", lambda _: folder)
        _forget()
        yield
    _forget()


def _forget() -> None:
    for name, module in [*sys.modules.items()]:
        if name.split(".")[0] in _ROOMS and isinstance(module, ModuleType):
            for held in [*vars(module).values()]:
                if hasattr(held, "cache_clear"):
                    held.cache_clear()

"""A Delta table as a stranger reads it: the JSON of its commits, checkpoints, Parquet by DuckDB."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import duckdb

Row = dict[str, Any]


@dataclass(frozen=True)
class File:
    """One data file, and the columns that are in its name alone."""

    path: str
    parts: tuple[tuple[str, str | None], ...]


@dataclass
class State:
    """A table at one version: its files by path, its transaction ids, its own id, its types."""

    version: int
    files: dict[str, File] = field(default_factory=dict)
    ids: dict[str, int] = field(default_factory=dict)
    table: str = ""
    types: dict[str, Any] = field(default_factory=dict)


class Table:
    """One table in a directory; what it holds is read once."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self._rows: dict[str, list[Row]] = {}
        self._states: dict[int, State] = {}

    @cached_property
    def exists(self) -> bool:
        """Return whether there is a table."""
        return (self.place / "_delta_log").is_dir()

    @cached_property
    def newest(self) -> State:
        """Return the table as it is."""
        log = self.place / "_delta_log"
        names = [one.name for one in (*log.glob("*.json"), *log.glob("*.checkpoint.parquet"))]
        return self.at(max((int(name[:20]) for name in names), default=-1))

    def at(self, version: int) -> State:
        """Return the table at a version, from the newest checkpoint before it on."""
        if version not in self._states:
            self._states[version] = self._replayed(version)
        return self._states[version]

    def _replayed(self, version: int) -> State:
        log = self.place / "_delta_log"
        made = [int(one.name[:20]) for one in log.glob("*.checkpoint.parquet")]
        first = max((one for one in made if one <= version), default=-1)
        state = State(version)
        if first >= 0:
            for _, action in _read([log / f"{first:020}.checkpoint.parquet"]):
                _apply(state, action)
        for number in range(first + 1, version + 1):
            actions = self.commit(number)
            if not actions:
                raise LookupError(f"{self.place}: version {version} can no longer be told")
            for action in actions:
                _apply(state, action)
        return state

    def commit(self, version: int) -> list[Row]:
        """Return the actions of one commit; none of one that was cleared away."""
        path = self.place / "_delta_log" / f"{version:020}.json"
        lines = path.read_text("utf-8").splitlines() if path.exists() else []
        return [json.loads(line) for line in lines if line]

    def compacts(self, version: int) -> bool:
        """Return whether a commit put the same rows into other files, and did nothing else."""
        changes = [one.get("add") or one.get("remove") for one in self.commit(version)]
        files = [one for one in changes if one]
        return bool(files) and not any(one["dataChange"] for one in files)

    def rows(self, state: State | None = None) -> list[Row]:
        """Return the rows of a version, the newest unless told."""
        files = (state or self.newest).files.values()
        self._load([file for file in files if file.path not in self._rows])
        return [row for file in files for row in self._rows[file.path]]

    def of(self, file: File) -> list[Row]:
        """Return the rows of a file."""
        if file.path not in self._rows:
            self._load([file])
        return self._rows[file.path]

    def _load(self, files: list[File]) -> None:
        """Read files at once: opening each by itself takes most of the time."""
        types = self.newest.types
        parts = {}
        for file in files:
            self._rows[file.path] = []
            told = {n: int(v) if v and types[n] == "long" else v for n, v in file.parts}
            parts[str(self.place / file.path)] = (file.path, told)
        for name, row in _read(self.place / file.path for file in files):
            path, told = parts[name]
            self._rows[path].append(row | told)


def _apply(state: State, action: Row) -> None:
    if add := action.get("add"):
        if add.get("deletionVector"):
            raise NotImplementedError("deletion vectors are not read")
        path = unquote(add["path"])
        state.files[path] = File(path, tuple(dict(add["partitionValues"]).items()))
    elif remove := action.get("remove"):
        state.files.pop(unquote(remove["path"]), None)
    elif txn := action.get("txn"):
        state.ids[txn["appId"]] = txn["version"]
    elif meta := action.get("metaData"):
        state.table = meta["id"]
        state.types = {
            one["name"]: one["type"] for one in json.loads(meta["schemaString"])["fields"]
        }


def _read(paths: Iterable[Path]) -> Iterator[tuple[str, Row]]:
    """Yield each row of some Parquet files with its file's name; a column that lacks is null."""
    given = [str(path) for path in paths]
    if not given:
        return
    with duckdb.connect(config={"threads": 1}) as database:
        database.execute("SET TimeZone = 'UTC'")
        found = database.execute(
            "SELECT * FROM read_parquet(?, hive_partitioning = false, union_by_name = true, "
            "filename = '__file')",
            [given],
        )
        names = [column[0] for column in found.description]
        for values in found.fetchall():
            row = dict(zip(names, values, strict=True))
            yield row.pop("__file"), row

"""A copy of an installation to spoil in one place: plain files, Parquet and SQLite, nothing else.

Delta's log stays right about what it says of a file, so that what is wrong is the content alone.
"""

from __future__ import annotations

import copy
import hashlib
import json
import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import polars as pl
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from tests.oracle.delta import Row, Table
from tests.oracle.installation import Installation
from tests.oracle.kafka_reader import Kafka

Change = Callable[[list[Row], int], None]
WINDOW = "window-1"
SEED = 20261123
#: What rows are put in order by, so that a choice is the same whatever names departments have.
STABLE = (
    *("record_key", "subject", "facet", "sequence"),
    *("verdict", "partition", "offset", "reason"),
)


class Spoiled:
    """The copy; what is chosen at random is always the same for one name."""

    def __init__(
        self,
        there: Installation,
        kafka: Kafka,
        answers: list[Row],
        folder: Path,
        name: str,
    ) -> None:
        shutil.copytree(there.home, folder)
        lake = folder / there.lake.relative_to(there.home)
        self.there = replace(there, home=folder, lake=lake)
        self.kafka = kafka
        self.answers = copy.deepcopy(answers)
        self.chance = random.Random(f"{SEED} {name}")

    def table(self, table: str) -> Path:
        """Return a table's directory."""
        return self.there.lake / table

    def rewrite(self, table: str, wanted: Callable[[Row], bool], change: Change) -> Row:
        """Change the rows of the file that has one of those wanted; return that one as it was."""
        place = self.table(table)
        read = Table(place)
        chosen = [
            (file, number, row)
            for file in read.newest.files.values()
            for number, row in enumerate(read.of(file))
            if wanted(row)
        ]
        assert chosen, "there is no such row"
        chosen.sort(key=lambda one: str([one[2].get(name) for name in STABLE]))
        file, number, row = self.chance.choice(chosen)
        held = pl.read_parquet(place / file.path, hive_partitioning=False)
        rows = held.to_dicts()
        change(rows, number)
        pl.DataFrame(rows, schema=held.schema).write_parquet(place / file.path)
        self._retell(place, file.path, len(rows))
        return row

    def _retell(self, place: Path, path: str, rows: int) -> None:
        for commit in (place / "_delta_log").glob("*.json"):
            actions = [json.loads(line) for line in commit.read_text("utf-8").splitlines()]
            for add in (one["add"] for one in actions if "add" in one):
                if unquote(add["path"]) == path:
                    add["size"] = (place / path).stat().st_size
                    add["stats"] = json.dumps({"numRecords": rows})
            _write(commit, actions)

    def number(self, table: str, name: str, change: Callable[[int], int]) -> None:
        """Change a transaction id; one that was never given is 0 until now."""
        commits = sorted((self.table(table) / "_delta_log").glob("*.json"), reverse=True)
        for commit in commits:
            actions = [json.loads(line) for line in commit.read_text("utf-8").splitlines()]
            for txn in (one["txn"] for one in actions if "txn" in one):
                if txn["appId"] == name:
                    txn["version"] = change(txn["version"])
                    _write(commit, actions)
                    return
        actions = [json.loads(line) for line in commits[0].read_text("utf-8").splitlines()]
        _write(commits[0], [*actions, {"txn": {"appId": name, "version": change(0)}}])

    @property
    def replica(self) -> Path:
        """Return the replica in use."""
        folder = self.there.home / "window" / "replica"
        return folder / (folder / "current").read_text().strip()

    @property
    def receipts(self) -> Path:
        """Return the window's own receipts."""
        return self.there.home / "window" / "receipts.db"

    def ledger(self, family: str, name: str) -> Path:
        """Return the ledger of a department."""
        [path] = (self.there.home / "ledger").glob(f"{name}-*.{family}.sqlite")
        return path

    def pick(self, file: Path, query: str) -> tuple[Any, ...]:
        """Return one of the rows that a query gives in an order that is always the same."""
        with closing(sqlite3.connect(file)) as database:
            return self.chance.choice(database.execute(query).fetchall())

    def sql(self, file: Path, statement: str, *values: Any) -> None:
        """Change a SQLite file; something must change."""
        with closing(sqlite3.connect(file)) as database, database:
            assert database.execute(statement, values).rowcount

    def reseal(self, first: int, change: Callable[[Row], None]) -> None:
        """Change a receipt as whoever holds the window's key could, and all behind it."""
        pem = (self.there.home / "window" / "key.pem").read_bytes()
        key = load_pem_private_key(pem, None)
        assert isinstance(key, Ed25519PrivateKey)
        with closing(sqlite3.connect(self.receipts)) as database, database:
            query = "SELECT sequence, text FROM receipts WHERE sequence >= ? ORDER BY sequence"
            link = ""
            for sequence, text in database.execute(query, (first,)).fetchall():
                body = json.loads(text)
                body["previous"] = link or body["previous"]
                if sequence == first:
                    change(body)
                told = json.dumps(
                    body, sort_keys=True, ensure_ascii=False, separators=(",", ":")
                ).encode()
                link = hashlib.sha256(told).hexdigest()
                database.execute(
                    "UPDATE receipts SET text = ?, hash = ?, signature = ? WHERE sequence = ?",
                    (told.decode(), link, key.sign(told).hex(), sequence),
                )


def _write(commit: Path, actions: list[Row]) -> None:
    commit.write_text("".join(json.dumps(one) + "\n" for one in actions), "utf-8")

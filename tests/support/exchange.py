"""A small exchange of a test's own: departments, a home, a lake, topics nobody else uses."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import polars as pl
import yaml

import schemas
from connectors.settings import Settings
from flows.ingest import Ingested, ingest
from flows.publish import Outcome, Publisher
from flows.query import query
from flows.verify import Verified, verify
from tests.support import kafka as raw
from tests.support import lake
from tests.support.codes import uscc

_LAYOUTS: dict[str, Any] = {
    "cn-sgs-2018-licence": {
        "codes": {"category": "licence-category-text", "state": "demo-licence-state"}
    },
    "cn-sgs-2016-licence": {
        "codes": {
            "category": "licence-category-2016",
            "state": "sgs-2016-standing",
            "objection": "sgs-2016-objection",
        }
    },
    "cn-sgs-2018-penalty": {},
    "mianti-licence": {},
    "mianti-credit": {},
}


@dataclass
class Exchange:
    """Departments of one publishers' table, their files and the lake; topics end with it."""

    home: Path
    address: str
    lake: str
    departments: list[Department] = field(default_factory=list)
    dialects: Path | None = None
    registry: str | None = None

    def __post_init__(self) -> None:
        """Let two people be known who may give something up."""
        self.home.mkdir(parents=True, exist_ok=True)
        table = {"operators": {"li": "Li", "li-wei": "Li Wei"}}
        (self.home / "operators.yaml").write_text(yaml.safe_dump(table), "utf-8")

    @property
    def settings(self) -> Settings:
        """Return the settings; the table has a new path whenever it has changed."""
        return self.settings_with()

    def settings_with(self, **changes: Any) -> Settings:
        """Return the settings with some of them changed."""
        given: dict[str, Any] = {
            "mianti_home": self.home,
            "mianti_lake": self.lake,
            "mianti_publishers": self._table(),
            "mianti_dialects": self.dialects,
            "kafka_bootstrap_servers": self.address,
            "mianti_schema_registry": self.registry,
        }
        return Settings(**given | changes)

    @property
    def environment(self) -> dict[str, str]:
        """Return the same as environment variables, for commands."""
        fixed = {
            "MIANTI_HOME": str(self.home),
            "MIANTI_LAKE": self.lake,
            "MIANTI_PUBLISHERS": str(self._table()),
            "KAFKA_BOOTSTRAP_SERVERS": self.address,
        }
        return (
            fixed
            | ({"MIANTI_DIALECTS": str(self.dialects)} if self.dialects else {})
            | ({"MIANTI_SCHEMA_REGISTRY": self.registry} if self.registry else {})
        )

    def _table(self) -> Path:
        path = self.home / f"publishers-{len(self.departments)}.yaml"
        if not path.exists():
            lines = {one.id: one.line for one in self.departments}
            path.write_text(yaml.safe_dump({"publishers": lines}, allow_unicode=True), "utf-8")
        return path

    def department(self, name: str = "dept", /, **changes: Any) -> Department:
        """Register a department for licences and credit; `changes` replace parts of its line."""
        number = len(self.departments) + 1
        code = uscc(number, kind="11")
        rights = {"facets": ["decision", "standing", "objection"], "issuers": [code, f"*{name}局"]}
        families = {
            "licence": rights,
            "credit": rights | {"facets": [*rights["facets"], "repair"]},
        }
        line = {
            "name": {"en": name, "zh": f"{name}局"},
            "code": code,
            "cycle": "P7D",
            "families": families,
            "layouts": _LAYOUTS,
        }
        made = Department(self, f"{name}-{uuid4().hex[:10]}", code, f"{name}局", line | changes)
        self.departments.append(made)
        return made

    def like(self, layout: str, name: str, **changes: Any) -> dict[str, Any]:
        """Write a dialect as a shipped one with some of it changed; return layouts of a line."""
        shipped = Path(schemas.__file__).parent / "dialects" / f"{layout}.yaml"
        dialect = yaml.safe_load(shipped.read_text("utf-8")) | {"id": name} | changes
        self.dialects = self.dialects or self.home / "dialects"
        self.dialects.mkdir(exist_ok=True)
        text = yaml.safe_dump(dialect, allow_unicode=True)
        (self.dialects / f"{name}.yaml").write_text(text, "utf-8")
        return {name: _LAYOUTS[layout]}

    def moving(self, name: str = "moving") -> Department:
        """Register a department whose one layout moves a licence to another enterprise."""
        key = {"columns": ["XK_WSH"], "says": {"en": "The number alone.", "zh": "文书号。"}}
        moves = {"subjects": True}
        layouts = self.like("cn-sgs-2018-licence", "moving", record_key=key, moves=moves)
        return self.department(name, layouts=layouts)

    def ingest(self, family: str = "licence") -> Ingested:
        """Land and settle a family."""
        return ingest(self.settings, family)

    def query(self, family: str = "licence", **options: Any) -> pl.DataFrame:
        """Ask for the rows of a family."""
        return query(self.settings, family, **options)

    def dataset(self, family: str = "licence") -> pl.DataFrame:
        """Open a dataset as any reader would."""
        return lake.read(f"{self.lake}/datasets/{family}").sort("subject", "record_key")

    def log(self, family: str = "licence") -> pl.DataFrame:
        """Open the log."""
        return lake.read(f"{self.lake}/log/{family}").sort("topic", "partition", "offset")

    def verified(self, family: str = "licence") -> Verified:
        """Recount a family, which must be right."""
        found = verify(self.settings, family)
        assert found.differences == []
        return found

    def close(self) -> None:
        """Delete the departments' topics."""
        ids = {one.id for one in self.departments}
        raw.delete_topics(self.address, lambda topic: topic.rpartition(".")[2] in ids)


@dataclass
class Department:
    """A publisher of the table, with its files in a folder of its own."""

    exchange: Exchange
    id: str
    code: str
    name: str
    line: dict[str, Any]

    @property
    def folder(self) -> Path:
        """Return where its files are."""
        path = self.exchange.home / "files" / self.id
        path.mkdir(parents=True, exist_ok=True)
        return path

    @property
    def publisher(self) -> Publisher:
        """Return it as a program uses it."""
        return Publisher(self.id, self.exchange.settings)

    def topic(self, family: str = "licence") -> str:
        """Return its topic."""
        return f"mianti.{family}.{self.id}"

    def messages(self, family: str = "licence") -> list[Any]:
        """Return all messages of its topic."""
        return raw.messages(self.exchange.address, self.topic(family))

    def events(self, family: str = "licence") -> list[dict[str, Any]]:
        """Return all events of its topic, statements left out."""
        found = raw.events(self.exchange.address, self.topic(family))
        return [event for event in found if event["facet"] != "statement"]

    def file(self, rows: Sequence[Mapping[str, Any]], name: str = "file.csv") -> Path:
        """Write rows to a CSV file in its folder."""
        return write_csv(self.folder / name, rows)

    def publish(
        self, rows: Sequence[Mapping[str, Any]], name: str = "file.csv", **options: Any
    ) -> Outcome:
        """Publish rows as a CSV file."""
        return self.publisher.publish_file(self.file(rows, name), **options)

    def lose_ledger(self) -> None:
        """Remove its ledgers."""
        lost = list((self.exchange.home / "ledger").glob(f"{self.id}.*"))
        assert lost
        for path in lost:
            path.unlink()

    def licence(self, number: int, **changes: Any) -> dict[str, Any]:
        """Return a row of the 2018 licence layout, valid unless changed."""
        row = {
            "XK_XDR_MC": f"示范企业{number}有限公司",
            "XK_XDR_LB": "法人及非法人组织",
            "XK_XDR_SHXYM": uscc(number),
            "XK_WSH": f"示许〔2026〕{number}号",
            "XK_XKLB": "普通",
            "XK_XKZS": "食品经营许可证",
            "XK_XKBH": f"JY{number:06d}",
            "XK_NR": "预包装食品销售",
            "XK_JDRQ": "2026-01-05",
            "XK_YXQZ": "2026-01-06",
            "XK_YXQZI": "2031-01-05",
            "XK_XKJG": self.name,
            "XK_XKJGDM": self.code,
            "XK_ZT": "1",
        }
        return row | changes

    def key(self, number: int) -> str:
        """Return the record key of the licence of that number: folded, with its enterprise."""
        return f"{self.code}/示许(2026){number}号/{uscc(number)}"

    def native(self, number: int, **changes: Any) -> dict[str, Any]:
        """Return a licence as Mianti's own event, valid unless changed."""
        event = {
            "event_type": "granted",
            "issuer": self.code,
            "subject": uscc(number),
            "record_key": f"{self.code}/{number}",
            "facet": "decision",
            "decision": {"number": f"JY{number}", "name": "食品经营许可证"},
        }
        return event | changes


def write_csv(path: Path, rows: Sequence[Mapping[str, Any]], encoding: str = "utf-8") -> Path:
    """Write rows as CSV under every column any of them has."""
    columns = dict.fromkeys(name for row in rows for name in row)
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.DictWriter(file, list(columns))
        writer.writeheader()
        writer.writerows(rows)
    return path


def read_csv(path: Path, encoding: str = "utf-8-sig") -> list[dict[str, str]]:
    """Read a CSV file."""
    with path.open(encoding=encoding, newline="") as file:
        return list(csv.DictReader(file))


def texts(frames: Iterable[pl.DataFrame]) -> Iterable[str]:
    """Yield every value of some frames as text, however deep; bytes as far as they are text."""
    for frame in frames:
        for row in frame.iter_rows():
            for value in row:
                yield value.decode("utf-8", "ignore") if isinstance(value, bytes) else str(value)

"""The next release adds a field: old and new writers in one landing, old tables, and no way back."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from connectors import lake
from flows.ingest import ingest
from tests.support.codes import uscc
from tests.support.exchange import Exchange
from tests.support.lake import delta
from tests.support.window import follow

ROOT = Path(__file__).parents[2]
FAMILY = "licence"
#: No schema has it yet.
NEXT_ID = 70
NEW = {"name": "window_note", "type": ["null", "string"], "doc": "…", "default": None}
MAIN = "from deploy.cli.main import main; main()"
FOLLOW = """
from connectors.settings import read_settings
from flows.replica import place, rebuild
from tests.support.codes import uscc
from tests.support.window import follow
settings = read_settings()
def told():
    replica = place(settings).open()
    mine = [one for n in range(1, 6) for one in replica.versions(uscc(n))["licence"]]
    replica.close()
    mine.sort(key=lambda one: (one["subject"], one["sequence"]))
    return [one["decision"].get("window_note") for one in mine]
follow(settings)
followed = told()
with place(settings).alone():
    rebuild(settings)
import json
print(json.dumps([followed, told()]))
"""


def next_release(folder: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """Copy the contract and change it as a release does: new versions beside the old ones."""
    schemas = folder / "schemas"
    shutil.copytree(ROOT / "schemas", schemas, ignore=shutil.ignore_patterns("__pycache__"))
    for kind in ("events", "datasets"):
        version = newest(schemas, kind)
        schema = json.loads((schemas / kind / f"licence.v{version}.avsc").read_text("utf-8"))
        change(schema)
        (schemas / kind / f"licence.v{version + 1}.avsc").write_text(json.dumps(schema), "utf-8")
    ids = yaml.safe_load((schemas / "ids.yaml").read_text("utf-8"))
    ids.append({"id": NEXT_ID, "family": FAMILY, "version": newest(schemas, "events")})
    (schemas / "ids.yaml").write_text(yaml.safe_dump(ids), "utf-8")
    return folder


def newest(schemas: Path, kind: str) -> int:
    return max(int(path.name.split(".")[1][1:]) for path in (schemas / kind).glob("licence.v*"))


def decision_fields(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the decision's fields of an event, or the columns of a dataset."""
    for field in schema["fields"]:
        if field["name"] == "decision":
            fields: list[dict[str, Any]] = field["type"][1]["fields"]
            return fields
    columns: list[dict[str, Any]] = schema["fields"]
    return columns


def add(schema: dict[str, Any]) -> None:
    fields = decision_fields(schema)
    at = [field["name"] for field in fields].index("remarks")
    fields.insert(at + 1, NEW)


def take_away(schema: dict[str, Any]) -> None:
    fields = decision_fields(schema)
    fields[:] = [field for field in fields if field["name"] != "remarks"]


def run(
    release: Path, exchange: Exchange, *arguments: str, code: str = MAIN, ends: int = 0
) -> subprocess.CompletedProcess[str]:
    """Run a command of a release."""
    env = os.environ | exchange.environment | {"PYTHONPATH": f"{release}{os.pathsep}{ROOT}"}
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=env,
        cwd=release,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == ends, done.stderr + done.stdout
    return done


def files_of(exchange: Exchange) -> set[str]:
    return set(delta(f"{exchange.lake}/log/{FAMILY}").file_uris())


def test_a_field_that_is_added_flows_through_and_old_messages_with_it(
    exchange: Exchange, tmp_path: Path
) -> None:
    old, new = exchange.department("old"), exchange.department("new")
    ours = next_release(tmp_path / "next", add)
    old.publisher.publish_rows("mianti-licence", [old.native(1), old.native(2)])
    ingest(exchange.settings, FAMILY)
    follow(exchange.settings)
    old.publisher.publish_rows("mianti-licence", [old.native(3)])
    rows = [
        new.native(n, decision={"number": f"JY{n}", "name": "食品经营许可证", "window_note": note})
        for n, note in ((4, "see the window"), (5, None))
    ]
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows), "utf-8")
    run(ours, exchange, "publish", str(path), "--publisher", new.id, "--layout", "mianti-licence")
    before = files_of(exchange)
    told = json.loads(run(ours, exchange, "ingest", FAMILY, "--json").stdout)
    assert len(files_of(exchange) - before) == 1, told

    written = exchange.log().filter(verdict="accepted", facet="decision")
    assert sorted(written["schema_id"]) == [5, 5, 5, NEXT_ID, NEXT_ID]
    notes = {uscc(n): "see the window" if n == 4 else None for n in range(1, 6)}
    held = exchange.dataset()
    assert dict(held.select("subject", "window_note").iter_rows()) == notes
    lines = run(ours, exchange, "query", FAMILY, "--json").stdout.splitlines()
    asked = [json.loads(line) for line in lines]
    assert {row["subject"]: row.get("window_note") for row in asked} == notes
    run(ours, exchange, "verify")
    followed, rebuilt = json.loads(run(ours, exchange, code=FOLLOW).stdout)
    assert followed == rebuilt
    assert sorted(note for note in followed if note) == ["see the window"]
    assert len(followed) == 5

    version = delta(f"{exchange.lake}/log/{FAMILY}").version()
    with pytest.raises(lake.OtherShape, match="window_note"):
        ingest(exchange.settings, FAMILY)
    assert delta(f"{exchange.lake}/log/{FAMILY}").version() == version


def test_a_narrowing_stops_before_anything_is_written_and_is_said_before_release(
    exchange: Exchange, tmp_path: Path
) -> None:
    department = exchange.department()
    department.publisher.publish_rows("mianti-licence", [department.native(1)])
    ingest(exchange.settings, FAMILY)
    department.publisher.publish_rows("mianti-licence", [department.native(2)])
    narrow = next_release(tmp_path / "narrow", take_away)
    tables = [f"{exchange.lake}/{kind}/{FAMILY}" for kind in ("log", "history", "datasets")]
    versions = [delta(table).version() for table in tables]
    done = run(narrow, exchange, "ingest", FAMILY, ends=2)
    assert "remarks" in done.stderr
    assert "Traceback" not in done.stderr
    assert [delta(table).version() for table in tables] == versions
    said = run(narrow, exchange, "schema", "check", ends=1).stderr
    assert "events/licence.v3.avsc decision.remarks: was taken away" in said
    assert "datasets/licence.v2.avsc remarks: was taken away" in said
    assert department.id in said


def test_what_was_released_may_not_be_changed(exchange: Exchange, tmp_path: Path) -> None:
    ours = next_release(tmp_path / "next", add)
    assert "licence.v3.avsc is not released" in run(ours, exchange, "schema", "check").stdout
    path = ours / "schemas/events/licence.v1.avsc"
    schema = json.loads(path.read_text("utf-8"))
    add(schema)
    path.write_text(json.dumps(schema), "utf-8")
    said = run(ours, exchange, "schema", "check", ends=1).stderr
    assert "events/licence.v1.avsc: was changed after its release" in said
    path.unlink()
    assert "is gone" in run(ours, exchange, "schema", "check", ends=1).stderr

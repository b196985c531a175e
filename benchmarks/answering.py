"""Asking for many enterprises at once, and how its time divides: reading, folding, deciding.

`python -m benchmarks.answering HOME ENTERPRISES` asks alone, in a home that `grow` has made.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import wraps
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks.events import subjects
from benchmarks.record import Record
from connectors import lake
from connectors.settings import Settings
from flows.answer import batch
from flows.check import with_digest
from flows.clock import china_today
from flows.log import ACCEPTED, LANDED, log_columns
from flows.publish.events import identified
from flows.settle import settle
from schemas import contract
from schemas.avro import event_columns, instance
from schemas.bucket import bucket

TITLE = "Asking for many enterprises at once"
#: A form, the entry in the register, two licences, a credit check: every kind of evidence.
MATTER = "JS-3002"
_SOURCES = {
    "registration": ("samr-demo", "registration-list"),
    "licence": ("housing-demo", "cn-sgs-2018-licence"),
    "credit": ("credit-demo", "cn-sgs-2018-penalty"),
}
#: Enterprises made at a time.
_PIECE = 50_000
_PARTS = {
    "versions": "reading",
    "whole": "folding",
    "verdicts": "deciding",
    "decisions": "deciding",
}


def measure(record: Record, address: str, folder: Path, count: int) -> None:
    """Ask for a fifth as many enterprises as there are events elsewhere, once they are settled."""
    enterprises = count // 5
    grow(folder / "answering", enterprises)
    found = _apart(folder / "answering", enterprises)
    rate = record.note(f"ask for {enterprises:,} enterprises", found)
    for part in dict.fromkeys(_PARTS.values()):
        record.note(f"{part} for it", {**found, "seconds": found[part]})
    record.hold("asking at once, enterprises a second", rate, 20_000)
    shutil.rmtree(folder / "answering")


def grow(home: Path, enterprises: int, *, settled: bool = True) -> None:
    """Make a lake of enterprises, each in the register with two licences; one in ten penalised.

    One penalty in ten names a licence; of twenty licences one was suspended and one has run out.
    """
    settings, codes = Settings(mianti_home=home), subjects(enterprises)
    for family in _SOURCES:
        columns = log_columns(family)
        log = lake.ensure_table(settings, "log", family, columns, ["verdict"])
        for number, events in enumerate(_events(family, codes)):
            told = {
                "topic": pl.lit(f"mianti.{family}.elsewhere"),
                "partition": pl.lit(0),
                "offset": pl.int_range(pl.len()),
                "schema_id": pl.lit(1),
                "landed_at": pl.lit(dt.datetime.now(dt.UTC)),
                "bucket": bucket(pl.col("subject")),
                "verdict": pl.lit(ACCEPTED),
            }
            known = {name: pl.col(name) for name in events.columns} | told
            rows = [
                known.get(name, pl.lit(None)).cast(dtype).alias(name)
                for name, dtype in columns.items()
            ]
            landed = time.time_ns() // 1000
            lake.append(log, events.select(rows), {"elsewhere": number, LANDED: landed})
            log.update_incremental()
        if settled:
            settle(settings, family, everything=True)


def _events(family: str, codes: list[str]) -> Iterator[pl.DataFrame]:
    yield _stated(family)
    for first in range(0, len(codes), _PIECE):
        frame = pl.DataFrame({"subject": codes[first : first + _PIECE]})
        numbered = frame.with_columns(n=pl.int_range(first, first + pl.len()))
        yield from _MADE[family](numbered)


def _stated(family: str) -> pl.DataFrame:
    """Return a publisher's word that all is there."""
    publisher, _ = _SOURCES[family]
    code = contract.publishers(None).publishers[publisher].code
    now = dt.datetime.now(dt.UTC)
    said = {"complete_through": now, "partition": 0, "partitions": 1, "rows": 0}
    frame = pl.DataFrame({"subject": [code], "n": [0]})
    return _whole(
        frame, family, "statement", pl.lit(f"{code}/all"), statement=_struct(family, said)
    )


def _registrations(of: pl.DataFrame) -> Iterator[pl.DataFrame]:
    told = {
        "name": pl.format("示范企业{}有限公司", "n"),
        "entity_type": pl.lit("有限责任公司"),
        "address": pl.format("示范市建设路{}号", "n"),
        "registrar": pl.lit("示范市市场监督管理局"),
    }
    yield _decided(of, "registration", pl.col("subject"), told)


def _licences(of: pl.DataFrame) -> Iterator[pl.DataFrame]:
    today = china_today()
    for letter, name in (("A", "安全生产许可证"), ("B", "建筑业企业资质证书")):
        number = pl.format(f"{letter}-{{}}", "n")
        ends = pl.when(pl.col("n") % 20 == 1).then(today - dt.timedelta(days=9))
        told = {
            "number": number,
            "name": pl.lit(name),
            "subject_name": pl.format("示范企业{}有限公司", "n"),
            "scope": pl.lit("建筑工程施工总承包二级"),
            "valid_to": ends.otherwise(pl.lit(today + dt.timedelta(days=900))),
            "term": pl.lit("fixed"),
            "identifier_check": pl.lit("none"),
        }
        yield _decided(of, "licence", number, told)
        few = of.filter(pl.col("n") % 20 == 2)
        suspended = _struct("licence", {"state": "suspended"}, "standing")
        yield _whole(few, "licence", "standing", number, standing=suspended)


def _penalties(of: pl.DataFrame) -> Iterator[pl.DataFrame]:
    stops = pl.col("n") % 100 == 3
    told = {
        "kind": pl.lit("penalty"),
        "categories": pl.when(stops).then(pl.lit(["暂扣许可证件"])).otherwise(pl.lit(["罚款"])),
        "penalty_content": pl.when(stops).then(pl.lit("暂扣")).otherwise(pl.lit("罚款")),
        "licences_affected": pl.when(stops).then(pl.format("安全生产许可证（A-{}）", "n")),
    }
    few = of.filter(pl.col("n") % 10 == 3)
    yield _decided(few, "credit", pl.format("罚-{}", "n"), told)


_MADE: dict[str, Callable[[pl.DataFrame], Iterator[pl.DataFrame]]] = {
    "registration": _registrations,
    "licence": _licences,
    "credit": _penalties,
}


def _decided(of: pl.DataFrame, family: str, key: pl.Expr, told: dict[str, pl.Expr]) -> pl.DataFrame:
    dtype = event_columns(family)["decision"]
    assert isinstance(dtype, pl.Struct)
    parts = []
    for field in dtype.fields:
        empty = pl.lit([], field.dtype) if isinstance(field.dtype, pl.List) else pl.lit(None)
        value = told.get(field.name, empty)
        parts.append(value.cast(instance(field.dtype)).alias(field.name))
    return _whole(of, family, "decision", key, decision=pl.struct(parts))


def _struct(family: str, told: dict[str, Any], facet: str = "statement") -> pl.Expr:
    dtype = event_columns(family)[facet]
    assert isinstance(dtype, pl.Struct)
    return pl.struct(
        pl.lit(told.get(f.name)).cast(instance(f.dtype)).alias(f.name) for f in dtype.fields
    )


def _whole(
    of: pl.DataFrame, family: str, facet: str, key: pl.Expr, **content: pl.Expr
) -> pl.DataFrame:
    """Return whole events with one facet's content."""
    publisher, layout = _SOURCES[family]
    line = contract.publishers(None).publishers[publisher]
    told: dict[str, pl.Expr] = {
        "event_type": pl.lit(facet),
        "publisher": pl.lit(publisher),
        "issuer": pl.lit(line.code),
        "issuer_name": pl.lit(line.name.zh),
        "subject": pl.col("subject"),
        "record_key": pl.format(f"{line.code}/{{}}", key),
        "facet": pl.lit(facet),
        "sequence": pl.lit(1),
        "effective_from": pl.lit(dt.date(2026, 1, 1)),
        "void_ab_initio": pl.lit("no"),
        "occurred_at": pl.lit(dt.datetime(2026, 1, 1, tzinfo=dt.UTC)),
        "edition": pl.lit(dt.datetime(2026, 5, 1, tzinfo=dt.UTC)),
        "layout": pl.lit(layout),
        "layout_version": pl.lit("1"),
        **content,
    }
    columns = event_columns(family)
    row = [told.get(name, pl.lit(None)).cast(dtype).alias(name) for name, dtype in columns.items()]
    return identified(with_digest(of.select(row), family), family)


def _apart(home: Path, enterprises: int) -> dict[str, float]:
    """Ask in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.answering", str(home), str(enterprises)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def ask(home: Path, enterprises: int) -> dict[str, float]:
    """Ask for all enterprises; return the figures, with the seconds of each part."""
    seconds = dict.fromkeys(_PARTS.values(), 0.0)
    for name, part in _PARTS.items():
        setattr(batch, name, _timed(getattr(batch, name), part, seconds))
    rows = pl.int_range(1, enterprises + 1, eager=True)
    asked = pl.DataFrame({"row": rows, "subject": subjects(enterprises)}).with_columns(
        matter=pl.lit(MATTER), fault=pl.lit(None, pl.String)
    )
    settings = Settings(mianti_home=home)
    before, started = os.times(), time.monotonic()
    papers = sum(frame.height for frame in batch.ask_all(settings, asked))
    whole, after = time.monotonic() - started, os.times()
    assert papers == 5 * enterprises, papers
    cpu = after.user + after.system - before.user - before.system
    status = Path("/proc/self/status").read_text("ascii")
    peak = int(status.partition("VmHWM:")[2].split()[0]) / 1024
    counts = {"events": enterprises, "seconds": whole, "peak_mb": peak, "cpu_seconds": cpu}
    return counts | seconds


def _timed(work: Callable[..., Any], part: str, seconds: dict[str, float]) -> Callable[..., Any]:
    @wraps(work)
    def timed(*given: Any) -> Any:
        started = time.monotonic()
        try:
            return work(*given)
        finally:
            seconds[part] += time.monotonic() - started

    return timed


if __name__ == "__main__":
    print(json.dumps(ask(Path(sys.argv[1]), int(sys.argv[2]))))

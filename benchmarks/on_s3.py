"""Landing and settling with the lake on an S3 server, its requests counted."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import boto3

from benchmarks.record import Record
from benchmarks.server import topic
from tests.support import lake

TITLE = "On S3 (VersityGW)"
_LINE = re.compile(r"\| (GET|PUT|HEAD|DELETE|POST) +\|")
_TOOLS = Path(__file__).parents[1] / ".mianti" / "tools"


def measure(record: Record, address: str, folder: Path, count: int) -> None:
    """Land a topic, settle it, and do nothing once."""
    with _server(folder) as log, topic(address, folder, count, **{"compression.type": "lz4"}):
        for key, name in (
            ("land (S3)", "land_whole"),
            ("settle into nothing (S3)", "settle_all"),
            ("nothing to do (S3)", "nothing"),
        ):
            before = _requests(log)
            record.measure(key, name, address, folder / "s3-home", count)
            made = _requests(log) - before
            record.figures[key] |= {f"requests_{method}": n for method, n in made.items()}
            print(f"    requests: {dict(made)}", flush=True)


@contextmanager
def _server(folder: Path) -> Iterator[Path]:
    """Run a server; the lake of what is measured now lies there. Gives the server's log."""
    data = folder / "s3"
    data.mkdir()
    before = dict(os.environ)
    lake.fetch(_TOOLS)
    with lake.server(_TOOLS, data) as told:
        os.environ.update(told, MIANTI_LAKE=f"s3://{lake.BUCKET}/bench")
        try:
            boto3.client("s3").create_bucket(Bucket=lake.BUCKET)
            yield data / "s3.log"
        finally:
            os.environ.clear()
            os.environ.update(before)


def _requests(log: Path) -> Counter[str]:
    return Counter(_LINE.findall(log.read_text("utf-8", "replace")))

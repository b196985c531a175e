"""A topic loaded into Delta by dlt, as Arrow tables: ADDRESS TOPIC COUNT SCHEMA FOLDER."""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import dlt
import pyarrow as pa
from confluent_kafka import Consumer, TopicPartition
from fastavro import parse_schema, schemaless_reader

PARTITIONS, FRAME = range(4), 5


def tables(address: str, topic: str, count: int, schema: Any) -> Iterator[pa.Table]:
    """Yield what is read, ten thousand messages at a time."""
    client = Consumer(
        {"bootstrap.servers": address, "group.id": "dlt", "auto.offset.reset": "earliest"}
    )
    client.assign([TopicPartition(topic, number, 0) for number in PARTITIONS])
    seen = 0
    while seen < count:
        found = client.consume(10_000, timeout=1)
        if found:
            seen += len(found)
            bodies = (BytesIO((message.value() or b"")[FRAME:]) for message in found)
            yield pa.Table.from_pylist([schemaless_reader(b, schema, None) for b in bodies])


def main(address: str, topic: str, count: str, schema: str, folder: str) -> None:
    """Load the topic once and print what it took."""
    parsed = parse_schema(json.loads(Path(schema).read_text("utf-8")))
    pipeline = dlt.pipeline(
        "bench",
        pipelines_dir=f"{folder}/state",
        destination=dlt.destinations.filesystem(f"{folder}/lake"),
        dataset_name="log",
    )
    resource_ = dlt.resource(
        tables(address, topic, int(count), parsed), name="licence", table_format="delta"
    )
    started = time.monotonic()
    pipeline.run(resource_).raise_on_failed_jobs()
    seconds = time.monotonic() - started
    used = resource.getrusage(resource.RUSAGE_SELF)
    status = Path("/proc/self/status").read_text("ascii")
    found = {
        "events": int(count),
        "seconds": seconds,
        "peak_mb": int(status.partition("VmHWM:")[2].split()[0]) / 1024,
        "cpu_seconds": used.ru_utime + used.ru_stime,
    }
    print(json.dumps({"dlt (Arrow)": found}))


main(*sys.argv[1:])

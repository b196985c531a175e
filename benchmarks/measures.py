"""One measure in a process of its own: `python -m benchmarks.measures NAME ADDRESS HOME COUNT`.

Prints one JSON object: events, seconds, peak resident memory in MB, and CPU seconds of the process.
"""

from __future__ import annotations

import csv
import json
import os
import sys
import time
from collections.abc import Callable
from io import BytesIO
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import polars as pl
from confluent_kafka import Consumer
from confluent_kafka import TopicPartition as Place
from deltalake import write_deltalake
from fastavro import schemaless_reader
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from benchmarks.events import FAMILY, TOPIC, events, subjects
from connectors.framing import FRAME, headers, values
from connectors.settings import Settings
from flows.ingest import ingest
from flows.land import land
from flows.publish import Publisher
from flows.settle import settle
from schemas.avro import event_columns, parsed_event_schema

PARTITIONS = range(4)


def poll(settings: Settings, address: str, count: int) -> None:
    """Read the topic by a bare kafka-python loop."""
    client = KafkaConsumer(
        bootstrap_servers=address,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        max_partition_fetch_bytes=8 << 20,
    )
    client.assign([TopicPartition(TOPIC, number) for number in PARTITIONS])
    seen = 0
    while seen < count:
        seen += sum(len(found) for found in client.poll(timeout_ms=500).values())


def consume(settings: Settings, address: str, count: int) -> None:
    """Read the topic by a bare confluent-kafka loop."""
    client = Consumer(
        {"bootstrap.servers": address, "group.id": "bench", "auto.offset.reset": "earliest"}
    )
    client.assign([Place(TOPIC, number, 0) for number in PARTITIONS])
    seen = 0
    while seen < count:
        seen += len(client.consume(10_000, timeout=1))


def one_by_one(settings: Settings, address: str, count: int) -> None:
    """Do what most programs do: poll, fastavro for each message, a table in Delta; no check."""
    client = KafkaConsumer(
        bootstrap_servers=address, auto_offset_reset="earliest", enable_auto_commit=False
    )
    client.assign([TopicPartition(TOPIC, number) for number in PARTITIONS])
    schema, rows, seen = parsed_event_schema(FAMILY), list[Any](), 0
    while seen < count:
        for found in client.poll(timeout_ms=500, max_records=10_000).values():
            bodies = (BytesIO(message.value[FRAME.size :]) for message in found)
            rows += [schemaless_reader(body, schema, None) for body in bodies]
        if len(rows) >= 100_000 or seen + len(rows) == count:
            seen += len(rows)
            frame = pl.DataFrame(rows, schema=event_columns(FAMILY))
            write_deltalake(settings.mianti_home / "one-by-one", frame, mode="append")
            rows.clear()


def land_whole(settings: Settings, address: str, count: int) -> None:
    """Land the topic, whole batches in columns."""
    assert land(settings, FAMILY).accepted == count


def land_plain(settings: Settings, address: str, count: int) -> None:
    """Land the topic record by record."""
    assert land(settings, FAMILY, plain=True).accepted == count


def settle_all(settings: Settings, address: str, count: int) -> None:
    """Settle what was landed into an empty dataset."""
    assert settle(settings, FAMILY).versions == count


def nothing(settings: Settings, address: str, count: int) -> None:
    """Ingest once more, with nothing to do."""
    done = ingest(settings, FAMILY)
    assert (done.landed.commits, done.settled.buckets) == (0, 0)


def send(settings: Settings, address: str, count: int) -> float:
    """Send the same bodies by a bare kafka-python loop, as the product's producer is set.

    They are made beforehand, and the same 100,000 go again and again.
    """
    client = KafkaProducer(
        bootstrap_servers=address,
        acks="all",
        enable_idempotence=True,
        linger_ms=20,
        batch_size=256 << 10,
        compression_type="lz4",
    )
    some = events(0, min(100_000, count))
    keys = some["subject"].cast(pl.Binary)
    made = [*zip(keys, values(some, FAMILY), headers(some, FAMILY), strict=True)]
    started = time.monotonic()
    for key, value, said in islice(cycle(made), count):
        client.send(TOPIC, key=key, value=value, headers=said)
    client.flush()
    return time.monotonic() - started


def publish(settings: Settings, address: str, count: int) -> None:
    """Publish a file of the tax-A list: read, map, check, plan, write down, send, confirm."""
    path = settings.mianti_home / "list.csv"
    done = Publisher("heilongjiang-tax", settings).publish_file(path)
    assert done.published == count, done


def write_list(path: Path, count: int) -> None:
    """Write the file that `publish` publishes: 1,000 enterprises, many offices."""
    codes = subjects(1000)
    with path.open("w", encoding="gb18030", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["序号", "纳税人识别号", "纳税人名称", "评价年度", "税务机关"])
        for number in range(count):
            which = number % 1000
            office = f"示范第{number // 1000}税务局"
            writer.writerow([number, codes[which], f"示范企业{which}有限公司", 2025, office])


#: One that prepares something returns the seconds that count.
MEASURES: dict[str, Callable[[Settings, str, int], float | None]] = {
    one.__name__: one
    for one in (
        poll,
        consume,
        one_by_one,
        land_whole,
        land_plain,
        settle_all,
        nothing,
        send,
        publish,
    )
}


def _peak_mb() -> float:
    """Return the most memory this process has held; what getrusage says is its parent's, too."""
    status = Path("/proc/self/status").read_text("ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def main(name: str, address: str, home: str, count: str) -> None:
    """Run one measure and print what it took."""
    settings = Settings(mianti_home=Path(home), kafka_bootstrap_servers=address)
    before, started = os.times(), time.monotonic()
    told = MEASURES[name](settings, address, int(count))
    seconds, after = told or time.monotonic() - started, os.times()
    peak = _peak_mb()
    cpu = after.user + after.system - before.user - before.system
    figures = {"events": int(count), "seconds": seconds, "peak_mb": peak, "cpu_seconds": cpu}
    print(json.dumps(figures))


if __name__ == "__main__":
    main(*sys.argv[1:])

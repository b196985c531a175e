"""A topic appended to Delta by Spark in two threads: ADDRESS TOPIC COUNT SCHEMA FOLDER.

Twice in one session: the first time the JVM is cold, the second time warm.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import psutil
from pyspark.sql import SparkSession
from pyspark.sql.avro.functions import from_avro
from pyspark.sql.functions import expr

#: What `spark_local.xml` names; PySpark brings the rest.
JARS = Path(sys.prefix) / "jars"


def session() -> SparkSession:
    """Start Spark."""
    made = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
    made = made.config("spark.jars", ",".join(str(jar) for jar in JARS.glob("*.jar")))
    made = made.config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
    catalog = "org.apache.spark.sql.delta.catalog.DeltaCatalog"
    made = made.config("spark.sql.catalog.spark_catalog", catalog)
    return made.config("spark.driver.memory", "3g").getOrCreate()


def load(spark: SparkSession, address: str, topic: str, schema: str, folder: str) -> None:
    """Append everything the topic holds, in one micro-batch."""
    read = spark.readStream.format("kafka").option("kafka.bootstrap.servers", address)
    messages = read.option("subscribe", topic).option("startingOffsets", "earliest").load()
    body = messages.select(expr("substring(value, 6, length(value) - 5)").alias("body"))
    events = body.select(from_avro("body", schema).alias("event")).select("event.*")
    writer = events.writeStream.format("delta").option("checkpointLocation", f"{folder}/state")
    writer.trigger(availableNow=True).start(f"{folder}/log").awaitTermination()


def main(address: str, topic: str, count: str, schema: str, folder: str) -> None:
    """Load the topic twice and print what each took; the JVM's start counts as cold."""
    written = Path(schema).read_text("utf-8")
    started = time.monotonic()
    spark = session()
    jvm = next(p for p in psutil.Process().children(recursive=True) if "java" in p.name())
    told, used = {}, 0.0
    for name in ("cold", "warm"):
        place = f"{folder}/{name}"
        load(spark, address, topic, written, place)
        seconds = time.monotonic() - started
        rows = spark.read.format("delta").load(f"{place}/log").count()
        assert rows == int(count), rows
        cpu = sum(jvm.cpu_times()[:2])
        status = Path(f"/proc/{jvm.pid}/status").read_text("ascii")
        told[f"Spark local[2], {name}"] = {
            "events": rows,
            "seconds": seconds,
            "peak_mb": int(status.partition("VmHWM:")[2].split()[0]) / 1024,
            "cpu_seconds": cpu - used,
        }
        started, used = time.monotonic(), cpu
    print(json.dumps(told))


main(*sys.argv[1:])

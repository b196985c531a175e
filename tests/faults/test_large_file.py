"""A publisher killed at any row of a large file; recounted in columns, so that it may be very large.

`MIANTI_FAULT_ROWS=10000000 pytest tests/faults/test_large_file.py` for one of ten million rows.
"""

from __future__ import annotations

import csv
import os
import random
from pathlib import Path
from typing import Final

import pytest

from tests.faults.processes import again, killed
from tests.faults.reliability import Fault
from tests.soak.count import count, read, said
from tests.support import kafka as raw
from tests.support.exchange import Department, Exchange

ROWS: Final = int(os.environ.get("MIANTI_FAULT_ROWS", "20000"))
CUTS: Final = 3
#: One row in so many is of a licence that was suspended: an event more.
_SUSPENDED: Final = 10
#: Seconds that a publication may take: a hundredth of the usual speed.
_PATIENCE: Final = 200 + ROWS / 80
_SEND: Final = "kafka:KafkaProducer.send:after"


@pytest.mark.fault(
    f"publish killed at {CUTS} rows of a file of {ROWS:,}", how=f"SIGKILL, `{_SEND}:N`, N by chance"
)
@pytest.mark.timeout(300 + ROWS / 20)
def test_a_large_file_killed_at_any_row(exchange: Exchange, fault: Fault) -> None:
    department, chance = exchange.department(), random.Random(6)
    path, topic = large(department), department.topic()
    command = ("tests.faults.entries:publish", str(path), department.id)
    there = 0
    for _ in range(CUTS):
        row = chance.randrange(1, (ROWS - there) // 2)
        killed(exchange.environment, f"{_SEND}:{row}", *command, patience=_PATIENCE)
        now = sum(raw.ends(exchange.address, topic).values())
        assert there <= now <= there + row, "what was sent, and nothing behind it"
        there = now
    again(exchange.environment, "publish", str(path), "--publisher", department.id)
    again(exchange.environment, "ingest", "licence")

    sent = said(path, "food", department.code)
    found = count(read(exchange.address, exchange.lake, "licence", [topic], sent))
    assert found.faults == []
    assert found.records == ROWS
    assert found.repeated == 0, "no event is twice in Kafka"
    fault.flowed = found.messages
    assert fault.flowed == found.accepted == ROWS + ROWS // _SUSPENDED


def large(department: Department) -> Path:
    """Write the file, row by row."""
    path = department.folder / "large.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(department.licence(0)))
        writer.writeheader()
        for number in range(ROWS):
            state = "1" if number % _SUSPENDED else "2"
            writer.writerow(department.licence(number, XK_ZT=state))
    return path

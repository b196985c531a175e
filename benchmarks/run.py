"""Measure everything in turn, print each figure beside its limit, and keep them.

`python -m benchmarks.run [EVENTS]`; 1,000,000 unless told otherwise.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from benchmarks import answering, idle, landing, on_s3, peers, publishing, settling, window
from benchmarks.plot import plot
from benchmarks.record import Record
from benchmarks.server import kafka

PARTS = (landing, peers, settling, publishing, answering, window, on_s3, idle)


def main(count: int) -> None:
    """Run every part on one Kafka; each leaves nothing behind."""
    record = Record()
    try:
        with (
            tempfile.TemporaryDirectory(prefix="mianti-bench-") as name,
            kafka(Path(name) / "kafka") as address,
        ):
            for part in PARTS:
                print(f"{part.TITLE}:", flush=True)
                part.measure(record, address, Path(name), count)
    finally:  # what was measured before something broke is not lost
        kept = record.keep(count)
        print(f"Kept in {kept} and {plot(kept)}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)

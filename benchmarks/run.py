"""Measure everything in turn, print each figure beside its limit, and keep them.

`python -m benchmarks.run [EVENTS] [PART…]`; 1,000,000 and all parts unless told otherwise, such as
`python -m benchmarks.run 1000000 window`.
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


def main(count: int, *names: str) -> None:
    """Run every part, or those named, on one Kafka; each leaves nothing behind."""
    by_name = {part.__name__.rpartition(".")[2]: part for part in PARTS}
    record, parts = Record(), [by_name[name] for name in names] or [*PARTS]
    try:
        with (
            tempfile.TemporaryDirectory(prefix="mianti-bench-") as name,
            kafka(Path(name) / "kafka") as address,
        ):
            for part in parts:
                print(f"{part.TITLE}:", flush=True)
                part.measure(record, address, Path(name), count)
    finally:  # what was measured before something broke is not lost
        kept = record.keep(count)
        print(f"Kept in {kept} and {plot(kept)}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000, *sys.argv[2:])

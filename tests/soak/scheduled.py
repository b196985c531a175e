"""What the deployments `ingest` and `maintain` do, once: `python -m tests.soak.scheduled WHAT MARK`.

As their flows do it, family by family, without a Prefect to show it in.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from connectors.settings import Settings, read_settings
from flows.ingest import ingest
from flows.maintain import maintain, maintain_receipts
from flows.operator.families import EVERY, each


def main(what: str, mark: str) -> int:
    """Do it; say first that the work begins. Return 1 where a family failed."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    logging.getLogger("kafka").setLevel(logging.WARNING)
    settings = read_settings()
    Path(mark).write_text(str(os.getpid()))
    failed = _ingest(settings) if what == "ingest" else _maintain(settings)
    return 1 if failed else 0


def _ingest(settings: Settings) -> bool:
    outcome = each(EVERY, lambda family: ingest(settings, family))
    return _tell(outcome.done, outcome.failed)


def _maintain(settings: Settings) -> bool:
    tables = each(EVERY, lambda family: maintain(settings, family))
    receipts = each(["receipts"], lambda _: maintain_receipts(settings))
    return _tell(tables.done | receipts.done, tables.failed | receipts.failed)


def _tell(done: Mapping[str, Any], failed: Mapping[str, str]) -> bool:
    """Print what was done and, last, what failed and why; return whether anything did."""
    why = [f"{family}: {words.splitlines()[0]}" for family, words in failed.items()]
    print(*done.values(), *why, sep="\n", flush=True)
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

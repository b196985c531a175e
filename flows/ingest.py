"""One ingest of a family: land what Kafka has now, then settle what is due."""

from __future__ import annotations

import time
from dataclasses import dataclass

from connectors.damage import require_whole
from connectors.settings import Settings
from flows.land import Landed, land
from flows.settle import Settled, settle


@dataclass(frozen=True)
class Ingested:
    """What one ingest of one family did; `seconds` is wall clock."""

    landed: Landed
    settled: Settled
    seconds: float

    @property
    def family(self) -> str:
        """Return the family's name."""
        return self.landed.family


def ingest(settings: Settings, family: str, *, accept_gap: bool = False) -> Ingested:
    """Land one family up to the end offsets seen now and settle what is due.

    Raises what `land` and `settle` raise, and connectors.damage.Damaged in the end where a file of
    the tables is gone; what was landed by then stays landed.
    """
    started = time.monotonic()
    landed = land(settings, family, accept_gap=accept_gap)
    settled = settle(settings, family)
    require_whole(settings, family)
    return Ingested(landed, settled, round(time.monotonic() - started, 3))

"""Making a dataset again from its log, as if nothing had been settled before."""

from __future__ import annotations

from connectors import lake
from connectors.settings import Settings
from flows.settle import Settled, forget, settle


def rebuild(settings: Settings, family: str) -> Settled:
    """Fold a family's whole log again into history and dataset; return what was done.

    Readers see the old dataset until a bucket's new rows replace it, bucket by bucket.
    """
    for kind in ("history", "datasets"):
        table = lake.open_table(settings, kind, family)
        if table is not None:
            forget(table)
    return settle(settings, family, everything=True)

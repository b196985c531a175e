"""What has no command of its own, as functions of texts that a child process can be told to call."""

from __future__ import annotations

import datetime as dt

from connectors.settings import read_settings
from flows import maintain as maintaining


def maintain(family: str) -> None:
    """Compact and vacuum a family's tables, as the nightly deployment does, keeping nothing old."""
    maintaining.maintain(read_settings(), family, retain=dt.timedelta(0))

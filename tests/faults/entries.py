"""What has no command of its own, as functions of texts that a child process can be told to call."""

from __future__ import annotations

import datetime as dt
import signal

from connectors.settings import read_settings
from deploy.window.app import serve
from flows import maintain as maintaining


def maintain(family: str) -> None:
    """Compact and vacuum a family's tables, as the nightly deployment does, keeping nothing old."""
    maintaining.maintain(read_settings(), family, retain=dt.timedelta(0))


def serve_until_the_disk_is_full(port: str) -> None:
    """Serve a window that dies where a write goes beyond the size its files may have.

    Python lets the write fail instead, and the window answers on (`RLIMIT_FSIZE`).
    """
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    serve(read_settings(), int(port))

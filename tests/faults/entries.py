"""What has no command of its own, as functions of texts that a child process can be told to call."""

from __future__ import annotations

import datetime as dt
import resource
import signal
from pathlib import Path

from connectors.settings import read_settings
from deploy.window.app import serve
from flows import maintain as maintaining
from flows.land import land as landing
from flows.publish import Publisher


def maintain(family: str) -> None:
    """Compact and vacuum a family's tables, as the nightly deployment does, keeping nothing old."""
    maintaining.maintain(read_settings(), family, retain=dt.timedelta(0))


def publish(path: str, publisher: str) -> None:
    """Publish a file in this very process, which the command leaves to one beside it."""
    Publisher(publisher).publish_file(Path(path))


def serve_until_the_disk_is_full(port: str) -> None:
    """Serve a window that dies where a write goes beyond the size its files may have.

    Python lets the write fail instead, and the window answers on (`RLIMIT_FSIZE`).
    """
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    serve(read_settings(), int(port))


def land(family: str, cap: str) -> None:
    """Land a family under a cap of so many bytes of address space (0: none); print the most it took."""
    limit = int(cap) or resource.RLIM_INFINITY
    resource.setrlimit(resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))
    landed = landing(read_settings(), family)
    told = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    print(landed.commits, told["VmPeak"].split()[0], told["VmHWM"].split()[0])

"""What runs beside a window: its replica kept up to the logs, its receipts shipped."""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable
from contextlib import closing
from typing import Final

from connectors import lake
from connectors.errors import MiantiError
from connectors.receipts import Receipts
from connectors.settings import Settings, read_settings
from flows.receipt.ship import ship
from flows.replica import Follower, place

_log = logging.getLogger(__name__)
#: Between two looks at the logs: each costs a request or two a family.
LOOK_SECONDS: Final = 0.5
#: Between two shipments: each is a commit, some files and an anchor.
SHIP_SECONDS: Final = 10.0
_PAUSE_LONGEST: Final = 30.0


def follow(settings: Settings, stop: threading.Event) -> None:
    """Follow until told to stop. Raises connectors.replica.ReplicaBusy.

    What fails is told and done again, with growing pauses: the window refuses to answer when its
    data are too old, so nothing else needs to end.
    """
    with (
        place(settings).alone(),
        closing(Follower(settings)) as follower,
        closing(Receipts(settings.mianti_window)) as receipts,
    ):
        due, look, send = 0.0, _Patient("replica"), _Patient("receipts")
        while not stop.wait(look.pause):
            look.do(lambda: _step(follower))
            if time.monotonic() >= due:
                send.do(lambda: _ship(settings, receipts))
                due = time.monotonic() + max(SHIP_SECONDS, send.pause)
        _ship(settings, receipts)


def main() -> None:
    """Follow until the process is told to end."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    follow(read_settings(), stop)


class _Patient:
    """Does a thing again and again; after a failure it waits, longer each time."""

    def __init__(self, what: str) -> None:
        self.pause = LOOK_SECONDS
        self._what = what

    def do(self, work: Callable[[], None]) -> None:
        try:
            work()
        except lake.Lost:
            _log.warning("%s: another process was first; once more", self._what)
        except (MiantiError, OSError) as error:
            self.pause = min(self.pause * 2, _PAUSE_LONGEST)
            _log.error("%s: %s", self._what, error)
        except Exception as error:
            # The text of an error not foreseen may repeat a value of a row: only its kind is told.
            self.pause = min(self.pause * 2, _PAUSE_LONGEST)
            _log.error("%s: something unexpected (%s)", self._what, type(error).__name__)
        else:
            self.pause = LOOK_SECONDS


def _step(follower: Follower) -> None:
    done = follower.step()
    if done.rebuilt or done.versions:
        _log.info("replica: %s versions%s", done.versions, ", built anew" if done.rebuilt else "")


def _ship(settings: Settings, receipts: Receipts) -> None:
    count = ship(settings, receipts)
    if count:
        _log.info("receipts: %s shipped", count)


if __name__ == "__main__":
    main()

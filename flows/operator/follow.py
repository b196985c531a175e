"""The flow that follows: one run, Running for as long as the landing runs on.

`python -m flows.operator.follow` follows until it is stopped. Prefect only shows it: without a
Prefect it follows as well, and one that dies in between stops nothing.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as Late
from contextlib import suppress
from contextvars import copy_context
from typing import Any, Final
from uuid import UUID

from prefect import flow, tags
from prefect.artifacts import create_table_artifact
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import ArtifactUpdate
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from prefect.states import Failed

from connectors.errors import MiantiError
from connectors.following import Following, alone
from connectors.settings import Settings, read_settings
from flows.follow import Ending, Standing, end_on_signals, follow, joined
from flows.land import Landed
from flows.operator import telling, watch
from flows.operator.families import words
from flows.operator.orphans import crash_tagged
from flows.operator.quarantined import tell_quarantined
from flows.operator.words import Row, follow_rows, follow_summary, run_name

_log = logging.getLogger(__name__)
_TOLD: Final = (
    "What has been landed since this run began; renewed each 30 s. *landed through*: everything "
    "published before this time is in the log; when it stands still, landing is stopped or Kafka is "
    "away. Settling stays with the deployment `ingest`.\n\n"
    "本次运行以来的入库情况，每 30 秒更新一次。landed through 为入库截至时间：此前发布的数据均已入库；"
    "若该时间不再前进，说明入库已停止或 Kafka 不可用。数据集的更新仍由部署 `ingest` 完成。"
)
_LAST_WORDS_SECONDS: Final = 5.0


def main() -> int:
    """Follow until the process is told to end; return its exit code."""
    try:
        settings = read_settings()
        with alone(settings.mianti_home) as mark:
            return _follow(settings, mark)
    except MiantiError as error:
        print(error, file=sys.stderr)
        return 2


def _follow(settings: Settings, mark: Following) -> int:
    ending = Ending()
    begun = False

    @flow(name="follow", flow_run_name="follow")
    def following() -> State[Any]:
        """Land what comes within a second, until told to end · 持续入库，直至停止"""
        nonlocal begun
        begun = True
        telling.show_logs()
        end_on_signals(ending)
        teller = _Teller(settings)
        try:
            standings = follow(settings, ending, tell=teller.tell, ready=mark.ready)
        except MiantiError as error:
            _log.error("%s", error)
            return Failed(message=words(error))
        finally:
            teller.close()
        return telling.end("follow", follow_summary(standings), {})

    watch.start()
    tag = f"follows-{mark.name}"
    try:
        crash_tagged(tag)
        with tags("mianti", tag):
            ended = following(return_state=True)
    except Exception as error:
        if begun:
            _log.warning("Prefect did not take how this run ended: %s", words(error))
            return 0
        _log.warning("Prefect does not answer, following without it: %s", words(error))
        end_on_signals(ending)
        follow(settings, ending, ready=mark.ready)
        return 0
    return 2 if ended.is_failed() and not ending.asked else 0


class _Teller:
    """Tells Prefect in a thread of its own: a Prefect that is slow or away holds nothing up."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._run = copy_context().run  # the thread tells of this very run
        self._thread = ThreadPoolExecutor(1)
        self._last: Future[None] | None = None
        self._now: tuple[str, list[Row]] | None = None
        self._table: UUID | None = None
        self._name = ""
        self._refused: dict[str, Landed] = {}

    def tell(self, standings: list[Standing], landed: list[Landed]) -> None:
        """Have it told; what could not be told before is told with it."""
        self._now = run_name("follow", follow_summary(standings), ()), follow_rows(standings)
        refused = [one for one in landed if one.quarantined]
        self._last = self._thread.submit(self._run, self._tell, refused)

    def close(self) -> None:
        """Wait a little for the last words."""
        if self._last is not None:
            with suppress(Late):
                self._last.result(timeout=_LAST_WORDS_SECONDS)
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _tell(self, refused: Iterable[Landed]) -> None:
        for one in refused:
            self._refused[one.family] = joined(self._refused.get(one.family), one)
        try:
            if self._now is not None:
                (name, rows), self._now = self._now, None  # a later telling has a newer one
                self._renew(name, rows)
            for family in [*self._refused]:
                tell_quarantined(self._settings, self._refused[family])
                del self._refused[family]
        except Exception as error:
            _log.warning("Prefect could not be told: %s", words(error))

    def _renew(self, name: str, rows: list[Row]) -> None:
        """Name the run for what it has done by now, and put the table in the former one's place.

        A run of months leaves one table, not 10⁵.
        """
        with get_client(sync_client=True) as client:
            if name != self._name:
                client.set_flow_run_name(flow_run.id, name)
                self._name = name
            if self._table is not None:
                client.update_artifact(self._table, ArtifactUpdate(data=json.dumps(rows)))
                return
        made = create_table_artifact(key="follow", table=rows, description=_TOLD)
        self._table = made if isinstance(made, UUID) else None


if __name__ == "__main__":
    sys.exit(main())

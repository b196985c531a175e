"""The deployments: what Prefect runs, when, and with what.

`python -m flows.deployments` serves them until it is stopped; schedules stay on while it is down.
"""

from __future__ import annotations

import datetime as dt
import logging
import signal
import time
from dataclasses import dataclass, field
from threading import Thread
from typing import Any, Final

from httpx import HTTPStatusError, TransportError, codes
from prefect import Flow, serve
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
from prefect.deployments.runner import RunnerDeployment
from prefect.schedules import Cron, Interval, Schedule
from prefect.types.entrypoint import EntrypointType

from connectors.settings import read_settings
from flows.operator import watch
from flows.operator.collect import collect_flow
from flows.operator.ingest import ingest_flow
from flows.operator.maintain import maintain_flow
from flows.operator.orphans import cancel_stopped, crash_orphans
from flows.operator.papers import papers_flow
from flows.operator.planned import keep_planned
from flows.operator.redrive import discard_flow, redrive_flow
from flows.operator.settle_by_date import settle_by_date_flow
from flows.operator.webhook import keep_webhook

_log = logging.getLogger(__name__)
_PAUSE_SECONDS: Final = 5.0
#: A law's day ends at midnight in China.
_CHINA: Final = "Asia/Shanghai"
#: A run that finds nothing costs some seconds of CPU to start (`docs/operator.md`, measured).
INGEST_EACH: Final = dt.timedelta(seconds=60)
COLLECT_EACH: Final = dt.timedelta(minutes=10)
_ANCHOR: Final = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True)
class Deployment:
    """One line of the table: a flow, when it runs by itself (None: by hand), with which parameters."""

    flow: Flow[..., Any]
    name: str
    schedule: Schedule | None
    description: str
    tags: tuple[str, ...] = ("mianti",)
    parameters: dict[str, Any] = field(default_factory=dict)

    def as_prefect(self) -> RunnerDeployment:
        """Return it as Prefect serves it: one run at a time, a second one is cancelled.

        That only spares useless runs: the tables' own transaction ids keep two from doubling rows.
        """
        made = self.flow.to_deployment(
            self.name,
            schedule=self.schedule,
            parameters=self.parameters,
            description=self.description,
            tags=list(self.tags),
            concurrency_limit=ConcurrencyLimitConfig(
                limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW
            ),
            # Found wherever the serving process was started.
            entrypoint_type=EntrypointType.MODULE_PATH,
        )
        if not isinstance(made, RunnerDeployment):
            raise TypeError("deployments are made outside of an event loop")
        return made


DEPLOYMENTS: Final = (
    Deployment(
        ingest_flow,
        "ingest",
        Interval(INGEST_EACH, anchor_date=_ANCHOR),
        "Each minute: lands what departments have published since the last run, quarantines what "
        "fails a check, and brings the datasets up to date.\n\n"
        "每分钟：接入各部门新发布的消息，隔离未通过检查的消息，并更新数据集。",
    ),
    Deployment(
        collect_flow,
        "collect",
        Interval(COLLECT_EACH, anchor_date=_ANCHOR + dt.timedelta(seconds=30)),
        "Each ten minutes: publishes the files that departments have put into the drop zone, and "
        "moves each to done/ or failed/ with its receipt and its refused rows.\n\n"
        "每十分钟：发布各部门放入投放区的文件，并连同回执和被退回的行移至 done/ 或 failed/。",
    ),
    Deployment(
        settle_by_date_flow,
        "settle-by-date",
        Cron("5 0 * * *", timezone=_CHINA),
        "Just after midnight in China: takes out of the datasets what may not be used from today "
        "on, and reports publishers that have missed their promised cycle.\n\n"
        "每日零点后：从数据集中撤下当日起不得再使用的记录，并报告超期未报送的部门。",
    ),
    Deployment(
        papers_flow,
        "papers",
        Cron("0 7 * * *", timezone=_CHINA),
        "Each morning: counts the papers that the windows saved since the day before, by matter and "
        "department, and the papers still asked for most often, with why.\n\n"
        "每日早晨：按事项和部门统计窗口前一日免提交的材料，以及仍需提交最多的材料及其原因。",
    ),
    Deployment(
        maintain_flow,
        "maintain",
        Cron("30 3 * * *", timezone=_CHINA),
        "At night: writes small files together and deletes replaced ones that nobody reads any "
        "more. Never deletes a row.\n\n"
        "每日凌晨：合并小文件，删除已无人读取的旧文件；不会删除任何数据行。",
    ),
    Deployment(
        redrive_flow,
        "redrive",
        None,
        "By hand, after a right, a code list or a check was mended: judges again what waits in "
        "quarantine, and accepts once what is right by now.\n\n"
        "人工执行：在权限、代码表或检查规则修正后，重新检查隔离消息，通过的只入库一次。",
    ),
    Deployment(
        discard_flow,
        "discard",
        None,
        "By hand: gives up what waits in quarantine and will never be accepted; who did it and why "
        "is recorded.\n\n"
        "人工执行：放弃无法入库的隔离消息，并记录经办人和原因。",
    ),
)


def main() -> None:
    """Serve all deployments until the process is told to end; one process for one Prefect.

    A Prefect that is away is waited for: its own runner ends when three polls have failed, and
    nobody would start it again. What is due is planned also when the clock was set back.
    """
    names = [one.name for one in DEPLOYMENTS]
    Thread(target=keep_planned, args=[names], name="planned", daemon=True).start()
    watch.start()
    try:
        _serve_on()
    except SystemExit:  # told to end
        cancel_stopped(names)
        raise


def _serve_on() -> None:
    while not _served():
        signal.signal(signal.SIGTERM, signal.SIG_DFL)  # a runner that has ended leaves its own
        _log.warning(
            "Prefect does not answer; the deployments are served again when it does. · "
            "Prefect 没有应答，恢复后将继续提供数据流程。"
        )
        _wait_for_prefect()


def _served() -> bool:
    """Serve until told to end; return False when Prefect does not answer."""
    try:
        crash_orphans([one.name for one in DEPLOYMENTS])
        keep_webhook(read_settings())
        serve(*(one.as_prefect() for one in DEPLOYMENTS), pause_on_shutdown=False)
    except Exception as error:
        if not _is_away(error):
            raise
        return False
    return True


def _wait_for_prefect() -> None:
    with get_client(sync_client=True) as client:
        time.sleep(_PAUSE_SECONDS)
        while client.api_healthcheck() is not None:
            time.sleep(_PAUSE_SECONDS)


def _is_away(error: Exception) -> bool:
    if isinstance(error, ExceptionGroup):
        return all(_is_away(one) for one in error.exceptions)
    if isinstance(error, HTTPStatusError):
        return error.response.status_code >= codes.INTERNAL_SERVER_ERROR
    # The second is how Prefect's runner ends after errors of the same kinds.
    return isinstance(error, TransportError) or "error threshold" in str(error)


if __name__ == "__main__":
    main()

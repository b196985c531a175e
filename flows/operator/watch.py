"""The watch: what waits, what stands still and who holds a place in vain, each half minute.

It lives outside of what Prefect schedules: in a thread of the process that follows and of the one
that serves the deployments. One of them watches; when it dies, the other goes on.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import fcntl
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any, Final
from uuid import UUID

import httpx
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import GlobalConcurrencyLimitUpdate
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterId,
    DeploymentFilterTags,
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.client.schemas.responses import DeploymentResponse
from prefect.client.schemas.sorting import FlowRunSort
from prefect.events import Event, Resource
from prefect.states import Crashed

from connectors.settings import Settings, read_settings
from flows.matters import Matter
from flows.operator import waits
from flows.operator.alarms import ENDED, RAISED, Alarm, Raised, together
from flows.operator.families import words
from flows.operator.running import PATIENCE, AtWork, lost, stands_still
from flows.operator.webhook import NAME
from flows.todo import matters

_log = logging.getLogger(__name__)
EACH_SECONDS: Final = 30.0
#: Looking takes no more than a twentieth of the time, while the tables are not huge.
_SHARE: Final = 20
_LONGEST: Final = 120.0
#: So many looks in a row that Prefect could not be told of are told of without it.
_AWAY: Final = 3
#: How Prefect's own events tell that a webhook was called, and for how long it is looked for.
_CALLED: Final = ("prefect.automation.action.executed", "prefect.automation.action.failed")
_CALLED_SINCE: Final = dt.timedelta(days=2)
#: Seconds that a webhook has to answer.
_PATIENCE: Final = 10.0
_AT_WORK: Final = (StateType.PENDING, StateType.RUNNING, StateType.CANCELLING)
_RAN: Final = (StateType.COMPLETED, StateType.FAILED, StateType.CRASHED)
_WORDS: Final = (
    "This run was at work no more and held the only place of its deployment; the place is free "
    "again. Nothing is lost, the next run goes on.\n"
    "本次运行已不在工作，却占用了该部署唯一的运行名额；现已释放。数据没有丢失，下次运行会继续。"
)


def start() -> None:
    """Watch in a thread for as long as this process lives, once whoever watches now has ended."""
    Thread(target=_watch, name="watch", daemon=True).start()


def _watch() -> None:
    settings = read_settings()
    with _alone(settings.mianti_home):
        watcher = Watcher()
        while True:
            began = time.monotonic()
            settings = _renewed(settings)
            watcher.look(settings, dt.datetime.now(dt.UTC))
            took = time.monotonic() - began
            time.sleep(min(max(EACH_SECONDS, _SHARE * took), _LONGEST))


def _renewed(last: Settings) -> Settings:
    """Return the settings as they are now; the last ones while their file cannot be used."""
    try:
        return read_settings()
    except Exception as error:
        _log.warning("The watch goes on with the settings it had: %s", words(error))
        return last


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    home.mkdir(parents=True, exist_ok=True)
    with (home / "watch.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


class Watcher:
    """Looks again and again; `patience`: how long a run may take to begin."""

    def __init__(self, patience: dt.timedelta = PATIENCE) -> None:
        self._patience = patience
        self._since: dt.datetime | None = None
        self._empty: set[str] = set()
        self._completed: dict[str, dt.datetime] = {}
        self._raised: Raised | None = None
        self._away = 0
        self._called = False

    def look(self, settings: Settings, now: dt.datetime) -> None:
        """Look once at a time (UTC), free what is held in vain, tell what there is; raises nothing."""
        try:
            still = self._runs(now)
            self._tell(settings, [*still, *matters(settings, now)], now)
            self._away = 0
            if self._called:
                self._called = not _call(settings, (ENDED, {"event": ENDED, "alarm": "watch"}))
        except Exception as error:
            self._away += 1
            _log.warning("The watch could not look or tell: %s", words(error))
            if self._away >= _AWAY and not self._called:
                self._called = _call(settings, (RAISED, _away(words(error))))

    def _tell(self, settings: Settings, found: list[Matter], now: dt.datetime) -> None:
        waits.tell(found, now)
        file = settings.mianti_home / "alarms.json"
        before = self._raised or Raised.read(file)
        raised, alarms = before.after(found, now)
        if alarms:
            _emit(alarms)  # where Prefect does not take them, they are told again
        raised.write(file)
        self._raised = raised

    def _runs(self, now: dt.datetime) -> list[Matter]:
        """Free the places held in vain; return the deployments that stand still all the same."""
        self._since = self._since or now
        ours = DeploymentFilter(tags=DeploymentFilterTags(all_=["mianti"]))
        with get_client(sync_client=True) as client:
            found = client.read_deployments(deployment_filter=ours)
            at_work = _runs_of(client, ours, _AT_WORK)
            for one in found:
                mine = [run for run in at_work if run.deployment_id == one.id]
                self._end_lost(client, one, mine, now)
                self._free_empty(client, one, held=bool(mine))
            still = [self._still(client, one, now) for one in found]
            return [m for m in (*still, unheard(client, now)) if m is not None]

    def _end_lost(
        self,
        client: SyncPrefectClient,
        one: DeploymentResponse,
        at_work: list[FlowRun],
        now: dt.datetime,
    ) -> None:
        marks = [_mark(run) for run in at_work]
        if all(now - mark.since <= self._patience for mark in marks):
            return
        began = [run.start_time for run in _runs_of(client, _only(one), (*_AT_WORK, *_RAN), 20)]
        latest = max((time for time in began if time is not None), default=None)
        for run in lost(marks, latest, now, patience=self._patience):
            _log.warning("%s: a run held its place in vain (%s)", one.name, run.state)
            client.set_flow_run_state(UUID(run.id), Crashed(message=_WORDS), force=True)

    def _free_empty(
        self, client: SyncPrefectClient, one: DeploymentResponse, *, held: bool
    ) -> None:
        """Free a place that is taken and nobody's, by two looks: its run was deleted, or its lease
        forgotten."""
        limit = one.global_concurrency_limit
        if limit is None or held or not limit.active_slots:
            self._empty.discard(str(one.id))
        elif str(one.id) in self._empty:
            _log.warning("%s: its place was held by no run, and is free again", one.name)
            none = GlobalConcurrencyLimitUpdate(active_slots=0)
            client.update_global_concurrency_limit(limit.name, none)
            self._empty.discard(str(one.id))
        else:
            self._empty.add(str(one.id))

    def _still(
        self, client: SyncPrefectClient, one: DeploymentResponse, now: dt.datetime
    ) -> Matter | None:
        """Return that a deployment which is due by itself has completed nothing for too long."""
        interval = None if one.paused else _interval(one)
        if interval is None:
            return None
        completed, watched = self._completed.get(one.name), self._since or now
        if now - (completed or watched) > interval:
            done = _runs_of(client, _only(one), (StateType.COMPLETED,), 1)
            completed = (done[0].end_time if done else None) or completed
            if completed is not None:
                self._completed[one.name] = completed
        if not stands_still(completed, watched, interval, now):
            return None
        last = _runs_of(client, _only(one), (*_RAN, StateType.CANCELLED), 1)
        said = (last[0].state_name or "—") if last else "—"
        return Matter(
            "deployment",
            one.name,
            (
                f"No run was completed for three intervals; the last one: {said}.",
                f"连续三个周期没有成功的运行；最近一次：{said}。",
            ),
            ("every enterprise, when data fall behind", "数据滞后时为全部企业"),
            (
                "look at its runs and their messages; `mianti up` where nothing serves them",
                "查看其运行及说明；部署未提供服务的，执行 `mianti up`",
            ),
            since=completed,
        )


def unheard(client: SyncPrefectClient, now: dt.datetime) -> Matter | None:
    """Return that the webhook did not take what it was called with last.

    To Prefect a call is done whatever is answered (`prefect.server.events.actions`).
    """
    kept = client.read_automations_by_name(NAME)
    if not kept:
        return None
    wanted = {
        "occurred": {"since": (now - _CALLED_SINCE).isoformat()},
        "event": {"name": [*_CALLED]},
        "resource": {"id": [f"prefect.automation.{kept[0].id}"]},
    }
    asked = {"filter": wanted, "limit": 1}
    last = next(iter(client.request("POST", "/events/filter", json=asked).json()["events"]), None)
    if last is None:
        return None
    answered = last["payload"].get("status_code")
    if answered is not None and httpx.codes.is_success(answered):
        return None
    said = answered or "—"
    return Matter(
        "webhook",
        NAME,
        (
            f"MIANTI_ALARM_WEBHOOK did not take the alarms that it was last called with ({said}).",
            f"MIANTI_ALARM_WEBHOOK 未接收最近一次报警（{said}）。",
        ),
        ("none", "不影响"),
        (
            "mend it or its address; what waits is told again each day",
            "修复该地址或接收端；未处理事项每天重新报告",
        ),
        since=dt.datetime.fromisoformat(last["occurred"]),
    )


def _only(one: DeploymentResponse) -> DeploymentFilter:
    return DeploymentFilter(id=DeploymentFilterId(any_=[one.id]))


def _runs_of(
    client: SyncPrefectClient,
    deployments: DeploymentFilter,
    states: tuple[StateType, ...],
    limit: int = 200,
) -> list[FlowRun]:
    """Return the runs of some deployments in some states, the latest first."""
    of = FlowRunFilterState(type=FlowRunFilterStateType(any_=[*states]))
    return client.read_flow_runs(
        deployment_filter=deployments,
        flow_run_filter=FlowRunFilter(state=of),
        sort=FlowRunSort.START_TIME_DESC,
        limit=limit,
    )


def _mark(run: FlowRun) -> AtWork:
    state: Any = run.state_type.value if run.state_type else "PENDING"
    since = run.state.timestamp if run.state is not None else dt.datetime.now(dt.UTC)
    return AtWork(str(run.id), state, since, run.infrastructure_pid)


def _interval(one: DeploymentResponse) -> dt.timedelta | None:
    """Return the shortest time between two runs that a deployment's schedules ask for."""
    # Only the server's own schedules know their dates.
    from prefect.server.schemas.schedules import CronSchedule, IntervalSchedule, RRuleSchedule
    from pydantic import TypeAdapter

    known: TypeAdapter[Any] = TypeAdapter(CronSchedule | IntervalSchedule | RRuleSchedule)
    found = []
    for entry in one.schedules:
        if entry.active:
            schedule = known.validate_python(entry.schedule.model_dump(exclude_none=True))
            first, second = asyncio.run(schedule.get_dates(n=2))
            found.append(second - first)
    return min(found, default=None)


def _emit(alarms: list[Alarm]) -> None:
    """Have Prefect take the events, each and all together. Raises where it does not."""
    events = [
        Event(event=name, resource=_resource(payload.get("alarm")), payload=payload)
        for name, payload in [*alarms, together(alarms)]
    ]
    with get_client(sync_client=True) as client:
        client.request("POST", "/events", json=[one.model_dump(mode="json") for one in events])


def _resource(alarm: str | None) -> Resource:
    name = "mianti.alarms" if alarm is None else f"mianti.alarm.{alarm.replace('/', '.')}"
    return Resource.model_validate({"prefect.resource.id": name})


def _away(why: str) -> dict[str, Any]:
    return {
        "event": RAISED,
        "alarm": "watch",
        "en": f"The watch cannot look at the exchange, or not tell Prefect of it: {why}",
        "zh": "值守程序无法检查系统，或无法在 Prefect 中报告；原因见英文。",
    }


def _call(settings: Settings, alarm: Alarm) -> bool:
    """Call the webhook itself: no automation does where there is no Prefect.

    Return whether it took the alarm, or there is none. It is not waited for long: one that hangs
    holds nothing up, and is called again at the next look.
    """
    if settings.mianti_alarm_webhook is None:
        return True
    url, (_, body) = settings.mianti_alarm_webhook.get_secret_value(), together([alarm])
    took: list[bool] = []

    def post() -> None:
        try:
            httpx.post(url, json=body, timeout=_PATIENCE).raise_for_status()
            took.append(True)
        except Exception as error:  # its text has the address, and with it a secret
            _log.warning("MIANTI_ALARM_WEBHOOK could not be called: %s", type(error).__name__)

    # In a thread: each byte that dribbles in has its own patience.
    calling = Thread(target=post, name="webhook", daemon=True)
    calling.start()
    calling.join(2 * _PATIENCE)
    if calling.is_alive():
        _log.warning("MIANTI_ALARM_WEBHOOK did not answer in time")
    return bool(took)

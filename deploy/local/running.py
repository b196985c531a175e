"""What of an installation runs where, asked of each part by itself: one that is down hides no other."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final
from urllib.error import HTTPError, URLError

from connectors.errors import MiantiError
from connectors.following import follower
from connectors.settings import Settings
from connectors.stack import Server, Stack
from deploy.local.prefect_server import OPENER
from deploy.local.processes import log_file

#: In English and Chinese.
Words = tuple[str, str]
_RUNS: Final = ("runs", "运行中")
_ENDED: Final = ("does not run", "未运行")
_NOT_HERE: Final = ("not started in this home", "未在本目录启动")
_SECONDS: Final = 5.0


@dataclass(frozen=True)
class Part:
    """A server or process. `well`: whether it runs and answers; None: it was never started here.

    `said`: how it stands; `to_do`: what mends it, where anything must be mended.
    """

    name: str
    title: str
    address: str | None
    well: bool | None
    said: Words
    to_do: Words | None = None

    def as_json(self) -> dict[str, Any]:
        """Return what `mianti status --json` has of it."""
        told = {"en": self.said[0], "zh": self.said[1]}
        return {"address": self.address, "well": self.well, "said": told}


def running(settings: Settings, away: MiantiError | None) -> list[Part]:
    """Return every part. `away`: why Kafka does not answer, which was asked already."""
    stack = Stack.read(settings.mianti_home)
    started = (stack.follow, follower(settings.mianti_home))
    following = next((one for one in started if one and one.alive), stack.follow)
    return [
        _kafka(settings, stack, away),
        _prefect(settings, stack),
        _process(settings, "serve", "Deployments · 数据流程", stack.serve),
        _process(settings, "follow", "Landing · 持续入库", following),
        _window(settings, stack),
        _process(settings, "replica", "Window's replica · 窗口副本", stack.replica),
    ]


def _kafka(settings: Settings, stack: Stack, away: MiantiError | None) -> Part:
    own = stack.kafka.address if stack.kafka is not None else None
    address, title = settings.kafka_bootstrap_servers or own, "Kafka"
    if away is None:
        return Part("kafka", title, address, well=True, said=("answers", "有响应"))
    said, to_do = ("does not answer", "没有响应"), (away.message_en, away.message_zh)
    return Part("kafka", title, address, well=False, said=said, to_do=to_do)


def _prefect(settings: Settings, stack: Stack) -> Part:
    title, given = "Prefect UI · 运行界面", settings.prefect_api_url
    if given is None and (stack.prefect is None or not stack.prefect.alive):
        return _process(settings, "prefect", title, stack.prefect)
    api = given or (stack.prefect.address if stack.prefect is not None else "")
    page = api.removesuffix("/").removesuffix("/api")
    status, _ = _get(f"{api.removesuffix('/')}/health")
    if status is not None and (given is not None or status == 200):
        return Part("prefect", title, page, well=True, said=("answers", "有响应"))
    return Part(
        "prefect",
        title,
        page,
        well=False,
        said=("does not answer", "没有响应"),
        to_do=(
            "Prefect does not answer: nothing that is scheduled runs. See its log, or PREFECT_API_URL.",
            "Prefect 没有响应，定时流程不会运行。请查看其日志，或检查 PREFECT_API_URL。",
        ),
    )


def _window(settings: Settings, stack: Stack) -> Part:
    title, port = "Window · 服务窗口", settings.mianti_window_port
    server = stack.window
    if port is None and (server is None or not server.alive):
        return _process(settings, "window", title, server)
    # One that `mianti window serve` started elsewhere is known by its port alone.
    alive = server is not None and server.alive
    address = (
        server.address
        if server is not None and alive
        else f"http://{settings.mianti_window_host}:{port}"
    )
    status, told = _get(f"{address}/health")
    if status is None:
        return _process(settings, "window", title, server, address)
    if status != 200:
        why = str(told.get("detail", status)), str(told.get("detail_zh", status))
        said = (
            f"answers {status}: nobody is exempted from anything",
            f"返回 {status}，目前无法免提交",
        )
        return Part("window", title, address, well=False, said=said, to_do=why)
    behind = told.get("behind_seconds")
    late = f"{behind:.0f}" if isinstance(behind, (int, float)) else "?"
    said = f"answers, {late} s behind", f"正常应答，滞后 {late} 秒"
    if told.get("status") != "ok":
        why = str(told.get("detail", "")), str(told.get("detail_zh", ""))
        return Part("window", title, address, well=False, said=said, to_do=why)
    return Part("window", title, address, well=True, said=said)


def _process(
    settings: Settings, name: str, title: str, server: Server | None, address: str | None = None
) -> Part:
    """Say whether a process of this home runs; `up` starts it again."""
    known = address or (server.address if server is not None else None)
    if server is None:
        return Part(name, title, known, well=None, said=_NOT_HERE)
    if server.alive and address is None:
        return Part(name, title, known, well=True, said=_RUNS)
    log = log_file(settings.mianti_home, name)
    stopped = server.pid is None
    english = "stopped" if stopped else f"not running or answering (its log: {log})"
    chinese = "已停止" if stopped else f"未运行或没有响应（日志：{log}）"
    to_do = (
        f"{title.split(' · ')[0]}: {english}. `mianti up` starts what is missing.",
        f"{title.split(' · ')[-1]}{chinese}：执行 `mianti up` 可启动缺少的部分。",
    )
    return Part(name, title, known, well=False, said=_ENDED, to_do=to_do)


def _get(url: str) -> tuple[int | None, dict[str, Any]]:
    """Return what a server answers: status and JSON object; None where it does not answer."""
    try:
        with OPENER.open(url, timeout=_SECONDS) as answer:
            return answer.status, _object(answer.read())
    except HTTPError as refused:
        return refused.code, _object(refused.read())
    except (URLError, OSError, ValueError):
        return None, {}


def _object(content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}

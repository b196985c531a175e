"""Up and down: what runs for one home, started where it is missing and stopped again."""

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from connectors.settings import Settings, prefect_api
from connectors.stack import Server, Stack
from deploy.local import follow, kafka, prefect_server, serve, window
from deploy.local.prefect_password import password
from deploy.local.processes import stop

STOP_SECONDS = 30.0
Progress = Callable[[str], None]


def up(settings: Settings, *, flows: bool = True, progress: Progress = lambda _: None) -> Stack:
    """Start what this home needs and lacks, and wait until all of it answers.

    A server of the user's own (KAFKA_BOOTSTRAP_SERVERS, PREFECT_API_URL) is taken as it is; the
    served deployments, the landing that runs on and the window are left out without `flows`.
    `progress` is told each step in a few words. Raises NoPrefect with nothing changed; Missing,
    NotFetched, PortTaken, NotStarted: what has been started is then kept, and found by the next call.
    """
    home = settings.mianti_home
    with _alone(home):
        stack = Stack.read(home)
        own_kafka = settings.kafka_bootstrap_servers is None
        if flows:
            _check_prefect(settings, stack)
        if own_kafka and not _alive(stack.kafka):
            kafka.check(settings)
        # Prefect is the slowest to come, so it starts first and is waited for last.
        if settings.prefect_api_url is None:
            _start_prefect(settings, stack, progress)
        if own_kafka:
            _start_kafka(settings, stack, progress)
        if settings.prefect_api_url is None and stack.prefect:
            prefect_server.wait(settings, stack.prefect)
        if flows:
            _open_window(settings, stack, progress)
            _follow(settings, stack, progress)
            _serve_flows(settings, stack, progress)
            if stack.follow:
                follow.wait(settings, stack.follow)
            if stack.window:
                window.wait(settings, stack.window)
    return stack


def down(settings: Settings, *, progress: Progress = lambda _: None) -> Stack:
    """Stop whatever runs for this home; harmless when nothing does. Data and addresses stay."""
    home = settings.mianti_home
    if not home.exists():
        return Stack()
    with _alone(home):
        stack = Stack.read(home)
        for name in ("window", "replica", "follow", "serve", "prefect", "kafka"):
            server: Server | None = getattr(stack, name)
            if server is not None:
                if server.alive:
                    progress(f"Stopping {name} · 正在停止 {name}")
                setattr(stack, name, stop(server, seconds=STOP_SECONDS))
                stack.write(home)
    return stack


def _check_prefect(settings: Settings, stack: Stack) -> None:
    """Raise NoPrefect before what runs is stopped for a Prefect of the user's own that is none."""
    api = settings.prefect_api_url
    if api is not None and not all(
        server and server.alive and server.address == api for server in (stack.follow, stack.serve)
    ):
        serve.check(settings, api)


def _start_prefect(settings: Settings, stack: Stack, progress: Progress) -> None:
    if password(settings.mianti_home) is None:
        _stop_open(settings, stack, progress)
    if not _alive(stack.prefect):
        progress("Starting the Prefect server · 正在启动 Prefect 服务")
        stack.prefect = prefect_server.launch(settings, stack.prefect)
        stack.write(settings.mianti_home)


def _stop_open(settings: Settings, stack: Stack, progress: Progress) -> None:
    """Stop a Prefect that asks for no password, as former releases started it, and its clients."""
    for name in ("follow", "serve", "prefect"):
        server: Server | None = getattr(stack, name)
        if server is not None and server.alive:
            progress(f"Restarting {name} with a password · 正在以口令保护方式重启 {name}")
            setattr(stack, name, stop(server, seconds=STOP_SECONDS))
            stack.write(settings.mianti_home)


def _start_kafka(settings: Settings, stack: Stack, progress: Progress) -> None:
    if not _alive(stack.kafka):
        if not kafka.is_prepared(settings):
            progress("Fetching Kafka, once · 正在下载 Kafka（仅首次）")
            kafka.prepare(settings)
        progress("Starting Kafka · 正在启动 Kafka")
        stack.kafka = kafka.launch(settings, stack.kafka)
        stack.write(settings.mianti_home)
    if stack.kafka:
        kafka.wait(settings, stack.kafka)


def _follow(settings: Settings, stack: Stack, progress: Progress) -> None:
    api = settings.prefect_api_url or prefect_api(settings)
    stack.follow = _only_at(api, stack.follow)
    if not _alive(stack.follow):
        progress("Following what is published · 正在启动持续入库")
        stack.follow = follow.launch(settings, api)
        stack.write(settings.mianti_home)


def _open_window(settings: Settings, stack: Stack, progress: Progress) -> None:
    if window.register_first(settings):
        progress("Registering the window's key · 正在登记窗口公钥")
    if not _alive(stack.window):
        progress("Opening the window · 正在启动服务窗口")
        stack.window = window.launch(settings, stack.window)
        stack.write(settings.mianti_home)
    if not _alive(stack.replica):
        stack.replica = window.launch_replica(settings)
        stack.write(settings.mianti_home)


def _serve_flows(settings: Settings, stack: Stack, progress: Progress) -> None:
    api = settings.prefect_api_url or prefect_api(settings)
    stack.serve = _only_at(api, stack.serve)
    if not _alive(stack.serve):
        progress("Serving the deployments · 正在部署数据流程")
        since = datetime.now(UTC)
        stack.serve = serve.launch(settings, api)
        stack.write(settings.mianti_home)
        serve.wait(settings, stack.serve, since)


def _only_at(api: str, server: Server | None) -> Server | None:
    """Stop what tells another Prefect than the one there is now."""
    if server and server.alive and server.address != api:
        return stop(server, seconds=STOP_SECONDS)
    return server


def _alive(server: Server | None) -> bool:
    return server is not None and server.alive


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Hold the home's lock: two commands at once would start everything twice."""
    home.mkdir(parents=True, exist_ok=True)
    with (home / "stack.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield

"""The landing that runs on: one process that lands what is published within a second."""

import os

from connectors import following
from connectors.settings import NotRunning, Settings, prefect_api
from connectors.stack import Server
from deploy.local import serve
from deploy.local.processes import python_module, start, wait_until

START_SECONDS = 180.0
MODULE = "flows.operator.follow"


def launch(settings: Settings, api: str) -> Server:
    """Start the process that follows, its state shown in the Prefect at `api`; does not wait."""
    env = environment(settings, api)
    command, cwd = python_module(MODULE), serve.directory(settings)
    return start("follow", command, api, home=settings.mianti_home, cwd=cwd, env=env)


def wait(settings: Settings, server: Server) -> None:
    """Return once it has asked Kafka. Raises NotStarted when it does not."""
    home = settings.mianti_home
    wait_until(
        lambda: following.follows(home, server.pid),
        server,
        "follow",
        home=home,
        seconds=START_SECONDS,
    )


def run_here(settings: Settings) -> int:
    """Follow in this process until it is told to end; return the exit code.

    Its state is shown in Prefect where one is known. Raises AlreadyFollows, NotRunning.
    """
    try:
        api = prefect_api(settings)
    except NotRunning:
        return _alone(settings)
    # Before anything imports Prefect, which reads it only then.
    os.environ.update(environment(settings, api))
    os.chdir(serve.directory(settings) or ".")
    from flows.operator.follow import main

    return main()


def environment(settings: Settings, api: str) -> dict[str, str]:
    """Return what the process is started with: one that Prefect cannot hold up for long."""
    patience = {"PREFECT_CLIENT_MAX_RETRIES": "2", "PREFECT_API_REQUEST_TIMEOUT": "20"}
    given = settings.kafka_bootstrap_servers
    kafka = {"KAFKA_BOOTSTRAP_SERVERS": given} if given else {}
    return serve.environment(settings, api) | patience | kafka


def _alone(settings: Settings) -> int:
    import logging

    from flows.follow import Ending, end_on_signals, follow

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    logging.getLogger("kafka").setLevel(logging.WARNING)
    logging.getLogger(__name__).info(
        "No Prefect is known: following without showing it there · 未指定 Prefect，状态不在其中显示"
    )
    ending = Ending()
    end_on_signals(ending)
    with following.alone(settings.mianti_home) as mark:
        follow(settings, ending, ready=mark.ready)
    return 0

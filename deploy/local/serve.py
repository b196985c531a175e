"""The served deployments: one process that starts the flow runs that Prefect schedules."""

from datetime import datetime
from pathlib import Path

from connectors.errors import MiantiError
from connectors.settings import Settings
from connectors.stack import Server
from deploy.local import prefect_server
from deploy.local.prefect_client import client_of
from deploy.local.processes import python_module, start, wait_until

START_SECONDS = 180.0


class NoPrefect(MiantiError):
    """PREFECT_API_URL names nothing that answers as a Prefect API."""


def launch(settings: Settings, api: str) -> Server:
    """Start the process that serves flows.deployments to the Prefect at `api`; does not wait."""
    home = settings.mianti_home
    env = environment(settings, api)
    command = python_module("flows.deployments")
    return start("serve", command, api, home=home, cwd=directory(settings), env=env)


def directory(settings: Settings) -> Path | None:
    """Where a process that runs flows is started; None for the present directory.

    Prefect takes settings from prefect.toml, .env and pyproject.toml of the directory it is started
    in: they are another project's, unless the Prefect is the user's own too.
    """
    if settings.prefect_api_url is not None:
        return None
    return prefect_server.keep_home(settings.mianti_home)


def environment(settings: Settings, api: str) -> dict[str, str]:
    """Return what a process that runs flows of this home is started with."""
    home = settings.mianti_home
    own = prefect_server.environment(home) if settings.prefect_api_url is None else {}
    # Absolute: it may be started in another directory.
    paths = {name.upper(): str(value) for name, value in settings if isinstance(value, Path)}
    return {
        **own,
        **paths,
        "DO_NOT_TRACK": "1",
        "PREFECT_API_URL": api,
        "MIANTI_HOME": str(home),
        "MIANTI_LAKE": settings.mianti_lake,
        "MIANTI_ZONE": settings.mianti_zone,
        "MIANTI_LEDGER": str(settings.mianti_ledger),
    }


def wait(settings: Settings, server: Server, since: datetime) -> None:
    """Return once the deployments are served. Raises NotStarted when they are not.

    `since` (with its time zone) lies before the launch: what an earlier process served is not it.
    """
    wait_until(
        lambda: _has_asked_for_work(settings, server.address, since),
        server,
        "serve",
        home=settings.mianti_home,
        seconds=START_SECONDS,
    )


def check(settings: Settings, api: str) -> None:
    """Raise NoPrefect where the Prefect of the user's own does not answer, or not as one."""
    from httpx import HTTPError, HTTPStatusError

    try:
        with client_of(settings, api):
            from prefect.client.orchestration import get_client

            with get_client(sync_client=True) as client:
                client.read_deployments(limit=1)
    except (HTTPError, ValueError) as error:
        answered = error.response.status_code if isinstance(error, HTTPStatusError) else None
        said = answered or type(error).__name__
        raise NoPrefect(
            f"PREFECT_API_URL does not lead to the API of a Prefect server ({said}). Write the "
            "address of its UI and /api; where it asks for a password (401), set "
            "PREFECT_API_AUTH_STRING too. Without PREFECT_API_URL a server is started here.",
            f"PREFECT_API_URL 未指向 Prefect 服务的接口（{said}）。应为界面地址后加 /api；若服务要求"
            "口令（401），请同时设置 PREFECT_API_AUTH_STRING。不设置 PREFECT_API_URL 则在本机启动服务。",
        ) from error


def _has_asked_for_work(settings: Settings, api: str, since: datetime) -> bool:
    """Prefect's runner asks for work only when it has registered every deployment."""
    with client_of(settings, api):
        from httpx import HTTPError
        from prefect.client.orchestration import get_client

        try:
            with get_client(sync_client=True) as client:
                deployments = client.read_deployments()
        except HTTPError:
            return False
    return any(d.last_polled is not None and d.last_polled >= since for d in deployments)

"""The served deployments: one process that starts the flow runs that Prefect schedules."""

from datetime import datetime

from connectors.settings import Settings
from connectors.stack import Server
from deploy.local import prefect_server
from deploy.local.processes import python_module, start, wait_until

START_SECONDS = 180.0


def launch(settings: Settings, api: str) -> Server:
    """Start the process that serves flows.deployments to the Prefect at `api`; does not wait."""
    home = settings.mianti_home
    env = environment(settings, api)
    return start("serve", python_module("flows.deployments"), api, home=home, env=env)


def environment(settings: Settings, api: str) -> dict[str, str]:
    """Return what a process that runs flows of this home is started with."""
    home = settings.mianti_home
    own = prefect_server.environment(home) if settings.prefect_api_url is None else {}
    return {
        **own,
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
        lambda: _has_asked_for_work(server.address, since),
        server,
        "serve",
        home=settings.mianti_home,
        seconds=START_SECONDS,
    )


def _has_asked_for_work(api: str, since: datetime) -> bool:
    """Prefect's runner asks for work only when it has registered every deployment."""
    # Imported late: it takes two seconds, and `mianti down` needs none of it.
    from httpx import HTTPError
    from prefect.client.orchestration import get_client
    from prefect.settings import PREFECT_API_URL, temporary_settings

    try:
        with temporary_settings({PREFECT_API_URL: api}), get_client(sync_client=True) as client:
            deployments = client.read_deployments()
    except HTTPError:
        return False
    return any(d.last_polled is not None and d.last_polled >= since for d in deployments)

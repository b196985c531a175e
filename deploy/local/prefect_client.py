"""This process as a client of a Prefect."""

from collections.abc import Iterator
from contextlib import chdir, contextmanager, nullcontext
from typing import Any

import flows  # noqa: F401 - switches off the telemetry of Prefect, which is imported below
from connectors.settings import Settings
from deploy.local.prefect_password import password
from deploy.local.prefect_server import prefect_home


@contextmanager
def client_of(settings: Settings, api: str) -> Iterator[None]:
    """Let Prefect's client speak to the Prefect at `api` within the block.

    To the home's own with its password, and not with what the present folder's prefect.toml, .env
    or pyproject.toml say; to one of the user's own with just these settings.
    """
    own = settings.prefect_api_url is None
    home = prefect_home(settings.mianti_home)
    with chdir(home) if own and home.exists() else nullcontext():
        # Imported late, as it takes two seconds; and here, as it then reads the folder's settings.
        from prefect.settings import (
            PREFECT_API_AUTH_STRING,
            PREFECT_API_URL,
            temporary_settings,
        )

        chosen: dict[Any, Any] = {PREFECT_API_URL: api}
        if own:
            chosen[PREFECT_API_AUTH_STRING] = password(settings.mianti_home)
        # Not through the environment: Prefect has read that already where anything imported it.
        with temporary_settings(chosen):
            yield

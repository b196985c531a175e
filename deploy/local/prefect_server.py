"""A Prefect server on this machine: SQLite, its files under the home, behind a password."""

from pathlib import Path
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

from connectors.settings import Settings
from connectors.stack import Server
from deploy.local.ports import HOST, choose_port, last_port
from deploy.local.prefect_password import keep_password, password
from deploy.local.processes import python_module, start, wait_until

# An end is noticed at once: this is only for one that hangs. 13 to 23 s were seen on two idle cores.
START_SECONDS = 300.0
# Loopback is never behind the proxy that the environment may name.
OPENER = build_opener(ProxyHandler({}))


def prefect_home(home: Path) -> Path:
    """Where the Prefect server's database is."""
    return home / "prefect"


def keep_home(home: Path) -> Path:
    """Return the folder of the server's files, made where it is not there, for its owner alone.

    Its database holds what a webhook's address hides, and the key to it.
    """
    place = prefect_home(home)
    place.mkdir(parents=True, exist_ok=True)
    place.chmod(0o700)
    return place


def environment(home: Path) -> dict[str, str]:
    """What the server and its clients of this home are started with, the password among it."""
    known = password(home)
    return {
        "PREFECT_HOME": str(prefect_home(home)),
        "PREFECT_PROFILES_PATH": str(prefect_home(home) / "profiles.toml"),
        **({"PREFECT_API_AUTH_STRING": known} if known else {}),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PREFECT_SERVER_EPHEMERAL_ENABLED": "false",
    }


def launch(settings: Settings, last: Server | None) -> Server:
    """Start the server, on the port it had where that is free; does not wait.

    It answers who has the password, and lets a browser's page ask only where it is the server's own.
    Raises PortTaken.
    """
    port = choose_port(settings.mianti_prefect_port, last_port(last), "MIANTI_PREFECT_PORT")
    home = settings.mianti_home
    origin = f"http://{HOST}:{port}"
    address = f"{origin}/api"
    known = keep_password(home)
    place = keep_home(home)
    return start(
        "prefect",
        python_module("prefect", "server", "start", "--host", HOST, "--port", str(port)),
        address,
        home=home,
        cwd=place,  # Prefect takes settings from files of the folder it is started in
        env={
            **environment(home),
            "PREFECT_API_URL": address,
            "PREFECT_SERVER_API_AUTH_STRING": known,
            "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": origin,
            "PREFECT_SERVER_LOGGING_LEVEL": "WARNING",
            # It plans a hundred runs ahead otherwise. Where none could be begun for a time (the
            # clock set ahead, a machine asleep) all that are late are begun at once, and SQLite
            # is locked for minutes.
            "PREFECT_SERVER_SERVICES_SCHEDULER_MAX_RUNS": "10",
            # Runs are kept for ever otherwise, and one is made each minute.
            "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
        },
    )


def wait(settings: Settings, server: Server) -> None:
    """Return once the server says that it is well. Raises NotStarted when it does not."""
    wait_until(
        lambda: is_healthy(server.address),
        server,
        "prefect",
        home=settings.mianti_home,
        seconds=START_SECONDS,
    )


def is_healthy(api: str) -> bool:
    """Whether the Prefect API at that URL answers `true` at /health."""
    try:
        with OPENER.open(f"{api}/health", timeout=5) as answer:
            return bool(answer.read() == b"true")
    except (URLError, OSError):
        return False

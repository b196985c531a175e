"""The window of this home, and the process that keeps its replica and ships its receipts."""

from connectors import lake
from connectors.replica import NoReplica
from connectors.settings import Settings
from connectors.stack import Server
from deploy.local.ports import choose_port, last_port, listens
from deploy.local.processes import python_module, start, wait_until
from flows.receipt.register import is_registered, register
from flows.replica import place
from schemas.avro import FAMILIES

START_SECONDS = 120.0


def launch(settings: Settings, last: Server | None) -> Server:
    """Start the window, on the port it had where that is free; does not wait. Raises PortTaken."""
    port = choose_port(settings.mianti_window_port, last_port(last), "MIANTI_WINDOW_PORT")
    address = f"http://{settings.mianti_window_host}:{port}"
    env = _environment(settings) | {"MIANTI_WINDOW_PORT": str(port)}
    command = python_module("deploy.window.app")
    return start("window", command, address, home=settings.mianti_home, env=env)


def register_first(settings: Settings) -> bool:
    """Register the key of the home's own window where the home's register has none of it yet.

    Returns whether it was registered now. A register elsewhere is its keeper's alone, and a key that
    differs from the one registered is never replaced. Raises BadRegister, BadKey, OSError.
    """
    in_home = settings.mianti_window_keys.parent == settings.mianti_home
    if not in_home or is_registered(settings):
        return False
    register(settings)
    return True


def launch_replica(settings: Settings) -> Server:
    """Start what follows for the window; does not wait."""
    command = python_module("flows.follow_window")
    return start(
        "replica",
        command,
        str(settings.mianti_window),
        home=settings.mianti_home,
        env=_environment(settings),
    )


def wait(settings: Settings, server: Server) -> None:
    """Return once the window accepts connections. Raises NotStarted when it does not."""
    wait_until(
        lambda: listens(server.address.removeprefix("http://")),
        server,
        "window",
        home=settings.mianti_home,
        seconds=START_SECONDS,
    )


def wait_current(settings: Settings, server: Server) -> None:
    """Return once the replica has all that the logs have now, and its window may answer.

    Raises NotStarted when it does not.
    """
    from flows.window import Behind, require_fresh  # the demo alone waits for this

    logs = {family: lake.open_table(settings, "log", family) for family in FAMILIES}
    wanted = {family: log.version() for family, log in logs.items() if log is not None}

    def current() -> bool:
        try:
            replica = place(settings).open()
        except NoReplica:
            return False
        found = replica.positions()
        replica.close()
        try:
            require_fresh(found, settings)
        except Behind:
            return False
        return all(f in found and found[f].version >= version for f, version in wanted.items())

    home = settings.mianti_home
    wait_until(current, server, "replica", home=home, seconds=START_SECONDS)


def _environment(settings: Settings) -> dict[str, str]:
    return {
        "MIANTI_HOME": str(settings.mianti_home),
        "MIANTI_LAKE": settings.mianti_lake,
        "MIANTI_EVIDENCE": settings.mianti_evidence,
        "MIANTI_WINDOW": str(settings.mianti_window),
        "MIANTI_WINDOW_KEYS": str(settings.mianti_window_keys),
        "MIANTI_WINDOW_NAME": settings.mianti_window_name,
    }

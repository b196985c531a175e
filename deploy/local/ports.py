"""Which port a local server listens on."""

import random
import socket
from urllib.parse import urlsplit

from connectors.errors import MiantiError
from connectors.stack import Server

HOST = "127.0.0.1"
# Below what Linux and macOS hand out for outgoing connections, which would take it in between.
RANGE = range(20_000, 30_000)


class PortTaken(MiantiError):
    """The port that was asked for is another's."""


def choose_port(wanted: int | None, last: int | None, variable: str) -> int:
    """The wanted port; else the one used last time; else any that is free.

    Raises PortTaken when a port was wanted, by the environment variable named, and is not free.
    """
    if wanted is not None:
        if not is_free(wanted):
            raise PortTaken(
                f"Port {wanted} is in use: set {variable} to a free one, or unset it.",
                f"端口 {wanted} 已被占用：请把 {variable} 设为空闲端口，或不设置。",
            )
        return wanted
    return last if last is not None and is_free(last) else _free_port()


def last_port(server: Server | None) -> int | None:
    """The port in the server's `host:port` or URL; None where there was no server."""
    if server is None:
        return None
    address = server.address
    return urlsplit(address if "://" in address else f"//{address}").port


def is_free(port: int) -> bool:
    """Whether a server could listen on the port of the loopback address now."""
    with socket.socket() as probe:
        # As servers do: a port whose last connections linger in TIME_WAIT is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def listens(address: str) -> bool:
    """Whether anything accepts connections at `host:port`."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=1).close()
    except OSError:
        return False
    return True


def _free_port() -> int:
    # At random, so that two homes that start at once do not choose alike.
    return next(p for p in random.sample(RANGE, len(RANGE)) if is_free(p))

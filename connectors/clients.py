"""Kafka clients made, or one clear sentence about why not."""

from __future__ import annotations

import socket
from collections.abc import Callable, Hashable, Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from typing import Any, Final, TypeVar

from kafka.errors import BrokerResponseError, KafkaConnectionError, KafkaError

from connectors.errors import MiantiError

Client = TypeVar("Client")
_REACH_SECONDS: Final = 2.0
_KEPT: Final[ContextVar[tuple[ExitStack, dict[Hashable, Any]] | None]] = ContextVar(
    "kept", default=None
)


class KafkaUnreachable(MiantiError):
    """No Kafka answers at the address of the settings, or it does not let this client in."""


@contextmanager
def connecting() -> Iterator[None]:
    """Turn what a client raises while it is made into KafkaUnreachable."""
    try:
        yield
    except KafkaError as error:
        raise _unreachable(error) from error


@contextmanager
def _asking(made: object) -> Iterator[None]:
    """Do the same while it is asked, but for what is an answer, or was made of one."""
    try:
        yield
    except BrokerResponseError:
        raise
    except KafkaError as error:
        named = _named_in_vain(made)
        raise (_elsewhere(named) if named else _unreachable(error)) from error


def _named_in_vain(made: object) -> str | None:
    """Return an address that Kafka names for itself and that cannot be reached, though Kafka can."""
    manager = getattr(made, "_manager", None)
    if manager is None:
        return None
    first = [(one.host, one.port) for one in manager.cluster.bootstrap_brokers()]
    if not any(_reachable(*one) for one in first):
        return None
    named = sorted({(one.host, one.port) for one in manager.cluster.brokers()} - set(first))
    return next((f"{host}:{port}" for host, port in named if not _reachable(host, port)), None)


def require_listening(addresses: str) -> None:
    """Raise KafkaUnreachable at once where nothing listens at any of `host:port[,host:port…]`.

    A client waits half a minute for a broker. Addresses of another form are left to it.
    """
    pairs = [one.strip().rpartition(":") for one in addresses.split(",")]
    if all(port.isdecimal() for _, _, port in pairs) and not any(
        _reachable(host.strip("[]"), int(port)) for host, _, port in pairs
    ):
        raise _unreachable(KafkaConnectionError())


def _reachable(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=_REACH_SECONDS).close()
    except (OSError, UnicodeError, OverflowError):
        return False
    return True


def _elsewhere(named: str) -> KafkaUnreachable:
    return KafkaUnreachable(
        f"Kafka answers, but tells its clients to use {named}, which cannot be reached from here: "
        "correct advertised.listeners at the broker, or make that address reachable.",
        f"Kafka 有响应，但要求客户端连接 {named}，而本机无法连接该地址：请修改 Kafka 的 advertised.listeners，"
        "或使该地址可以访问。",
    )


def _unreachable(error: KafkaError) -> KafkaUnreachable:
    kind = type(error).__name__
    return KafkaUnreachable(
        f"Kafka does not answer ({kind}): check that it runs (`mianti up`), and "
        "KAFKA_BOOTSTRAP_SERVERS with its security settings.",
        f"Kafka 没有响应（{kind}）：请检查其是否运行（`mianti up`），以及 KAFKA_BOOTSTRAP_SERVERS 和安全设置。",
    )


@contextmanager
def kept() -> Iterator[None]:
    """Keep each kind of client open for the next who asks, until the end of the block.

    Making a consumer and a producer takes a quarter of a second: more than a small file does.
    """
    with ExitStack() as ends:
        token = _KEPT.set((ends, {}))
        try:
            yield
        finally:
            _KEPT.reset(token)


@contextmanager
def client(
    kind: Hashable, make: Callable[[], Client], close: Callable[[Client], object]
) -> Iterator[Client]:
    """Give a client and close it, or the one that is kept of its kind and settings.

    Raises KafkaUnreachable, also for what the client raises in the block: Kafka may go away when a
    kept one has long been made.
    """
    held = _KEPT.get()
    if held is not None:
        ends, known = held
        if kind not in known:
            with connecting():
                known[kind] = make()
            ends.callback(close, known[kind])
        with _asking(known[kind]):
            yield known[kind]
        return
    with connecting():
        made = make()
    try:
        with _asking(made):
            yield made
    finally:
        close(made)

"""Kafka clients made, or one clear sentence about why not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from kafka.errors import KafkaError

from connectors.errors import MiantiError


class KafkaUnreachable(MiantiError):
    """No Kafka answers at the address of the settings, or it does not let this client in."""


@contextmanager
def connecting() -> Iterator[None]:
    """Turn what a client raises while it is made into KafkaUnreachable."""
    try:
        yield
    except KafkaError as error:
        kind = type(error).__name__
        raise KafkaUnreachable(
            f"Kafka does not answer ({kind}): check that it runs (`mianti up`), and "
            "KAFKA_BOOTSTRAP_SERVERS with its security settings.",
            f"Kafka 没有响应（{kind}）：请检查其是否运行（`mianti up`），以及 KAFKA_BOOTSTRAP_SERVERS 和安全设置。",
        ) from error

"""A broker of a test's own, to be killed, frozen and started again on its data and its port."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from typing import Final

from connectors.settings import Settings
from connectors.stack import Server, Stack
from deploy.local import kafka as local_kafka
from tests.support.kafka import until

#: The client waits up to half a minute before it asks a broker again that was away; a test need not.
SOON: Final = "kafka:KafkaConsumer.DEFAULT_CONFIG[reconnect_backoff_max_ms]=500"


@dataclass(frozen=True)
class Broker:
    """A node of Kafka that runs in a home (`tests.conftest.running_kafka`)."""

    settings: Settings
    address: str

    def kill(self) -> None:
        """Kill it, and wait until it is gone."""
        server = self._server()
        self._signal(signal.SIGKILL)
        until(lambda: not server.alive)

    def start(self) -> None:
        """Start it again where it was."""
        server = local_kafka.launch(self.settings, self._server())
        Stack(kafka=server).write(self.settings.mianti_home)
        local_kafka.wait(self.settings, server)
        assert server.address == self.address

    def freeze(self) -> None:
        """Let it stand still, with its connections open."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def _server(self) -> Server:
        server = Stack.read(self.settings.mianti_home).kafka
        assert server is not None
        return server

    def _signal(self, number: signal.Signals) -> None:
        server = self._server()
        assert server.alive
        assert server.pid is not None
        os.kill(server.pid, number)

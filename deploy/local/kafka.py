"""Apache Kafka on this machine: one node, KRaft, its data under the home."""

import os
import subprocess
from base64 import urlsafe_b64encode
from pathlib import Path
from uuid import uuid4

from connectors.settings import Settings
from connectors.stack import Server
from deploy.local import jars, prerequisites
from deploy.local.ports import HOST, choose_port, last_port, listens
from deploy.local.processes import NotStarted, start, wait_until

START_SECONDS = 180.0  # 5 s on an idle machine; an end is noticed at once
# Serial GC has no threads of its own that wake up; the rest is for a small heap.
JVM = ["-Xms64m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:-UsePerfData", "-Djava.awt.headless=true"]
LOGGING = jars.POM.with_name("log4j2.properties")
# Paths in it are relative to Kafka's directory: Java reads the file as Latin-1.
PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs=data
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
offsets.topic.num.partitions=4
transaction.state.log.num.partitions=4
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
num.network.threads=2
num.io.threads=4
# An idle controller writes a record each half second otherwise.
metadata.max.idle.interval.ms=10000
"""


def kafka_home(home: Path) -> Path:
    """Where Kafka's jars, configuration and data are."""
    return home / "kafka"


def is_prepared(settings: Settings) -> bool:
    """Whether the jars are here."""
    return jars.jars_are_here(_libs(settings))


def check(settings: Settings) -> None:
    """Raises Missing where Java, or Maven while the jars are not here, is missing."""
    prerequisites.java()
    if not is_prepared(settings):
        prerequisites.maven()


def prepare(settings: Settings) -> None:
    """Fetch the jars. Raises NotFetched."""
    jars.fetch_jars(_libs(settings))


def launch(settings: Settings, last: Server | None) -> Server:
    """Start the node on its data, on the port it had where that is free; does not wait.

    Its jars must be here (`prepare`). Raises PortTaken, Missing, NotStarted.
    """
    port = choose_port(settings.mianti_kafka_port, last_port(last), "MIANTI_KAFKA_PORT")
    controller = choose_port(
        settings.mianti_kafka_controller_port, None, "MIANTI_KAFKA_CONTROLLER_PORT"
    )
    here = kafka_home(settings.mianti_home)
    properties = PROPERTIES.format(host=HOST, port=port, controller=controller)
    (here / "server.properties").write_text(properties)
    if not (here / "data" / "meta.properties").exists():
        _format(here)
    return start(
        "kafka",
        _java("kafka.Kafka", "server.properties"),
        f"{HOST}:{port}",
        home=settings.mianti_home,
        cwd=here,
        env=prerequisites.UTF8,
    )


def wait(settings: Settings, server: Server) -> None:
    """Return once the node gives its metadata. Raises NotStarted when it does not."""
    wait_until(
        lambda: _answers(settings.mianti_home, server),
        server,
        "kafka",
        home=settings.mianti_home,
        seconds=START_SECONDS,
    )


def cluster_id(home: Path) -> str:
    """The id that the storage of this home was formatted with."""
    lines = (kafka_home(home) / "data" / "meta.properties").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)["cluster.id"]


def _answers(home: Path, server: Server) -> bool:
    if not listens(server.address):
        return False  # the client itself would wait longer after each refusal
    # Imported late: an `up` that finds a Kafka of the user's own needs no client.
    from kafka import KafkaAdminClient
    from kafka.errors import KafkaError

    try:
        admin = KafkaAdminClient(bootstrap_servers=server.address, bootstrap_timeout_ms=2000)
    except (KafkaError, OSError):
        return False
    try:
        # Not only a Kafka, but this home's: the port may have become another's.
        return bool(admin.describe_cluster()["cluster_id"] == cluster_id(home))
    except KafkaError:
        return False
    finally:
        admin.close()


def _libs(settings: Settings) -> Path:
    return kafka_home(settings.mianti_home) / "libs"


def _format(here: Path) -> None:
    cluster = urlsafe_b64encode(uuid4().bytes).decode().rstrip("=")
    done = subprocess.run(
        _java("kafka.tools.StorageTool", "format", f"--cluster-id={cluster}",
              "--config=server.properties", "--ignore-formatted"),
        cwd=here,
        env={**os.environ, **prerequisites.UTF8},
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    if done.returncode:
        raise NotStarted(
            f"Kafka could not format its storage in {here}: {done.stderr.strip()}",
            f"Kafka 无法初始化存储目录 {here}：{done.stderr.strip()}",
        )


def _java(main: str, *arguments: str) -> list[str]:
    logging = f"-Dlog4j2.configurationFile={LOGGING.as_uri()}"
    return [prerequisites.java(), *JVM, "-cp", "libs/*", logging, main, *arguments]

"""Bad use: whatever is wrong, a sentence in each language says what to do, and nothing is traced."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from deploy.cli.main import cli

#: Nothing listens there: the port is held by a socket that does not.
SECRET = "xyzzy-not-to-be-told"
CODE = "91990100MA01RXEY0J"
NOTHING_DONE = 2


class Place:
    """A home with files to be wrong with, and an address where nobody answers."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._held = socket.socket()
        self._held.bind(("127.0.0.1", 0))
        self.nobody = f"127.0.0.1:{self._held.getsockname()[1]}"

    def file(self, name: str, content: bytes = b"") -> str:
        """Write a file; return its path."""
        path = self.home / name
        path.write_bytes(content)
        return str(path)

    def close(self) -> None:
        """Give the address free."""
        self._held.close()


Bad = Callable[[Place], tuple[list[str], dict[str, str]]]


def kafka_away(*command: str) -> Bad:
    return lambda at: ([*command], {"KAFKA_BOOTSTRAP_SERVERS": at.nobody})


def setting(name: str, value: str, *command: str) -> Bad:
    return lambda _: ([*(command or ("status",))], {name: value})


def missing(name: str, *command: str) -> Bad:
    return lambda at: ([*command], {name: str(at.home / "not-there")})


def a_file(name: str, content: bytes, *command: str) -> Bad:
    return lambda at: ([*command], {name: at.file("wrong", content)})


def plain(*command: str) -> Bad:
    return lambda _: ([*command], {})


def publishing(content: bytes | None, name: str = "f.csv", *options: str) -> Bad:
    def make(at: Place) -> tuple[list[str], dict[str, str]]:
        path = str(at.home / name) if content is None else at.file(name, content)
        return ["publish", path, "--publisher", "credit-demo", *options], {
            "KAFKA_BOOTSTRAP_SERVERS": at.nobody
        }

    return make


def bucket_away(*command: str) -> Bad:
    return lambda at: (
        [*command],
        {
            "MIANTI_LAKE": "s3://mianti-nobody/lake",
            "AWS_ENDPOINT_URL": f"http://{at.nobody}",
            "AWS_ACCESS_KEY_ID": "k",
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": "us-east-1",
        },
    )


def registry(at: Place) -> dict[str, str]:
    return {
        "MIANTI_SCHEMA_REGISTRY": f"http://{at.nobody}/apis/ccompat/v7",
        "MIANTI_SCHEMA_REGISTRY_USERNAME": "clerk",
        "MIANTI_SCHEMA_REGISTRY_PASSWORD": SECRET,
    }


ASK = ("ask", "--subject", CODE, "--matter", "JS-3002")

BAD: dict[str, Bad] = {
    # Kafka
    "no Kafka was ever started": plain("ingest"),
    "no Kafka for status": plain("status"),
    "Kafka away: ingest": kafka_away("ingest"),
    "Kafka away: status": kafka_away("status"),
    "Kafka away: withdraw": kafka_away(
        "withdraw", "k/1", "--publisher", "credit-demo", "--reason", "x"
    ),
    "Kafka is no address": setting("KAFKA_BOOTSTRAP_SERVERS", "nonsense", "ingest"),
    "unknown protocol": setting("KAFKA_SECURITY_PROTOCOL", "NONSENSE", "ingest"),
    "a login without a name": setting("KAFKA_SECURITY_PROTOCOL", "SASL_PLAINTEXT", "ingest"),
    "no such certificate": lambda at: (
        ["ingest"],
        {
            "KAFKA_BOOTSTRAP_SERVERS": at.nobody,
            "KAFKA_SECURITY_PROTOCOL": "SSL",
            "KAFKA_SSL_CAFILE": str(at.home / "ca.pem"),
        },
    ),
    # the registry
    "the registry is away: withdraw": lambda at: (
        ["withdraw", "k/1", "--publisher", "credit-demo", "--reason", "x"],
        {"KAFKA_BOOTSTRAP_SERVERS": at.nobody} | registry(at),
    ),
    "the registry is away: register": lambda at: (["schema", "register"], registry(at)),
    "no registry to register in": plain("schema", "register"),
    "the registry is no address": setting("MIANTI_SCHEMA_REGISTRY", "registry:8081"),
    "the registry's port is none": setting("MIANTI_SCHEMA_REGISTRY", "http://host:99999/v7"),
    "a password in the registry's address": setting(
        "MIANTI_SCHEMA_REGISTRY", f"http://clerk:{SECRET}@host:8081/apis/ccompat/v7"
    ),
    "the registry's password alone": setting("MIANTI_SCHEMA_REGISTRY_PASSWORD", SECRET),
    # the lake
    "a lake of another kind": setting("MIANTI_LAKE", "ftp://somewhere", "query", "licence"),
    "a whole bucket": setting("MIANTI_LAKE", "s3://bucket", "query", "licence"),
    "the lake is a file": a_file("MIANTI_LAKE", b"x", "rebuild", "licence"),
    "the bucket is away: query": bucket_away("query", "licence"),
    "the bucket is away: ask": bucket_away(*ASK),
    "the bucket is away: quarantine": bucket_away("quarantine", "list"),
    "the home is a file": a_file("MIANTI_HOME", b"x", "window", "rebuild"),
    # the contract
    "no such table of publishers": missing("MIANTI_PUBLISHERS", "ask", *ASK[1:]),
    "a table that is no YAML": a_file("MIANTI_PUBLISHERS", b"{: [", *ASK),
    "a table of another shape": a_file("MIANTI_PUBLISHERS", b"publishers: [1]", *ASK),
    "a table in no encoding": a_file("MIANTI_PUBLISHERS", b"\xff\xfe\x00\xd8", *ASK),
    "no such catalogue": missing("MIANTI_CATALOGUE", *ASK),
    "the catalogue is a file": a_file("MIANTI_CATALOGUE", b"x", "catalogue", "list"),
    "no such dialects": lambda at: (
        publishing(b"a\n1\n")(at)[0],
        {"MIANTI_DIALECTS": str(at.home / "none"), "KAFKA_BOOTSTRAP_SERVERS": at.nobody},
    ),
    # files
    "no such file": publishing(None),
    "an empty file": publishing(b""),
    "a picture": publishing(b"\x89PNG\r\n\x1a\n" + bytes(100), "f.xlsx"),
    "columns of no layout": publishing("甲,乙\n1,2\n".encode()),
    "an unknown layout": publishing(b"a\n1\n", "f.csv", "--layout", "nonsense"),
    "an edition that is no time": publishing(b"a\n1\n", "f.csv", "--edition", "soon"),
    "an unknown publisher": plain(
        "withdraw", "k/1", "--publisher", "nobody-of-that-name", "--reason", "x"
    ),
    # questions
    "no code": plain("ask", "--subject", "123", "--matter", "JS-3002"),
    "a mistyped code": plain("ask", "--subject", CODE[:-1] + "1", "--matter", "JS-3002"),
    "an unknown matter": plain("ask", "--subject", CODE, "--matter", "nonsense"),
    "a day that is none": plain(*ASK, "--on", "tomorrow"),
    "a time that is none": plain(*ASK, "--known-at", "now"),
    "a time before all times": plain(*ASK, "--known-at", "0001-01-01"),
    "an unknown receipt": plain("receipt", "show", "window-9-1"),
    "no receipt's name": plain("receipt", "verify", "nonsense"),
    "uses of no code": plain("uses", "--subject", "123"),
    # the window
    "a rate that is none": setting("MIANTI_WINDOW_RATE", "fast"),
    "a port that is none": setting("MIANTI_WINDOW_PORT", "99999"),
    "a name that is none": setting("MIANTI_WINDOW_NAME", "Window One"),
    "no port": plain("window", "serve"),
    "no such department": plain("window", "token", "--clerk", "c", "--department", "nobody"),
    "no such purpose": plain(
        *("window", "token", "--clerk", "c", "--department", "housing", "--purpose", "nothing")
    ),
    "a register that is none": a_file("MIANTI_WINDOW_KEYS", b"[", "window", "serve", "--port", "1"),
    "keys that are none": a_file(
        "MIANTI_WINDOW_TOKEN_KEYS", b"{", "window", "serve", "--port", "1"
    ),
    # the rest
    "a zone that is a file": a_file("MIANTI_ZONE", b"x", "collect"),
    "no such verb": plain("pubish"),
    "a place that is none": plain("quarantine", "show", "--place", "x"),
    "a place beyond all": plain("quarantine", "show", "--place", "t/0/99999999999999999999"),
    "a name in no encoding": plain(
        "quarantine", "discard", "--reason", "tombstone", "--by", "Li\udc80", "--why", "x"
    ),
}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    made = Place(tmp_path)
    for name in ("KAFKA_BOOTSTRAP_SERVERS", "MIANTI_LAKE", "PREFECT_API_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MIANTI_HOME", str(tmp_path / "home"))
    return made


@pytest.mark.parametrize("name", BAD)
def test_bad_use_is_told_in_a_sentence(
    name: str, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    command, env = BAD[name](place)
    for variable, value in env.items():
        monkeypatch.setenv(variable, value)
    done = CliRunner().invoke(cli, command)
    told = done.stderr
    assert done.exit_code == NOTHING_DONE, told or done.output
    assert told.strip()
    assert "Traceback" not in told
    assert "Something unexpected" not in told, told
    assert SECRET not in done.output
    assert any("\u4e00" <= c <= "\u9fff" for c in told) or "Usage:" in told, told
    assert len(told) < 2_000

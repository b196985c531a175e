"""The settings of one installation: from the environment, else from the file of its home."""

import os
import re
from pathlib import Path
from typing import Any, Final, Self, get_args
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from connectors.errors import MiantiError
from connectors.settings_file import BadSetting, read_file, settings_file
from connectors.stack import Server, Stack

__all__ = [
    "BadSetting",
    "NotRunning",
    "Settings",
    "kafka_address",
    "kafka_options",
    "prefect_api",
    "read_settings",
]

#: A folder is asked for: the whole of a bucket is seldom one program's.
_BUCKET = re.compile(r"s3://[a-z0-9][a-z0-9.-]{2,62}(/[A-Za-z0-9._=-]+)+/?")
#: deltalake and Polars make an address of a lake's path, and take these for something else in it.
_NO_ADDRESS: Final = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff\[\]^|\\]|%[0-9A-Fa-f]{2}")
_WEB: Final = ("http", "https")
#: A part of a host's name (RFC 1123, 2.1; some have an underscore).
_LABEL: Final = re.compile(r"(?!xn--$)[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")


class NotRunning(MiantiError):
    """Nothing was set, and nothing runs in this home: the caller must start or name a server."""


#: Settings that name a directory, or a folder of a bucket.
_PLACES: Final = ("mianti_lake", "mianti_zone", "mianti_evidence")


class _OfTheHome(PydanticBaseSettingsSource):
    """What the file of the home says, where the environment says nothing."""

    def __call__(self) -> dict[str, Any]:
        """Return its settings. Raises BadSetting."""
        fields = self.settings_cls.model_fields
        home = Path(self.current_state.get("mianti_home") or fields["mianti_home"].default)
        places = {*_PLACES, *(name for name, one in fields.items() if _is_a(one, Path))}
        secrets = {name for name, one in fields.items() if _is_a(one, SecretStr)}
        return dict(read_file(home.expanduser().absolute(), fields, places, secrets))

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Return nothing: the file is read as a whole."""
        return None, field_name, False


def _is_a(field: FieldInfo, kind: type) -> bool:
    return kind in (field.annotation, *get_args(field.annotation))


class Settings(BaseSettings):
    """Each field is the environment variable of its name; an empty variable counts as unset.

    What the environment does not set is taken from the file of the home (`connectors.settings_file`).
    Paths are absolute once read, so that a process started elsewhere means the same files.
    """

    # Inputs stay out of error texts: one of them is a password.
    model_config = SettingsConfigDict(
        env_ignore_empty=True, frozen=True, validate_default=True, hide_input_in_errors=True
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return where settings come from, the first that has one first."""
        return init_settings, env_settings, _OfTheHome(settings_cls)

    mianti_home: Path = Path(".mianti")
    mianti_lake: str = Field(default_factory=lambda known: str(known["mianti_home"] / "lake"))
    mianti_zone: str = Field(default_factory=lambda known: str(known["mianti_home"] / "zone"))
    mianti_ledger: Path = Field(default_factory=lambda known: known["mianti_home"] / "ledger")
    mianti_publishers: Path | None = None
    mianti_dialects: Path | None = None
    mianti_catalogue: Path | None = None
    mianti_operators: Path = Field(
        default_factory=lambda known: known["mianti_home"] / "operators.yaml"
    )

    mianti_window: Path = Field(default_factory=lambda known: known["mianti_home"] / "window")
    mianti_window_name: str = Field(default="window-1", pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")
    #: Public keys; apart from `mianti_window`, which the window writes.
    mianti_window_keys: Path = Field(
        default_factory=lambda known: known["mianti_home"] / "window-keys.yaml"
    )
    mianti_window_host: str = "127.0.0.1"
    mianti_window_port: int | None = Field(default=None, ge=1, le=65535)
    #: Where others reach the window, for the QR code on a receipt: behind a proxy only it knows.
    mianti_window_url: str | None = Field(default=None, pattern=r"^https?://[!-~]{1,200}$")
    mianti_window_behind_seconds: int = Field(default=60, ge=1)
    mianti_window_rate: str = Field(default="50/second", pattern=r"^\d+/(second|minute|hour)$")
    mianti_window_token_keys: Path | None = None
    mianti_evidence: str = Field(default_factory=lambda known: f"{known['mianti_lake']}/evidence")

    mianti_kafka_port: int | None = Field(default=None, ge=1, le=65535)
    mianti_kafka_controller_port: int | None = Field(default=None, ge=1, le=65535)
    mianti_prefect_port: int | None = Field(default=None, ge=1, le=65535)

    kafka_bootstrap_servers: str | None = None
    kafka_security_protocol: str = "PLAINTEXT"
    kafka_sasl_mechanism: str | None = None
    kafka_sasl_username: str | None = None
    kafka_sasl_password: SecretStr | None = None
    kafka_ssl_cafile: Path | None = None

    mianti_schema_registry: str | None = None
    mianti_schema_registry_username: str | None = None
    mianti_schema_registry_password: SecretStr | None = None

    prefect_api_url: str | None = None
    mianti_alarm_webhook: SecretStr | None = None

    @field_validator(
        "mianti_home",
        "mianti_ledger",
        "mianti_publishers",
        "mianti_dialects",
        "mianti_catalogue",
        "mianti_operators",
        "mianti_window",
        "mianti_window_keys",
        "mianti_window_token_keys",
        "kafka_ssl_cafile",
    )
    @classmethod
    def _absolute(cls, path: Path | None) -> Path | None:
        return None if path is None else _expanded(path)

    @field_validator("mianti_lake", "mianti_zone", "mianti_evidence", mode="before")
    @classmethod
    def _directory_or_bucket(cls, place: object) -> str:
        text = str(place)
        if _BUCKET.fullmatch(text):
            return text.rstrip("/")
        if "://" in text:
            raise ValueError("must be a directory, or s3://BUCKET/FOLDER")
        return str(_expanded(Path(text)))

    @field_validator("mianti_lake")
    @classmethod
    def _an_address(cls, place: str) -> str:
        real = place if _BUCKET.fullmatch(place) else str(Path(place).resolve())
        if _NO_ADDRESS.search(real):
            raise ValueError(
                "must be a directory (whichever a link leads to) without [ ] ^ | \\, control "
                "characters, or % before two hexadecimal digits in its path: the tables could not "
                "be read there · 目录路径（含链接指向的路径）不得包含 [ ] ^ | \\、控制字符或 %20 "
                "之类的百分号编码，否则无法读取其中的表"
            )
        return place

    @field_validator(
        "mianti_home",
        "mianti_lake",
        "mianti_zone",
        "mianti_ledger",
        "mianti_dialects",
        "mianti_catalogue",
        "mianti_window",
        "mianti_evidence",
    )
    @classmethod
    def _no_file(cls, place: Path | str | None) -> Path | str | None:
        """A file in a lake's place would look like a lake where nothing was ever landed."""
        try:
            is_file = place is not None and Path(place).is_file()
        except OSError as error:
            raise ValueError(f"cannot be a path ({error.strerror})") from None
        if is_file:
            raise ValueError("is a file; a directory is needed")
        return place

    @field_validator("mianti_alarm_webhook")
    @classmethod
    def _of_the_web(cls, text: SecretStr | None) -> SecretStr | None:
        if text is not None and not _is_address(text.get_secret_value()):
            raise ValueError("must be http://HOST:PORT/PATH or https://…")
        return text

    @field_validator("mianti_schema_registry")
    @classmethod
    def _address(cls, text: str | None) -> str | None:
        if text is None:
            return None
        try:
            parts = urlsplit(text)
            whole = parts.scheme in _WEB and parts.hostname and parts.port != 0
        except ValueError:
            whole = False
        else:
            whole = whole and not (parts.username or parts.password or parts.query)
        if not whole or not text.isascii() or not text.isprintable() or set(text) & set(" #@"):
            raise ValueError(
                "must be http://HOST:PORT/PATH or https://…; the name and password it asks for are "
                "MIANTI_SCHEMA_REGISTRY_USERNAME and MIANTI_SCHEMA_REGISTRY_PASSWORD"
            )
        return text.rstrip("/")

    @model_validator(mode="after")
    def _login_is_whole(self) -> Self:
        login = self.mianti_schema_registry_username, self.mianti_schema_registry_password
        if login.count(None) == 1:
            raise ValueError(
                "MIANTI_SCHEMA_REGISTRY_USERNAME and MIANTI_SCHEMA_REGISTRY_PASSWORD go together"
            )
        return self

    @model_validator(mode="after")
    def _sasl_is_whole(self) -> Self:
        given = (self.kafka_sasl_mechanism, self.kafka_sasl_username, self.kafka_sasl_password)
        if self.kafka_security_protocol.startswith("SASL_") and None in given:
            raise ValueError(
                f"KAFKA_SECURITY_PROTOCOL={self.kafka_security_protocol} needs "
                "KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD"
            )
        return self


def _expanded(path: Path) -> Path:
    """Return a path as an absolute one. Raises ValueError where it cannot be one."""
    if "\0" in str(path):
        raise ValueError("holds a NUL character")
    try:
        return path.expanduser().absolute()
    except RuntimeError:
        raise ValueError("begins with ~ of a user who is not known here") from None


def _is_address(text: str) -> bool:
    """Return whether a text is the address of a web server, which a client can call."""
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
        plain = ":" in host or all(map(_LABEL.fullmatch, host.removesuffix(".").split(".")))
    except ValueError:  # a port that is no number, a bracket that is not closed
        return False
    return re.fullmatch(r"https?://[!-~]+", text) is not None and plain and port != 0


def read_settings() -> Settings:
    """The settings of this environment and its home.

    Raises BadSetting, which names the setting and the rule, never the value.
    """
    try:
        return Settings()
    except ValidationError as wrong:
        first = wrong.errors(include_url=False, include_input=False)[0]
        name = "_".join(map(str, first["loc"])).upper()
        why = f"{name}: {first['msg']}".removeprefix(": ")
        at = settings_file(Path(os.environ.get("MIANTI_HOME") or ".mianti").absolute())
        where = f" ({at})" if at.is_file() and not os.environ.get(name) else ""
        raise BadSetting(
            f"A setting cannot be used: {why}{where}.", f"设置的值无效：{why}{where}。"
        ) from None


def kafka_options(settings: Settings) -> dict[str, Any]:
    """What any kafka-python client of these settings is made with: address, TLS, SASL.

    Raises NotRunning when KAFKA_BOOTSTRAP_SERVERS is not set and no Kafka runs in the home.
    """
    password = settings.kafka_sasl_password
    options = {
        "bootstrap_servers": kafka_address(settings).split(","),
        "security_protocol": settings.kafka_security_protocol,
        "ssl_cafile": settings.kafka_ssl_cafile and str(settings.kafka_ssl_cafile),
        "sasl_mechanism": settings.kafka_sasl_mechanism,
        "sasl_plain_username": settings.kafka_sasl_username,
        "sasl_plain_password": password and password.get_secret_value(),
    }
    return {name: value for name, value in options.items() if value is not None}


def kafka_address(settings: Settings) -> str:
    """Where Kafka answers, `host:port[,host:port…]`.

    Raises NotRunning when KAFKA_BOOTSTRAP_SERVERS is not set and no Kafka runs in the home.
    """
    given = settings.kafka_bootstrap_servers
    return given or _running(settings, "kafka", "Kafka", "KAFKA_BOOTSTRAP_SERVERS")


def prefect_api(settings: Settings) -> str:
    """The URL of the Prefect API, ending in `/api`.

    Raises NotRunning when PREFECT_API_URL is not set and no Prefect server runs in the home.
    """
    given = settings.prefect_api_url
    return given or _running(settings, "prefect", "Prefect", "PREFECT_API_URL")


def _running(settings: Settings, part: str, name: str, variable: str) -> str:
    server: Server | None = getattr(Stack.read(settings.mianti_home), part)
    if server is not None and server.alive:
        return server.address
    raise NotRunning(
        f"{name} is not running: start it with `mianti up`, or set {variable}.",
        f"{name} 没有运行：请先执行 `mianti up`，或设置环境变量 {variable}。",
    )

"""A schema registry with the Confluent API (Apicurio, Karapace, Confluent), asked as little as can be."""

from __future__ import annotations

import json
from functools import cache
from typing import Any, Final

from connectors.errors import MiantiError
from connectors.settings import BadSetting, Settings
from schemas.avro import event_schema
from schemas.meaning import NO_SCHEMA, number_of

_SECONDS: Final = 5.0
#: A registry counts in 32 bits with a sign; a greater id it never gave, and may answer anyhow.
_GREATEST: Final = (1 << 31) - 1
#: Of the Confluent API: no such subject, version or schema. Any other 404 is a wrong address.
_NOT_THERE: Final = frozenset((40401, 40402, 40403))
_OURS: Final = {"accept": "application/vnd.schemaregistry.v1+json, application/json"}


class RegistryUnreachable(MiantiError):
    """The registry of the settings gave no answer that can be used."""


class NotRegistered(MiantiError):
    """The registry does not have this release's schemas."""


class Registry:
    """The registry at one address, for all of a process.

    `kept`: what it said of ids by which messages are read; that is not asked again.
    """

    def __init__(self, address: str, login: tuple[str, str] | None) -> None:
        import httpx  # here and below: most installations have no registry

        self._address = address
        self._client = httpx.Client(auth=login, timeout=_SECONDS, headers=_OURS)
        self.kept: dict[int, int] = {}
        self._ids: dict[tuple[str, int], int] = {}

    def schema(self, schema_id: int) -> int | None:
        """Return the number (`schemas.meaning`) of the schema an id has; None where it has none.

        Raises RegistryUnreachable.
        """
        if schema_id > _GREATEST:
            return None
        about = f"schema id {schema_id}"
        told = self._asked("GET", f"/schemas/ids/{schema_id}", about)
        return None if told is None else _number(told, about)

    def id_of(self, family: str, version: int) -> int:
        """Return the id of an event schema. Raises RegistryUnreachable, NotRegistered."""
        one = family, version
        if one not in self._ids:
            name = subject(family)
            path = f"/subjects/{name}?normalize=true"
            told = self._asked("POST", path, name, _text(family, version))
            if told is None:
                raise _not_registered(name, version)
            self._ids[one] = _id(told, name)
        return self._ids[one]

    def register(self, family: str, version: int) -> int:
        """Put an event schema there unless it is; return its id. Raises RegistryUnreachable."""
        name = subject(family)
        told = self._asked("POST", f"/subjects/{name}/versions", name, _text(family, version))
        return _id(told or {}, name)

    def _asked(
        self, method: str, path: str, about: str, body: dict[str, str] | None = None
    ) -> dict[str, Any] | None:
        """Return what the registry says; None where it says that there is none."""
        import httpx

        try:
            answer = self._client.request(method, f"{self._address}{path}", json=body)
            told = answer.json()
        except httpx.HTTPError as error:
            raise _unreachable(about, type(error).__name__) from None  # its text may name the login
        except (ValueError, RecursionError):
            raise _unreachable(about, "no JSON") from None
        if not isinstance(told, dict):
            raise _unreachable(about, "no such API")
        if answer.status_code == httpx.codes.NOT_FOUND and told.get("error_code") in _NOT_THERE:
            return None
        if not answer.is_success:
            raise _unreachable(about, f"HTTP {answer.status_code}")
        return told


def registry(settings: Settings) -> Registry | None:
    """Return the registry of the settings, the same one for all of this process; None without one."""
    if settings.mianti_schema_registry is None:
        return None
    password = settings.mianti_schema_registry_password
    return _registry(
        settings.mianti_schema_registry,
        settings.mianti_schema_registry_username,
        password and password.get_secret_value(),
    )


def required(settings: Settings) -> Registry:
    """Return the registry of the settings. Raises BadSetting where none is set."""
    found = registry(settings)
    if found is None:
        raise BadSetting(
            "MIANTI_SCHEMA_REGISTRY is not set: without a registry the ids are those of "
            "schemas/ids.yaml, and nothing is to be registered.",
            "未设置 MIANTI_SCHEMA_REGISTRY：不使用注册中心时，模式编号以 schemas/ids.yaml 为准，无需注册。",
        )
    return found


def subject(family: str) -> str:
    """Return the name a family's event schemas have in a registry: the record's own."""
    schema = event_schema(family)
    return f"{schema['namespace']}.{schema['name']}"


@cache
def _registry(address: str, name: str | None, password: str | None) -> Registry:
    return Registry(address, (name, password) if name and password else None)


def _text(family: str, version: int) -> dict[str, str]:
    schema = event_schema(family, version)
    return {"schema": json.dumps(schema, ensure_ascii=False, separators=(",", ":"))}


def _number(told: dict[str, Any], about: str) -> int:
    text = told.get("schema")
    if not isinstance(text, str) or not text:
        raise _unreachable(about, "no schema")
    # Avro is what is not said to be anything else.
    return number_of(text) if told.get("schemaType") in (None, "AVRO") else NO_SCHEMA


def _id(told: dict[str, Any], about: str) -> int:
    given = told.get("id")
    if type(given) is not int or not 0 <= given <= _GREATEST:
        raise _unreachable(about, "no id")
    return given


def _unreachable(about: str, why: str) -> RegistryUnreachable:
    return RegistryUnreachable(
        f"The schema registry gives no answer about {about} ({why}): check that it runs, "
        "MIANTI_SCHEMA_REGISTRY, and the name and password it asks for. Run the same again when it "
        "answers: it goes on where this stopped.",
        f"模式注册中心未能答复 {about}（{why}）：请检查其是否运行、MIANTI_SCHEMA_REGISTRY 及用户名和密码。"
        "恢复后重新执行即可，从停下处继续。",
    )


def _not_registered(name: str, version: int) -> NotRegistered:
    return NotRegistered(
        f"The schema registry does not have {name} v{version} of this release: run `mianti schema "
        "register` once, or ask who keeps the registry to. Nothing was published.",
        f"模式注册中心没有本版本的 {name} v{version}：请执行一次 `mianti schema register`，"
        "或请注册中心管理员登记。本次未发布任何内容。",
    )

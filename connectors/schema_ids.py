"""What the schema ids of messages mean: asked of whoever gives them, and remembered by the log.

A registry gives them, or `schemas/ids.yaml`. An id never changes what it means. So what a log has
once taken in by an id stays true while the registry is away, or has lost it; where the registry
says otherwise, nothing more is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from threading import Lock
from types import MappingProxyType
from typing import Final

from connectors.errors import MiantiError
from connectors.registry import Registry, RegistryUnreachable, registry
from connectors.settings import Settings
from schemas.avro import UnknownSchemaError, family_and_version, schema_id, versions
from schemas.meaning import NO_SCHEMA, number_of_version, version_of

Version = tuple[str, int]
_NOTHING: Final[Mapping[int, int]] = MappingProxyType({})


class ForeignSchemaError(UnknownSchemaError):
    """An id has a schema, but none that this release knows."""


class SchemaChanged(MiantiError):
    """Another schema has come under an id."""


class SchemaIds:
    """What ids mean to one run, each asked for once.

    `known`: what they meant to its log before, numbers of schemas (`schemas.meaning`) by id. Learnt
    is by which others the run reads its `family`: what it refuses may be put right in the registry.
    Without any settings the ids are those of `schemas/ids.yaml`.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        family: str | None = None,
        known: Mapping[int, int] = _NOTHING,
    ) -> None:
        self._registry = None if settings is None else registry(settings)
        self._family = family
        self._known = known
        self._meant: dict[int, int | None] = {}
        self._learnt: dict[int, int] = {}
        self._lock = Lock()

    def version(self, number: int) -> Version:
        """Return of which family's event schema an id is, and of which version.

        Raises UnknownSchemaError where it has no schema, ForeignSchemaError, SchemaChanged,
        RegistryUnreachable where nothing is known of it.
        """
        if number not in self._meant:
            with self._lock:
                if number not in self._meant:
                    self._meant[number] = self._found(number)
        meant = self._meant[number]
        if meant is None:
            raise UnknownSchemaError(f"no schema with id {number}")
        version = version_of(meant)
        if version is None:
            raise ForeignSchemaError(f"the schema with id {number} is none of this release")
        return version

    def learnt(self) -> dict[int, int]:
        """Return what the ids mean by which the family is read, and which were not known before."""
        return self._learnt.copy()

    def _found(self, number: int) -> int | None:
        known = self._known.get(number)
        try:
            said = (
                _built_in(number)
                if self._registry is None
                else _asked(self._registry, number, known)
            )
        except RegistryUnreachable:
            if known is None:
                raise
            return known
        if said is None:
            return known
        require_same(number, said, self._known)
        version = version_of(said)
        if version is not None and version[0] == self._family:
            if self._registry is not None:
                self._registry.kept[number] = said
            if known is None:
                self._learnt[number] = said
        return said


def require_same(number: int, said: int, known: Mapping[int, int]) -> None:
    """Raise SchemaChanged where an id is known to mean something else."""
    was = known.get(number, said)
    if was != said:
        raise _changed(number, _name(was), _name(said))


def id_to_write(settings: Settings, family: str) -> int:
    """Return the id by which the family's newest event schema is written.

    Raises RegistryUnreachable, NotRegistered.
    """
    asked = registry(settings)
    if asked is None:
        return schema_id(family)
    return asked.id_of(family, versions("events", family)[-1])


def _asked(there: Registry, number: int, known: int | None) -> int | None:
    """Ask unless it was asked, and nobody has learnt otherwise: it may have been put right."""
    kept = there.kept.get(number)
    return kept if kept is not None and known in (None, kept) else there.schema(number)


def _built_in(number: int) -> int | None:
    try:
        return number_of_version(*family_and_version(number))
    except UnknownSchemaError:
        return None


def _name(meant: int) -> tuple[str, str]:
    version = version_of(meant)
    if version is not None:
        return (f"{version[0]} v{version[1]}",) * 2
    if meant == NO_SCHEMA:
        return "no Avro schema", "非 Avro 模式"
    return f"a schema that this release does not know ({meant:x})", f"本版本未知的模式（{meant:x}）"


def _changed(number: int, was: tuple[str, str], now: tuple[str, str]) -> SchemaChanged:
    return SchemaChanged(
        f"Schema id {number} has changed: messages by it were landed as {was[0]}, and now it is "
        f"{now[0]}. Nothing was landed. Have the schema put back under its id, or "
        "MIANTI_SCHEMA_REGISTRY set to the registry that the publishers use.",
        f"模式编号 {number} 已被更改：此前按 {was[1]} 入库，现为 {now[1]}。本次未入库任何数据。"
        "请恢复该编号的原模式，或将 MIANTI_SCHEMA_REGISTRY 设为各发布部门所用的注册中心。",
    )


#: Those of `schemas/ids.yaml`, for who reads messages outside of any installation.
BUILT_IN: Final = SchemaIds()

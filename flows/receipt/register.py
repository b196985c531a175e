"""The register of windows' public keys: a file apart from everything a window writes.

A receipt counts as proven only by a key of this register; a key that the evidence itself brings
proves nothing, because whoever writes the evidence can bring any key. Format: `docs/window.md`.
"""

from __future__ import annotations

import datetime as dt
import os
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any, Final

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from connectors.errors import MiantiError
from connectors.receipts import Receipts
from connectors.settings import Settings
from flows.clock import CHINA, china_today
from flows.receipt.chain import Sealed
from flows.receipt.desk import key_file
from flows.receipt.keys import BadKey, ensure_key, fingerprint, public_text, read_key, signed_by
from schemas import yaml_once

_HEAD: Final = """\
# The public keys of this installation's windows. `mianti receipt verify` trusts these and no other.
# `mianti window register` adds the keys of a window; keep this file where no window can write.
# 各窗口的公钥。`mianti receipt verify` 只信任此处登记的密钥；请存放在窗口无权写入的位置。
"""
_PEM: Final = "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n"


class BadRegister(MiantiError):
    """The register of windows' keys cannot be read, or does not fit the window."""


class RegisteredKey(BaseModel):
    """One public key of a window, and the days (China, both included) on which it signs."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    #: The key's SubjectPublicKeyInfo (DER) in base64: its PEM without the first and last line.
    key: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9+/]{59}=$")]
    first: dt.date = Field(alias="from")
    last: dt.date | None = Field(default=None, alias="to")

    @property
    def public(self) -> str:
        """Return the key as PEM."""
        return _PEM.format(self.key)

    def covers(self, at: dt.datetime) -> bool:
        """Return whether the key may have signed at a time (with its zone)."""
        day = at.astimezone(CHINA).date()
        return self.first <= day and (self.last is None or day <= self.last)


Register = dict[str, list[RegisteredKey]]
_ADAPTER: Final[TypeAdapter[Register]] = TypeAdapter(Register)


def read_register(path: Path) -> Register:
    """Return the register: keys by window; empty where there is no file. Raises BadRegister."""
    try:
        loaded = yaml_once.load(path.read_text("utf-8"))
        return _ADAPTER.validate_python(loaded or {})
    except FileNotFoundError:
        return {}
    except ValidationError as error:
        where = ".".join(map(str, error.errors(include_input=False)[0]["loc"]))
    except (yaml.YAMLError, UnicodeDecodeError, OSError, TypeError) as error:
        where = type(error).__name__
    raise BadRegister(
        f"The register of windows' keys {path} cannot be used ({where}): restore it from version "
        "control. docs/window.md shows its form.",
        f"窗口密钥登记表 {path} 无法使用（{where}）：请从版本库恢复，格式见 docs/window.zh-CN.md。",
    )


def not_registered(
    keys: Sequence[RegisteredKey], public: str, at: dt.datetime, path: Path
) -> str | None:
    """Return why a public key (PEM) proves nothing at a time; None where it is registered."""
    matching = [one for one in keys if one.public == public]
    if any(one.covers(at) for one in matching):
        return None
    name = fingerprint(public)
    if matching:
        return (
            f"key {name} is registered in {path}, but not for {at.astimezone(CHINA):%Y-%m-%d} · "
            "密钥在该日期未登记有效"
        )
    return (
        f"key {name} is not in the register of windows' keys ({path}): compare it with the "
        "window's own, then run `mianti window register` at the window · 签名密钥未登记："
        "请与窗口核对后，在窗口处执行 `mianti window register`"
    )


def is_registered(settings: Settings) -> bool:
    """Return whether the register has a key of this window. Raises BadRegister."""
    return bool(read_register(settings.mianti_window_keys).get(settings.mianti_window_name))


def register(settings: Settings) -> list[str]:
    """Enter this window's keys in the register; return the fingerprints of those added.

    Makes the window's key where it has none yet. Raises BadRegister where the register has keys of
    the window that its chain never named, BadKey, OSError.
    """
    path, window = settings.mianti_window_keys, settings.mianti_window_name
    known = read_register(path)
    had = known.get(window, [])
    own = [*_own_keys(settings)]
    strange = {one.key for one in had} - {one.key for one in own}
    if strange:
        names = ", ".join(sorted(fingerprint(_PEM.format(key)) for key in strange))
        raise BadRegister(
            f"{path} has other keys for {window} ({names}) than {settings.mianti_window}: another "
            "window has its name, or its directory was replaced. Nothing was registered.",
            f"{path} 中 {window} 登记的密钥（{names}）与 {settings.mianti_window} 不符："
            "可能与其他窗口重名，或目录已被替换。未作登记。",
        )
    before = {one.key: one for one in had}  # days set by hand stay
    merged = [
        before.get(one.key, one).model_copy(
            update={"last": before.get(one.key, one).last or one.last}
        )
        for one in own
    ]
    if merged != had:
        _write(path, known | {window: merged})
    return [fingerprint(one.public) for one in own if one.key not in before]


def current_public(settings: Settings) -> str | None:
    """Return the public key (PEM) of this window; None where it has none yet. Raises BadKey."""
    try:
        return public_text(read_key(key_file(settings.mianti_window)))
    except FileNotFoundError:
        return None


def _own_keys(settings: Settings) -> Iterator[RegisteredKey]:
    """Yield the keys that a window's chain has named, each with its days; the last is its own."""
    folder = settings.mianti_window
    with closing(Receipts(folder)) as receipts:
        rows = receipts.keys(0)
    entries = [Sealed(settings.mianti_window_name, *row[:1], *row[2:]) for row in rows]
    named: list[tuple[str, dt.date]] = []
    for entry in (one for one in entries if one.body.get("kind") == "key"):
        public = str(entry.body["public_key"])
        by = named[-1][0] if named else public
        if signed_by(by, bytes.fromhex(entry.signature), entry.text.encode()):
            at = dt.datetime.fromisoformat(entry.body["at"])
            named.append((public, at.astimezone(CHINA).date()))
    current = public_text(ensure_key(key_file(folder)))
    named = named or [(current, china_today())]
    if named[-1][0] != current:
        raise BadKey(
            f"{key_file(folder)} is not the key that this window's receipts name last. Nothing was "
            "registered.",
            f"{key_file(folder)} 不是本窗口回执最后记载的密钥。未作登记。",
        )
    ends: list[dt.date | None] = [*(day for _, day in named[1:]), None]
    for (public, day), end in zip(named, ends, strict=True):
        key = "".join(public.splitlines()[1:-1])
        yield RegisteredKey.model_validate({"key": key, "from": day, "to": end})


def _write(path: Path, content: Mapping[str, Sequence[RegisteredKey]]) -> None:
    plain: dict[str, Any] = {
        window: [one.model_dump(by_alias=True, exclude_none=True) for one in keys]
        for window, keys in content.items()
    }
    text = _HEAD + yaml.safe_dump(plain, sort_keys=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{uuid.uuid4().hex}.part")
    try:
        part.write_text(text, "utf-8")
        os.replace(part, path)
    except OSError as error:
        raise BadRegister(
            f"{path} cannot be written ({error.strerror}). Add this to it by hand:\n{text}",
            f"{path} 无法写入（{error.strerror}）。请手工加入以上内容。",
        ) from error
    finally:
        part.unlink(missing_ok=True)

"""Who asks: bearer tokens (RFC 6750) that are signed JWTs (RFC 7519), by PyJWT.

An identity provider's keys come as a JWK set (RFC 7517) in MIANTI_WINDOW_TOKEN_KEYS; without one
the window takes the tokens that `mianti window token` signs with a key of its own.
"""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import jwt
import orjson

from connectors.errors import MiantiError
from connectors.settings import Settings
from flows.receipt.keys import ensure_key, public_text
from schemas.personal import redact

AUDIENCE: Final = "mianti-window"
_ALGORITHMS: Final = ["EdDSA", "ES256", "RS256"]
_REQUIRED: Final = ["exp", "sub", "aud"]
_LONGEST: Final = 64
#: How far (seconds) the issuer's clock may be ahead for `iat` and `nbf` (RFC 7519, 4.1.5).
LEEWAY: Final = 30


class BadToken(Exception):
    """A token that lets nobody in; its text says why."""


class BadTokenKeys(MiantiError):
    """The file of token keys cannot be used."""


@dataclass(frozen=True)
class Caller:
    """Who asks. A clerk acts for departments (ids of the catalogue), for some of their purposes or,
    with None, all of them; an enterprise's own token names it as `subject`."""

    name: str
    departments: tuple[str, ...] = ()
    purposes: tuple[str, ...] | None = None
    subject: str | None = None


class Tokens:
    """Checks tokens. Raises BadTokenKeys where the keys cannot be read."""

    def __init__(self, settings: Settings) -> None:
        self._single: Any = None
        self._set: jwt.PyJWKSet | None = None
        if settings.mianti_window_token_keys is None:
            self._single = public_text(ensure_key(token_key(settings)))
        else:
            self._set = _key_set(settings.mianti_window_token_keys)
        # Checking a signature takes as long as deciding: a clerk's token is checked once.
        self._checked = lru_cache(maxsize=4096)(self._check)

    def caller(self, token: str) -> Caller:
        """Return who a token speaks for. Raises BadToken."""
        caller, ends = self._checked(token)
        if time.time() >= ends:
            raise BadToken("ExpiredSignatureError")
        return caller

    def _check(self, token: str) -> tuple[Caller, float]:
        """Return who a token speaks for, and when it ends (seconds since 1970). Raises BadToken."""
        try:
            claims = jwt.decode(
                token,
                self._key(token),
                algorithms=_ALGORITHMS,
                audience=AUDIENCE,
                options={"require": _REQUIRED},
                leeway=LEEWAY,  # not for `exp`: `caller` asks for that each time
            )
        except jwt.PyJWTError as error:
            raise BadToken(type(error).__name__) from None
        return _caller(claims), float(claims["exp"])

    def _key(self, token: str) -> Any:
        if self._set is None:
            return self._single
        wanted = jwt.get_unverified_header(token).get("kid")
        for key in self._set.keys:
            if wanted is None or key.key_id == wanted:
                return key
        raise BadToken("no such key")


def issue(settings: Settings, caller: Caller, lasts: dt.timedelta) -> str:
    """Return a token signed with the window's own token key."""
    now = dt.datetime.now(dt.UTC)
    claims: dict[str, Any] = {"sub": caller.name, "aud": AUDIENCE, "iat": now, "exp": now + lasts}
    if caller.departments:
        claims["departments"] = [*caller.departments]
    if caller.purposes is not None:
        claims["purposes"] = [*caller.purposes]
    if caller.subject is not None:
        claims["subject"] = caller.subject
    return jwt.encode(claims, ensure_key(token_key(settings)), algorithm="EdDSA")


def token_key(settings: Settings) -> Path:
    """Return where the window's own key for tokens lies."""
    return settings.mianti_window / "token-key.pem"


def _key_set(path: Path) -> jwt.PyJWKSet:
    try:
        return jwt.PyJWKSet.from_dict(orjson.loads(path.read_bytes()))
    # It takes for granted what a set is made of.
    except (OSError, ValueError, AttributeError, TypeError, LookupError, jwt.PyJWTError) as error:
        raise BadTokenKeys(
            f"MIANTI_WINDOW_TOKEN_KEYS: {path} holds no JWK set ({type(error).__name__}).",
            f"MIANTI_WINDOW_TOKEN_KEYS：{path} 不是有效的 JWK 集（{type(error).__name__}）。",
        ) from None


def _caller(claims: dict[str, Any]) -> Caller:
    name, subject = claims["sub"], claims.get("subject")
    departments, purposes = claims.get("departments", []), claims.get("purposes")
    if "purposes" in claims and purposes is None:
        raise BadToken("its claims are not of the form they must have")
    if not (_text(name) and _texts(departments) and (purposes is None or _texts(purposes))):
        raise BadToken("its claims are not of the form they must have")
    if not (subject is None or _text(subject)):
        raise BadToken("its claims are not of the form they must have")
    if redact(name) != name:  # it goes into receipts, where no person's number may be
        raise BadToken("its sub holds a number of a person")
    return Caller(name, tuple(departments), None if purposes is None else tuple(purposes), subject)


def _text(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _LONGEST


def _texts(values: object) -> bool:
    return isinstance(values, list) and all(_text(value) for value in values)

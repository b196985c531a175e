"""Tokens: what a window takes from an issuer whose clock is not its own."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import jwt
import pytest

from connectors.settings import Settings
from deploy.window.tokens import AUDIENCE, BadToken, BadTokenKeys, Tokens, token_key


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(mianti_home=tmp_path)


def signed(settings: Settings, **seconds: int) -> str:
    """Return a token of the window's key; each of `seconds` is counted from now."""
    now = int(time.time())
    claims: dict[str, Any] = {"sub": "c017", "aud": AUDIENCE, "departments": ["d"]}
    claims |= {name: now + more for name, more in {"iat": 0, "exp": 3600, **seconds}.items()}
    return jwt.encode(claims, token_key(settings).read_bytes(), algorithm="EdDSA")


@pytest.mark.parametrize("claim", ["iat", "nbf"])
@pytest.mark.parametrize("ahead", [3, 20])
def test_an_issuer_some_seconds_ahead_lets_in_at_once(
    settings: Settings, claim: str, ahead: int
) -> None:
    tokens = Tokens(settings)
    assert tokens.caller(signed(settings, **{claim: ahead})).name == "c017"


@pytest.mark.parametrize("claim", ["iat", "nbf"])
def test_a_token_for_later_is_refused(settings: Settings, claim: str) -> None:
    tokens = Tokens(settings)
    with pytest.raises(BadToken, match="ImmatureSignatureError"):
        tokens.caller(signed(settings, **{claim: 120}))


@pytest.mark.parametrize("ended", [0, 1, 20, 3600])
def test_a_token_that_has_ended_has_ended(settings: Settings, ended: int) -> None:
    tokens = Tokens(settings)
    with pytest.raises(BadToken, match="ExpiredSignatureError"):
        tokens.caller(signed(settings, exp=-ended))


@pytest.mark.parametrize("content", ["[]", "1", '{"keys": [1]}', '{"keys": {}}', "{}", "x"])
def test_keys_that_are_no_set_are_told(tmp_path: Path, content: str) -> None:
    (tmp_path / "keys.json").write_text(content)
    with pytest.raises(BadTokenKeys):
        Tokens(Settings(mianti_home=tmp_path, mianti_window_token_keys=tmp_path / "keys.json"))

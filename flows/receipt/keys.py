"""A window's key: an Ed25519 key (RFC 8032) in a file of the window's own.

`docs/window.md` says where it lives and how it is changed.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from connectors.errors import MiantiError
from connectors.private import private


class BadKey(MiantiError):
    """A key file holds no Ed25519 key."""


def ensure_key(path: Path) -> Ed25519PrivateKey:
    """Return the key of a file, made now where there is none; readable by its owner alone.

    Raises BadKey.
    """
    try:
        return read_key(path)
    except FileNotFoundError:
        return make_key(path)


def make_key(path: Path) -> Ed25519PrivateKey:
    """Write a new key to a file that must not be there yet. Raises FileExistsError."""
    key = Ed25519PrivateKey.generate()
    private(path.parent)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        file.flush()
        os.fsync(file.fileno())
    return key


def read_key(path: Path) -> Ed25519PrivateKey:
    """Read a key. Raises FileNotFoundError, BadKey."""
    try:
        found = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        found = None
    if not isinstance(found, Ed25519PrivateKey):
        raise BadKey(
            f"{path} holds no Ed25519 key in PEM (PKCS 8): put the window's key back in its place.",
            f"{path} 不是有效的 Ed25519 私钥（PEM，PKCS 8）：请恢复该窗口的密钥文件。",
        )
    return found


def public_text(key: Ed25519PrivateKey) -> str:
    """Return the public half as PEM."""
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()


def fingerprint(public: str) -> str:
    """Return a short name of a public key: the first 32 hex digits of its PEM's SHA-256."""
    return hashlib.sha256(public.encode()).hexdigest()[:32]


def signed_by(public: str, signature: bytes, text: bytes) -> bool:
    """Return whether a signature over a text is that key's."""
    try:
        key = serialization.load_pem_public_key(public.encode())
    except (ValueError, UnsupportedAlgorithm):
        return False
    if not isinstance(key, Ed25519PublicKey):
        return False
    try:
        key.verify(signature, text)
    except InvalidSignature:
        return False
    return True

"""The password of a home's own Prefect: made once, in a file that its owner alone reads.

Who reaches Prefect's API can give up what waits in quarantine, so a port on loopback is not enough:
every user of the machine reaches it, and any web page that one of them opens.
"""

import os
import secrets
from pathlib import Path

_USER = "mianti"
_OWNER_ONLY = 0o600


def password_file(home: Path) -> Path:
    """Where it lies: `user:password`, as Prefect's page and its clients ask for it."""
    return home / "prefect-password"


def password(home: Path) -> str | None:
    """The password as `user:password`; None where none was made yet."""
    try:
        return password_file(home).read_text("utf-8").strip() or None
    except FileNotFoundError:
        return None


def keep_password(home: Path) -> str:
    """The password as `user:password`, made now where there is none (192 random bits)."""
    known = password(home)
    if known is None:
        known = f"{_USER}:{secrets.token_urlsafe(24)}"
        home.mkdir(parents=True, exist_ok=True)
        part = password_file(home).with_suffix(".part")
        part.unlink(missing_ok=True)
        with os.fdopen(
            os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY), "w"
        ) as out:
            out.write(known + "\n")
        part.replace(password_file(home))
    password_file(home).chmod(_OWNER_ONLY)
    return known

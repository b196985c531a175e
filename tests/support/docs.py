"""The commands that README and docs show, as a person would type them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
_FENCED: Final = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(document: Path, language: str) -> list[str]:
    """Return the fenced blocks of one language."""
    found = _FENCED.findall(document.read_text("utf-8"))
    return [block for told, block in found if told == language]


def commands(document: Path) -> list[str]:
    """Return the commands of the `sh` blocks, one each, with lines that go on put together."""
    lines = "".join(blocks(document, "sh")).replace("\\\n", " ").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.strip().startswith("#")]


def uncommented(command: str) -> str:
    """Return a command without its comment and without doubled blanks."""
    return " ".join(re.sub(r"(?:^|\s)#\s.*$", "", command).split())

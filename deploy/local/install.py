"""Installs Mianti and its pinned packages into the virtual environment that runs this.

`python -m deploy.local.install [EXTRA]`: with uv, which takes a tenth of pip's time and shows how far it
is; it is taken from PATH, else fetched by pip; where there is none for this machine, pip goes on alone.
Runs on the standard library alone, for nothing else is there yet.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

_UV: Final = "uv>=0.5,<1"
_PIP: Final = (sys.executable, "-m", "pip", "--disable-pip-version-check")
#: What uv is told for what pip has in its settings and uv does not read: a mirror, its certificates.
_TOLD: Final = {"index-url": "UV_DEFAULT_INDEX", "cert": "SSL_CERT_FILE"}
_SETTING: Final = re.compile(r"^(?:global|install|:env:)\.([a-z-]+)='(.*)'$", re.MULTILINE)


def main(extras: Sequence[str]) -> int:
    """Install, with some extras of pyproject.toml; return the exit code of what installed."""
    what = f".[{','.join(extras)}]" if extras else "."
    chosen = ["install", "--constraint", "requirements.lock", "--editable", what]
    uv = _uv()
    if uv is not None:
        _say(f"Installing {what} with uv · 正在用 uv 安装")
        # Else it lists each package on a line of its own, which nobody reads in a log.
        quiet = [] if sys.stderr.isatty() else ["--quiet"]
        command = [uv, "pip", *chosen, "--python", sys.executable, *quiet]
        if subprocess.run(command, env=told_by_pip(), check=False).returncode == 0:
            return 0
        _say("uv could not; pip tries · uv 未能安装，改用 pip")
    else:
        _say(f"Installing {what} with pip, for some minutes · 正在用 pip 安装，需数分钟")
    return subprocess.run([*_PIP, *chosen], check=False).returncode


def _uv() -> str | None:
    """Return uv's path: that on PATH, else that of this environment, fetched if it is not there."""
    own = Path(sys.executable).with_name("uv")
    found = shutil.which("uv")
    if found is None and not own.exists():
        subprocess.run([*_PIP, "install", "--quiet", _UV], check=False)
    return found or (str(own) if own.exists() else None)


def told_by_pip() -> dict[str, str]:
    """Return the environment for uv: this one, and what pip's settings say of the index.

    What the environment says to uv itself goes before. Nothing of it is printed: an index may have a
    password in its address.
    """
    said = subprocess.run([*_PIP, "config", "list"], capture_output=True, text=True, check=False)
    settings = dict(_SETTING.findall(said.stdout))
    told = {uv: settings[pip] for pip, uv in _TOLD.items() if pip in settings}
    return told | os.environ


def _say(words: str) -> None:
    print(f"… {words}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

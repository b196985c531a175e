"""The API against its own description, by schemathesis."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.exchange import Exchange
from tests.support.window import Window, follow, serving, token


@pytest.fixture(scope="module")
def served(make_exchange: Callable[[], Exchange]) -> Iterator[tuple[str, str]]:
    """A window that answers, and a token for it."""
    window = Window(make_exchange())
    window.publish(window.food.licence(1))
    follow(window.settings)
    often = window.settings.model_copy(update={"mianti_window_rate": "100000/second"})
    with serving(often) as url:
        yield url, token(window.settings)


def test_the_api_does_what_it_says(served: tuple[str, str], tmp_path: Path) -> None:
    """All checks but one: a code whose check digit is wrong fits the description, and is refused."""
    url, signed = served
    command = [
        *(str(Path(sys.executable).parent / "schemathesis"), "run", f"{url}/openapi.json"),
        *("--header", f"Authorization: Bearer {signed}"),
        *("--max-examples", "25", "--exclude-checks", "positive_data_acceptance"),
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-6_000:] + done.stderr
    assert "POST /v1/ask" in done.stdout or "operations" in done.stdout.lower()

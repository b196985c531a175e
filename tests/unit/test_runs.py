"""The demo's wait: the datasets hold what was published, whoever's run has settled it."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from connectors.settings import Settings
from deploy.local import runs
from flows.status import FamilyStatus


@dataclass
class Town:
    """A Prefect whose own run is at work, and settles when it has been looked at some times."""

    looks_until_settled: int
    runs: int = 0
    looks: int = 0
    said: list[str] = field(default_factory=list)

    def run(self, _: Settings) -> str:
        self.runs += 1
        return "ochre-wren: Cancelled"

    def settled(self, _: Settings, family: str) -> bool:
        self.looks += family == "credit"
        return family != "credit" or self.looks > self.looks_until_settled


@pytest.fixture
def town(monkeypatch: pytest.MonkeyPatch) -> Town:
    """All is landed from the start, as it is where something follows."""
    made = Town(looks_until_settled=3)
    monkeypatch.setattr(runs, "_run", made.run)
    monkeypatch.setattr(runs, "status", lambda _, family: FamilyStatus(family, lag=0))
    monkeypatch.setattr(runs, "is_settled", made.settled)
    monkeypatch.setattr(runs, "_POLL_SECONDS", 0)
    return made


def test_a_run_that_was_cancelled_is_no_end_while_another_settles(
    town: Town, tmp_path: Path
) -> None:
    runs.run_until_settled(Settings(mianti_home=tmp_path), town.said.append)
    assert town.looks > town.looks_until_settled
    assert town.runs == 1
    assert "Cancelled" in town.said[-1]


def test_what_is_never_settled_is_said_with_the_last_run(
    town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.looks_until_settled = 10**9
    monkeypatch.setattr(runs, "_OTHERS_SECONDS", 0)
    with pytest.raises(runs.NotSettled, match="ochre-wren: Cancelled"):
        runs.run_until_settled(Settings(mianti_home=tmp_path), town.said.append)
    assert town.runs > 1

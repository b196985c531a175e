"""History and dataset of another log than the one that is there: told, and nothing is hidden."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from connectors import lake
from connectors.transactions import transactions
from deploy.cli.main import cli
from flows.land import land
from flows.origin import COMMIT, FORGOTTEN, THROUGH, OtherLog
from flows.rebuild import rebuild
from flows.settle import settle
from flows.verify import verify
from tests.support.codes import uscc
from tests.support.exchange import Department, Exchange

FAMILY = "licence"
STOPPED = 1  # the number of the licence that is revoked
ROUNDS = 6
#: Each settles history and dataset beyond what the log then has.
Break = Callable[[Exchange, Path], None]


def lost(exchange: Exchange, _: Path) -> None:
    """The log's directory is gone."""
    shutil.rmtree(Path(exchange.lake) / "log" / FAMILY)


def put_back(exchange: Exchange, older: Path) -> None:
    """The log is restored from a copy older than those of history and dataset."""
    lost(exchange, older)
    shutil.copytree(older, Path(exchange.lake) / "log" / FAMILY)


def published(exchange: Exchange, older: Path) -> Department:
    """Publish and ingest some licences; keep a copy of the log after the second."""
    one = exchange.department()
    for number in range(1, ROUNDS):
        one.publish([one.licence(number)], f"{number}.csv")
        exchange.ingest()
        if number == 2:
            shutil.copytree(Path(exchange.lake) / "log" / FAMILY, older)
    return one


def grow(exchange: Exchange, one: Department) -> None:
    """Let the log grow beyond the watermarks it once had, commit by commit."""
    land(exchange.settings, FAMILY)
    for number in range(100, 100 + ROUNDS):
        one.publish([one.licence(number)], f"{number}.csv")
        land(exchange.settings, FAMILY)


def standing(exchange: Exchange) -> str:
    """Return how the revoked licence stands by what is asked."""
    state: str = exchange.query(subject=uscc(STOPPED))["state"].item()
    return state


def run(exchange: Exchange, *words: str) -> Result:
    return CliRunner(env=exchange.environment).invoke(cli, words, prog_name="mianti")


def forget_the_memory(exchange: Exchange) -> None:
    """Leave history and dataset as an earlier release does."""
    for kind in ("history", "datasets"):
        table = lake.open_table(exchange.settings, kind, FAMILY)
        assert table is not None
        lake.append(table, lake.empty(table), FORGOTTEN)


def remembered(exchange: Exchange) -> set[tuple[int | None, int | None]]:
    found = set()
    for kind in ("history", "datasets"):
        known = transactions(lake.open_table(exchange.settings, kind, FAMILY))
        found.add((known.get(THROUGH), known.get(COMMIT)))
    return found


@pytest.mark.parametrize("new_lake", ["directory"], indirect=True)
@pytest.mark.parametrize("damage", [lost, put_back])
@pytest.mark.parametrize("grown", [False, True])
def test_a_revocation_landed_in_another_log_is_seen_and_settling_stops_until_it_is_rebuilt(
    exchange: Exchange, tmp_path: Path, damage: Break, grown: bool
) -> None:
    one = published(exchange, tmp_path / "older")
    damage(exchange, tmp_path / "older")
    if grown:
        grow(exchange, one)
    one.publish([one.licence(STOPPED, XK_ZT="3")], "revoked.csv")

    done = run(exchange, "ingest", "--json")
    assert done.exit_code == 2
    assert "mianti rebuild licence" in done.stderr
    assert set(json.loads(done.stdout)) == {"registration", "credit"}  # not held up by it

    assert standing(exchange) == "revoked"
    status = run(exchange, "status")
    assert (status.exit_code, status.output.count("mianti rebuild licence")) == (1, 2)
    told = verify(exchange.settings, FAMILY).differences
    assert any("another log" in line for line in told)

    assert run(exchange, "rebuild", FAMILY).exit_code == 0
    assert run(exchange, "ingest", FAMILY).exit_code == 0
    assert run(exchange, "status").exit_code == 0
    exchange.verified()
    rows = exchange.dataset().filter(subject=uscc(STOPPED))
    assert rows["state"].to_list() == ["revoked"]


@pytest.mark.parametrize("new_lake", ["directory"], indirect=True)
def test_history_and_dataset_older_than_the_log_go_on(exchange: Exchange, tmp_path: Path) -> None:
    one = exchange.department()
    one.publish([one.licence(STOPPED)], "first.csv")
    exchange.ingest()
    for kind in ("history", "datasets"):
        shutil.copytree(Path(exchange.lake) / kind, tmp_path / kind)
    one.publish([one.licence(STOPPED, XK_ZT="3")], "revoked.csv")
    exchange.ingest()
    for kind in ("history", "datasets"):
        shutil.rmtree(Path(exchange.lake) / kind)
        shutil.copytree(tmp_path / kind, Path(exchange.lake) / kind)
    assert standing(exchange) == "revoked"
    assert exchange.ingest().settled.versions == 1
    exchange.verified()


@pytest.mark.parametrize("new_lake", ["directory"], indirect=True)
def test_what_an_earlier_release_settled_goes_on_and_learns_its_log(exchange: Exchange) -> None:
    one = exchange.department()
    one.publish([one.licence(STOPPED)])
    exchange.ingest()
    known = remembered(exchange)
    forget_the_memory(exchange)
    assert remembered(exchange) != known
    exchange.ingest()
    assert remembered(exchange) == known
    exchange.verified()


@pytest.mark.parametrize("new_lake", ["directory"], indirect=True)
def test_without_a_memory_a_log_too_short_stays_another_when_it_has_grown(
    exchange: Exchange, tmp_path: Path
) -> None:
    one = published(exchange, tmp_path / "older")
    forget_the_memory(exchange)
    lost(exchange, tmp_path)
    land(exchange.settings, FAMILY)
    with pytest.raises(OtherLog):
        settle(exchange.settings, FAMILY)
    grow(exchange, one)
    with pytest.raises(OtherLog):
        settle(exchange.settings, FAMILY)


@pytest.mark.parametrize("new_lake", ["directory"], indirect=True)
def test_a_rebuild_that_ended_early_leaves_nothing_that_only_the_lost_log_had(
    exchange: Exchange, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = published(exchange, tmp_path / "older")
    put_back(exchange, tmp_path / "older")

    def ends(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("flows.rebuild.settle", ends)
        with pytest.raises(KeyboardInterrupt):
            rebuild(exchange.settings, FAMILY)
    settle(exchange.settings, FAMILY)
    assert set(exchange.dataset()["record_key"]) == {one.key(1), one.key(2)}

"""`kill -9` of `mianti quarantine redrive` round its commit: what waits is accepted once."""

from __future__ import annotations

import copy

import pytest
import yaml

from tests.faults.processes import again, killed
from tests.faults.reliability import Fault
from tests.faults.scene import Scene
from tests.support.codes import uscc
from tests.support.exchange import Exchange

_COMMIT = "deltalake:DeltaTable.create_write_transaction"
_REDRIVE = ("quarantine", "redrive", "--family", "licence")


@pytest.mark.parametrize(
    ("point", "closed"),
    [
        pytest.param(
            f"{_COMMIT}:{side}:1",
            closed,
            id=f"{side}-commit",
            marks=pytest.mark.fault(
                f"redrive killed {side} its commit", how=f"SIGKILL, `{_COMMIT}:{side}:1`"
            ),
        )
        for side, closed in (("before", 0), ("after", 20))
    ],
)
def test_redrive(exchange: Exchange, fault: Fault, point: str, closed: int) -> None:
    scene = Scene(exchange, exchange.department())
    scene.publish(*range(1, 21))
    again(exchange.environment | without_rights(exchange), "ingest", "licence")
    assert exchange.log()["verdict"].to_list() == ["quarantined"] * 20

    killed(exchange.environment, point, *_REDRIVE)
    assert exchange.log().filter(verdict="closed").height == closed
    again(exchange.environment, *_REDRIVE)
    again(exchange.environment, "ingest", "licence")
    fault.flowed = scene.whole()
    assert fault.flowed == 20
    assert exchange.log().filter(verdict="closed").height == 20


def without_rights(exchange: Exchange) -> dict[str, str]:
    """Return the setting of a publishers' table that gives nobody a right to its own organ."""
    lines = {one.id: copy.deepcopy(one.line) for one in exchange.departments}
    for line in lines.values():
        for rights in line["families"].values():
            rights["issuers"] = [uscc(99, kind="11")]
    path = exchange.home / "without-rights.yaml"
    path.write_text(yaml.safe_dump({"publishers": lines}, allow_unicode=True), "utf-8")
    return {"MIANTI_PUBLISHERS": str(path)}

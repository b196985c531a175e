"""Everything at once, each part killed while it is at work: a small soak, as `make soak` runs long."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from connectors.settings import Settings
from tests.conftest import running_kafka
from tests.faults.reliability import Fault
from tests.soak.figures import tell
from tests.soak.judge import judge
from tests.soak.parts import Broker
from tests.soak.publish import told
from tests.soak.run import run
from tests.soak.table import table
from tests.soak.town import Plan, found

VICTIMS = ("publisher law 1", "follow", "kafka", "ingest", "replica", "window", "maintain")
LEAST = 1_500
PLAN = Plan(20.0, 100.0, 5.0, 2.0, seed=1, victims=VICTIMS, least=LEAST)


@pytest.mark.timeout(900)
@pytest.mark.fault("everything at once, each part killed in turn", how="SIGKILL, `tests/soak`")
def test_everything_at_once(new_home: Callable[[], Path], fault: Fault) -> None:
    settings = Settings(mianti_home=new_home(), kafka_bootstrap_servers=None)
    with running_kafka(settings) as address:
        town = found(settings.mianti_home, Broker(settings, address), PLAN)
        ran = run(town)
        judged = judge(town, ran)
    assert judged.faults == []
    assert [name for _, name in ran.kills] == [*VICTIMS]
    flowed = sum(one.messages for one in judged.counts.values())
    assert flowed >= LEAST
    assert judged.report is not None
    assert judged.report.messages == flowed
    assert all(one.outcome for job in town.jobs for one in told(job.journal))
    assert judged.counts["licence"].quarantined > 0
    assert judged.report.refused_rows > 0
    assert judged.receipts == judged.shipped > judged.answers > 0
    assert judged.proved == 3
    print(table(tell(town, ran, judged)))
    fault.flowed = flowed

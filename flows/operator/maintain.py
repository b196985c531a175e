"""The flow that keeps the tables small."""

from __future__ import annotations

import datetime as dt
import logging
from typing import Annotated, Any

from prefect import flow
from prefect.client.schemas.objects import State
from pydantic import Field

from connectors.settings import read_settings
from flows.maintain import Maintained, maintain, maintain_receipts
from flows.operator import telling
from flows.operator.families import EVERY, Family, each
from flows.operator.words import maintain_summary, maintained_rows

_log = logging.getLogger(__name__)


@flow(name="maintain", flow_run_name="maintain")
@telling.in_words("maintain")
def maintain_flow(
    families: list[Family] = EVERY, retain_days: Annotated[int, Field(ge=1, le=3650)] = 7
) -> State[Any]:
    """Compact the tables, and delete files that nobody needs any more · 合并小文件并清理过期文件

    Args:
        families: Which families' tables to look after. 要维护的数据类别。
        retain_days: Keep files this many days after they were replaced, for readers that still
            have them open; no row is ever deleted. 被替换的文件保留的天数；不会删除任何数据行。
    """
    telling.begin()
    kept = dt.timedelta(days=retain_days)
    outcome = each(families, lambda family: _told(maintain(read_settings(), family, retain=kept)))
    windows = each(["receipts"], lambda _: _told(maintain_receipts(read_settings(), retain=kept)))
    outcome.failed |= windows.failed
    done = [one for some in (outcome.done | windows.done).values() for one in some]
    telling.table("maintain", maintained_rows(done), "Files of each table · 各表文件情况")
    return telling.end("maintain", maintain_summary(done), outcome.failed)


def _told(done: list[Maintained]) -> list[Maintained]:
    for one in done:
        _log.info(
            "%s/%s: %s files to %s; %s deleted, %s held for a follower",
            *(one.table, one.family, one.files_before, one.files_after, one.deleted, one.held),
        )
    return done

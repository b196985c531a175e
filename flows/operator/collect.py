"""The flow that publishes what departments put into the drop zone."""

from __future__ import annotations

import datetime as dt
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from connectors.settings import read_settings
from flows.collect import collect
from flows.operator import telling
from flows.operator.families import each
from flows.operator.words import collect_summary, collected_rows, collected_text


@flow(name="collect", flow_run_name="collect")
@telling.in_words("collect")
def collect_flow() -> State[Any]:
    """Publish the files of the drop zone, once each · 发布投放区中的文件，每个文件一次"""
    telling.begin()
    outcome = each(["zone"], lambda _: collect(read_settings(), dt.datetime.now(dt.UTC)))
    done = outcome.done.get("zone")
    failed = dict(outcome.failed)
    if done is not None:
        if done.receipts or done.strays or done.unread or done.copies:
            telling.table("collect", collected_rows(done), collected_text(done))
        if done.stopped is not None:
            failed["zone"] = str(done.stopped)
    return telling.end("collect", collect_summary(done), failed)

"""Telling that messages were quarantined: a log line, a page with the reasons, an event."""

from __future__ import annotations

import logging

from connectors.settings import Settings
from flows.land import Landed
from flows.operator import telling
from flows.operator.refusals import as_markdown, refusals

_log = logging.getLogger(__name__)


def tell_quarantined(settings: Settings, landed: Landed) -> None:
    """Tell of the messages that one landing quarantined, of which there is at least one."""
    family = landed.family
    _log.warning("%s: quarantine-%s has the reasons and examples", family, family)
    found = as_markdown(family, refusals(settings, landed))
    told = f"Why messages of {family} were not accepted · {family} 消息未被接收的原因"
    telling.page(f"quarantine-{family}", found, told)
    telling.quarantine_grew(landed)

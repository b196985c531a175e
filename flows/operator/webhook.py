"""The automation that calls a webhook for each alarm, kept in Prefect as the settings have it."""

from __future__ import annotations

import datetime as dt
import logging
from typing import Any, Final
from uuid import UUID

from prefect.blocks.webhook import Webhook
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.events import Posture
from prefect.events.actions import CallWebhook
from prefect.events.schemas.automations import AutomationCore, EventTrigger
from prefect.exceptions import ObjectNotFound
from prefect.types import SecretDict

from connectors.settings import Settings
from flows.operator.alarms import TOLD

_log = logging.getLogger(__name__)
NAME: Final = "mianti-alarms"
_JSON: Final = {"Content-Type": "application/json"}
_TOLD: Final = (
    "Calls MIANTI_ALARM_WEBHOOK when alarms are raised or end; kept as the settings have it "
    "whenever the deployments are served. · 报警产生或解除时调用 MIANTI_ALARM_WEBHOOK，随设置更新。"
)


def keep_webhook(settings: Settings) -> None:
    """Have Prefect call the webhook of the settings; or none where there is no such setting.

    The address lies in a block of Prefect's, encrypted: it may hold a secret. Raises what Prefect's
    client raises.
    """
    with get_client(sync_client=True) as client:
        former = client.read_automations_by_name(NAME)
        if settings.mianti_alarm_webhook is None:
            for one in former:
                client.delete_automation(one.id)
            _forget(client)
            return
        block: Any = Webhook(url=settings.mianti_alarm_webhook, headers=SecretDict(_JSON))
        wanted = _automation(block.save(NAME, overwrite=True))
        # In its place, not anew: an alarm that is just being told would be lost between the two.
        if former:
            client.update_automation(former[0].id, wanted)
        else:
            client.create_automation(wanted)
    _log.info("Alarms call MIANTI_ALARM_WEBHOOK · 报警将调用 MIANTI_ALARM_WEBHOOK")


def _automation(block: UUID) -> AutomationCore:
    due = dt.timedelta(0)
    return AutomationCore(
        name=NAME,
        description=_TOLD,
        trigger=EventTrigger(expect={TOLD}, posture=Posture.Reactive, threshold=1, within=due),
        actions=[CallWebhook(block_document_id=block, payload="{{ event.payload | tojson }}")],
    )


def _forget(client: SyncPrefectClient) -> None:
    try:
        block = client.read_block_document_by_name(NAME, "webhook")
        client.delete_block_document(block.id)
    except ObjectNotFound:
        return

"""A topic's settings, as far as they decide whether its messages are kept as they were sent."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from kafka.admin import (
    ACLFilter,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ConfigResource,
    ConfigResourceType,
    ResourcePatternFilter,
    ResourceType,
)
from kafka.errors import BrokerResponseError, SecurityDisabledError

from connectors.errors import MiantiError
from connectors.settings import Settings
from connectors.topics import admin, ensure_topic

_log = logging.getLogger(__name__)

_POLICY: Final = "cleanup.policy"
_RETENTION: Final = ("retention.ms", "retention.bytes")
_TIMES: Final = "message.timestamp.type"
_UNBOUNDED: Final = "-1"

#: What the broker says of a topic, setting by setting; a setting it does not tell is missing.
TopicSettings: TypeAlias = Mapping[str, str]
#: A sentence in English and in Chinese.
Remark: TypeAlias = tuple[str, str]


class TopicCompacts(MiantiError):
    """The topic drops older messages of a key, though each is a record that still counts."""


def prepare_topic(settings: Settings, topic: str) -> None:
    """Make a topic if it is not there, before something is published to it.

    Raises TopicCompacts; logs what else in its settings is risky.
    """
    ensure_topic(settings, topic)
    told = topic_settings(settings, [topic])
    require_no_compaction(told)
    for english, chinese in remarks(told):
        _log.warning("%s\n%s", english, chinese)


def topic_settings(settings: Settings, topics: Sequence[str]) -> dict[str, TopicSettings]:
    """Return the settings of each topic; nothing of a topic whose settings may not be read."""
    names = [_POLICY, *_RETENTION, _TIMES]
    wanted = [ConfigResource(ConfigResourceType.TOPIC, topic, names) for topic in topics]
    with admin(settings) as asked:
        found = asked.describe_configs(wanted, config_filter="all") if wanted else {}
    return {
        topic: {name: value["value"] for name, value in told.items()}
        for topic, told in found.get("topic", {}).items()
    }


def require_no_compaction(topics: Mapping[str, TopicSettings]) -> None:
    """Raise TopicCompacts where a topic is compacted: its messages are keyed by enterprise."""
    for topic, told in sorted(topics.items()):
        policy = told.get(_POLICY, "")
        if "compact" in policy:
            raise TopicCompacts(
                f"{topic}: cleanup.policy is {policy}, so Kafka removes all but the newest message of "
                "each enterprise. Nothing was published or landed. Set cleanup.policy=delete for the "
                "topic, then run `mianti verify` to see what is already lost.",
                f"{topic}：cleanup.policy 为 {policy}，Kafka 只保留每个企业的最后一条消息。本次未发布、未入库。"
                "请将该主题的 cleanup.policy 改为 delete，再执行 `mianti verify` 查看已丢失的消息。",
            )


def remarks(topics: Mapping[str, TopicSettings]) -> Iterator[Remark]:
    """Yield what is risky in the settings of topics, though they can be published to and landed."""
    for topic, told in sorted(topics.items()):
        limits = [
            f"{name}={told[name]}"
            for name in _RETENTION
            if told.get(name, _UNBOUNDED) != _UNBOUNDED
        ]
        if limits:
            yield (
                f"{topic}: Kafka deletes its messages ({', '.join(limits)}): a landing that comes "
                "later, or a ledger that is lost, cannot read them. Set it to -1.",
                f"{topic}：Kafka 会清除该主题的消息（{'，'.join(limits)}），延迟的入库或台账丢失后的恢复"
                "将无法读取。请改为 -1。",
            )
        if told.get(_TIMES, "LogAppendTime") != "LogAppendTime":
            yield (
                f"{topic}: message.timestamp.type={told[_TIMES]}: the times of messages are its "
                "clients' own. Set it to LogAppendTime.",
                f"{topic}：message.timestamp.type={told[_TIMES]}，消息时间由发送方自行填写。"
                "请改为 LogAppendTime。",
            )


def has_authorizer(settings: Settings) -> bool:
    """Return whether the broker checks who may write to a topic."""
    everything = ACLFilter(
        None,
        None,
        ACLOperation.ANY,
        ACLPermissionType.ANY,
        ResourcePatternFilter(ResourceType.ANY, None, ACLResourcePatternType.ANY),
    )
    with admin(settings) as asked:
        try:
            asked.describe_acls(everything)
        except SecurityDisabledError:
            return False
        except BrokerResponseError:  # not authorised to see the rules: so there are some
            return True
    return True

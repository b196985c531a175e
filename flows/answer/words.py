"""An answer in words, for the clerk and the enterprise, in both languages. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final, TypeGuard

from flows.answer.decide import Decision, Outcome
from flows.answer.verdict import Reason
from flows.clock import CHINA
from schemas.catalogue.grammar import Catalogue, PromiseEvidence
from schemas.dialect import Words
from schemas.publishers import PublishersTable

OUTCOMES: Final[Mapping[Outcome, Words]] = {
    "exempt_by_licence": Words(en="need not bring (e-licence)", zh="免提交（电子证照）"),
    "exempt_by_data": Words(en="need not bring (shared data)", zh="免提交（数据共享）"),
    "on_promise": Words(en="promise instead", zh="告知承诺"),
    "may_follow": Words(en="may follow", zh="容缺后补"),
    "must_bring": Words(en="must bring", zh="须提交"),
    "not_accepted": Words(en="cannot be accepted", zh="不予认可"),
}
_EXEMPT: Final = Words(
    en="{evidence}: on file and in force with {issuer}; {source} is complete through {through}.",
    zh="{evidence}：{issuer}登记在案且有效；{source}数据完整截至{through}。",
)
_CHECKED: Final = Words(
    en="{evidence}: nothing that bars; {source} is complete through {through}.",
    zh="{evidence}：无限制性记录；{source}数据完整截至{through}。",
)
_PROMISED: Final = Words(
    en="A written promise will do: {evidence}.", zh="可以书面告知承诺代替：{evidence}。"
)
REASONS: Final[Mapping[Reason, Words]] = {
    "none_on_file": Words(
        en="None on file; {source} is complete through {through}.",
        zh="无在案记录；{source}数据完整截至{through}。",
    ),
    "source_incomplete": Words(
        en="{source} has not said that its data are complete for as long as it promised (last "
        "said: {through}; promised every {cycle}).",
        zh="{source}的数据完整性声明缺失或逾期（最近声明：{through}；承诺周期：{cycle}），不能据此判断。",
    ),
    "too_old": Words(
        en="The data of {source} end at {through}, which is older than this matter allows.",
        zh="{source}数据截至{through}，超过本事项允许的时限。",
    ),
    "no_right": Words(
        en="This department has no right to use {evidence} for this matter.",
        zh="本部门办理该事项无权使用“{evidence}”数据。",
    ),
    "expired": Words(
        en="{evidence} on file is out of its term{ended}.", zh="在案的{evidence}已过有效期{ended}。"
    ),
    "not_yet_valid": Words(
        en="{evidence} on file is not valid before {valid_from}.",
        zh="{evidence}自{valid_from}起方有效。",
    ),
    "no_end_stated": Words(
        en="{evidence} on file does not state until when it holds.",
        zh="在案的{evidence}未载明有效期。",
    ),
    "stopped": Words(
        en="{evidence} cannot be accepted: {state}{by}{since}{document}.",
        zh="{evidence}不予认可：{since}{by}{state}{document}。",
    ),
    "mismatch": Words(
        en="{evidence} on file does not match in holder or scope.",
        zh="在案的{evidence}与持证主体或许可范围不符。",
    ),
    "objection": Words(
        en="{evidence} is under an objection that is not settled.",
        zh="{evidence}相关记录处于异议处理中。",
    ),
    "conflicted": Words(
        en="What is on file of {evidence} contradicts itself; both publishers have to settle it.",
        zh="{evidence}在案记录相互矛盾，须由数据提供单位核实。",
    ),
    "not_usable": Words(
        en="What is on file of {evidence} is no longer to be used.",
        zh="{evidence}在案记录已停止使用。",
    ),
    "barred": Words(
        en="The check found a record that bars; {publisher} can say which.",
        zh="核查发现限制性记录，可向{publisher}查询。",
    ),
    "own_paper": Words(
        en="Only the enterprise has this paper.", zh="该材料由申请人自备，政府部门未掌握。"
    ),
}
_EXCEPTED: Final = Words(
    en="Data of {publisher} that are or may be about this enterprise were refused by a check and wait to "
    "be mended: they are not complete for this enterprise.",
    zh="{publisher}报送的数据中，有涉及或可能涉及本企业、未通过检查而尚待处理的，其数据对本企业不完整，不能据此判断。",
)
#: The catalogue names as a source who publishes nothing, or not in that layout.
_UNLISTED: Final = Words(
    en="The publishers' table has no {publisher}, which the catalogue names as a source of {evidence}: "
    "nothing can be concluded. Whoever keeps the catalogue sees it by `mianti catalogue check`.",
    zh="发布部门表中没有目录所指定的“{evidence}”数据来源 {publisher}，不能据此判断。"
    "目录维护人员可用 `mianti catalogue check` 检查。",
)
_UNSENT: Final = Words(
    en="{publisher} does not send the layout {unsent}, which the catalogue names as a source of "
    "{evidence}: nothing can be concluded. Whoever keeps the catalogue sees it by `mianti catalogue check`.",
    zh="{publisher}未登记目录所指定的“{evidence}”数据来源版式 {unsent}，不能据此判断。"
    "目录维护人员可用 `mianti catalogue check` 检查。",
)
#: A record of a layout that the catalogue does not name for this evidence: nobody asks whether its
#: exports are complete, however complete the publisher's other layouts are.
_UNCOUNTED: Final = Words(
    en="The record of {evidence} came in {holder}'s layout “{uncounted}”, which the catalogue does not "
    "name as a source of it: nothing can be concluded.",
    zh="“{evidence}”的在案记录来自{holder}的“{uncounted}”，目录未将其列为该数据的来源，不能据此判断。",
)
#: The same in a word or two, for a table.
_SHORT: Final[Mapping[Reason, Words]] = {
    "none_on_file": Words(en="none on file", zh="无在案记录"),
    "source_incomplete": Words(en="source incomplete or late", zh="数据源不完整或逾期"),
    "too_old": Words(en="data too old", zh="数据超过时限"),
    "no_right": Words(en="no right to use it", zh="无使用权限"),
    "expired": Words(en="expired", zh="已过期"),
    "not_yet_valid": Words(en="not yet valid", zh="尚未生效"),
    "no_end_stated": Words(en="no end stated", zh="未载明有效期"),
    "stopped": Words(en="suspended, revoked or annulled", zh="已暂扣、吊销或撤销"),
    "mismatch": Words(en="holder or scope differs", zh="主体或范围不符"),
    "objection": Words(en="under objection", zh="异议处理中"),
    "conflicted": Words(en="contradicts itself", zh="记录相互矛盾"),
    "not_usable": Words(en="no longer to be used", zh="已停止使用"),
    "barred": Words(en="a record bars", zh="有限制性记录"),
    "own_paper": Words(en="the enterprise's own", zh="申请人自备"),
}
#: The states of what may be relied on, or may be one day.
LIVING: Final[Mapping[str, Words]] = {
    "in_force": Words(en="in force", zh="有效"),
    "in_business": Words(en="in business", zh="存续"),
    "not_yet_valid": Words(en="not yet valid", zh="尚未生效"),
}
#: What became of what cannot be accepted: the states of the families, and of a penalty's doing.
STATES: Final[Mapping[str, Words]] = {
    "suspended": Words(en="suspended", zh="暂扣"),
    "revoked": Words(en="revoked", zh="吊销"),
    "annulled": Words(en="annulled", zh="撤销"),
    "cancelled": Words(en="cancelled", zh="注销"),
    "expired": Words(en="out of its term", zh="失效"),
    "transferred_out": Words(en="transferred elsewhere", zh="迁出或转出"),
    "closed_temporarily": Words(en="closed for a time", zh="歇业"),
    "removed": Words(en="removed", zh="移出"),
    "ended": Words(en="ended", zh="终止"),
    "other": Words(en="no longer in force", zh="不再有效"),
}
#: No titles of layouts: each is named by its id.
NO_TITLES: Final[Mapping[str, Words]] = MappingProxyType({})
_FOLLOWS: Final = Words(en=" It may follow until {due}.", zh="最迟于{due}补交。")


def why(
    decision: Decision,
    catalogue: Catalogue,
    table: PublishersTable,
    titles: Mapping[str, Words] = NO_TITLES,
) -> Words:
    """Return, in a sentence or two, why a paper was decided as it was.

    Each layout of a publisher is complete by itself, so of several the sentence names the one that
    it speaks of: by `titles`, else by its id.
    """
    return Words(
        **{
            language: _said(decision, _Names(decision, catalogue, table, titles, language))
            for language in ("en", "zh")
        }
    )


def layout_name(
    publisher: str | None,
    layout: str | None,
    table: PublishersTable,
    titles: Mapping[str, Words] = NO_TITLES,
) -> dict[str, str] | None:
    """Return the title of a publisher's layout in both languages; None if it sends one alone."""
    line = table.publishers.get(publisher or "")
    if layout is None or line is None or len(line.layouts) < 2:
        return None
    return titles.get(layout, Words(en=layout, zh=layout)).both


def is_reason(code: str) -> TypeGuard[Reason]:
    """Return whether a code is a reason of a decision, and no fault of what was asked."""
    return code in _SHORT


def reason_in_short(reason: Reason) -> Words:
    """Return a reason in a word or two."""
    return _SHORT[reason]


def _said(decision: Decision, named: _Names) -> str:
    language = named.language
    material = named.catalogue.materials.get(decision.material)  # none: a field of a form
    unshared = material.not_shared if material is not None else None
    follows = getattr(_FOLLOWS, language).format_map(named) if decision.due is not None else ""
    if decision.evidence is None and unshared is not None:
        return f"{getattr(unshared, language)}{follows}"  # the catalogue's own words, as they are
    pattern: str = getattr(_pattern(decision, named), language)
    return pattern.format_map(named) + follows


def _pattern(decision: Decision, named: _Names) -> Words:
    if decision.reason == "source_incomplete" and decision.excepted:
        return _EXCEPTED
    if decision.reason == "source_incomplete" and decision.uncounted is not None:
        return _UNCOUNTED
    if decision.reason == "source_incomplete" and named.unlisted:
        return _UNLISTED
    if decision.reason == "source_incomplete" and named["unsent"]:
        return _UNSENT
    if decision.reason is not None:
        return REASONS[decision.reason]
    if decision.outcome == "on_promise":
        return _PROMISED
    return _EXEMPT if decision.record is not None else _CHECKED


class _Names(dict[str, str]):
    """What stands for a pattern's names: made when it is asked for, as most patterns have few."""

    def __init__(
        self,
        decision: Decision,
        catalogue: Catalogue,
        table: PublishersTable,
        titles: Mapping[str, Words],
        language: str,
    ) -> None:
        self._decision, self.catalogue = decision, catalogue
        self._table, self._titles, self.language = table, titles, language

    def __missing__(self, name: str) -> str:
        return str(getattr(self, f"_{name}")())

    def _evidence(self) -> str:
        evidence = self.catalogue.evidence.get(self._decision.evidence or "")
        return getattr(evidence.name, self.language) if evidence else ""

    def _publisher(self) -> str:
        return self._name_of(self._decision.source or "")

    def _source(self) -> str:
        one = self._decision
        layout = layout_name(one.source, one.layout, self._table, self._titles)
        if layout is None:
            return self["publisher"]
        marks = "{}, layout “{}”," if self.language == "en" else "{}“{}”"
        return marks.format(self["publisher"], layout[self.language])

    def _holder(self) -> str:
        return self._name_of((self._decision.record or {}).get("publisher") or "")

    def _uncounted(self) -> str:
        id_ = self._decision.uncounted or ""
        return str(getattr(self._titles.get(id_, Words(en=id_, zh=id_)), self.language))

    def _name_of(self, id_: str) -> str:
        publisher = self._table.publishers.get(id_)
        return getattr(publisher.name, self.language) if publisher else id_

    @property
    def unlisted(self) -> bool:
        """Whether the publishers' table lacks the source."""
        source = self._decision.source
        return source is not None and source not in self._table.publishers

    def _unsent(self) -> str:
        """Return the layouts of the source that its line in the publishers' table lacks."""
        evidence = self.catalogue.evidence.get(self._decision.evidence or "")
        publisher = self._table.publishers.get(self._decision.source or "")
        if publisher is None or evidence is None or isinstance(evidence, PromiseEvidence):
            return ""
        wanted = evidence.sources.get(self._decision.source or "", [])
        return ", ".join(layout for layout in wanted if layout not in publisher.layouts)

    def _cycle(self) -> str:
        publisher = self._table.publishers.get(self._decision.source or "")
        return _days(publisher.cycle, self.language) if publisher else ""

    def _through(self) -> str:
        through = self._decision.through
        return _time(through) if through else {"en": "never", "zh": "无"}[self.language]

    def _issuer(self) -> str:
        record = self._decision.record or {}
        return record.get("issuer_name") or record.get("issuer") or ""

    def _by(self) -> str:
        by = self._decision.by
        if not by:
            return ""
        return f" by {by}" if self.language == "en" else f"由{by}"

    def _state(self) -> str:
        words: Words = STATES.get(self._decision.state or "", STATES["other"])
        return str(getattr(words, self.language))

    def _since(self) -> str:
        since = self._decision.since
        if since is None:
            return ""
        return f" since {since}" if self.language == "en" else f"自{since}起"

    def _document(self) -> str:
        document = self._decision.document
        if not document:
            return ""
        if self._decision.since is None:  # the record's own document, which may be the grant
            return (
                f"; document on file: {document}"
                if self.language == "en"
                else f"；在案文书：{document}"
            )
        return f" ({document})" if self.language == "en" else f"（{document}）"

    def _valid_from(self) -> str:
        return (self._decision.record or {}).get("valid_from") or ""

    def _ended(self) -> str:
        return _ended(self._decision.record or {}, self.language)

    def _due(self) -> str:
        return str(self._decision.due or "")


def _ended(record: Mapping[str, Any], language: str) -> str:
    ends = [record[end] for end in ("valid_to", "effective_to") if record.get(end) is not None]
    if not ends:
        return ""
    return f" (ended on {min(ends)})" if language == "en" else f"（{min(ends)}届满）"


@lru_cache(maxsize=4096)  # times of completeness are few
def _time(at: dt.datetime) -> str:
    return f"{at.astimezone(CHINA):%Y-%m-%d %H:%M}"


def _days(cycle: dt.timedelta, language: str) -> str:
    days = f"{cycle / dt.timedelta(days=1):g}"
    return f"{days} days" if language == "en" else f"{days}天"

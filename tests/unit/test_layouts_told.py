"""Each layout of a publisher is complete by itself: an answer says which one it speaks of."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from flows.answer.decide import Decision
from flows.answer.evidence import judge
from flows.answer.facts import Facts
from flows.answer.told import paper
from flows.answer.words import why
from schemas.catalogue.grammar import Catalogue, LicenceEvidence
from schemas.dialect import Words
from schemas.publishers import PublishersTable

NOW = dt.datetime(2026, 5, 4, 2, tzinfo=dt.UTC)
TITLES = {"old": Words(en="the 2016 layout", zh="2016版"), "new": Words(en="2018", zh="2018版")}


def table(*layouts: str) -> PublishersTable:
    return PublishersTable.model_validate(
        {
            "publishers": {
                "office": {
                    "name": {"en": "the office", "zh": "管理局"},
                    "code": "11990100000000123K",
                    "cycle": "P7D",
                    "families": {"licence": {"facets": ["decision"], "issuers": ["*"]}},
                    "layouts": {layout: {} for layout in layouts},
                }
            }
        }
    )


def catalogue() -> Catalogue:
    def words(text: str) -> dict[str, str]:
        return {"en": text, "zh": text}

    def licence(name: str, layout: str) -> dict[str, Any]:
        return {
            "kind": "licence",
            "name": words(name),
            "certificates": [name],
            "rule": "r",
            "sources": {"office": [layout]},
            "max_age": "P10D",
        }

    return Catalogue.model_validate(
        {
            "rules": {
                "r": {"law": words("law"), "article": "1", "says": words("…"), "source": "…"}
            },
            "evidence": {"gas": licence("gas", "new"), "heat": licence("heat", "old")},
            "materials": {
                name: {"name": words(name), "origin": "issued", "replaced_by": [name]}
                for name in ("gas", "heat")
            },
        }
    )


def decided(name: str, facts: Facts) -> Decision:
    evidence = catalogue().evidence[name]
    assert isinstance(evidence, LicenceEvidence)
    verdict = judge(evidence, facts)
    assert verdict.source is not None
    return Decision(
        material=name,
        necessity="required",
        outcome="must_bring",
        reason=verdict.reason,
        evidence=name,
        record={"publisher": "office"} if verdict.record is not None else None,
        through=verdict.source.through,
        source=verdict.source.publisher,
        layout=verdict.source.layout,
        uncounted=verdict.source.uncounted,
    )


def facts(rows: list[Mapping[str, Any]] | None = None) -> Facts:
    """Return what is known where the office is complete in its new layout alone."""
    complete = {("office", "new"): NOW - dt.timedelta(hours=1)}
    cycles = {"office": dt.timedelta(days=7)}
    return Facts(dt.date(2026, 5, 4), NOW, {"licence": rows or []}, complete, cycles)


def test_of_a_publisher_with_several_layouts_each_sentence_names_its_own() -> None:
    both = table("old", "new")
    complete = why(decided("gas", facts()), catalogue(), both, TITLES)
    missing = why(decided("heat", facts()), catalogue(), both, TITLES)
    assert complete.zh == "无在案记录；管理局“2018版”数据完整截至2026-05-04 09:00。"
    assert missing.zh.startswith("管理局“2016版”的数据完整性声明缺失或逾期")
    assert complete.en.startswith("None on file; the office, layout “2018”, is complete")
    assert missing.en.startswith("the office, layout “the 2016 layout”, has not said")
    assert paper(decided("heat", facts()), catalogue(), both, TITLES)["layout_name"] == {
        "en": "the 2016 layout",
        "zh": "2016版",
    }


def test_a_layout_without_a_title_is_named_by_its_id() -> None:
    told = why(decided("heat", facts()), catalogue(), table("old", "new"))
    assert told.zh.startswith("管理局“old”的数据")


def test_of_a_publisher_with_one_layout_none_is_named() -> None:
    one = decided("gas", facts())
    assert why(one, catalogue(), table("new"), TITLES).en.startswith("None on file; the office is")
    assert paper(one, catalogue(), table("new"), TITLES)["layout_name"] is None


def test_a_record_of_a_layout_that_the_evidence_does_not_count_on_is_told_apart() -> None:
    row = {
        **dict.fromkeys(
            ("unusable_reason", "objection", "standing_from", "doubt", "valid_from", "scope")
        ),
        **dict.fromkeys(("effective_from", "effective_to", "document_number", "subject_name")),
        **dict.fromkeys(("issuer", "decision_event_id", "standing_event_id", "number")),
        "publisher": "office",
        "layout": "old",
        "name": "gas",
        "type_code": None,
        "state": "in_force",
        "issuer_name": "office",
        "record_key": "k",
        "usable": "yes",
        "valid_to": dt.date(2030, 1, 1),
        "term": "dated",
        "last_landed_at": NOW,
    }
    one = decided("gas", facts([row]))
    assert one.reason == "source_incomplete"
    told = why(one, catalogue(), table("old", "new"), TITLES)
    assert (
        told.zh == "“gas”的在案记录来自管理局的“2016版”，目录未将其列为该数据的来源，不能据此判断。"
    )
    assert "the office's layout “the 2016 layout”" in told.en
    assert "has not said" not in told.en

"""The figures of what was saved agree with a count by hand, whatever was decided."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.answer.verdict import Reason
from flows.answer.words import reason_in_short
from flows.catalogue import catalogue
from flows.figures import DECIDED, decided_in, saved, still_asked

OUTCOMES = ["exempt_by_licence", "exempt_by_data", "on_promise", "may_follow", "must_bring"]
MATTERS = ["JS-3001", "SP-2001", "gone"]
REASONS: tuple[Reason, ...] = Reason.__args__  # type: ignore[attr-defined]

papers = st.fixed_dictionaries(
    {
        "material": st.sampled_from("ab"),
        "outcome": st.sampled_from(OUTCOMES),
        "reason": st.sampled_from([None, *REASONS]),
        "evidence": st.sampled_from([None, "e"]),
        "source": st.sampled_from([None, "s"]),
        "records": st.just(["x"]),
    }
)
answers = st.lists(
    st.fixed_dictionaries(
        {"matter": st.sampled_from(MATTERS), "papers": st.lists(papers, max_size=6)}
    ),
    max_size=3,
)


@given(said=st.lists(answers, max_size=8))
@settings(deadline=None)
def test_figures_are_what_a_hand_would_count(said: list[list[dict[str, Any]]]) -> None:
    texts = pl.Series(
        [json.dumps({"kind": "answer", "answers": one}) for one in said], dtype=pl.String
    )
    rows = [
        (answer["matter"], paper) for one in said for answer in one for paper in answer["papers"]
    ]
    decided = decided_in(texts)
    assert sorted(map(repr, decided.iter_rows())) == sorted(
        repr((matter, *(paper[name] for name in DECIDED[1:]))) for matter, paper in rows
    )
    counts = {row["matter"]: row for row in saved(decided, catalogue()).iter_rows(named=True)}
    for matter in {matter for matter, _ in rows}:
        mine = Counter(paper["outcome"] for of, paper in rows if of == matter)
        told = counts[matter]
        assert told["asked"] == sum(mine.values())
        assert told["exempt"] == mine["exempt_by_licence"] + mine["exempt_by_data"]
        assert (told["promised"], told["to_follow"]) == (mine["on_promise"], mine["may_follow"])
        assert told["to_bring"] == mine["must_bring"]
        assert (told["department"] is None) == (matter == "gone")
    asked = [p for _, p in rows if p["outcome"] == "must_bring" and p["reason"] != "own_paper"]
    wanted = Counter((p["material"], p["reason"], p["evidence"], p["source"]) for p in asked)
    found = still_asked(decided, most=1_000)
    assert Counter({tuple(row[:4]): row[4] for row in found.iter_rows()}) == wanted
    assert found["times"].is_sorted(descending=True)


def test_every_reason_has_its_words() -> None:
    for reason in REASONS:
        assert reason_in_short(reason).zh
        assert reason_in_short(reason).en

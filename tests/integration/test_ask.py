"""What the window is told, on the whole real path: files, Kafka, the lake, the answer."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from deploy.cli import main
from flows import land as landing
from flows.answer.ask import BadSubject, UnknownMatter, as_json, ask
from flows.clock import CHINA, china_today
from flows.publish import Outcome
from flows.publish.job import StatedTooEarly
from tests.support.codes import uscc
from tests.support.exchange import Exchange
from tests.support.window import LICENCE, SUBJECT, Window, parts_of, penalty, told_by_all, words


@pytest.fixture
def window(exchange: Exchange) -> Window:
    return Window(exchange)


def test_a_licence_just_published_need_not_be_brought(window: Window) -> None:
    assert window.told()["licence"] == ("must_bring", "source_incomplete")
    window.publish(window.food.licence(2))
    assert window.told()["licence"] == ("must_bring", "none_on_file")
    window.publish(window.food.licence(1))
    assert window.told() == {
        "licence": ("exempt_by_licence", None),
        "no-stop": ("must_bring", "source_incomplete"),
        "form": ("must_bring", "own_paper"),
    }


def test_a_department_that_never_said_it_is_complete_exempts_from_nothing(window: Window) -> None:
    window.publish(window.food.licence(1), complete=False)
    assert window.told()["licence"] == ("must_bring", "source_incomplete")


def test_a_department_that_went_silent_exempts_from_nothing(window: Window) -> None:
    window.publish(window.food.licence(1))
    later = dt.datetime.now(dt.UTC) + dt.timedelta(days=7, minutes=1)
    assert window.told(known_at=later)["licence"] == ("must_bring", "source_incomplete")


def test_time_alone_changes_the_answer(window: Window) -> None:
    yesterday = china_today() - dt.timedelta(days=1)
    window.publish(window.food.licence(1, XK_YXQZI=yesterday.isoformat()))
    assert window.told(on=yesterday)["licence"][0] == "exempt_by_licence"
    assert window.told()["licence"] == ("must_bring", "expired")
    assert window.told(on=dt.date(2026, 1, 5))["licence"] == ("must_bring", "none_on_file")


def test_what_a_fast_clock_landed_counts(window: Window, monkeypatch: pytest.MonkeyPatch) -> None:
    """`landed_at` never falls: after a clock that ran ahead everything is landed in the future."""
    window.publish(window.food.licence(1))
    ahead = dt.datetime.now(dt.UTC) + dt.timedelta(days=2)
    monkeypatch.setattr(landing, "next_landed_at", lambda *_: ahead)
    window.publish(window.food.licence(1, XK_ZT="3"))
    assert window.told()["licence"] == ("not_accepted", "stopped")


def test_completeness_in_the_future_cannot_be_published(window: Window) -> None:
    later = dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)
    with pytest.raises(StatedTooEarly, match="yet to come"):
        window.food.publish([window.food.licence(1)], layout=LICENCE, complete_through=later)
    assert window.food.events() == []


def test_what_was_known_then_is_told_again_later(window: Window) -> None:
    before = dt.datetime.now(dt.UTC)
    window.publish(window.food.licence(1))
    then = dt.datetime.now(dt.UTC)
    window.publish(window.food.licence(1, XK_ZT="3"))
    assert window.told()["licence"] == ("not_accepted", "stopped")
    assert window.told(known_at=then)["licence"] == ("exempt_by_licence", None)
    assert window.told(known_at=before)["licence"] == ("must_bring", "source_incomplete")


def test_a_penalty_of_another_department_stops_a_licence_until_it_is_withdrawn(
    window: Window,
) -> None:
    window.publish(window.food.licence(1))
    affected: dict[str, Any] = {
        "CF_NR_ZKDX": "食品经营许可证（JY000001）",
        "CF_CFLB": "吊销许可证件",
    }
    window.punish(penalty(window.police, **affected))
    assert window.told()["licence"] == ("not_accepted", "stopped")
    settings = window.exchange.settings_with(mianti_catalogue=window.catalogue)
    [answer] = ask(settings, SUBJECT, "SP-1")
    [paper] = [one for one in as_json(answer, settings)["papers"] if one["material"] == "licence"]
    assert window.police.name in paper["why"]["zh"]
    assert window.police.name in paper["why"]["en"]

    key = f"{window.police.code}/示罚〔2026〕1号"
    window.police.publisher.withdraw(key, "issued by mistake")
    window.exchange.ingest("credit")
    assert window.told()["licence"] == ("exempt_by_licence", None)


def test_a_credit_check_is_clean_or_barred(window: Window) -> None:
    window.punish(penalty(window.police))
    assert window.told()["no-stop"] == ("exempt_by_data", None)
    window.punish(penalty(window.police, 2, CF_CFLB="责令停产停业"))
    assert window.told()["no-stop"] == ("must_bring", "barred")


def test_the_credit_check_shows_no_record(window: Window) -> None:
    window.punish(penalty(window.police, 2, CF_CFLB="责令停产停业", CF_WFXW="特别的违法行为"))
    settings = window.exchange.settings_with(mianti_catalogue=window.catalogue)
    told = [as_json(one, settings) for one in ask(settings, SUBJECT, "SP-1")]
    said = json.dumps(told, ensure_ascii=False)
    assert "特别的违法行为" not in said
    assert "示罚" not in said


def test_an_unknown_matter_or_code_is_told(window: Window) -> None:
    settings = window.exchange.settings_with(mianti_catalogue=window.catalogue)
    with pytest.raises(UnknownMatter, match="catalogue list"):
        ask(settings, SUBJECT, "XX")
    wrong = SUBJECT[:17] + ("A" if SUBJECT[17] != "A" else "B")
    with pytest.raises(BadSubject, match="check digit"):
        ask(settings, wrong, "SP-1")


def test_an_enterprise_nobody_knows_gets_the_same_list(window: Window) -> None:
    window.publish(window.food.licence(1))
    settings = window.exchange.settings_with(mianti_catalogue=window.catalogue)
    [answer] = ask(settings, uscc(77), "SP-1")
    assert [one.material for one in answer.decisions] == ["licence", "no-stop", "form"]
    assert answer.decisions[0].reason == "none_on_file"


def test_the_command_tells_the_same(window: Window, monkeypatch: pytest.MonkeyPatch) -> None:
    window.publish(window.food.licence(1))
    environment = window.exchange.environment | {"MIANTI_CATALOGUE": str(window.catalogue)}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    asked = ["ask", "--subject", SUBJECT.lower(), "--matter", "SP-1"]
    shown = CliRunner().invoke(main.cli, [*asked, "--json"])
    assert shown.exit_code == 0, shown.output
    [answer] = json.loads(shown.stdout)["answers"]
    told = {one["material"]: (one["outcome"], one["reason"]) for one in answer["papers"]}
    assert told == window.told()
    plain = CliRunner().invoke(main.cli, asked)
    assert "免提交（电子证照）" in plain.output
    assert "need not bring" in plain.output


def test_a_bundle_answers_for_each_of_its_matters(window: Window, tmp_path: Path) -> None:
    parts = parts_of(window.food, window.police)
    parts["matters"]["SP-2"] = parts["matters"]["SP-1"]
    parts["bundles"] = {"both": {"name": words("一件事"), "matters": ["SP-1", "SP-2"]}}
    window.catalogue = tmp_path / "with-bundle"
    window.catalogue.mkdir()
    window.write(parts)
    settings = window.exchange.settings_with(mianti_catalogue=window.catalogue)
    assert [one.matter for one in ask(settings, SUBJECT, "both")] == ["SP-1", "SP-2"]


def test_a_grade_holds_by_the_newest_list_whoever_is_on_it(window: Window) -> None:
    tax = window.exchange.department("tax", layouts={"cn-tax-a-list": {}})
    parts = parts_of(window.food, window.police)
    parts["evidence"]["grade"] = {
        "kind": "field",
        "name": words("纳税信用A级"),
        "family": "credit",
        "fields": ["grade"],
        "where": {"grade": ["A"]},
        "period_years": 3,
        "rule": "r",
        "sources": {tax.id: ["cn-tax-a-list"]},
        "max_age": "P10D",
    }
    parts["materials"]["grade"] = parts["materials"]["form"] | {"replaced_by": ["grade"]}
    parts["matters"]["SP-1"]["materials"].append({"material": "grade"})
    parts["departments"]["d"]["purposes"]["p"]["may_use"].append("grade")
    window.write(parts)
    year = dt.datetime.now(CHINA).year

    def listed(period: int, *subjects: str, organ: str = tax.name) -> Outcome:
        rows = [
            {
                "纳税人识别号": one,
                "纳税人名称": "示范企业",
                "评价年度": str(period),
                "税务机关": organ,
            }
            for one in subjects
        ]
        through = dt.datetime.now(dt.UTC)
        name = f"a-of-{len(subjects)}.csv"
        done = tax.publish(rows, name, layout="cn-tax-a-list", complete_through=through)
        window.exchange.ingest("credit")
        return done

    listed(year - 2, SUBJECT, uscc(3))
    before = dt.datetime.now(dt.UTC)
    assert told_by_all(window, paper="grade") == ("exempt_by_data", None)
    listed(year - 1, uscc(3))
    assert told_by_all(window, paper="grade") == ("must_bring", "expired")
    assert window.told(known_at=before)["grade"] == ("exempt_by_data", None)
    assert told_by_all(window, uscc(3), "grade") == ("exempt_by_data", None)
    # Of a newer list of which every row was refused nobody knows whom it leaves out.
    refused = listed(year, uscc(4), uscc(5), organ="")
    assert (refused.refused, refused.everyone, refused.complete_through) == (2, 1, None)
    assert refused.held["list_refused"] == 1
    assert told_by_all(window, uscc(3), "grade") == ("must_bring", "source_incomplete")
    assert listed(year, uscc(3), uscc(5)).everyone == 0
    assert told_by_all(window, uscc(3), "grade") == ("exempt_by_data", None)

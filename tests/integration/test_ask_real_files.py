"""What the window is told of real enterprises, out of the files of two real departments.

What is expected is read from the files by `json` and `csv` alone; nothing of the product is asked.
"""

from __future__ import annotations

import csv
import datetime as dt
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from stdnum.cn import uscc as gb32100

from connectors.settings import Settings
from flows.answer.ask import ask, gather
from flows.answer.decide import Decision
from flows.answer.form import prefill
from flows.answer.notice import notice
from flows.catalogue import catalogue
from schemas import contract
from tests.integration.test_real_files import NMPA, TAX, real, registered
from tests.oracle.spelling import key_part
from tests.support.codes import uscc
from tests.support.exchange import Department, Exchange
from tests.support.kafka import SCHEMAS

#: What is told does not depend on where the lake is: test_ask.py runs on both kinds.
pytestmark = pytest.mark.parametrize("new_lake", ["directory"], indirect=True)
CHINA = dt.timezone(dt.timedelta(hours=8))
DAY = dt.timedelta(days=1)
#: The catalogue lets a grade of 2018 be used for two years more.
LAST_OF_GRADE = dt.date(2020, 12, 31)
#: The bundle of all shipped matters: one asking answers for each of them.
EVERYTHING = "everything"
#: The papers of the shipped matters, by what becomes of them for an enterprise of which the two
#: real departments alone know something.
OWN = {"application", "resolution", "layout-plan", "drawings", "contract", "accounts"}
OWN |= {"drivers", "JT-4001/jt-4001-1", "JT-4001/jt-4001-3"}
MAY_FOLLOW = {
    "articles": "own_paper",
    "funds": "own_paper",
    "injury-insurance": "source_incomplete",
}
PROMISED = {"premises-use", "domicile-proof", "safety-rules", "food-safety-rules", "no-debts"}
SILENT = {"business-licence", "building-qualification", "general-contractor", "work-safety-licence"}
SILENT |= {"developer-qualification", "gas-business-licence", "land-approval", "planning-permit"}
SILENT |= {"no-grave-penalty", "no-listing", "no-stop-of-business"}
LICENCE, GRADE = {"cosmetics-licence"}, {"tax-grade", "tax-payment"}

#: Of whom neither department says anything.
NOBODY = uscc(1)
#: Outcome, reason, and whose completeness it rests on.
Told = tuple[str, str | None, str | None]


@dataclass(frozen=True)
class Licence:
    """One licence of the drug authorities' file, as its columns have it."""

    subject: str
    holder: str
    number: str
    scope: str
    issuer: str
    granted: dt.date
    ends: dt.date


def licences(path: Path) -> dict[str, Licence]:
    """Return the licences by the holder's code; the file has each record four times."""
    found = {}
    for row in json.loads(path.read_text("utf-8")):
        assert not row["offDate"]  # none is given up
        found[row["businessLicenseNumber"].upper()] = Licence(
            row["businessLicenseNumber"],
            row["epsName"],
            row["productSn"],
            row["certStr"],
            row["qfManagerName"],
            dt.date.fromisoformat(row["xkDateStr"]),
            dt.date.fromisoformat(row["xkDate"]),
        )
    return found


def grade_a(path: Path) -> dict[str, list[list[str]]]:
    """Return the rows of the tax list by the taxpayer's code, where that is a unified code."""
    found: dict[str, list[list[str]]] = {}
    with path.open(encoding="gbk", newline="") as file:
        for row in [*csv.reader(file)][1:]:
            if len(row[1]) == 18 and gb32100.is_valid(row[1]):
                found.setdefault(row[1], []).append(row)
    return found


@dataclass
class Window:
    """The shipped catalogue, asked over what two real departments published."""

    exchange: Exchange
    settings: Settings
    drugs: Department
    taxes: Department
    licences: dict[str, Licence]
    grade_a: dict[str, list[list[str]]]
    #: A time at which both files were landed and neither was stated to be complete.
    unstated: dt.datetime
    stated: dict[str, dt.datetime]

    def told(self, subject: str, on: dt.date, known_at: dt.datetime | None) -> list[Decision]:
        answers = ask(self.settings, subject, EVERYTHING, on, known_at)
        assert len(answers) == 16
        return [one for answer in answers for one in answer.decisions]

    def expected(self, paper: str, subject: str, on: dt.date, complete: bool) -> Told:
        """Say what is true of a paper, from the files' own columns."""
        if paper in OWN:
            return "must_bring", "own_paper", None
        if paper in MAY_FOLLOW:
            return "may_follow", MAY_FOLLOW[paper], None
        if paper in PROMISED:
            return "on_promise", None, None
        if paper in SILENT:
            return "must_bring", "source_incomplete", None
        if subject == NOBODY:
            # Rows of the tax list without a valid code may be of whoever has no known name.
            return "must_bring", "source_incomplete", None
        relied = complete and on <= dt.datetime.now(CHINA).date()
        if paper in LICENCE:
            return self._licence(subject.upper(), on, relied)
        assert paper in GRADE
        if on > LAST_OF_GRADE and subject in self.grade_a:
            return "must_bring", "expired", self.taxes.id
        return _told(subject in self.grade_a, "exempt_by_data", relied, self.taxes.id)

    def _licence(self, subject: str, on: dt.date, relied: bool) -> Told:
        held = self.licences.get(subject)
        if held is not None and on > held.ends:
            return "must_bring", "expired", self.drugs.id
        there = held is not None and held.granted <= on
        return _told(there, "exempt_by_licence", relied, self.drugs.id)


def _told(there: bool, exempt: str, relied: bool, source: str) -> Told:
    if not relied:
        return "must_bring", "source_incomplete", source
    return (exempt, None, source) if there else ("must_bring", "none_on_file", source)


def shipped_catalogue(folder: Path, exchange: Exchange, ids: dict[str, str]) -> Path:
    """Write the shipped catalogue with the test's publishers, and a bundle of all its matters."""
    shipped = SCHEMAS / "catalogue"
    made = folder / "catalogue"
    made.mkdir()
    parts: dict[str, dict[str, Any]] = {}
    for file in shipped.glob("*.yaml"):
        for part, entries in yaml.safe_load(file.read_text("utf-8")).items():
            parts.setdefault(part, {}).update(entries)
    for evidence in parts["evidence"].values():
        if "sources" in evidence:
            evidence["sources"] = {ids[id_]: of for id_, of in evidence["sources"].items()}
    parts["bundles"] = {
        EVERYTHING: {"name": {"en": "All", "zh": "全部"}, "matters": [*parts["matters"]]}
    }
    (made / "all.yaml").write_text(json.dumps(parts, default=str), "utf-8")
    shutil.copy(shipped / "JT-4001.csv", made)
    return made


@pytest.fixture(scope="module")
def window(make_exchange: Callable[[], Exchange]) -> Window:
    """Publish both files without a word, then say of each until when it is complete."""
    exchange = make_exchange()
    names = ("samr-demo", "housing-demo", "credit-demo", "nmpa", "heilongjiang-tax")
    at = {name: registered(exchange, name) for name in names}
    drugs, taxes = at["nmpa"], at["heilongjiang-tax"]
    files = {drugs.id: real(NMPA, drugs.folder), taxes.id: real(TAX, taxes.folder)}

    def published(**stated: dt.datetime) -> dt.datetime:
        for one, family in ((drugs, "licence"), (taxes, "credit")):
            through = stated.get(one.id)
            one.publisher.publish_file(files[one.id], complete_through=through)
            exchange.ingest(family)
        return dt.datetime.now(dt.UTC)

    unstated = published()
    now = dt.datetime.now(dt.UTC).replace(microsecond=0)
    stated = {drugs.id: now - dt.timedelta(hours=1), taxes.id: now - dt.timedelta(hours=2)}
    published(**stated)
    ids = {name: department.id for name, department in at.items()}
    folder = shipped_catalogue(exchange.home, exchange, ids)
    settings = exchange.settings_with(mianti_catalogue=folder)
    return Window(
        exchange,
        settings,
        drugs,
        taxes,
        licences(files[drugs.id]),
        grade_a(files[taxes.id]),
        unstated,
        stated,
    )


def asked(window: Window) -> Iterator[tuple[str, dt.date]]:
    """Yield enterprises and days: terms about their ends, grades about the end of their use."""
    held = sorted(window.licences.values(), key=lambda one: one.ends)
    for one in (*held[:2], held[-1]):
        yield from ((one.subject, day) for day in (one.granted - DAY, one.granted, one.ends))
    yield from ((one.subject, one.ends + DAY) for one in held)
    codes = sorted(window.grade_a)
    offices = {code: {row[4] for row in rows} for code, rows in window.grade_a.items()}
    most = max(codes, key=lambda code: len(offices[code]))
    renamed = "91231085746981466N"  # two names, at two offices
    for code in (codes[0], codes[-1], most, renamed):
        yield from ((code, day) for day in (LAST_OF_GRADE, LAST_OF_GRADE + DAY))
    yield NOBODY, LAST_OF_GRADE


def test_every_paper_gets_a_true_answer_with_its_sources_completeness(window: Window) -> None:
    seen = set()
    for subject, on in asked(window):
        for one in window.told(subject, on, None):
            outcome, reason, source = window.expected(one.material, subject, on, complete=True)
            assert (one.outcome, one.reason) == (outcome, reason), (subject, on, one)
            assert one.through == window.stated.get(source or ""), (subject, on, one)
            assert source is None or one.source == source
            seen.add((one.material, outcome, reason))
    for paper, exempt in (("cosmetics-licence", "licence"), ("tax-grade", "data")):
        of = {(outcome, reason) for material, outcome, reason in seen if material == paper}
        assert of >= {
            (f"exempt_by_{exempt}", None),
            ("must_bring", "expired"),
            ("must_bring", "none_on_file"),
        }


def test_without_a_word_on_completeness_nothing_is_exempt_and_nobody_has_nothing(
    window: Window,
) -> None:
    for subject, on in [*asked(window)][::2]:
        for one in window.told(subject, on, window.unstated):
            told = window.expected(one.material, subject, on, complete=False)
            assert (one.outcome, one.reason) == told[:2], (subject, on, one)
            assert one.outcome not in ("exempt_by_licence", "exempt_by_data")
            assert one.reason != "none_on_file"
            assert one.through is None


def test_of_a_taxpayer_whose_rows_were_all_refused_nobody_says_that_none_is_on_file(
    window: Window,
) -> None:
    """Two rows of one office give its code two names: both go back as contradictory."""
    code = "91230600129310130U"
    rows = window.grade_a[code]
    assert len(rows) == 2
    assert len({row[2] for row in rows}) == 2
    assert len({row[4] for row in rows}) == 1
    for one in window.told(code, LAST_OF_GRADE, None):
        assert one.material not in GRADE or one.reason != "none_on_file"


def test_the_form_has_what_the_file_has_and_says_where_from(window: Window) -> None:
    found = catalogue(window.settings.mianti_catalogue)
    sent = [one for one in window.drugs.events() if one["facet"] == "decision"]
    events = {one["decision"]["number"]: one["event_id"] for one in sent}
    for code, held in [*window.licences.items()][:6]:
        on = min(held.ends, dt.datetime.now(CHINA).date())
        facts = gather(window.settings, code, on, None)
        fields = {one.id: one for one in prefill(found, "SF-1004", code, facts)}
        assert fields["code"].value == code
        assert {id_: one.value for id_, one in fields.items() if one.source == window.drugs.id} == {
            "name": held.holder,
            "licence_number": held.number,
            "licence_scope": held.scope,
            "licence_valid_to": held.ends,
            "licence_issuer": held.issuer,
        }
        assert fields["licence_number"].through == window.stated[window.drugs.id]
        key = "/".join([key_part(held.issuer), key_part(held.number), code])
        assert fields["licence_number"].record_key == key
        assert fields["licence_number"].events == (events[held.number],)
        assert fields["domicile"].value is None
        assert fields["domicile"].reason == "source_incomplete"


def test_the_form_of_a_taxpayer_names_an_office_of_the_list(window: Window) -> None:
    found = catalogue(window.settings.mianti_catalogue)
    for code in sorted(window.grade_a)[:3]:
        facts = gather(window.settings, code, dt.date(2020, 6, 1), None)
        fields = {one.id: one for one in prefill(found, "SW-5001", code, facts)}
        assert (fields["tax_grade"].value, fields["tax_period"].value) == ("A", "2018")
        assert fields["tax_office"].value in {row[4] for row in window.grade_a[code]}


def test_one_notice_of_all_matters_asks_for_each_paper_once(window: Window) -> None:
    found = catalogue(window.settings.mianti_catalogue)
    table = contract.publishers(window.settings.mianti_publishers)
    held = next(iter(window.licences.values()))
    answers = ask(window.settings, held.subject, EVERYTHING, held.granted)
    decided = {one.matter: one.decisions for one in answers}
    made = notice(found, table, answers[0].subject, held.granted, decided)
    groups = (made.to_bring, made.may_follow, made.to_promise, made.not_needed)
    bring, follow, promise, spared = ({one.material for one in group} for group in groups)
    assert bring == OWN | SILENT | GRADE
    assert (follow, promise, spared) == (set(MAY_FOLLOW), PROMISED, LICENCE)
    assert sum(len(group) for group in groups) == len(bring | follow | promise | spared)

"""What `mianti query` prints for a person: columns under a header, and no list for a wrong code."""

import datetime as dt
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from deploy.cli import main
from deploy.cli.records import lines
from schemas.avro import FAMILIES, dataset_columns
from tests.support.codes import uscc

LANDED = dt.datetime(2026, 5, 2, 1, 30, tzinfo=dt.UTC)


def row(family: str, **known: Any) -> dict[str, Any]:
    """Return a dataset's row of which only some columns hold something."""
    fixed = {"subject": uscc(1), "record_key": f"KEY/{family}", "last_landed_at": LANDED}
    return dict.fromkeys(dataset_columns(family)) | {"usable": "yes"} | fixed | known


LICENCE = row(
    "licence",
    state="in_force",
    name="食品经营许可证",
    number="D1",
    subject_name="示范企业",
    valid_from=dt.date(2026, 2, 3),
    valid_to=dt.date(2031, 2, 2),
)
OPEN_ENDED = row("licence", state="suspended", name="许可", term="open_ended", subject_name="企业")
WITHDRAWN = row("licence", usable="no", unusable_reason="withdrawn")


def place(line: str, text: str) -> int:
    """Return the column of a terminal at which a text begins."""
    return sum(1 + (unicodedata.east_asian_width(c) in "WF") for c in line[: line.index(text)])


def test_a_record_shows_its_state_days_name_and_enterprise_under_a_header() -> None:
    header, _, first, *_ = lines("licence", [LICENCE, OPEN_ENDED, WITHDRAWN])
    shown = {
        "state · 状态": "in_force · 有效",
        "from · 起": "2026-02-03",
        "to · 止": "2031-02-02",
        "what · 内容": "食品经营许可证 D1",
        "enterprise · 企业": f"{uscc(1)} 示范企业",
    }
    for title, value in shown.items():
        assert place(header, title) == place(first, value)


def test_what_has_no_end_and_what_may_not_be_used_say_so() -> None:
    _, _, _, _, open_ended, _, withdrawn, key = lines("licence", [LICENCE, OPEN_ENDED, WITHDRAWN])
    assert "no end · 长期" in open_ended
    assert "not usable · 不得使用: withdrawn 已撤回" in withdrawn
    assert "KEY/licence, " in key


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_is_shown_by_its_own_columns(family: str) -> None:
    last = {"credit": "publication_to"}.get(family, "valid_to")
    told = row(family, state="in_force", **{last: dt.date(2030, 1, 2)})
    assert "2030-01-02" in [*lines(family, [told])][2]


@pytest.mark.parametrize("typed", ["", "123", uscc(1)[:-1], f"{uscc(1)}0"])
def test_a_wrong_code_is_refused_as_ask_does(
    typed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIANTI_HOME", str(tmp_path))
    asked = ["query", "licence", "--subject", typed]
    ended = CliRunner().invoke(main.cli, asked)
    assert (ended.exit_code, ended.stdout) == (2, "")
    likewise = CliRunner().invoke(main.cli, ["ask", "--subject", typed, "--matter", "JS-3001"])
    assert ended.stderr == likewise.stderr

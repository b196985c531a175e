"""What `mianti publish` prints of one file, and what a person can do next."""

from __future__ import annotations

import datetime as dt

import pytest

from deploy.cli.publish import tell
from flows.publish import Outcome

REFUSED = [
    {"__row": row, "code": "bad_date", "sentence_en": f"in {row}.", "sentence_zh": "。"}
    for row in (1, 1, 2)
]


def printed(
    capsys: pytest.CaptureFixture[str],
    outcome: Outcome,
    *,
    dry_run: bool = False,
    stated: bool = False,
) -> str:
    tell(outcome, "fire-demo", dry_run=dry_run, stated=stated)
    return capsys.readouterr().out


def held() -> Outcome:
    return Outcome(
        "a.csv", "fire", read=9, refused=5, excepted=5, held={"bad_date": 5}, examples=REFUSED
    )


def test_the_command_that_lists_what_waits_can_be_typed(capsys: pytest.CaptureFixture[str]) -> None:
    assert "mianti refused list --publisher fire-demo\n" in printed(capsys, held())


def test_refused_rows_that_are_not_shown_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    assert "… 3 more refused rows · 另有 3 行被退回" in printed(capsys, held())


def test_a_dry_run_says_what_would_happen(capsys: pytest.CaptureFixture[str]) -> None:
    told = printed(capsys, held(), dry_run=True)
    assert "would be published · 将发布 0" in told
    assert "Would not be complete for 5 enterprises" in told
    assert "refused list" not in told


@pytest.mark.parametrize("dry_run", [False, True])
def test_a_file_without_a_statement_says_how_to_state(
    capsys: pytest.CaptureFixture[str], *, dry_run: bool
) -> None:
    good = Outcome("a.csv", "fire", read=1, published=1)
    assert "--complete-through" in printed(capsys, good, dry_run=dry_run)
    assert "--complete-through" not in printed(capsys, good, dry_run=dry_run, stated=True)
    good.edition = dt.datetime(2026, 5, 1, 10, tzinfo=dt.UTC)
    told = printed(capsys, good, dry_run=dry_run)
    option = "--layout fire --complete-through 2026-05-01T18:00+08:00"
    assert told.count(f"`{option}`") == 2
    assert "never before" in told
    good.complete_before = dt.datetime(2026, 4, 1, tzinfo=dt.UTC)
    assert "last through 2026-04-01" in printed(capsys, good, dry_run=dry_run)
    good.complete_before = good.edition
    assert "--complete-through TIME`" in printed(capsys, good, dry_run=dry_run)
    good.not_complete = [{"en": "A sheet was not read.", "zh": "有工作表未读取。"}]
    assert "--complete-through" not in printed(capsys, good, dry_run=dry_run)

"""The model of the law can fail: it tells right histories from wrong ones, by hand-made answers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.oracle import layout, publishing
from tests.oracle import state as states
from tests.oracle.layout import Content, check_character, record_key, write_rows
from tests.oracle.publishing import Publisher, Unclear, Version
from tests.oracle.state import state

ISSUER = "11990100000000115Q"
A, B = (c + check_character(c) for c in ("91990100MA0000001", "91990100MA0000002"))
KEY = record_key(ISSUER, "甲1")
NOON = dt.datetime(2026, 5, 1, 4, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
Mistake = Callable[[pytest.MonkeyPatch], None]


def row(subject: str = A, **more: str) -> dict[str, str]:
    return {"代码": subject, "编号": "甲1", "机关": ISSUER} | more


class Desk:
    """A publisher of the model that sends one file a day and lands each at once."""

    def __init__(self) -> None:
        self.model = Publisher()
        self.sent = 0

    def send(self, *rows: dict[str, str], edition: int | None = None) -> str:
        """Return, for each row in turn, p(ublished), u(nchanged) or the reasons of its refusal.

        Or `unclear`, where the file is refused whole.
        """
        self.sent += 1
        stated = NOON + (edition - 10) * DAY if edition is not None else None
        try:
            account = self.model.send(write_rows([*rows]), stated, NOON + self.sent * DAY)
        except Unclear:
            return "unclear"
        self.model.land(NOON + self.sent * DAY)
        told = dict.fromkeys(account.published, "p") | dict.fromkeys(account.unchanged, "u")
        told |= {number: "+".join(sorted(why)) for number, why in account.refused.items()}
        return " ".join(told[number] for number in sorted(told))

    def says(self, subject: str = A, day: int = 0, known: int | None = None) -> str | None:
        """Return the record's state, or why it may not be used; None: no such record."""
        known_at = NOON + known * DAY if known is not None else None
        found = state(self.model.topic, "licence", (NOON + day * DAY).date(), known_at)
        if (subject, KEY) not in found:
            return None
        told = found[subject, KEY]
        return str(told["unusable_reason"] or told["state"])


def flips() -> None:
    desk = Desk()
    assert desk.send(row(状态="1"), edition=1) == "p"
    assert desk.send(row(状态="2"), edition=2) == "p"
    assert desk.says() == "suspended"
    assert desk.send(row(状态="1"), edition=3) == "p"
    assert [v.sequence for v in desk.model.topic if v.facet == "standing"] == [1, 2]
    assert desk.says() == "in_force"
    assert desk.says(known=2) == "suspended"
    assert desk.says(known=1) == "in_force"
    assert desk.says(known=0) is None


def editions() -> None:
    desk = Desk()
    assert desk.send(row(状态="2"), edition=3) == "p"
    assert desk.send(row(状态="3"), edition=2) == "older_edition"
    assert desk.send(row(状态="3"), edition=3) == "contradictory_published"
    assert desk.send(row(状态="2"), edition=2) == "u"
    assert desk.send(row(状态="2"), edition=5) == "u"
    assert desk.send(row(状态="3"), edition=4) == "older_edition"
    assert desk.send(row(状态="4")) == "unclear"  # all before it had a date
    assert desk.send(row(状态="3")) == "older_edition"  # the first file again, not a new one
    assert desk.send(row(状态="3", 内容="食品"), edition=6) == "p"
    assert desk.send(row(状态="2"), edition=4) == "older_edition"
    assert desk.send(row(状态="2"), edition=30) == "unclear"  # yet to come
    undated = Desk()
    assert undated.send(row(状态="2")) == "p"
    assert undated.send(row(状态="3"), edition=1) == "older_edition"
    assert undated.send(row(状态="3", 内容="食品")) == "p"


def contradictions() -> None:
    desk = Desk()
    assert desk.send(row(状态="2"), row(状态="2"), edition=1) == "p u"
    assert desk.send(row(状态="3"), row(状态="4"), edition=2) == "contradictory contradictory"
    faulty = [row(编号="", 状态="1"), row(代码=A[:-1] + "9", 状态="1")]
    assert desk.send(row(状态="3"), *faulty, edition=3) == "p missing code_check_digit"
    assert desk.says() == "revoked"


def losses() -> None:
    desk = Desk()
    assert desk.send(row(状态="2"), edition=1) == "p"
    assert desk.send(row(状态="2"), edition=3) == "u"
    desk.model.lose_ledger()
    assert desk.send(row(状态="1"), edition=2) == "older_edition"
    assert desk.send(row(编号="乙", 状态="1"), edition=2) == "p"
    assert desk.send(row(状态="1"), edition=4) == "p"


def moves() -> None:
    desk = Desk()
    desk.send(row(A, 状态="2"), edition=1)
    desk.send(row(B, 状态="2"), edition=2)
    assert (desk.says(A), desk.says(B)) == ("withdrawn", "suspended")
    desk.send(row(A, 状态="2"), edition=3)
    assert (desk.says(A), desk.says(B)) == ("suspended", "withdrawn")
    assert (desk.says(A, known=2), desk.says(B, known=1)) == ("withdrawn", None)


def withdrawals() -> None:
    desk = Desk()
    assert desk.model.withdraw(KEY, undo=False) is None
    desk.send(row(), edition=1)
    assert desk.model.withdraw(KEY, undo=False)
    assert not desk.model.withdraw(KEY, undo=False)
    assert desk.send(row(状态="2"), edition=2) == "withdrawn"
    assert desk.says() == "withdrawn"
    assert desk.model.withdraw(KEY, undo=True)
    assert desk.send(row(状态="2"), edition=2) == "p"
    assert desk.says() == "suspended"


def dates() -> None:
    desk = Desk()
    begins, ends = str((NOON + DAY).date()), str((NOON + 2 * DAY).date())
    desk.send(row(状态="2", 变更日=begins, 状态止=ends, 有效期至=str((NOON + 4 * DAY).date())))
    told = [desk.says(day=day) for day in range(6)]
    assert told == ["in_force", "suspended", "suspended", "in_force", "in_force", "expired"]
    desk.send(row(状态="4", 变更日=ends))
    assert desk.says(day=0) == "annulled"
    decided = Desk()
    decided.send(row(决定日=begins))
    assert [decided.says(day=day) for day in (0, 1)] == ["undecided", "in_force"]


def faults() -> None:
    desk = Desk()
    assert desk.send(row(状态="2"), row(编号="乙"), row("", 编号="丙")) == (
        "p state_not_stated code_missing+state_not_stated"
    )
    assert desk.says() == "suspended"
    assert desk.send(row()) == "p"  # a file that fills no state means that it is in force
    assert desk.says() == "in_force"
    late = [{"变更日": "2062-05-01"}, {"有效期自": "2062-05-01"}]
    told = desk.send(*(row(编号=str(n), 状态="2", **one) for n, one in enumerate(late)))
    assert told == "date_in_future date_in_future"
    assert desk.send(row(编号="丁", 有效期自="2030-05-01")) == "p"


def conflicts() -> None:
    desk = Desk()
    desk.send(row(状态="2"), edition=1)
    rival = Version(KEY, "standing", 1, Content(A, (("state", "revoked"),)))
    desk.model.overhear(rival)
    desk.model.land(NOON + 2 * DAY)
    assert (desk.says(known=1), desk.says()) == ("suspended", "conflicted")
    assert desk.send(row(状态="2"), edition=2) == "u"
    assert desk.says() == "conflicted"
    assert desk.send(row(状态="3"), edition=3) == "p"
    assert desk.says() == "revoked"


ANSWERS = [flips, editions, contradictions, losses, moves, withdrawals, dates, faults, conflicts]


@pytest.mark.parametrize("answers", ANSWERS, ids=lambda answers: answers.__name__)
def test_the_model_gives_the_answers_the_law_gives(answers: Callable[[], None]) -> None:
    answers()


def no_edition(patch: pytest.MonkeyPatch) -> None:
    """Every file is as new as the one before."""
    edition = publishing.Publisher._edition
    patch.setattr(
        publishing.Publisher,
        "_edition",
        lambda self, text, stated, now: edition(self, text, None, now),
    )


def nothing_speaks_against(patch: pytest.MonkeyPatch) -> None:
    """No row is refused but for its own faults."""
    patch.setattr(publishing.Publisher, "_against", lambda *_: set())


def nothing_is_neutral(patch: pytest.MonkeyPatch) -> None:
    """A first state in force is published."""
    patch.setattr(publishing, "NEUTRAL", {})


def no_move(patch: pytest.MonkeyPatch) -> None:
    """A record that is another subject's stays with the first one, too."""
    patch.setattr(publishing.Publisher, "_move", lambda *_: None)


def no_floor(patch: pytest.MonkeyPatch) -> None:
    """A lost ledger takes any edition for new."""

    def lose(self: Publisher) -> None:
        self._held, self._home = {}, {}
        for version in self.topic:
            self._hold(version)

    patch.setattr(publishing.Publisher, "lose_ledger", lose)


def smallest_wins(patch: pytest.MonkeyPatch) -> None:
    """The first version of a facet counts, and not the last."""
    patch.setattr(states, "max", min, raising=False)


def nothing_ends(patch: pytest.MonkeyPatch) -> None:
    """A suspension outlives its last day."""
    stated = states._stated

    def forever(winners: dict[str, Content], facet: str, day: dt.date) -> object:
        endless = {name: replace(said, effective_to=None) for name, said in winners.items()}
        return stated(endless, facet, day)

    patch.setattr(states, "_stated", forever)


def void_waits(patch: pytest.MonkeyPatch) -> None:
    """What is void from the start waits for its day."""
    patch.setattr(
        states,
        "_effective",
        lambda said, day: said.effective_from is None or said.effective_from <= day,
    )


def any_check_digit(patch: pytest.MonkeyPatch) -> None:
    """Every code is a code."""
    patch.setattr(layout, "check_character", lambda _: "9")


def an_empty_state_is_one(patch: pytest.MonkeyPatch) -> None:
    """What other rows of a file say of their states changes nothing."""
    patch.setattr(layout, "any", lambda _: False, raising=False)


def nothing_lies_ahead(patch: pytest.MonkeyPatch) -> None:
    """Any day may come."""
    patch.setattr(layout, "_not_yet", lambda *_: [])


MISTAKES: list[Mistake] = [
    an_empty_state_is_one,
    nothing_lies_ahead,
    no_edition,
    nothing_speaks_against,
    nothing_is_neutral,
    no_move,
    no_floor,
    smallest_wins,
    nothing_ends,
    void_waits,
    any_check_digit,
]


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.__name__)
def test_a_mistake_in_the_model_changes_an_answer(
    mistake: Mistake, monkeypatch: pytest.MonkeyPatch
) -> None:
    mistake(monkeypatch)
    wrong = 0
    for answers in ANSWERS:
        try:
            answers()
        except AssertionError:
            wrong += 1
    assert wrong

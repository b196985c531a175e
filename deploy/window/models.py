"""What the API takes and gives, for its description (OpenAPI) and the check of what comes in."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from schemas.dialect import Words

#: Years that a licence can be about; beyond them a day has no day before it.
_YEARS = range(1949, 2200)


def _day(text: str) -> str:
    if dt.date.fromisoformat(text).year not in _YEARS:
        raise ValueError("no year of a licence")
    return text


def _time(text: str) -> str:
    at = dt.datetime.fromisoformat(text.replace("Z", "+00:00"))
    if at.tzinfo is None or at.year not in _YEARS:
        raise ValueError("no time zone, or no year of a licence")
    return text


Day = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"), AfterValidator(_day)]
Time = Annotated[
    str,
    Field(
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?"
        r"(Z|[+-][0-9]{2}:[0-9]{2})$"
    ),
    AfterValidator(_time),
]
Code = Annotated[str, Field(min_length=1, max_length=60)]
Subject = Annotated[
    str,
    Field(
        min_length=18,
        max_length=40,
        description="Unified social credit code (GB 32100-2015); blanks and small letters will do.",
        examples=["91990100MA01RXEY0J"],
    ),
]


class _Taken(BaseModel):
    model_config = ConfigDict(extra="forbid")

    subject: Subject
    on: Day | None = Field(default=None, description="A day in China; today unless given.")
    known_at: Time | None = Field(
        default=None, description="What was landed later is left out; not a time yet to come."
    )


class MatterAsked(_Taken):
    """A question about one matter."""

    matter: Code


class BundleAsked(_Taken):
    """A question about a bundle (一件事)."""

    bundle: Code


class Stopped(BaseModel):
    """Why a paper cannot be accepted: what became of it, since which day (China), by whom, and the
    number of that decision, where they are known. Where `since` is null, `document` is that of the
    record, which may be the one that granted the licence."""

    state: str
    state_words: Words
    since: str | None
    by: str | None
    document: str | None


class Paper(BaseModel):
    """The decision on one paper; `complete_through` is UTC, `due` a day in China.

    `layout_name`: of the source's layouts the one that this is about; null if it sends one alone.
    """

    material: str
    name: Words
    necessity: str
    outcome: Literal[
        "exempt_by_licence",
        "exempt_by_data",
        "on_promise",
        "may_follow",
        "must_bring",
        "not_accepted",
    ]
    outcome_words: Words
    reason: str | None
    why: Words
    evidence: str | None
    rule: dict[str, Any] | None
    record: dict[str, Any] | None
    fields: dict[str, Any] | None
    stopped: Stopped | None
    source: str | None
    source_name: Words | None
    layout_name: Words | None
    complete_through: str | None
    due: str | None


class Decided(BaseModel):
    """The decisions on one matter's papers."""

    matter: str
    name: Words
    papers: list[Paper]


class FormField(BaseModel):
    """A field of the form, filled from a source, or why it is not."""

    id: str
    matters: list[str]
    name: Words
    value: Any
    evidence: str | None
    evidence_name: Words | None
    source: str | None
    source_name: Words | None
    layout_name: Words | None
    complete_through: str | None
    record_key: str | None
    reason: str | None
    why: Words | None


class ReceiptHead(BaseModel):
    """The receipt's id, the time it was written (UTC), and its hash (SHA-256)."""

    id: str
    at: str
    hash: str


class Prefilled(BaseModel):
    """A form with its receipt; `known_at` (UTC): the time at which all this was asked.

    `landed_through` (UTC): everything published before it was counted; null for a question about
    the past (`known_at`), when it is not known any more.
    """

    receipt: ReceiptHead
    subject: str
    name: str | None
    on: str
    known_at: str
    landed_through: str | None
    matters: list[str]
    form: list[FormField]


class Answered(Prefilled):
    """The same with the decision on each paper, and one notice of what is still to be brought."""

    answers: list[Decided]
    notice: dict[str, Any]


class Me(BaseModel):
    """Who asks, and for whom."""

    clerk: str
    departments: list[dict[str, Any]]
    purposes: list[str] | None
    subject: str | None


class MatterTold(BaseModel):
    """A matter that the caller may ask; days are working days."""

    code: str
    name: Words
    department: dict[str, Any]
    legal_days: int | None
    promised_days: int | None


class BundleTold(BaseModel):
    """A bundle that the caller may ask."""

    code: str
    name: Words
    matters: list[str]


class MattersTold(BaseModel):
    """What the caller may ask."""

    matters: list[MatterTold]
    bundles: list[BundleTold]


class SubjectsFound(BaseModel):
    """Enterprises by a part of their name or the beginning of their code."""

    subjects: list[dict[str, str]]


class QrCode(BaseModel):
    """A QR code of `text`: a square of `size` modules, and an SVG `path` of the dark ones."""

    text: str
    size: int
    path: str


class ReceiptTold(BaseModel):
    """A receipt as it is kept: `text` is what `hash` (SHA-256) and `signature` (Ed25519) are of.

    `code`: the address of the page that verifies it; null where the window's address is not known.
    """

    id: str
    hash: str
    signature: str
    text: str
    body: dict[str, Any]
    matter_names: list[Words]
    department_names: list[Words]
    purpose_names: list[Words]
    code: QrCode | None


class UsesTold(BaseModel):
    """By whom and for what an enterprise's data were used, the newest first; 50 at most.

    `others`: how many more uses there are that are not the caller's to see; `next`: what to send as
    `after` for the next page, null after the last.
    """

    subject: str
    uses: list[dict[str, Any]]
    others: int
    next: str | None


class Health(BaseModel):
    """How long ago (seconds) all topics were landed, and the limit beyond which none is answered.

    `landed_through` (UTC): everything published before it is in this window's data.

    `unshipped_seconds`: for how long the oldest receipt that was not shipped yet has waited; beyond
    five minutes the status is `receipts_not_shipped`, and `detail` says what to do.
    """

    status: Literal["ok", "receipts_not_shipped"]
    behind_seconds: float
    limit_seconds: int
    landed_through: str | None
    unshipped_seconds: float
    detail: str | None = None
    detail_zh: str | None = None

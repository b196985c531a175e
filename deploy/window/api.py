"""The HTTP API: every answer with its receipt, every right checked on every call."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Awaitable, Iterator
from contextlib import closing, contextmanager
from typing import Annotated, Any, Final

import orjson
from fastapi import APIRouter, Depends, FastAPI, Query, Request, Response
from fastapi.security import HTTPBearer
from starlette.concurrency import run_in_threadpool

from connectors.errors import MiantiError
from connectors.receipts import NotWritten, Receipts
from connectors.replica import NoReplica
from connectors.settings import Settings
from deploy.window import models, qr
from deploy.window.metrics import Metrics
from deploy.window.problems import Problem, responses
from deploy.window.rate import Rate
from deploy.window.rights import lacking, may_ask, may_see_uses, recognised, seen_by
from deploy.window.tokens import BadToken, Caller, Tokens
from flows.answer import form, notice
from flows.answer.ask import BadSubject, checked_subject
from flows.answer.at_window import landed_through
from flows.answer.told import paper
from flows.clock import china_today
from flows.receipt.chain import Sealed
from flows.receipt.continuity import NotCompared, late_words
from flows.receipt.entry import Asker, Question
from flows.receipt.ship import OtherChain
from flows.receipt.shown import Shown
from flows.receipt.uses import Cursor, Scope, UsesPage, cursor, use, uses_page
from flows.receipt.verify import NoReceipt, find
from flows.window import Behind, Pending, Window, behind, form_of, require_fresh
from schemas.dialect import Words
from schemas.folding import fold_text

_ANYONE: Final = (400, 401, 429, 500)
_ASKING: Final = responses(403, 404, 413, 422, 503, *_ANYONE)
#: Characters that a search needs, as they are compared: the page asks for as many.
_SEARCHED: Final = 2
router = APIRouter(prefix="/v1")


class Reception:
    """What the operations share: the window, who is let in, how often, and the metrics."""

    def __init__(self, window: Window) -> None:
        self.window = window
        self.metrics = Metrics(self._behind, window.unshipped_seconds)
        self.shown = Shown()
        self._tokens = Tokens(window.settings)
        # Apart: whoever guesses tokens by the thousand makes no clerk's count forgotten.
        self._clerks = Rate(window.settings.mianti_window_rate)
        self._guesses = Rate(window.settings.mianti_window_rate)

    def let_in(self, token: str | None, host: str) -> Caller:
        """Return who asks, if it may ask once more now. Raises Problem."""
        try:
            caller = self._tokens.caller(token or "")
        except BadToken as error:
            self._count(self._guesses, host)
            raise Problem(
                401,
                "unauthenticated",
                f"Send a valid token, `Authorization: Bearer …` ({error}).",
                f"请携带有效令牌（Authorization: Bearer …）（{error}）。",
                {"WWW-Authenticate": "Bearer"},
            ) from None
        self._count(self._clerks, caller.name)
        return recognised(caller, self.window.catalogue)

    def _count(self, rate: Rate, who: str) -> None:
        wait = rate.wait(who)
        if wait:
            raise Problem(
                429,
                "too-many",
                f"At most {self.window.settings.mianti_window_rate} for each account.",
                f"每个账号最多 {self.window.settings.mianti_window_rate}。",
                {"Retry-After": str(math.ceil(wait))},
            )

    def _behind(self) -> float:
        try:
            late = behind(self.window.positions(), dt.datetime.now(dt.UTC))
        except NoReplica:
            late = None
        return float("nan") if late is None else late


def reception(request: Request) -> Reception:
    """Return what the app was made with."""
    found: Reception = request.app.state.reception
    return found


class _Bearer(HTTPBearer):
    """Lets a caller in by its token. Raises Problem."""

    async def __call__(self, request: Request) -> Caller:  # type: ignore[override]
        sent = await super().__call__(request)
        host = request.client.host if request.client else "?"
        return reception(request).let_in(sent.credentials if sent else None, host)


_BEARER: Final = _Bearer(
    auto_error=False,
    bearerFormat="JWT",
    scheme_name="HTTPBearer",
    description="A signed token: sub, departments, purposes.",
)
Who = Annotated[Caller, Depends(_BEARER)]


# The questions first: routes are tried in their order.
@router.post("/ask", response_model=models.Answered, responses=_ASKING)
async def ask(request: Request, who: Who, asked: models.MatterAsked) -> Response:
    """Decide which papers of a matter an enterprise need not bring, with a receipt."""
    if asked.matter not in reception(request).window.catalogue.matters:
        raise _unknown()
    question = _question(asked, [asked.matter], None)
    return _json(await _answered(request, who, question))


@router.post("/bundle", response_model=models.Answered, responses=_ASKING)
async def bundle(request: Request, who: Who, asked: models.BundleAsked) -> Response:
    """Decide the papers of a bundle's matters (一件事), with one notice and one receipt."""
    found = reception(request).window.catalogue.bundles.get(asked.bundle)
    if found is None:
        raise _unknown()
    question = _question(asked, found.matters, asked.bundle)
    return _json(await _answered(request, who, question))


@router.post("/prefill", response_model=models.Prefilled, responses=_ASKING)
async def prefill(request: Request, who: Who, asked: models.MatterAsked) -> Response:
    """Fill a matter's form from what departments hold, the source beside each field."""
    if asked.matter not in reception(request).window.catalogue.matters:
        raise _unknown()
    question = _question(asked, [asked.matter], None)
    told = await _answered(request, who, question)
    return _json({name: told[name] for name in models.Prefilled.model_fields})


@router.get("/me", response_model=models.Me, responses=responses(*_ANYONE))
async def me(request: Request, who: Who) -> Response:
    """Say who asks, and for which departments."""
    known = reception(request).window.catalogue.departments
    departments = [
        {"id": id_, "name": known[id_].name.both} for id_ in who.departments if id_ in known
    ]
    return _json(
        {
            "clerk": who.name,
            "departments": departments,
            "purposes": who.purposes,
            "subject": who.subject,
        }
    )


@router.get("/matters", response_model=models.MattersTold, responses=responses(*_ANYONE))
async def matters(request: Request, who: Who) -> Response:
    """List the matters and bundles that the caller may ask."""
    found = reception(request).window.catalogue
    mine = {code: one for code, one in found.matters.items() if may_ask(who, found, code)}
    told = [
        {
            "code": code,
            "name": one.name.both,
            "department": {
                "id": one.department,
                "name": found.departments[one.department].name.both,
            },
            "legal_days": one.legal_days,
            "promised_days": one.promised_days,
        }
        for code, one in mine.items()
    ]
    bundles = [
        {"code": code, "name": one.name.both, "matters": one.matters}
        for code, one in found.bundles.items()
        if all(matter in mine for matter in one.matters)
    ]
    return _json({"matters": told, "bundles": bundles})


@router.get("/subjects", response_model=models.SubjectsFound, responses=_ASKING)
async def subjects(
    request: Request, who: Who, q: Annotated[str, Query(min_length=_SEARCHED, max_length=60)]
) -> Response:
    """Find enterprises by a part of their name or the beginning of their code.

    A receipt names those that the clerk was not shown today already.
    """
    if not who.departments:
        raise _clerks_only()
    if len(fold_text(q)) < _SEARCHED:  # blanks and invisible characters find everything
        raise Problem(
            422,
            "bad-request",
            f"Look at: q. At least {_SEARCHED} characters of the name or code are needed.",
            f"请检查：q。请至少输入名称或代码中的 {_SEARCHED} 个字符。",
            fields=("q",),
        )
    here = reception(request)
    try:
        found = await run_in_threadpool(here.window.named, q)
    except NoReplica as error:
        raise _unable(error) from None
    await _shown(here, Asker(who.name, who.departments), [code for code, _ in found])
    return _json({"subjects": [{"subject": code, "name": name} for code, name in found]})


async def _shown(here: Reception, asker: Asker, codes: list[str]) -> None:
    """Have a receipt on the disk for the enterprises that a clerk sees for the first time today."""
    day = china_today()
    fresh = here.shown.fresh(asker, day, codes)
    if fresh:
        with _continuous():
            receipt = here.window.search(asker, fresh)
        await _kept(receipt)
        here.shown.add(asker, day, fresh)


@router.get("/receipts/{id}", response_model=models.ReceiptTold, responses=_ASKING)
async def receipt(
    request: Request,
    who: Who,
    id: str,
    at: Annotated[
        str | None,
        Query(
            pattern=r"^https?://[!-~]{1,200}/$",
            description="The window's address for the QR code, where MIANTI_WINDOW_URL is not set.",
        ),
    ] = None,
) -> Response:
    """Return a receipt as it is kept, to a clerk of its departments or the enterprise itself."""
    here = reception(request)
    try:
        found = await run_in_threadpool(find, here.window.settings, id)
    except NoReceipt:
        raise _unknown() from None
    except MiantiError as error:
        raise _unable(error) from None
    body = found.body
    catalogue = here.window.catalogue
    codes = [code for code in body.get("matters", []) if code in catalogue.matters]
    purposes = {
        (catalogue.matters[code].department, catalogue.matters[code].purpose) for code in codes
    }
    of = {department for department, _ in purposes}
    looked = body.get("kind") in ("look", "search") and {*who.departments} & {
        *body["who"]["departments"]
    }
    mine = looked or any(may_ask(who, catalogue, code) for code in codes)
    if not mine and (who.subject is None or who.subject != body.get("subject")):
        raise _unknown()  # whether there is one is nobody else's to know
    return _json(
        {
            "id": found.id,
            "hash": found.hash,
            "signature": found.signature,
            "text": found.text,
            "body": body,
            "matter_names": [catalogue.matters[code].name.both for code in codes],
            "department_names": [catalogue.departments[id_].name.both for id_ in sorted(of)],
            "purpose_names": [
                catalogue.departments[id_].purposes[purpose].name.both
                for id_, purpose in sorted(purposes)
            ],
            "code": _code(here.window.settings, found, at),
        }
    )


def _code(settings: Settings, found: Sealed, at: str | None) -> dict[str, Any] | None:
    """Return the QR code of the address that verifies a receipt; None: the address is not known."""
    address = settings.mianti_window_url or at
    return None if address is None else qr.drawn(qr.address(f"{address.rstrip('/')}/", found))


@router.get("/uses", response_model=models.UsesTold, responses=_ASKING)
async def uses_of(
    request: Request,
    who: Who,
    subject: Annotated[str, Query(min_length=18, max_length=40)],
    after: Annotated[
        str | None, Query(max_length=80, description="`next` of the page before.")
    ] = None,
) -> Response:
    """Say for what an enterprise's data were used, the newest first; looking leaves a receipt.

    A clerk sees the uses for matters it may ask, and how many others there are; the enterprise all.
    """
    here, code = reception(request), _subject(subject)
    if not may_see_uses(who, code):
        raise _clerks_only()
    begin = cursor(after) if after is not None else None
    if after is not None and begin is None:
        raise Problem(422, "bad-request", "Look at: after.", "请检查：after。", fields=("after",))
    catalogue = here.window.catalogue
    scope = seen_by(who, catalogue, code)
    try:
        page = await run_in_threadpool(_uses, here.window, code, scope, begin)
    except MiantiError as error:
        raise _unable(error) from None
    with _continuous():
        look = here.window.look(
            Asker(who.name, who.departments), code, [one.id for one in page.entries]
        )
    await _kept(look)
    return _json(
        {
            "subject": code,
            "uses": [use(one, catalogue) for one in page.entries],
            "others": page.others,
            "next": None if page.next is None else str(page.next),
        }
    )


def _uses(window: Window, subject: str, scope: Scope | None, after: Cursor | None) -> UsesPage:
    with closing(Receipts(window.settings.mianti_window)) as receipts:
        return uses_page(window.settings, subject, receipts, scope, after)


async def _answered(request: Request, who: Caller, question: Question) -> dict[str, Any]:
    """Return a whole answer (`models.Answered`); its receipt is on the disk. Raises Problem."""
    here = reception(request)
    pending = await _pending(here, who, question)
    told = _told(here.window, question, pending)
    sealed = await _kept(pending.receipt)
    here.metrics.answered(pending.decided)
    return {"receipt": {"id": sealed.id, "at": sealed.body["at"], "hash": sealed.hash}} | told


async def _pending(here: Reception, who: Caller, question: Question) -> Pending:
    """Decide; a refusal has its receipt, too. Raises Problem."""
    asker = Asker(who.name, who.departments)
    lacks = lacking(who, here.window.catalogue, question.matters)
    if lacks is not None:
        here.metrics.refused()
        why = Words(en=lacks.detail, zh=lacks.detail_zh)
        with _continuous():
            refusal = here.window.refuse(asker, question, why)
        await _kept(refusal)
        raise lacks
    try:
        with _continuous():
            return here.window.ask(asker, question)
    except Behind as error:
        raise Problem(503, "behind", *_both(error), {"Retry-After": "5"}) from None
    except NoReplica as error:
        raise _unable(error) from None


@contextmanager
def _continuous() -> Iterator[None]:
    """Raise Problem where the window's chain was cut, or could not be looked at yet."""
    try:
        yield
    except (OtherChain, NotCompared, NotWritten) as error:
        raise _unable(error) from None


async def _kept(receipt: Awaitable[Sealed]) -> Sealed:
    """Return a receipt once it is on the disk. Raises Problem: then nothing is answered."""
    try:
        return await receipt
    except NotWritten as error:
        raise _unable(error) from None


def _told(window: Window, question: Question, pending: Pending) -> dict[str, Any]:
    """Return what an answer says, but for its receipt."""
    found, table, facts = window.catalogue, window.publishers, pending.known.facts
    answers, through = pending.decided.answers, pending.known.through
    fields, titles = [*form_of(pending.decided)], window.layout_titles
    filled = form.as_json([one for _, one in fields], found, table, titles)
    return {
        "subject": question.subject,
        "name": pending.name,
        "on": facts.on.isoformat(),
        "known_at": facts.asked_at.isoformat(),
        "landed_through": through.isoformat() if through else None,
        "matters": question.matters,
        "answers": [
            {
                "matter": code,
                "name": found.matters[code].name.both,
                "papers": [paper(one, found, table, titles) for one in decisions],
            }
            for code, decisions in answers.items()
        ],
        "form": [one | {"matters": codes} for one, (codes, _) in zip(filled, fields, strict=True)],
        "notice": notice.as_json(
            notice.notice(found, table, question.subject, facts.on, answers, through, titles)
        ),
    }


def _question(
    asked: models.MatterAsked | models.BundleAsked, codes: list[str], bundle: str | None
) -> Question:
    on = dt.date.fromisoformat(asked.on) if asked.on else None
    known_at = dt.datetime.fromisoformat(asked.known_at) if asked.known_at else None
    if known_at is not None and known_at > dt.datetime.now(dt.UTC):
        raise Problem(
            422,
            "bad-request",
            "known_at is a time yet to come.",
            "known_at 不能是将来的时间。",
            fields=("known_at",),
        )
    known = known_at.astimezone(dt.UTC) if known_at else None
    return Question(_subject(asked.subject), codes, bundle, on, known)


def _subject(text: str) -> str:
    try:
        return checked_subject(text)
    except BadSubject as error:
        raise Problem(422, "bad-subject", *_both(error), fields=("subject",)) from None


def _both(error: MiantiError) -> tuple[str, str]:
    return error.message_en, error.message_zh


def _unable(error: MiantiError) -> Problem:
    return Problem(503, "unable", *_both(error), {"Retry-After": "5"})


def _unknown() -> Problem:
    return Problem(
        404,
        "unknown",
        "There is nothing of that name, or it is not for you to see.",
        "没有该项，或您无权查看。",
    )


def _clerks_only() -> Problem:
    return Problem(
        403,
        "no-right",
        "Your account may see its own enterprise alone.",
        "您的账号只能查看本企业的信息。",
    )


def _json(told: Any) -> Response:
    return Response(orjson.dumps(told), media_type="application/json")


def _shipping_health(window: Window) -> dict[str, Any]:
    """Return the status of a window that answers: `ok`, or that its receipts are not shipped."""
    waiting = window.unshipped_seconds()
    late = late_words(waiting)
    told = {"status": "ok", "unshipped_seconds": round(waiting, 3)}
    if late is not None:
        told |= {"status": "receipts_not_shipped", "detail": late[0], "detail_zh": late[1]}
    return told


def add_health(app: FastAPI) -> None:
    """Add what a monitor asks: no token is needed, and nothing of an enterprise is told."""

    @app.get("/health", response_model=models.Health, responses=responses(500, 503))
    async def health(request: Request) -> Response:
        """Say whether the window can answer, and how far its data are behind."""
        window = reception(request).window
        with _continuous():
            window.require_continuous()
        try:
            positions = window.positions()
            late = require_fresh(positions, window.settings)
        except Behind as error:
            raise Problem(503, "behind", *_both(error), {"Retry-After": "5"}) from None
        except NoReplica as error:
            raise _unable(error) from None
        through = landed_through(positions)
        told = {
            "behind_seconds": round(late, 3),
            "limit_seconds": window.settings.mianti_window_behind_seconds,
            "landed_through": through.isoformat() if through else None,
        }
        return _json(told | _shipping_health(window))

    @app.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
    async def metrics(request: Request) -> Response:
        """Give the metrics in Prometheus' text format."""
        return Response(reception(request).metrics.text(), media_type="text/plain; version=0.0.4")

"""The page behind a receipt's QR code: whether the paper is genuine, in both languages, for anyone.

No token is needed. The address holds a mark out of the receipt's signature, so that only who has the
paper sees something, and no more than the paper says; the enterprise's code is shown in part.
"""

from __future__ import annotations

import datetime as dt
import html
import logging
from collections.abc import Iterable
from functools import partial
from typing import Any, Final

import anyio
from anyio.to_thread import run_sync
from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from connectors.errors import MiantiError
from connectors.settings import Settings
from deploy.window.qr import is_mark
from deploy.window.rate import Rate
from flows.answer.words import OUTCOMES
from flows.clock import CHINA
from flows.receipt.chain import window_and_sequence
from flows.receipt.register import read_register
from flows.receipt.verify import NoReceipt, Proof, find, prove_place
from schemas.catalogue.grammar import Catalogue
from schemas.dialect import Words

#: For each host: behind a proxy all are one.
RATE: Final = "5/second"
#: A proof reads the lake: so many at a time, and so many that wait.
_TOGETHER: Final = 2
_WAITING: Final = 20
_log = logging.getLogger(__name__)
router = APIRouter(include_in_schema=False)

_GENUINE: Final = (
    "回执真实",
    "The receipt is genuine",
    "由登记的窗口密钥签名，在回执链中的位置完整。请将下列内容与纸面逐项核对：有任何不一致，即说明纸面被改动。",
    "It was signed with the window's registered key and stands in its place in an unbroken chain. "
    "Compare what follows with the paper: any difference means that the paper was altered.",
)
_UNKNOWN: Final = (
    "没有这份回执",
    "There is no such receipt",
    "地址中的编号与校验码不相符：纸面可能被改动，或者不是本系统出具的。请勿据此办理，并请联系出具单位核实。",
    "The number and the mark of its address do not belong together: the paper was altered, or was not issued here. "
    "Do not rely on it; ask the department that is said to have issued it.",
)
_ELSEWHERE: Final = (
    "不是本系统窗口的回执",
    "Not a receipt of a window known here",
    "回执编号所列的窗口未在本系统登记，此处无法核验。请到纸面所列的出具单位核验。",
    "The window that its number names is not registered here, so nothing can be verified here. Ask the "
    "department that issued the paper.",
)
_DOUBTFUL: Final = (
    "回执未通过核验",
    "The receipt cannot be confirmed",
    "有这份回执，但其签名或回执链与登记的密钥及存证不符。请勿据此办理，并请联系出具单位；"
    "管理员可用 mianti receipt verify 查看原因。",
    "The receipt exists, but its signature or its chain does not agree with the registered keys and the "
    "evidence. Do not rely on it; speak to the department that issued it. Its administrator sees why with "
    "`mianti receipt verify`.",
)
_LATER: Final = (
    "暂时无法核验",
    "Cannot be verified just now",
    "请稍后再试。这不表示回执有问题。",
    "Try again a little later. This says nothing about the receipt.",
)
_KINDS: Final = {
    "answer": Words(zh="查询答复", en="answer"),
    "refusal": Words(zh="拒绝查询（无权限）", en="refusal: no right to ask"),
    "search": Words(zh="按名称查找企业", en="search by name"),
    "look": Words(zh="查看使用记录", en="look at the uses"),
}


class Verifications:
    """What verifying shares: how often, and how many at once."""

    def __init__(self) -> None:
        self.rate = Rate(RATE)
        self.places = anyio.CapacityLimiter(_TOGETHER)

    @property
    def full(self) -> bool:
        """Return whether too many wait already."""
        return self.places.statistics().tasks_waiting >= _WAITING


@router.get("/verify/{id}/{mark}")
async def verification(request: Request, id: str, mark: str) -> HTMLResponse:
    """Show whether a receipt is genuine, and what it says."""
    shared: Verifications = request.app.state.verifications
    window = request.app.state.reception.window
    host = request.client.host if request.client else "?"
    wait = shared.rate.wait(host)
    if wait or shared.full:
        return _page(429, "later", _LATER, headers={"Retry-After": "5"})
    try:
        proof = await run_sync(partial(_proof, window.settings, id, mark), limiter=shared.places)
    except NoReceipt:
        known = await run_sync(partial(_is_known, window.settings, id), limiter=shared.places)
        return _page(404, "bad", _UNKNOWN if known else _ELSEWHERE)
    except MiantiError as error:
        _log.warning("a receipt could not be verified: %s", error.message_en)
        return _page(503, "later", _LATER, headers={"Retry-After": "5"})
    if proof.flaws:
        _log.warning("receipt %s does not hold: %s", proof.id, "; ".join(proof.flaws))
        return _page(409, "bad", _DOUBTFUL)
    return _page(200, "good", _GENUINE, _content(proof, window.catalogue))


def _proof(settings: Settings, id_: str, mark: str) -> Proof:
    """Prove a receipt's place; one whose mark is another is none. Raises NoReceipt, MiantiError."""
    entry = find(settings, id_)
    if not is_mark(entry, mark):
        raise NoReceipt("Its signature is another.", "签名不符。")
    return prove_place(settings, entry)


def _is_known(settings: Settings, id_: str) -> bool:
    """Return whether a receipt's id names a window of this installation."""
    parts = window_and_sequence(id_)
    try:
        registered = read_register(settings.mianti_window_keys)
    except MiantiError:
        registered = {}
    return parts is not None and parts[0] in {settings.mianti_window_name, *registered}


def _content(proof: Proof, found: Catalogue) -> str:
    """Return what the paper says, as HTML."""
    body = proof.body
    codes = [str(code) for code in body.get("matters", [])]
    matters = [found.matters[code].name if code in found.matters else _same(code) for code in codes]
    departments = {found.matters[code].department for code in codes if code in found.matters}
    rows = [
        ("回执编号", "Receipt", _same(proof.id)),
        ("种类", "Kind", _KINDS.get(str(body.get("kind")), _same(str(body.get("kind"))))),
        ("时间", "Time", _same(f"{_china(str(body.get('at')))} (UTC+8)")),
        ("窗口", "Window", _same(str(body.get("window")))),
        *(("办理部门", "Department", found.departments[id_].name) for id_ in sorted(departments)),
        *(("办理事项", "Matter", one) for one in matters),
        ("企业代码（部分）", "Enterprise's code (in part)", _same(_in_part(body.get("subject")))),
        ("办理日期", "Day", _same(str(body.get("on") or "—"))),
    ]
    anchored = "" if proof.anchored else f"<p class='note'>{_both(*_NOT_YET)}</p>"
    facts = "".join(
        f"<div><dt>{_both(zh, en)}</dt><dd>{_both(words.zh, words.en)}</dd></div>"
        for zh, en, words in rows
    )
    return f"{anchored}<dl class='proof'>{facts}</dl>{_papers(body.get('answers', []), found)}"


_NOT_YET: Final = (
    "刚刚出具，约十秒内完成存证锚定；届时可再次核验。",
    "Issued just now: it is anchored among the evidence within about ten seconds; verify again then.",
)


def _papers(answers: Iterable[dict[str, Any]], found: Catalogue) -> str:
    papers = [(one["material"], one["outcome"]) for answer in answers for one in answer["papers"]]
    lines = []
    for id_, decided in dict.fromkeys(papers):  # a paper of several matters is there once
        name = found.materials[id_].name if id_ in found.materials else _same(id_)
        outcome = OUTCOMES.get(decided, _same(decided))
        lines.append(
            f"<li><strong>{_both(name.zh, name.en)}</strong>"
            f"<span>{_both(outcome.zh, outcome.en)}</span></li>"
        )
    if not lines:
        return ""
    return (
        f"<h2>{_both('答复内容', 'What was answered')}</h2><ol class='told'>{''.join(lines)}</ol>"
    )


def _in_part(subject: object) -> str:
    """Return a code's ends: enough to compare with the paper, and no code to whoever lacks it."""
    code = str(subject or "")
    return f"{code[:4]}······{code[-4:]}" if len(code) > 8 else "—"


def _china(at: str) -> str:
    try:
        return f"{dt.datetime.fromisoformat(at).astimezone(CHINA):%Y-%m-%d %H:%M}"
    except ValueError:
        return "—"


def _same(text: str) -> Words:
    return Words(zh=text, en=text)


def _both(zh: str, en: str) -> str:
    """Return a text in both languages as HTML; once where they are the same."""
    told = f"<bdi lang='zh-CN'>{html.escape(zh)}</bdi>"
    return told if zh == en else f"{told}<bdi lang='en'>{html.escape(en)}</bdi>"


def _page(
    status: int,
    kind: str,
    words: tuple[str, str, str, str],
    content: str = "",
    headers: dict[str, str] | None = None,
) -> HTMLResponse:
    """Return the whole page; nothing of the address is repeated on it."""
    zh, en, more_zh, more_en = words
    text = (
        "<!doctype html><html lang='zh-CN'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        "<meta name='robots' content='noindex'>"
        f"<title>{html.escape(zh)} · {html.escape(en)}</title>"
        "<link rel='icon' href='../../page/icon.svg' type='image/svg+xml'>"
        "<link rel='stylesheet' href='../../page/page.css'>"
        "<link rel='stylesheet' href='../../page/verify.css'></head><body class='verify'><main>"
        f"<p class='quiet'>{_both('免提交窗口 · 回执核验', 'Mianti window · verification of a receipt')}</p>"
        f"<section class='card verdict {kind}'><h1>{_both(zh, en)}</h1>"
        f"<p>{_both(more_zh, more_en)}</p></section>"
        + (f"<section class='card'>{content}</section>" if content else "")
        + "</main></body></html>"
    )
    return HTMLResponse(text, status, headers)

"""The clerk's page in a real Chromium: by keyboard, on a phone, in both languages, on paper."""

from __future__ import annotations

import datetime as dt
import re
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, RedirectResponse
from fastapi.staticfiles import StaticFiles
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Error,
    Page,
    Route,
    expect,
    sync_playwright,
)

import deploy
from flows.clock import CHINA
from tests.support.codes import uscc

PAGE = Path(deploy.__file__).parent / "window" / "page"
#: A text's key where the page's code asks for it.
USED = re.compile(r'\bt\("(\w+)"')
EVIL = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>\'&quot;\u202e'
EVIL += "W" * 80
OUTCOMES = ["exempt_by_licence", "exempt_by_data", "on_promise", "may_follow", "must_bring"]
#: What the page says of each outcome.
BADGES = {
    "zh": ["免提交（电子证照）", "免提交（数据共享）", "告知承诺", "容缺后补", "须提交"],
    "en": [
        "Need not bring (e-licence)",
        "Need not bring (shared data)",
        "Promise instead",
        "May follow",
        "Must bring",
    ],
}


@dataclass(frozen=True)
class Window:
    """A window that serves the page, and what may be asked of it.

    A clerk's `token` may ask about `matter` for `subject`; the answer has each of the five
    outcomes. `part` of its name finds that enterprise alone. `own_token` is the enterprise's.
    """

    url: str
    token: str
    own_token: str
    subject: str
    name: str
    part: str
    matter: str


@pytest.fixture(scope="module")
def window() -> Iterator[Window]:
    """A window to drive the page against."""
    fake = Fake()
    with fake:
        yield Window(fake.url, "clerk", "own", fake.subject, fake.name, "示范建筑", "JS-3001")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("google-chrome")
    assert path, "these tests drive a real Chromium: apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path)
        yield browser
        browser.close()


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    """A browser far from China, whose printer writes down what it was given."""
    made = chromium.new_context(
        viewport={"width": 1280, "height": 900}, timezone_id="America/New_York", locale="zh-CN"
    )
    made.add_init_script(
        "window.print = () => { document.documentElement.dataset.printed = document.body.className }"
    )
    yield made
    made.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


def sign_in(page: Page, window: Window, token: str | None = None) -> None:
    page.goto(f"{window.url}/#token={token or window.token}")
    expect(page.locator("#sign-out")).to_be_visible()


def ask(page: Page, window: Window) -> None:
    page.fill("#subject", window.subject)
    page.select_option("#matter", f"matter:{window.matter}")
    page.click("form button[type=submit]")


def asked(page: Page, window: Window) -> dict[str, Any]:
    """Sign in, ask, and wait for the answer; return what the server said."""
    sign_in(page, window)
    with page.expect_response("**/v1/ask") as caught:
        ask(page, window)
    expect(page.locator(".overview")).to_be_visible()
    told: dict[str, Any] = caught.value.json()
    return told


def tab_to(page: Page, selector: str) -> None:
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.locator(selector).evaluate("one => one === document.activeElement"):
            return
    pytest.fail(f"{selector} is not reached by the tab key")


def answer_with(page: Page, status: int, said: dict[str, Any], **headers: str) -> None:
    """Let the server answer the next questions with a problem."""
    body = {"type": "about:blank", "title": "…", "status": status, **said}
    page.route(
        "**/v1/ask",
        lambda route: route.fulfill(
            status=status, json=body, headers={"Content-Type": "application/problem+json"} | headers
        ),
    )


def width(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth"))


def test_by_keyboard_alone_from_signing_in_to_the_printed_notice(
    page: Page, window: Window
) -> None:
    page.goto(window.url)
    expect(page.locator("#token")).to_be_focused()
    page.keyboard.type(window.token)
    page.keyboard.press("Enter")

    field = page.locator("#subject")
    expect(field).to_be_focused()
    page.keyboard.type(window.part)
    expect(field).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("ArrowDown")
    chosen = page.locator(f"#{field.get_attribute('aria-activedescendant')}")
    expect(chosen).to_have_attribute("aria-selected", "true")
    expect(chosen).to_contain_text(window.name)
    page.keyboard.press("Enter")
    expect(field).to_have_value(window.subject)
    expect(field).to_have_attribute("aria-expanded", "false")

    page.keyboard.press("Tab")
    matter = page.locator("#matter")
    expect(matter).to_be_focused()
    for _ in range(200):
        if matter.input_value() == f"matter:{window.matter}":
            break
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")

    expect(page.locator(".overview h2")).to_be_focused()
    expect(page.locator(".overview h2")).to_have_text(window.name)
    expect(page.locator("#live")).to_contain_text(window.name)

    tab_to(page, "#print-notice")
    page.keyboard.press("Enter")
    expect(page.locator("html")).to_have_attribute("data-printed", "print-notice")
    page.emulate_media(media="print")
    notice = page.locator(".sheet-notice")
    expect(notice).to_contain_text("一次性告知书")
    expect(notice.locator(".heading-facts")).to_contain_text(window.subject)
    expect(notice.locator(".signatures")).to_be_visible()
    for other in (".top", ".question", ".overview", ".papers", ".sheet-form", ".sheet-receipt"):
        expect(page.locator(other)).to_be_hidden()
    assert page.pdf(prefer_css_page_size=True).startswith(b"%PDF")


def test_enter_asks_at_once_where_one_enterprise_alone_matches(page: Page, window: Window) -> None:
    sign_in(page, window)
    page.select_option("#matter", f"matter:{window.matter}")
    page.fill("#subject", window.part)
    page.press("#subject", "Enter")
    expect(page.locator(".overview-code")).to_have_text(window.subject)


def test_what_is_missing_is_said_beside_its_field(page: Page, window: Window) -> None:
    sign_in(page, window)
    page.press("#subject", "Enter")
    expect(page.locator("#subject-error")).to_contain_text("请输入")
    expect(page.locator("#subject")).to_be_focused()
    page.fill("#subject", window.subject)
    page.press("#subject", "Enter")
    expect(page.locator("#matter-error")).to_contain_text("请选择")
    expect(page.locator("#matter")).to_be_focused()


def test_the_answer_in_chinese_and_in_english(page: Page, window: Window) -> None:
    told = asked(page, window)
    papers = told["answers"][0]["papers"]
    assert {one["outcome"] for one in papers} == {*OUTCOMES}
    assert page.locator("html").get_attribute("lang") == "zh-CN"

    def shown(language: str) -> None:
        badges = dict(zip(OUTCOMES, BADGES[language], strict=True))
        expected = [badges[one["outcome"]] for one in papers]
        expect(page.locator(".paper .badge")).to_have_text(expected)
        expect(page.locator(".paper-name bdi")).to_have_text(
            [one["name"][language] for one in papers]
        )
        expect(page.locator(".paper .why")).to_have_text([one["why"][language] for one in papers])

    shown("zh")
    page.click("#language")
    assert page.locator("html").get_attribute("lang") == "en"
    expect(page.locator("#language")).to_be_focused()
    shown("en")
    page.reload()
    expect(page.locator("h1")).to_have_text("Which papers need not be brought")


def test_every_text_is_there_in_both_languages(page: Page, window: Window) -> None:
    page.goto(window.url)
    zh, en = page.evaluate(
        """async () => {
            const { WORDS } = await import(new URL("./words.js", document.baseURI));
            const holes = (text) => [...text.matchAll(/\\{\\w+\\}/g)].map(String).sort();
            const of = (words) => Object.entries(words).map(([key, text]) => [key, holes(text)]);
            return [WORDS.zh, WORDS.en].map((words) => Object.fromEntries(of(words)));
        }"""
    )
    assert zh == en
    asked_for = {key for file in PAGE.glob("*.js") for key in USED.findall(file.read_text("utf-8"))}
    asked_for |= {*re.findall(r'data-t="(\w+)"', (PAGE / "index.html").read_text("utf-8"))}
    assert asked_for - {*zh} == set()


def test_an_outcome_is_known_by_its_shape_without_colour(page: Page, window: Window) -> None:
    asked(page, window)
    shapes = page.locator(".tally .mark").evaluate_all("all => all.map((one) => one.innerHTML)")
    assert len({*shapes}) == 4


def test_each_paper_has_its_rule_source_and_times_of_china(page: Page, window: Window) -> None:
    told = asked(page, window)
    expect(page.locator(".overview")).to_contain_text(in_china(told["known_at"]))
    for at, one in enumerate(told["answers"][0]["papers"]):
        paper = page.locator(".paper").nth(at)
        if one["rule"]:
            expect(paper).to_contain_text(one["rule"]["law"]["zh"])
        if one["source"]:
            expect(paper).to_contain_text(one["source_name"]["zh"])
        if one["complete_through"]:
            expect(paper).to_contain_text(in_china(one["complete_through"]))
        if one["record"]:
            number = one["record"].get("number") or one["record"]["record_key"]
            expect(paper).to_contain_text(number)
    for one in told["form"]:
        said = one["value"] if one["value"] is not None else one["why"]["zh"]
        expect(page.locator(".form-table")).to_contain_text(str(said))


def in_china(at: str) -> str:
    return f"{dt.datetime.fromisoformat(at).astimezone(CHINA):%Y-%m-%d %H:%M}"


def test_the_form_and_the_receipt_are_printed_alone(page: Page, window: Window) -> None:
    told = asked(page, window)
    page.click("#print-form")
    expect(page.locator("html")).to_have_attribute("data-printed", "print-form")
    page.click("#print-receipt")
    expect(page.locator("html")).to_have_attribute("data-printed", "print-receipt")
    page.emulate_media(media="print")
    receipt = page.locator(".sheet-receipt")
    expect(receipt.get_by_text(told["receipt"]["hash"])).to_be_visible()
    expect(receipt).to_contain_text(told["receipt"]["id"])
    expect(receipt.locator(".receipt-papers > li")).to_have_count(len(told["answers"][0]["papers"]))
    expect(page.locator(".sheet-form")).to_be_hidden()
    expect(page.locator(".sheet-notice")).to_be_hidden()


def test_a_phone_needs_no_sideways_scrolling(page: Page, window: Window) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(window.url)
    expect(page.locator("#token")).to_be_visible()
    assert width(page) == 360
    for _ in ("zh", "en"):
        asked(page, window)
        assert width(page) == 360
        page.click(".sheet-receipt .link")
        expect(page.locator(".receipt-papers")).to_be_visible()
        assert width(page) == 360
        page.fill("#subject", window.part)
        expect(page.locator("[role=option]").first).to_be_visible()
        assert width(page) == 360
        page.click("#nav-uses")
        page.fill("#subject", window.subject)
        page.press("#subject", "Enter")
        expect(page.locator(".uses-table")).to_be_visible()
        assert width(page) == 360
        page.click("#language")


def test_nothing_comes_from_elsewhere_and_the_browser_has_nothing_to_complain_of(
    page: Page, window: Window
) -> None:
    asked_for: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked_for.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    asked(page, window)
    page.click(".sheet-receipt .link")
    expect(page.locator(".receipt-papers")).to_be_visible()
    page.click("#language")
    page.click("#nav-uses")
    expect(page.locator("h1")).to_have_text("Uses of an enterprise's data")
    assert complaints == []
    assert [url for url in asked_for if not url.startswith(f"{window.url}/")] == []


def test_the_token_does_not_stay_in_the_address(page: Page, window: Window) -> None:
    sign_in(page, window)
    assert window.token not in page.url
    assert page.evaluate("Object.values(localStorage).length") == 0


def test_the_page_takes_no_markup_even_if_told_to(page: Page, window: Window) -> None:
    page.goto(window.url)
    with pytest.raises(Error, match="TrustedHTML"):
        page.evaluate("document.body.insertAdjacentHTML('beforeend', '<b>x</b>')")


def test_hostile_texts_are_shown_as_text(page: Page, window: Window) -> None:
    def spoil(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json=hostile(answer.json()))

    page.route("**/v1/*", spoil)
    sign_in(page, window)
    page.fill("#subject", window.part)
    expect(page.locator("[role=option]")).to_contain_text(window.name + EVIL)
    ask(page, window)
    expect(page.locator(".overview h2")).to_have_text(window.name + EVIL)
    expect(page.locator(".paper-name").first).to_contain_text(EVIL)
    page.set_viewport_size({"width": 360, "height": 740})
    assert width(page) == 360
    page.click("#print-notice")
    assert page.locator("main img, main script, body script").count() == 0
    page.click("#nav-uses")
    page.fill("#subject", window.subject)
    page.press("#subject", "Enter")
    expect(page.locator(".uses-table")).to_contain_text(EVIL)
    assert width(page) == 360
    assert page.locator("main img, main script, body script").count() == 0
    assert page.evaluate("window.hacked") is None


#: What the page goes by, and a department's file cannot reach.
GOVERNED = {"subject", "matter", "matters", "code", "material", "outcome", "necessity", "reason"}
GOVERNED |= {"on", "at", "known_at", "complete_through", "due", "kind", "id", "receipt"}


def hostile(said: Any, key: str = "") -> Any:
    """Spoil every text of an answer that the page only shows."""
    if isinstance(said, dict):
        return {of: hostile(value, of) for of, value in said.items()}
    if isinstance(said, list):
        return [hostile(one, key) for one in said]
    return said + EVIL if isinstance(said, str) and key not in GOVERNED else said


def test_a_replica_that_is_behind_is_told_in_words_and_asked_again(
    page: Page, window: Window
) -> None:
    sign_in(page, window)
    behind = {"detail": "742 s behind since 14:05.", "detail_zh": "自14:05起落后742秒。"}
    answer_with(page, 503, behind)
    ask(page, window)
    problem = page.locator(".problem")
    expect(problem).to_contain_text("现在不能答复")
    expect(problem).to_contain_text(behind["detail_zh"])
    expect(problem.locator("h2")).to_be_focused()
    page.click("#language")
    expect(problem).to_contain_text("The data are not up to date")
    expect(problem).to_contain_text(behind["detail"])
    page.unroute("**/v1/ask")
    page.click(".problem button")
    expect(page.locator(".overview-code")).to_have_text(window.subject)


def test_a_missing_right_is_told_in_words(page: Page, window: Window) -> None:
    sign_in(page, window)
    answer_with(page, 403, {"detail": "No right for this matter.", "detail_zh": "无权查询该事项。"})
    ask(page, window)
    problem = page.locator(".problem")
    expect(problem).to_contain_text("没有权限")
    expect(problem).to_contain_text("无权查询该事项。")
    expect(problem.locator("button")).to_have_count(0)


def test_too_many_questions_are_told_when_to_ask_again(page: Page, window: Window) -> None:
    sign_in(page, window)
    answer_with(page, 429, {"detail": "…"}, **{"Retry-After": "30"})
    ask(page, window)
    expect(page.locator(".problem")).to_contain_text("30 秒后")


def test_an_expired_token_leads_back_to_signing_in(page: Page, window: Window) -> None:
    asked(page, window)
    answer_with(page, 401, {"detail": "It has expired.", "detail_zh": "令牌已过期。"})
    ask(page, window)
    expect(page.locator("#token")).to_be_focused()
    expect(page.locator(".sign-in")).to_contain_text("令牌已过期。")
    expect(page.get_by_text(window.name)).to_have_count(0)
    assert page.evaluate("Object.values(sessionStorage).length") == 0


def test_a_server_that_is_not_reached_is_told(page: Page, window: Window) -> None:
    sign_in(page, window)
    page.route("**/v1/ask", lambda route: route.abort())
    ask(page, window)
    expect(page.locator(".problem")).to_contain_text("连接不上")


def test_an_enterprise_sees_by_whom_its_data_were_used_and_nothing_else(
    context: BrowserContext, window: Window
) -> None:
    told = asked(context.new_page(), window)
    own = context.new_page()
    sign_in(own, window, window.own_token)
    expect(own.locator(".uses-table")).to_contain_text(told["receipt"]["id"])
    expect(own.locator("#nav")).to_be_hidden()
    expect(own.locator("#matter")).to_have_count(0)


class Fake:
    """The window's API as far as the page needs it."""

    subject = uscc(1)
    name = "示范建筑工程有限公司"

    def __init__(self) -> None:
        self.receipts: list[dict[str, Any]] = []
        config = uvicorn.Config(self.app(), host="127.0.0.1", port=0, log_level="warning")
        self.server = uvicorn.Server(config)
        self.socket = config.bind_socket()
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        self.thread = threading.Thread(target=self.server.run, kwargs={"sockets": [self.socket]})

    def __enter__(self) -> None:
        self.thread.start()  # the socket listens: who comes early waits

    def __exit__(self, *_: object) -> None:
        self.server.should_exit = True
        self.thread.join()
        self.socket.close()

    def app(self) -> FastAPI:
        app = FastAPI()

        @app.middleware("http")
        async def guard(request: Request, follow: Any) -> Any:
            bearer = request.headers.get("Authorization", "")
            if request.url.path.startswith("/v1") and bearer not in ("Bearer clerk", "Bearer own"):
                return JSONResponse({"status": 401, "detail": "no"}, 401)
            answer = await follow(request)
            answer.headers["Content-Security-Policy"] = (
                "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
                "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
            )
            return answer

        @app.get("/v1/me")
        def me(request: Request) -> Any:
            if request.headers["Authorization"] == "Bearer own":
                return {"clerk": None, "department": None, "subject": self.subject, "purposes": []}
            return {"clerk": "张三", "department": DEPARTMENT, "subject": None, "purposes": []}

        @app.get("/v1/matters")
        def matters() -> Any:
            bundle = {"code": "start", "name": words("开工"), "matters": ["JS-3001"]}
            return {"matters": [MATTER], "bundles": [bundle]}

        @app.get("/v1/subjects")
        def subjects(q: str) -> Any:
            one = {"subject": self.subject, "name": self.name}
            return {"subjects": [one] if q in self.name or self.subject.startswith(q) else []}

        @app.post("/v1/ask")
        async def answer(request: Request) -> Any:
            return self.answer(await request.json())

        @app.get("/v1/receipts/{number}")
        def receipt(number: str) -> Any:
            papers = [
                {"material": one["material"], "outcome": one["outcome"], "reason": one["reason"]}
                | {"records": ["e" * 64]}
                for one in PAPERS
            ]
            answers = [{"matter": "JS-3001", "papers": papers}]
            body = {"who": {"clerk": "张三", "departments": ["housing"]}, "sequence": 1}
            body |= {"purposes": ["construction"], "previous": "0" * 64, "answers": answers}
            names = {"matter_names": [MATTER["name"]], "department_names": [DEPARTMENT["name"]]}
            kept = {"id": number, "hash": HASH, "signature": "s" * 88, "text": "{}", "body": body}
            return kept | names

        @app.get("/v1/uses")
        def uses(subject: str) -> Any:
            return {"uses": self.receipts}

        @app.get("/health")
        def health() -> Any:
            return {"status": "ok", "behind_seconds": 0.4, "limit_seconds": 60}

        @app.get("/")
        def front() -> RedirectResponse:
            return RedirectResponse("/page/")

        app.mount("/page", StaticFiles(directory=PAGE, html=True))
        return app

    def answer(self, question: dict[str, Any]) -> dict[str, Any]:
        receipt = {"id": f"hall-{len(self.receipts) + 1}", "at": AT, "hash": HASH}
        matter = {"code": MATTER["code"], "name": MATTER["name"]}
        used = {"at": AT, "window": "hall", "departments": [DEPARTMENT], "matters": [matter]}
        used |= {"bundle": None, "purposes": ["construction"], "kind": "answer", "why": None}
        self.receipts.append(used | {"receipt": receipt["id"], "evidence": ["营业执照"]})
        common = {"source_name": words("市场监管局"), "evidence_name": words("营业执照")}
        common |= {"complete_through": AT}
        empty = {"id": "grade", "name": words("等级"), "value": None, "reason": "stopped"}
        filled = {"id": "name", "name": words("名称"), "value": self.name, "reason": None}
        return {
            "receipt": receipt,
            "subject": question["subject"],
            "name": self.name,
            "on": question.get("on", "2026-11-22"),
            "known_at": AT,
            "matters": ["JS-3001"],
            "answers": [{"matter": "JS-3001", "name": MATTER["name"], "papers": PAPERS}],
            "form": [filled | {"why": None} | common, empty | {"why": words("已暂扣")} | common],
            "notice": {
                "to_bring": told("must_bring"),
                "may_follow": told("may_follow"),
                "to_promise": told("on_promise"),
                "not_needed": told("exempt_by_licence") + told("exempt_by_data"),
            },
        }


HASH = "9f" * 32
AT = "2026-11-21T16:30:00+00:00"


def words(text: str) -> dict[str, str]:
    return {"zh": text, "en": f"{text} in English"}


def told(outcome: str) -> list[dict[str, Any]]:
    keys = ("material", "name", "outcome", "why", "due")
    found = [one for one in PAPERS if one["outcome"] == outcome]
    promise = words("本企业承诺") if outcome == "on_promise" else None
    return [
        {key: one[key] for key in keys}
        | {"matters": ["JS-3001"], "promise": promise, "optional": False}
        for one in found
    ]


DEPARTMENT = {"id": "housing", "name": words("住房和城乡建设局")}
MATTER = {"code": "JS-3001", "name": words("施工许可"), "department": DEPARTMENT}
MATTER |= {"legal_days": 7, "promised_days": 3}
RULE = {"law": words("优化营商环境条例"), "article": "10, 11", "says": words("不得要求")}
PAPERS: list[dict[str, Any]] = [
    {
        "material": f"paper-{outcome}",
        "name": words(f"材料{at}"),
        "necessity": "required",
        "outcome": outcome,
        "outcome_words": words(outcome),
        "reason": "stopped" if outcome == "must_bring" else None,
        "why": words(f"理由{at}"),
        "evidence": "evidence",
        "rule": RULE,
        "record": {"number": f"许可〔2026〕{at}号", "valid_from": "2026-01-01", "valid_to": None},
        "source": "housing",
        "source_name": words("住房和城乡建设局"),
        "complete_through": AT,
        "due": "2026-12-02" if outcome == "may_follow" else None,
    }
    for at, outcome in enumerate(OUTCOMES)
]

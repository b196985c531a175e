"""The clerk's page in a real Chromium: by keyboard, on a phone, in both languages, on paper."""

from __future__ import annotations

import datetime as dt
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from playwright.sync_api import Browser, BrowserContext, Error, Page, Route, expect, sync_playwright

import deploy
from connectors.settings import Settings
from deploy.window.tokens import Caller, issue
from flows.clock import CHINA
from flows.receipt import uses
from flows.replica import place
from tests.support.codes import uscc
from tests.support.exchange import Department, Exchange
from tests.support.proxy import below
from tests.support.window import LICENCE, PENALTY, follow, penalty, serving, token

PAGE = Path(deploy.__file__).parent / "window" / "page"
#: A text's key where the page's code asks for it.
USED = re.compile(r'\bt\("(\w+)"')
REGISTER = "registration-list"
DAY = 24 * 3600
EVIL = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>\'&quot;\u202e'
EVIL += "W" * 80
OUTCOMES = [
    *("exempt_by_licence", "exempt_by_data", "on_promise", "may_follow", "must_bring"),
    "not_accepted",
]
#: A licence that was taken away, by a document of its own.
LOST = {
    "XK_WSH": "示许撤〔2026〕3号",
    "XK_XKZS": "酒类批发许可证",
    "XK_XKBH": "JL990100001",
    "XK_ZT": "3",
}
#: What must be done comes first.
FIRST = ["not_accepted", "must_bring", "may_follow", "on_promise", "exempt"]
#: What the page says of each outcome.
BADGES = {
    "zh": [
        "免提交（电子证照）",
        "免提交（数据共享）",
        "告知承诺",
        "容缺后补",
        "须提交",
        "不予认可",
    ],
    "en": [
        "Need not bring (e-licence)",
        "Need not bring (shared data)",
        "Promise instead",
        "May follow",
        "Must bring",
        "Cannot be accepted",
    ],
}
#: The catalogue's ids have this before them where every text of it is hostile.
HOSTILE = "x-"


@dataclass(frozen=True)
class Enterprise:
    """An enterprise that a clerk may ask about; `part` of its name finds it alone."""

    subject: str
    name: str
    part: str


GOOD = Enterprise(uscc(1), "示范建筑工程有限公司", "示范建筑")
#: Its department let a hostile text through to every field that the checks leave alone.
BAD = Enterprise(uscc(2), f"假冒商贸有限公司{EVIL}", "假冒商贸")


@dataclass(frozen=True)
class Window:
    """A window that answers: `GOOD` gets each of the five outcomes for the matter `SP-1`."""

    url: str
    settings: Settings

    @property
    def token(self) -> str:
        """Return the token of a clerk with every right."""
        return token(self.settings, Caller("c017", ("d", f"{HOSTILE}d")))


@pytest.fixture(scope="module")
def window(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Window]:
    """A window whose data came the whole way: files, Kafka, the lake, the replica."""
    home = tmp_path_factory.mktemp("page")
    exchange = Exchange(home, kafka, str(home / "lake"))
    try:
        settings = published(exchange)
        follow(settings)
        with serving(settings) as url:
            yield Window(url, settings)
    finally:
        exchange.close()


def published(exchange: Exchange) -> Settings:
    """Publish and land what three departments know; return the settings of the window."""
    food, police, register = map(exchange.department, ("food", "police", "register"))
    register.line["families"]["registration"] = register.line["families"]["licence"]
    register.line["layouts"] = {REGISTER: {"codes": {"state": "registration-state-text"}}}
    evil = {"XK_NR": EVIL, "XK_XKBH": EVIL, "XK_XDR_MC": BAD.name, "XK_WSH": f"示许〔2026〕{EVIL}"}
    now = dt.datetime.now(dt.UTC)
    lost = food.licence(1, XK_XDR_MC=GOOD.name, **LOST)
    rows = [
        (food, [food.licence(1, XK_XDR_MC=GOOD.name), food.licence(2, **evil), lost], LICENCE),
        (police, [penalty(police, CF_XDR_SHXYM=uscc(3))], PENALTY),
        (register, [registered(register, GOOD), registered(register, BAD, 住所=EVIL)], REGISTER),
    ]
    for department, those, layout in rows:
        done = department.publish(those, layout=layout, complete_through=now)
        assert (done.published, done.refused) == (len(those), 0)
    for family in ("licence", "credit", "registration"):
        exchange.ingest(family)
    folder = exchange.home / "catalogue"
    folder.mkdir()
    for mark, more in (("", ""), (HOSTILE, EVIL)):
        parts = catalogue(food, police, register, mark, more)
        (folder / f"{mark}all.yaml").write_text(yaml.safe_dump(parts), "utf-8")
    return exchange.settings_with(
        mianti_catalogue=folder,
        mianti_window_rate="100000/second",
        mianti_window_behind_seconds=DAY,  # nobody follows while the tests run
    )


def registered(register: Department, one: Enterprise, **changes: str) -> dict[str, Any]:
    """Return a row of the register."""
    row = {
        "统一社会信用代码": one.subject,
        "企业名称": one.name,
        "住所": "示范市中山路1号",
        "登记机关": register.name,
        "登记机关代码": register.code,
        "登记状态": "存续",
        "核准日期": "2020-01-01",
    }
    return row | changes


def catalogue(
    food: Department, police: Department, register: Department, mark: str, more: str
) -> dict[str, Any]:
    """Return a catalogue with each outcome; `mark` goes before its ids, `more` behind its texts."""

    def words(text: str) -> dict[str, str]:
        return {"zh": text + more, "en": f"{text} in English{more}"}

    def evidence(kind: str, name: str, **own: Any) -> dict[str, Any]:
        return {"kind": kind, "name": words(name), "rule": f"{mark}law", **own}

    def paper(name: str, *replaced_by: str) -> dict[str, Any]:
        by = [f"{mark}{one}" for one in replaced_by]
        return {"name": words(name), "origin": "issued" if by else "own", "replaced_by": by}

    def matter(name: str, *uses: tuple[str, str], **own: Any) -> dict[str, Any]:
        asked = [{"material": f"{mark}{one}", "necessity": necessity} for one, necessity in uses]
        of = {"department": f"{mark}d", "purpose": "p", "basis": [f"{mark}law"]}
        return {"name": words(name), "materials": asked, **of, **own}

    def field(name: str, *origins: str) -> dict[str, Any]:
        return {"id": mark + name, "name": words(name), "from": [*origins]}

    licences = {"sources": {food.id: [LICENCE]}, "max_age": "P10D"}
    known = {
        "licence": evidence("licence", "食品许可", certificates=["食品经营许可证"], **licences),
        "liquor": evidence("licence", "酒类许可", certificates=["酒类批发许可证"], **licences),
        "tobacco": evidence("licence", "烟草许可", certificates=["烟草专卖许可证"], **licences),
        "register": evidence(
            "field",
            "登记信息",
            family="registration",
            fields=["name", "address"],
            sources={register.id: [REGISTER]},
            max_age="P10D",
        ),
        "clean": evidence(
            "credit_check",
            "无停业处罚",
            question=words("有无"),
            bars=[{"kind": "penalty", "categories": ["责令停产停业"]}],
            sources={police.id: [PENALTY]},
            max_age="P10D",
        ),
        "promise": evidence("promise", "承诺书", text=words("本企业承诺属实")),
    }
    papers = {
        "food": paper("食品许可证", "licence"),
        "business": paper("营业执照", "register"),
        "clean": paper("无处罚证明", "clean"),
        "premises": paper("场所证明", "tobacco", "promise"),
        "tobacco": paper("烟草许可证", "tobacco"),
        "plan": paper("平面图"),
        "liquor": paper("酒类批发许可证", "liquor"),
    }
    uses = [(one, "may_follow" if one == "tobacco" else "required") for one in papers]
    fields = [
        field("代码", "subject"),
        field("名称", f"{mark}register.name"),
        field("住所", f"{mark}register.address"),
        field("许可范围", f"{mark}licence.scope"),
        field("烟草许可证号", f"{mark}tobacco.number"),
    ]
    purpose = {"name": words("食品监管"), "may_use": [mark + one for one in known]}
    code = uscc(8 if mark else 9, kind="11")
    law = {"law": words("优化营商环境条例"), "article": "10, 11", "says": words("不得要求")}
    return {
        "rules": {f"{mark}law": {**law, "source": "…"}},
        "evidence": {mark + one: said for one, said in known.items()},
        "materials": {mark + one: said for one, said in papers.items()},
        "forms": {f"{mark}form": fields},
        "departments": {
            f"{mark}d": {"name": words("市监局"), "code": code, "purposes": {"p": purpose}}
        },
        "matters": {
            f"{mark}SP-1": matter(
                "食品经营", *uses, form=f"{mark}form", follow_within=10, legal_days=20
            ),
            f"{mark}SP-2": matter("餐饮服务", *uses[:2], ("plan", "optional"), promised_days=3),
        },
        "bundles": {
            f"{mark}shop": {"name": words("开店"), "matters": [f"{mark}SP-1", f"{mark}SP-2"]}
        },
    }


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("google-chrome")
    assert path, "these tests drive a real Chromium: apt-get install chromium"
    expect.set_options(timeout=30_000)  # a busy machine is no fault of the page
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


def ask(page: Page, subject: str = GOOD.subject, choice: str = "matter:SP-1") -> None:
    page.fill("#subject", subject)
    page.select_option("#matter", choice)
    page.click("form button[type=submit]")


def asked(page: Page, window: Window, *question: str) -> dict[str, Any]:
    """Sign in, ask, and wait for the answer; return what the server said."""
    sign_in(page, window)
    with page.expect_response(re.compile("/v1/(ask|bundle)$")) as caught:
        ask(page, *question)
    expect(page.locator(".overview")).to_be_visible()
    told: dict[str, Any] = caught.value.json()
    return told


def see_uses(page: Page, subject: str) -> None:
    page.click("#nav-uses")
    expect(page.locator("#matter")).to_have_count(0)  # the other view is gone, with its field
    page.fill("#subject", subject)
    page.press("#subject", "Enter")
    expect(page.locator(".uses-table")).to_be_visible()


def ask_as(page: Page, token: str) -> None:
    """Let the next questions come from somebody else, as when a right ends at the open page."""
    page.route(
        "**/v1/ask",
        lambda route: route.continue_(
            headers=route.request.headers | {"authorization": f"Bearer {token}"}
        ),
    )


@contextmanager
def fallen_behind(settings: Settings) -> Iterator[None]:
    """Let the replica last have seen the logs before the limit."""
    replica = place(settings).open()
    for family in replica.positions():
        replica.seen(family, dt.datetime.now(dt.UTC) - 2 * dt.timedelta(seconds=DAY))
    replica.close()
    try:
        yield
    finally:
        follow(settings)


def tab_to(page: Page, selector: str) -> None:
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.locator(selector).evaluate("one => one === document.activeElement"):
            return
    pytest.fail(f"{selector} is not reached by the tab key")


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
    page.keyboard.type(GOOD.part)
    expect(field).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("ArrowDown")
    chosen = page.locator(f"#{field.get_attribute('aria-activedescendant')}")
    expect(chosen).to_have_attribute("aria-selected", "true")
    expect(chosen).to_contain_text(GOOD.name)
    page.keyboard.press("Enter")
    expect(field).to_have_value(GOOD.subject)
    expect(field).to_have_attribute("aria-expanded", "false")

    page.keyboard.press("Tab")
    expect(page.locator("#matter-search")).to_be_focused()
    page.keyboard.type("食品")
    page.keyboard.press("ArrowDown")
    matter = page.locator("#matter")
    expect(matter).to_be_focused()
    for _ in range(200):
        if matter.input_value() == "matter:SP-1":
            break
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")

    expect(page.locator(".overview h2")).to_be_focused()
    expect(page.locator(".overview h2")).to_have_text(GOOD.name)
    expect(page.locator("#live")).to_contain_text(GOOD.name)

    tab_to(page, "#print-notice")
    page.keyboard.press("Enter")
    expect(page.locator("html")).to_have_attribute("data-printed", "print-notice")
    page.emulate_media(media="print")
    notice = page.locator(".sheet-notice")
    expect(notice).to_contain_text("一次性告知书")
    expect(notice.locator(".heading-facts")).to_contain_text(GOOD.subject)
    expect(notice.locator(".signatures")).to_be_visible()
    for other in (".top", ".question", ".overview", ".papers", ".sheet-form", ".sheet-receipt"):
        expect(page.locator(other)).to_be_hidden()
    assert page.pdf(prefer_css_page_size=True).startswith(b"%PDF")


def test_enter_asks_at_once_where_one_enterprise_alone_matches(page: Page, window: Window) -> None:
    sign_in(page, window)
    page.select_option("#matter", "matter:SP-1")
    page.fill("#subject", GOOD.part)
    page.press("#subject", "Enter")
    expect(page.locator(".overview-code")).to_have_text(GOOD.subject)


def test_what_is_missing_is_said_beside_its_field(page: Page, window: Window) -> None:
    sign_in(page, window)
    page.press("#subject", "Enter")
    expect(page.locator("#subject-error")).to_contain_text("请输入")
    expect(page.locator("#subject")).to_be_focused()
    page.fill("#subject", GOOD.subject)
    page.press("#subject", "Enter")
    expect(page.locator("#matter-error")).to_contain_text("请选择")
    expect(page.locator("#matter")).to_be_focused()


def test_the_answer_in_chinese_and_in_english(page: Page, window: Window) -> None:
    told = asked(page, window)
    papers = told["answers"][0]["papers"]
    assert {one["outcome"] for one in papers} == {*OUTCOMES}
    papers.sort(key=lambda one: FIRST.index(one["outcome"].partition("_by_")[0]))
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
    assert len({*shapes}) == 5


def test_each_paper_has_its_rule_source_and_times_of_china(page: Page, window: Window) -> None:
    told = asked(page, window)
    expect(page.locator(".overview")).to_contain_text(in_china(told["known_at"]))
    for one in told["answers"][0]["papers"]:
        paper = page.locator(".paper").filter(has_text=one["name"]["zh"])
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
    expect(receipt).to_contain_text("食品监管")
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
        page.fill("#subject", GOOD.part)
        expect(page.locator("[role=option]").first).to_be_visible()
        assert width(page) == 360
        see_uses(page, GOOD.subject)
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


def test_who_is_signed_in_is_told(page: Page, window: Window) -> None:
    sign_in(page, window)
    expect(page.locator("#who")).to_have_text("市监局等 2 个部门c017")
    sign_in(page, window, token(window.settings, Caller("c018", ("d",))))
    expect(page.locator("#who")).to_have_text("市监局c018")


def test_the_page_takes_no_markup_even_if_told_to(page: Page, window: Window) -> None:
    page.goto(window.url)
    with pytest.raises(Error, match="TrustedHTML"):
        page.evaluate("document.body.insertAdjacentHTML('beforeend', '<b>x</b>')")


def test_hostile_texts_are_shown_as_text(page: Page, window: Window) -> None:
    clerk = Caller(f"c{EVIL[:60]}", (f"{HOSTILE}d",))
    sign_in(page, window, token(window.settings, clerk))
    expect(page.locator("#who")).to_contain_text(clerk.name)
    page.fill("#subject", BAD.part)
    expect(page.locator("[role=option]")).to_contain_text(BAD.name)
    ask(page, BAD.subject, f"matter:{HOSTILE}SP-1")
    expect(page.locator(".overview h2")).to_have_text(BAD.name)
    for shown in (
        ".paper-name",
        ".why",
        ".proof .code",
        ".form-table .value",
        ".form-table th bdi",
    ):
        expect(page.locator(shown).filter(has_text=EVIL).first).to_be_visible()
    page.click(".sheet-receipt .link")
    expect(page.locator(".receipt-papers")).to_contain_text(EVIL)
    page.set_viewport_size({"width": 360, "height": 740})
    assert width(page) == 360
    page.click("#print-notice")
    unharmed(page)
    see_uses(page, BAD.subject)
    expect(page.locator(".uses-table")).to_contain_text(EVIL)
    assert width(page) == 360
    unharmed(page)


def unharmed(page: Page) -> None:
    assert page.locator("main img, main script, body script").count() == 0
    assert page.evaluate("window.hacked") is None


def test_a_bundle_is_one_question_with_one_notice(page: Page, window: Window) -> None:
    asked(page, window, GOOD.subject, "bundle:shop")
    names = page.locator(".papers .paper-name bdi").all_inner_texts()
    assert sorted(names) == sorted({*names})
    assert len(names) == 7
    food = page.locator(".paper").filter(has_text="食品许可证").first
    expect(food.locator(".paper-matters")).to_have_text("用于：食品经营、餐饮服务")
    clean = page.locator(".paper").filter(has_text="无处罚证明")
    expect(clean.locator(".paper-matters")).to_have_text("用于：食品经营")
    notice = page.locator(".sheet-notice")
    expect(notice.locator(".entry-name")).to_have_count(7)
    expect(notice).to_contain_text("用于：食品经营、餐饮服务")


def test_a_replica_that_is_behind_is_told_in_words_and_asked_again(
    page: Page, window: Window
) -> None:
    sign_in(page, window)
    problem = page.locator(".problem")
    with fallen_behind(window.settings):
        ask(page)
        expect(problem).to_contain_text("现在不能答复")
        expect(problem).to_contain_text("落后于交换平台")
        expect(problem.locator("h2")).to_be_focused()
        page.click("#language")
        expect(problem).to_contain_text("The data are not up to date")
        expect(problem).to_contain_text("behind the exchange")
        page.reload()
        expect(page.locator("#health")).to_contain_text("not up to date")
        ask(page)
        expect(problem).to_be_visible()
    page.click(".problem button")
    expect(page.locator(".overview-code")).to_have_text(GOOD.subject)


def test_a_missing_right_is_told_in_words_and_is_among_the_uses(page: Page, window: Window) -> None:
    sign_in(page, window)
    ask_as(page, token(window.settings, Caller("c018", ("other",))))
    ask(page)
    problem = page.locator(".problem")
    expect(problem).to_contain_text("没有权限")
    expect(problem).to_contain_text("您的账号无权查询")
    expect(problem.locator("button")).to_have_count(0)
    see_uses(page, GOOD.subject)
    refused = page.locator(".uses-table tbody tr").first
    expect(refused).to_contain_text("已拒绝")
    expect(refused).to_contain_text("您的账号无权查询")
    page.click("#language")
    expect(refused).to_contain_text("refused")
    expect(refused).to_contain_text("your account has no right")


def test_a_clerk_of_another_department_has_nothing_to_ask(page: Page, window: Window) -> None:
    sign_in(page, window, token(window.settings, Caller("c018", ("other",))))
    expect(page.locator("form")).to_contain_text("没有可以查询的事项")
    expect(page.locator("#matter option")).to_have_count(1)


def test_too_many_questions_are_told_when_to_ask_again(page: Page, window: Window) -> None:
    sign_in(page, window)
    told = {"type": "urn:mianti:problem:too-many", "status": 429, "detail": "…", "detail_zh": "…"}
    page.route(
        "**/v1/ask",
        lambda route: route.fulfill(status=429, json=told, headers={"Retry-After": "30"}),
    )
    ask(page)
    expect(page.locator(".problem")).to_contain_text("30 秒后")


def test_an_expired_token_leads_back_to_signing_in(page: Page, window: Window) -> None:
    asked(page, window)
    ask_as(page, issue(window.settings, Caller("c017", ("d",)), dt.timedelta(hours=-1)))
    ask(page)
    expect(page.locator("#token")).to_be_focused()
    expect(page.locator(".sign-in")).to_contain_text("已过期")
    expect(page.get_by_text(GOOD.name)).to_have_count(0)
    assert page.evaluate("Object.values(sessionStorage).length") == 0


def test_a_token_that_is_none_lets_nobody_in(page: Page, window: Window) -> None:
    page.goto(f"{window.url}/#token=nonsense")
    expect(page.locator("#token")).to_be_focused()
    expect(page.locator("#token-error")).to_contain_text("令牌")
    assert page.evaluate("Object.values(sessionStorage).length") == 0


def test_a_server_that_is_not_reached_is_told(page: Page, window: Window) -> None:
    sign_in(page, window)
    page.route("**/v1/ask", lambda route: route.abort())
    ask(page)
    expect(page.locator(".problem")).to_contain_text("连接不上")


def test_the_uses_are_told_by_name_in_both_languages(page: Page, window: Window) -> None:
    told = asked(page, window)
    see_uses(page, GOOD.subject)
    mine = page.locator(".uses-table tbody tr").filter(has_text=told["receipt"]["id"])
    for names in (
        ["市监局", "食品经营", "食品监管", "登记信息", "食品许可", "无停业处罚"],
        ["市监局 in English", "食品监管 in English", "登记信息 in English"],
    ):
        for name in names:
            expect(mine.get_by_text(name, exact=True)).to_be_visible()
        page.click("#language")


def test_an_enterprise_sees_by_whom_its_data_were_used_and_nothing_else(
    context: BrowserContext, window: Window
) -> None:
    told = asked(context.new_page(), window)
    own = context.new_page()
    itself = Caller("enterprise", (), None, GOOD.subject)
    sign_in(own, window, token(window.settings, itself))
    expect(own.locator(".uses-table")).to_contain_text(told["receipt"]["id"])
    expect(own.locator("#nav")).to_be_hidden()
    expect(own.locator("#matter")).to_have_count(0)


@pytest.mark.parametrize("path", ["/hall/", "/a/b/c/"])
@pytest.mark.parametrize("start", ["", "page", "page/", "page/index.html"])
def test_the_page_works_below_a_path_of_a_proxy(
    page: Page, window: Window, path: str, start: str
) -> None:
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    with below(path, window.url) as outer:
        page.goto(f"{outer}{start}#token={window.token}")
        expect(page.locator("#sign-out")).to_be_visible()
        with page.expect_response(re.compile("/v1/ask$")) as caught:
            ask(page)
        expect(page.locator(".overview")).to_be_visible()
        expect(page.locator("#health")).to_contain_text("数据截至")
        see_uses(page, GOOD.subject)
        page.reload()
        expect(page.locator("#sign-out")).to_be_visible()
        assert caught.value.url == f"{outer}v1/ask"
        assert page.url.startswith(f"{outer}page/")
    assert [url for url in requests if not url.startswith(outer)] == []


def test_earlier_uses_are_shown_when_asked_for(
    page: Page, window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uses, "PAGE", 2)
    told = [asked(page, window)["receipt"]["id"] for _ in range(3)]
    see_uses(page, GOOD.subject)
    rows = page.locator(".uses-table tbody tr")
    expect(rows).to_have_count(2)
    expect(page.locator(".result")).to_contain_text("已显示最近 2 次")
    page.click("#uses-more")
    expect(rows).to_have_count(4)
    shown = rows.all_inner_texts()
    assert [any(one in row for row in shown) for one in told] == [True] * 3


def test_of_other_departments_uses_the_number_is_shown(page: Page, window: Window) -> None:
    told = asked(page, window)["receipt"]["id"]
    sign_in(page, window, token(window.settings, Caller("c019", (f"{HOSTILE}d",))))
    page.click("#nav-uses")
    page.fill("#subject", GOOD.subject)
    page.press("#subject", "Enter")
    expect(page.locator(".result")).to_contain_text("其他部门使用，仅显示次数")
    expect(page.locator(".result")).not_to_contain_text(told)


def test_what_must_be_done_comes_first_and_no_paper_twice(page: Page, window: Window) -> None:
    asked(page, window)
    groups = page.locator(".papers .paper-group")
    shown = groups.evaluate_all("all => all.map((one) => one.className.split('group-').pop())")
    assert shown == FIRST
    expect(page.locator(".summary")).to_have_text(
        "须提交 1 份、1 份不予认可、1 份可后补、1 份可签承诺书代替、3 份不必提交（共 7 份材料）。"
    )
    assert page.locator(".result > *").nth(1).get_attribute("class") == "card papers"
    expect(page.locator(".sheet-notice")).to_be_hidden()  # on paper alone: the papers stand above
    expect(page.locator(".papers .paper").filter(has_text="场所证明")).to_contain_text(
        "承诺内容：本企业承诺属实"
    )


def changed(page: Page, change: Callable[[dict[str, Any]], None]) -> None:
    """Let the page be answered what the server said, changed."""

    def answer(route: Route) -> None:
        told = route.fetch().json()
        change(told)
        route.fulfill(json=told)

    page.route(re.compile("/v1/(ask|bundle)$"), answer)


def test_a_source_is_not_called_complete_where_the_reason_says_it_is_not(
    page: Page, window: Window
) -> None:
    def change(told: dict[str, Any]) -> None:
        for number, one in enumerate(told["answers"][0]["papers"][:2]):
            one["layout_name"] = {"zh": f"版式{number}", "en": f"layout {number}"}
        told["answers"][0]["papers"][1]["reason"] = "source_incomplete"

    changed(page, change)
    told = asked(page, window)
    first, second = (
        page.locator(".paper").filter(has_text=one["name"]["zh"]).locator(".proof")
        for one in told["answers"][0]["papers"][:2]
    )
    expect(first).to_contain_text("版式0")
    expect(first).to_contain_text("完整截至")
    expect(second).to_contain_text("版式1")
    expect(second).not_to_contain_text("完整")


def test_matters_of_a_bundle_that_decide_otherwise_are_told(page: Page, window: Window) -> None:
    def change(told: dict[str, Any]) -> None:
        one = next(p for p in told["answers"][1]["papers"] if p["material"] == "food")
        one["outcome"] = "must_bring"
        moved = next(e for e in told["notice"]["not_needed"] if e["material"] == "food")
        told["notice"]["not_needed"].remove(moved)
        told["notice"]["to_bring"].append(
            moved | {"outcome": "must_bring", "matters": ["SP-2"], "why": one["why"]}
        )

    changed(page, change)
    asked(page, window, GOOD.subject, "bundle:shop")
    food = page.locator(".group-must_bring .paper").filter(has_text="食品许可证")
    expect(food.locator(".paper-matters")).to_contain_text("用于：餐饮服务")
    expect(food.locator(".paper-matters")).to_contain_text("食品经营：免提交（电子证照）")
    assert page.locator(".paper-name").filter(has_text="食品许可证").count() == 1


def test_a_wrong_code_is_told_beside_it_with_the_value_kept(page: Page, window: Window) -> None:
    sign_in(page, window)
    wrong = GOOD.subject[:-1] + ("A" if GOOD.subject[-1] != "A" else "B")
    ask(page, wrong)
    error, field = page.locator("#subject-error"), page.locator("#subject")
    expect(error).to_contain_text("统一社会信用代码有误")
    expect(field).to_be_focused()
    expect(field).to_have_value(wrong)
    expect(field).to_have_attribute("aria-invalid", "true")
    assert "subject-error" in str(field.get_attribute("aria-describedby"))
    expect(page.locator(".problem")).to_have_count(0)
    page.click("#language")
    expect(error).to_contain_text("no unified social credit code")
    expect(field).to_have_value(wrong)
    page.fill("#subject", GOOD.subject)
    expect(error).to_have_text("")
    page.press("#subject", "Enter")
    expect(page.locator(".overview-code")).to_have_text(GOOD.subject)


def test_a_wrong_code_is_told_beside_it_on_the_page_of_uses(page: Page, window: Window) -> None:
    sign_in(page, window)
    page.click("#nav-uses")
    expect(page.locator("#matter")).to_have_count(0)
    page.fill("#subject", "9" * 18)
    page.press("#subject", "Enter")
    expect(page.locator("#subject-error")).to_contain_text("统一社会信用代码有误")
    expect(page.locator("#subject")).to_be_focused()
    expect(page.locator("#subject")).to_have_value("9" * 18)
    expect(page.locator(".problem")).to_have_count(0)


def test_a_day_typed_by_half_is_not_taken_for_today(page: Page, window: Window) -> None:
    sign_in(page, window)
    asked_for: list[str] = []
    page.on("request", lambda request: asked_for.append(request.url))
    page.fill("#subject", GOOD.subject)
    page.select_option("#matter", "matter:SP-1")
    page.focus("#on")
    page.keyboard.type("02")
    page.keyboard.press("Enter")
    expect(page.locator("#on-error")).to_contain_text("日期不完整")
    expect(page.locator("#on")).to_be_focused()
    assert [url for url in asked_for if url.endswith("/v1/ask")] == []
    page.fill("#on", "2026-06-01")
    expect(page.locator("#on-error")).to_have_text("")
    page.press("#subject", "Enter")
    expect(page.locator(".overview")).to_contain_text("2026-06-01 的情形")


def refused(status: int, told: dict[str, Any]) -> Callable[[Route], None]:
    """Answer with a problem."""
    return lambda route: route.fulfill(status=status, json=told)


def test_a_field_that_the_server_refuses_is_told_beside_it(page: Page, window: Window) -> None:
    sign_in(page, window)
    for status, fields, field in ((422, ["on"], "#on"), (404, [], "#matter")):
        told = {"status": status, "fields": fields, "detail": "…", "detail_zh": "…"}
        page.route("**/v1/ask", refused(status, told))
        ask(page)
        expect(page.locator(f"{field}-error")).not_to_have_text("")
        expect(page.locator(field)).to_be_focused()
        expect(page.locator(".problem")).to_have_count(0)
        page.unroute("**/v1/ask")


def test_a_reload_and_back_keep_the_answer_and_ask_nothing_anew(page: Page, window: Window) -> None:
    first = asked(page, window)["receipt"]["id"]
    expect(page).to_have_url(re.compile(f"#/answer/{first}$"))
    with page.expect_response(re.compile("/v1/bundle$")) as caught:
        ask(page, BAD.subject, "bundle:shop")
    second = caught.value.json()["receipt"]["id"]
    expect(page).to_have_url(re.compile(f"#/answer/{second}$"))
    asked_for: list[str] = []
    page.on("request", lambda request: asked_for.append(request.url))
    page.reload()
    expect(page.locator(".overview-code")).to_have_text(BAD.subject)
    expect(page.locator("#subject")).to_have_value(BAD.subject)
    expect(page.locator("#matter")).to_have_value("bundle:shop")
    page.go_back()
    expect(page.locator(".overview-code")).to_have_text(GOOD.subject)
    expect(page.locator("#matter")).to_have_value("matter:SP-1")
    page.click("#nav-uses")
    page.click("#nav-ask")
    expect(page.locator(".overview-code")).to_have_text(GOOD.subject)
    assert [url for url in asked_for if re.search("/v1/(ask|bundle|uses)", url)] == []
    assert [url for url in asked_for if GOOD.subject in url or BAD.subject in url] == []
    assert GOOD.subject not in page.url


def test_a_reload_keeps_the_uses_and_does_not_look_anew(page: Page, window: Window) -> None:
    told = asked(page, window)["receipt"]["id"]
    see_uses(page, GOOD.subject)
    asked_for: list[str] = []
    page.on("request", lambda request: asked_for.append(request.url))
    page.reload()
    expect(page.locator(".uses-table")).to_contain_text(told)
    expect(page.locator("#subject")).to_have_value(GOOD.subject)
    assert [url for url in asked_for if "/v1/uses" in url] == []


def test_an_answer_of_another_tab_is_not_shown_but_named(
    context: BrowserContext, window: Window
) -> None:
    asked(context.new_page(), window)
    other = context.new_page()
    sign_in(other, window)
    other.evaluate("location.hash = '#/answer/window-1-999'")
    expect(other.locator(".result")).to_contain_text("window-1-999")
    expect(other.locator(".result")).to_contain_text("请重新查询")
    other.evaluate("location.hash = '#/'")
    expect(other.locator(".empty")).to_be_visible()
    other.evaluate("location.hash = '#/answer/%E0%A4%A'")  # an address spoilt on its way
    expect(other.locator(".empty")).to_be_visible()


def test_signing_out_forgets_the_answers(page: Page, window: Window) -> None:
    asked(page, window)
    answered = page.url
    page.click("#sign-out")
    expect(page.locator("#token")).to_be_focused()
    assert page.evaluate("Object.values(sessionStorage).length") == 0
    page.go_back()
    expect(page.locator("#token")).to_be_visible()
    expect(page.get_by_text(GOOD.name)).to_have_count(0)
    page.goto(answered)
    page.fill("#token", window.token)
    page.press("#token", "Enter")
    expect(page.locator("#subject")).to_be_visible()
    expect(page.get_by_text(GOOD.name)).to_have_count(0)


def with_matters(page: Page, count: int) -> None:
    """Let a clerk have so many matters, of two departments; the names are hostile."""
    matters = [
        {
            "code": f"M-{number:04}",
            "name": {"zh": f"第{number}号事项{EVIL}", "en": f"Matter number {number} {EVIL}"},
            "department": {
                "id": f"d{number % 2}",
                "name": {"zh": f"局{number % 2}", "en": "Office"},
            },
            "legal_days": None,
            "promised_days": None,
        }
        for number in range(count)
    ]
    page.route(
        "**/v1/matters", lambda route: route.fulfill(json={"matters": matters, "bundles": []})
    )


def test_one_of_a_thousand_matters_is_found_by_name_code_or_department(
    page: Page, window: Window
) -> None:
    with_matters(page, 1000)
    sign_in(page, window)
    options = page.locator("#matter option:not([value=''])")
    expect(options).to_have_count(1000)
    search, matter = page.locator("#matter-search"), page.locator("#matter")
    for text, count in (("第99", 11), ("局1 第99", 6), ("NUMBER 99", 19), ("ｍ－00１", 10)):
        search.fill(text)
        expect(options).to_have_count(count)
        expect(matter).to_have_value("")
        expect(page.locator("#live")).to_contain_text(str(count))
    search.fill("m-0417")
    expect(matter).to_have_value("matter:M-0417")
    search.fill("nothing of this kind")
    expect(options).to_have_count(0)
    expect(matter).to_have_value("")
    page.fill("#subject", GOOD.subject)
    search.press("Enter")
    expect(page.locator("#matter-error")).to_contain_text("没有相符的事项")
    expect(search).to_be_focused()
    search.fill("")
    expect(options).to_have_count(1000)
    page.set_viewport_size({"width": 360, "height": 740})
    assert width(page) == 360
    unharmed(page)


def test_a_printed_form_leaves_room_to_write(page: Page, window: Window) -> None:
    asked(page, window)
    page.click("#print-form")
    page.emulate_media(media="print")
    empty = page.locator(".form-table td.unfilled")
    expect(empty).to_have_count(1)
    room = empty.evaluate("one => [one.getBoundingClientRect().height, one.innerText.trim()]")
    assert (room[0] >= 60, room[1]) == (True, "")  # 18 mm are 68 pixels
    below = "one => parseFloat(getComputedStyle(one).paddingBottom)"
    assert page.locator(".form-table td.value").first.evaluate(below) >= 30
    sign = page.locator(".sheet-form .signature")
    expect(sign).to_be_visible()
    assert sign.evaluate(below) >= 50


def test_the_code_on_the_receipt_leads_below_a_path_to_a_page_that_says_it_is_genuine(
    page: Page, window: Window
) -> None:
    with below("/hall/", window.url) as outer:
        page.goto(f"{outer}#token={window.token}")
        expect(page.locator("#sign-out")).to_be_visible()
        ask(page, BAD.subject, f"matter:{HOSTILE}SP-1")
        expect(page.locator(".overview")).to_be_visible()
        page.click("#print-receipt")
        expect(page.locator("html")).to_have_attribute("data-printed", "print-receipt")
        page.emulate_media(media="print")
        expect(page.locator(".square svg")).to_be_visible()
        address = page.locator(".square .code").inner_text()
        assert address.startswith(f"{outer}verify/window-1-")
        page.emulate_media(media="screen")
        page.evaluate("sessionStorage.clear()")  # whoever scans it has no token
        page.set_viewport_size({"width": 360, "height": 740})
        page.goto(address)
        expect(page.locator(".verdict.good")).to_contain_text("回执真实")
        expect(page.locator(".verdict.good")).to_contain_text("The receipt is genuine")
        expect(page.locator(".told")).to_contain_text(EVIL)
        assert BAD.subject not in page.content()
        assert (
            page.locator(".card").first.evaluate("one => getComputedStyle(one).borderRadius")
            == "8px"
        )
        assert width(page) == 360
        unharmed(page)
        page.goto(address[:-4] + "0000")
        expect(page.locator(".verdict.bad")).to_contain_text("没有这份回执")

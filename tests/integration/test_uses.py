"""Who sees for what an enterprise's data were used: pages of its own, counts of others', a receipt."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import httpx
import orjson
import pytest

from connectors.receipts import NotWritten, Receipts
from connectors.settings import Settings
from deploy.window.tokens import Caller
from flows.receipt import uses as pages
from flows.receipt.verify import verify
from tests.support.codes import uscc
from tests.support.exchange import Exchange
from tests.support.window import SUBJECT, Window, follow, parts_of, serving, shipped, token, words

OWN, OTHER = Caller("c017", ("d",)), Caller("c018", ("e",))
ITSELF = Caller("enterprise", (), None, SUBJECT)


@pytest.fixture
def settings(exchange: Exchange) -> Settings:
    """A window of two departments, each with a matter of its own."""
    window = Window(exchange)
    parts = parts_of(window.food, window.police)
    parts["departments"]["e"] = parts["departments"]["d"] | {
        "code": uscc(10, kind="11"),
        "purposes": {"bids": {"name": words("招标"), "may_use": ["licence", "no-stop"]}},
    }
    parts["matters"]["ZB-1"] = parts["matters"]["SP-1"] | {"department": "e", "purpose": "bids"}
    window.write(parts)
    window.publish(window.food.licence(1))
    return window.settings.model_copy(
        update={"mianti_window_rate": "100000/second", "mianti_window_behind_seconds": 86_400}
    )


@pytest.fixture
def url(settings: Settings) -> Iterator[str]:
    follow(settings)
    with serving(settings) as url:
        yield url


@pytest.fixture
def http(url: str, settings: Settings) -> Iterator[Callable[..., httpx.Response]]:
    with httpx.Client(base_url=url, timeout=60) as client:

        def call(caller: Caller, path: str, **asked: Any) -> httpx.Response:
            headers = {"Authorization": f"Bearer {token(settings, caller)}"}
            if path == "/v1/ask":
                return client.post(path, json={"subject": SUBJECT, **asked}, headers=headers)
            return client.get(path, params=asked, headers=headers)

        yield call


def seen(http: Callable[..., httpx.Response], caller: Caller, **more: str) -> dict[str, Any]:
    response = http(caller, "/v1/uses", subject=SUBJECT, **more)
    assert response.status_code == 200, response.text
    told: dict[str, Any] = response.json()
    return told


@pytest.mark.parametrize("sent", ["nothing", "half", "all"])
def test_a_clerk_sees_its_own_departments_uses_and_of_others_the_number(
    http: Callable[..., httpx.Response], settings: Settings, sent: str
) -> None:
    for caller, matter in ((OWN, "SP-1"), (OTHER, "ZB-1"), (OTHER, "ZB-1")):
        assert http(caller, "/v1/ask", matter=matter).status_code == 200
        if sent == "half":
            shipped(settings)
    if sent == "all":
        shipped(settings)
    for caller, matters, others in ((OWN, ["SP-1"], 2), (OTHER, ["ZB-1"] * 2, 2)):
        told = seen(http, caller)
        codes = [one["code"] for use in told["uses"] for one in use["matters"]]
        assert (codes, told["others"], told["next"]) == (matters, others, None)
    told = seen(http, ITSELF)
    kinds = [(use["kind"], [one["id"] for one in use["departments"]]) for use in told["uses"]]
    looks, answers = [("look", ["e"]), ("look", ["d"])], [("answer", ["e"])] * 2
    assert kinds == [*looks, *answers, ("answer", ["d"])]
    assert told["others"] == 0


def test_looking_leaves_a_receipt_that_proves_what_was_shown(
    http: Callable[..., httpx.Response], settings: Settings
) -> None:
    answered = http(OWN, "/v1/ask", matter="SP-1").json()["receipt"]["id"]
    seen(http, OWN)
    seen(http, ITSELF)
    with closing(Receipts(settings.mianti_window)) as receipts:
        last = receipts.last()
    assert last is not None
    for number, who in ((last[0] - 1, "c017"), (last[0], "enterprise")):
        proof = verify(settings, f"{settings.mianti_window_name}-{number}")
        assert (proof.body["kind"], proof.body["who"]["clerk"]) == ("look", who)
        assert answered in proof.body["shown"]
        assert proof.flaws == []
        told = http(OWN, f"/v1/receipts/{proof.id}")
        assert told.status_code == (200 if who == "c017" else 404)
    shipped(settings)
    assert verify(settings, f"{settings.mianti_window_name}-{last[0]}").anchored


def test_uses_come_in_pages_without_a_gap_or_a_double(
    http: Callable[..., httpx.Response], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "PAGE", 3)
    asked = []
    for number in range(8):
        asked.append(http(OWN, "/v1/ask", matter="SP-1").json()["receipt"]["id"])
        http(OTHER, "/v1/ask", matter="ZB-1")
        if number == 4:
            shipped(settings)
    found, told = [], seen(http, OWN)
    while True:
        assert told["others"] >= 8
        found.append([one["receipt"] for one in told["uses"]])
        if told["next"] is None:
            break
        told = seen(http, OWN, after=told["next"])
    assert [*map(len, found)] == [3, 3, 2]
    assert [one for page in found for one in page] == asked[::-1]
    for bad in ("x", "1.2", "1.window", f"{'9' * 40}.window-1-1", "-1.window-1-2", "١.window-1-2"):
        assert http(OWN, "/v1/uses", subject=SUBJECT, after=bad).status_code == 422


@pytest.mark.parametrize(
    "caller",
    [
        Caller("c1", ("nosuch",)),
        Caller("c2", ("d",), ()),
        Caller("c3", ("d",), ("nosuch",)),
        Caller("c4", ("d",), ("bids",)),
        Caller("c5"),
        Caller("c6", (), None, uscc(5)),
    ],
)
def test_who_acts_for_no_department_is_no_clerk(
    http: Callable[..., httpx.Response], caller: Caller
) -> None:
    assert http(OWN, "/v1/ask", matter="SP-1").status_code == 200
    assert http(caller, "/v1/uses", subject=SUBJECT).status_code == 403
    assert http(caller, "/v1/subjects", q="示范").status_code == 403
    assert http(caller, "/v1/ask", matter="SP-1").status_code == 403
    assert http(caller, "/v1/matters").json() == {"matters": [], "bundles": []}


def test_a_department_unknown_to_the_catalogue_adds_nothing(
    http: Callable[..., httpx.Response], settings: Settings
) -> None:
    both = Caller("c1", ("nosuch", "d"))
    answer = http(both, "/v1/ask", matter="SP-1").json()["receipt"]["id"]
    told = http(both, f"/v1/receipts/{answer}").json()
    assert told["body"]["who"]["departments"] == ["d"]


@pytest.mark.parametrize(
    "text",
    ["  ", "\0\0", " \0 \0", "\u200b\u200b\u200b", "\u3000\u3000", "《》", "示\0", "\t\n示 "],
)
def test_a_search_counts_what_can_be_seen(http: Callable[..., httpx.Response], text: str) -> None:
    response = http(OWN, "/v1/subjects", q=text)
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("text", ["%%", "__", "\\\\"])
def test_a_search_takes_no_character_for_more_than_itself(
    http: Callable[..., httpx.Response], text: str
) -> None:
    assert http(OWN, "/v1/subjects", q=text).json() == {"subjects": []}


@pytest.fixture
def in_register(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the register know the enterprise; the page's tests search in a real one."""
    monkeypatch.setattr(
        "flows.window.Window.named",
        lambda _, text: [(SUBJECT, "示范企业")] if SUBJECT.startswith(text) else [],
    )


@pytest.mark.usefixtures("in_register")
def test_a_search_leaves_a_receipt_of_those_that_the_clerk_was_not_shown_today(
    http: Callable[..., httpx.Response], settings: Settings
) -> None:
    def search(caller: Caller, text: str) -> list[str]:
        response = http(caller, "/v1/subjects", q=text)
        assert response.status_code == 200, response.text
        return [one["subject"] for one in response.json()["subjects"]]

    def receipts() -> list[dict[str, Any]]:
        with closing(Receipts(settings.mianti_window)) as own:
            bodies = [orjson.loads(row[4]) for row in own.after(0, -1)]
        return [one for one in bodies if one["kind"] == "search"]

    found = search(OWN, SUBJECT[:6])
    assert found == [SUBJECT]
    for typed in (SUBJECT[:7], SUBJECT[:8], SUBJECT):  # as the page asks while it is typed
        assert search(OWN, typed) == found
    [mine] = receipts()
    assert (mine["found"], mine["who"]) == (found, {"clerk": "c017", "departments": ["d"]})
    assert (mine["subject"], mine["matters"]) == ("", [])
    assert SUBJECT[:7] not in orjson.dumps(mine | {"found": []}).decode()
    assert search(OWN, "no such name") == []
    assert len(receipts()) == 1
    assert search(OTHER, SUBJECT) == found
    assert [one["who"]["clerk"] for one in receipts()] == ["c017", "c018"]
    shipped(settings)
    for one in receipts():
        assert verify(settings, f"{one['window']}-{one['sequence']}").flaws == []
    assert seen(http, ITSELF)["uses"] == []  # nothing of its data was used
    id_ = f"{mine['window']}-{mine['sequence']}"
    assert http(OWN, f"/v1/receipts/{id_}").status_code == 200
    assert http(OTHER, f"/v1/receipts/{id_}").status_code == 404


@pytest.mark.usefixtures("in_register")
def test_without_room_for_its_receipt_a_search_shows_nothing(
    http: Callable[..., httpx.Response], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise NotWritten("full", "已满")

    monkeypatch.setattr(Receipts, "add", full)
    response = http(OWN, "/v1/subjects", q=SUBJECT)
    assert response.status_code == 503
    assert SUBJECT not in response.text

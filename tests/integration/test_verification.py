"""The page behind a receipt's QR code: open to whoever holds the paper, and to nobody else."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import segno

from connectors.settings import Settings
from deploy.window import verification
from tests.support.exchange import Exchange
from tests.support.window import SUBJECT, Window, follow, serving, shipped, token


@pytest.fixture(scope="module")
def settings(make_exchange: Callable[[], Exchange]) -> Settings:
    window = Window(make_exchange())
    window.publish(window.food.licence(1))
    follow(window.settings)
    return window.settings.model_copy(
        update={"mianti_window_rate": "100000/second", "mianti_window_behind_seconds": 86_400}
    )


@pytest.fixture(scope="module")
def http(settings: Settings) -> Iterator[httpx.Client]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(verification, "RATE", "100000/second")
        with serving(settings) as url, httpx.Client(base_url=url, timeout=60) as client:
            yield client


def receipt(http: httpx.Client, settings: Settings, **query: str) -> dict[str, Any]:
    """Ask, and return the whole receipt with its QR code."""
    headers = {"Authorization": f"Bearer {token(settings)}"}
    asked = {"subject": SUBJECT, "matter": "SP-1"}
    id_ = http.post("/v1/ask", json=asked, headers=headers).json()["receipt"]["id"]
    query = {"at": "http://hall.example/a/"} | query
    told: dict[str, Any] = http.get(f"/v1/receipts/{id_}", params=query, headers=headers).json()
    return told


def path(told: dict[str, Any]) -> str:
    return f"/verify/{told['id']}/{told['signature'][:32]}"


def test_the_holder_of_the_paper_sees_that_it_is_genuine_and_what_it_says(
    http: httpx.Client, settings: Settings
) -> None:
    told = receipt(http, settings)
    page = http.get(path(told))
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    for text in ("回执真实", "The receipt is genuine", told["id"], "事项", "免提交（电子证照）"):
        assert text in page.text
    assert "约十秒内" in page.text
    shipped(settings)
    page = http.get(path(told))
    assert page.status_code == 200
    assert "约十秒内" not in page.text
    # The enterprise's code is on the paper: here it is only to be compared with.
    assert SUBJECT not in page.text
    assert f"{SUBJECT[:4]}······{SUBJECT[-4:]}" in page.text
    assert told["body"]["who"]["clerk"] not in page.text


def test_without_the_paper_nothing_is_told(http: httpx.Client, settings: Settings) -> None:
    told = receipt(http, settings)
    other = receipt(http, settings)
    assert other["body"]["previous"] == told["hash"]
    mark = told["signature"][:32]
    spoilt = ("0" if mark[0] != "0" else "1") + mark[1:]
    for id_, given in (
        (told["id"], spoilt),
        (told["id"], other["signature"][:32]),
        (told["id"], other["body"]["previous"][:32]),  # the hash, which the next receipt names
        (told["id"], mark[:-1]),
        (told["id"], told["hash"]),
        (told["id"], told["signature"]),
        (told["id"], "标记"),
        ("window-1-99999", mark),
    ):
        page = http.get(f"/verify/{id_}/{given}")
        assert page.status_code == 404
        assert "没有这份回执" in page.text
        assert "There is no such receipt" in page.text
        assert "SP-1" not in page.text


def test_a_receipt_of_a_window_that_is_not_known_here_says_so(
    http: httpx.Client, settings: Settings
) -> None:
    mark = receipt(http, settings)["signature"][:32]
    for id_ in ("window-9-1", "nonsense", "<script>alert(1)<script>-1", "x" * 3000):
        page = http.get(f"/verify/{id_}/{mark}")
        assert page.status_code == 404
        assert "不是本系统窗口的回执" in page.text
        assert "<script" not in page.text
        assert id_ not in page.text


@contextmanager
def changed(settings: Settings, id_: str) -> Iterator[None]:
    """Let somebody change what a receipt says, at the window."""
    number = int(id_.rpartition("-")[2])
    file = settings.mianti_window / "receipts.db"

    def write(text: str) -> None:
        with closing(sqlite3.connect(file)) as db, db:
            db.execute("UPDATE receipts SET text = ? WHERE sequence = ?", (text, number))

    with closing(sqlite3.connect(file)) as db:
        [(text,)] = db.execute("SELECT text FROM receipts WHERE sequence = ?", (number,)).fetchall()
    write(text.replace("exempt_by_licence", "must_bring_______"))
    try:
        yield
    finally:
        write(text)


def test_a_receipt_that_was_changed_at_the_window_is_not_called_genuine(
    http: httpx.Client, settings: Settings
) -> None:
    told = receipt(http, settings)
    with changed(settings, told["id"]):
        page = http.get(path(told))
        assert page.status_code == 409
        assert "回执未通过核验" in page.text
        assert "cannot be confirmed" in page.text
        assert "事项" not in page.text
    assert http.get(path(told)).status_code == 200


def test_only_a_registered_key_makes_a_receipt_genuine(
    http: httpx.Client, settings: Settings
) -> None:
    told = receipt(http, settings)
    register = settings.mianti_window_keys
    known = register.read_text("utf-8")
    register.write_text("{}", "utf-8")
    try:
        page = http.get(path(told))
        assert page.status_code == 409
        assert "回执未通过核验" in page.text
        register.write_text("not: [a register", "utf-8")
        assert http.get(path(told)).status_code == 503
    finally:
        register.write_text(known, "utf-8")
    assert http.get(path(told)).status_code == 200


def test_the_code_is_that_of_the_address_and_the_setting_comes_before_the_browser(
    http: httpx.Client, settings: Settings
) -> None:
    told = receipt(http, settings)
    code = told["code"]
    assert code["text"] == f"http://hall.example/a{path(told)}"
    rows = [[0] * code["size"] for _ in range(code["size"])]
    for x, y, dark in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\d+z", code["path"]):
        rows[int(y)][int(x) : int(x) + int(dark)] = [1] * int(dark)
    made = segno.make(code["text"], error="m", micro=False)
    assert rows == [[*row] for row in made.matrix_iter(border=4)]
    assert receipt(http, settings, at="javascript:alert(1)/")["status"] == 422


@pytest.fixture
def second(settings: Settings, tmp_path: Path) -> Settings:
    """A second window of the same installation, which knows its own address."""
    return settings.model_copy(
        update={
            "mianti_window": tmp_path / "window-2",
            "mianti_window_name": "window-2",
            "mianti_window_url": "https://hall.example/window",
        }
    )


def test_each_window_verifies_what_another_has_shipped_and_the_setting_is_its_address(
    http: httpx.Client, settings: Settings, second: Settings
) -> None:
    told = receipt(http, settings)
    follow(second)
    with serving(second) as url, httpx.Client(base_url=url, timeout=60) as other:
        assert other.get(path(told)).status_code == 404  # it is at the first window alone as yet
        shipped(settings)
        page = other.get(path(told))
        assert page.status_code == 200
        assert told["id"] in page.text
        own = receipt(other, second)
        assert own["code"]["text"] == f"https://hall.example/window{path(own)}"


def test_whoever_verifies_too_often_waits(
    second: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verification, "RATE", "2/hour")
    follow(second)
    with serving(second) as url, httpx.Client(base_url=url, timeout=60) as client:
        pages = [client.get(f"/verify/window-2-7/{'0' * 32}") for _ in range(3)]
    assert [page.status_code for page in pages] == [404, 404, 429]
    assert "暂时无法核验" in pages[2].text
    assert int(pages[2].headers["retry-after"]) > 0

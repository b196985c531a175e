"""The chain of receipts: nothing changed, left out or put in goes unseen."""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
import os
import resource
import signal
import stat
import threading
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.receipts import NotWritten, Receipts, Row, WindowBusy, answering
from connectors.settings import Settings
from flows.receipt.chain import (
    START,
    Link,
    Sealed,
    Signer,
    digest,
    flaws,
    seal,
    window_and_sequence,
)
from flows.receipt.desk import Desk, change_key, key_file, new_file
from flows.receipt.keys import BadKey, make_key, public_text, read_key, signed_by
from flows.receipt.ship import ship, shipped, shipped_table
from flows.receipt.together import Together

WINDOW = "window-1"
ANSWER = {"kind": "answer", "subject": "s"}


def write(folder: Path, count: int, first: int = 0) -> None:
    with closing(Desk(folder, WINDOW)) as desk:
        bodies = [{**ANSWER, "n": first + n} for n in range(count)]
        assert [one.body["n"] for one in desk.write(bodies)] == [*range(first, first + count)]


def chain(folder: Path) -> list[Sealed]:
    with closing(Receipts(folder)) as receipts:
        return [Sealed(WINDOW, *row[:1], *row[2:]) for row in receipts.after(0, -1)]


def wrong(entries: list[Sealed]) -> list[int]:
    return [flaw.sequence for flaw in flaws(entries, WINDOW, Link(0, START), None)]


@pytest.fixture(scope="module")
def entries(tmp_path_factory: pytest.TempPathFactory) -> list[Sealed]:
    folder = tmp_path_factory.mktemp("window")
    write(folder, 5)
    change_key(folder, WINDOW)
    write(folder, 5, 5)
    found = chain(folder)
    assert len(found) == 12
    assert [one.body["kind"] for one in found].count("key") == 2
    return found


def test_a_chain_that_nobody_touched_has_no_flaw(entries: list[Sealed]) -> None:
    assert wrong(entries) == []
    for at in range(1, len(entries)):
        public = next(
            e.body["public_key"] for e in entries[at - 1 :: -1] if e.body["kind"] == "key"
        )
        before = Link(entries[at - 1].sequence, entries[at - 1].hash)
        assert [*flaws(entries[at:], WINDOW, before, public)] == []


@given(at=st.integers(0, 10), where=st.integers(0, 2000), put=st.characters(codec="ascii"))
@settings(deadline=None)
def test_a_changed_character_is_found(entries: list[Sealed], at: int, where: int, put: str) -> None:
    old = entries[at].text
    place = where % len(old)
    text = old[:place] + put + old[place + 1 :]
    changed = [*entries]
    changed[at] = replace(entries[at], text=text)
    assert (entries[at].sequence in wrong(changed)) == (text != old)


@given(at=st.integers(0, 10))
@settings(deadline=None)
def test_a_receipt_left_out_is_found(entries: list[Sealed], at: int) -> None:
    assert wrong(entries[:at] + entries[at + 1 :]) != []


@given(data=st.data())
@settings(deadline=None)
def test_receipts_in_another_order_are_found(entries: list[Sealed], data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(len(entries))))
    if [*order] != [*range(len(entries))]:
        assert wrong([entries[place] for place in order]) != []


@pytest.mark.parametrize("at", [1, 5, 8])
def test_a_receipt_rewritten_with_its_hash_and_all_hashes_after_it_is_found(
    entries: list[Sealed], at: int
) -> None:
    """Whoever lacks the key can mend every hash and no signature."""
    forged, before = entries[:at], entries[at - 1].hash
    for entry in entries[at:]:
        body = entry.body | {"previous": before} | ({"n": 99} if entry is entries[at] else {})
        text = orjson.dumps(body, option=orjson.OPT_SORT_KEYS)
        forged.append(replace(entry, text=text.decode(), hash=digest(text)))
        before = forged[-1].hash
    assert wrong(forged) == [entry.sequence for entry in entries[at:]]


def test_a_key_that_was_changed_signs_nothing_more(tmp_path: Path) -> None:
    write(tmp_path, 1)
    old = Signer(read_key(key_file(tmp_path)))
    change_key(tmp_path, WINDOW)
    found = chain(tmp_path)
    before = Link(found[-1].sequence, found[-1].hash)
    forged = seal({"kind": "answer"}, WINDOW, before, old, dt.datetime.now(dt.UTC))
    assert wrong(found) == []
    assert wrong([*found, forged]) == [4]


@pytest.mark.parametrize("lost", ["gone", "another", "the old one"])
def test_a_window_without_its_chains_key_does_not_answer(tmp_path: Path, lost: str) -> None:
    write(tmp_path, 1)
    old = key_file(tmp_path).read_bytes()
    change_key(tmp_path, WINDOW)
    write(tmp_path, 1, 1)
    key_file(tmp_path).unlink()
    if lost == "another":
        make_key(key_file(tmp_path))
    elif lost == "the old one":
        key_file(tmp_path).write_bytes(old)
    with pytest.raises(BadKey, match="put it back"):
        Desk(tmp_path, WINDOW)
    assert key_file(tmp_path).exists() == (lost != "gone")


def test_who_has_gone_gets_no_receipt_and_keeps_nobody_else_from_one(tmp_path: Path) -> None:
    with closing(Desk(tmp_path, WINDOW)) as desk:

        async def ask() -> None:
            together = Together(desk)
            given = [together.give({**ANSWER, "n": n}) for n in range(200)]
            assert all(one.cancel() for one in given[::2])
            assert [(await one).body["n"] for one in given[1::2]] == [*range(1, 200, 2)]
            assert (await together.give(ANSWER)).sequence == 102

        asyncio.run(ask())
    assert wrong(chain(tmp_path)) == []
    assert len(chain(tmp_path)) == 102


@pytest.mark.parametrize("step", ["link", "replace"])
def test_a_change_of_key_that_was_cut_short_is_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    write(tmp_path, 1)

    def crash(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(os, "link", crash) if step == "link" else broken.setattr(
            Path, "replace", crash
        )
        with pytest.raises(KeyboardInterrupt):
            change_key(tmp_path, WINDOW)
    assert new_file(tmp_path).exists()
    change_key(tmp_path, WINDOW)  # begun again, it first finishes what was begun
    write(tmp_path, 2, 1)
    assert wrong(chain(tmp_path)) == []
    assert not new_file(tmp_path).exists()
    assert len([*tmp_path.glob("key-*.pem")]) == 2


def test_a_new_key_that_the_chain_never_named_is_not_used(tmp_path: Path) -> None:
    write(tmp_path, 1)
    make_key(new_file(tmp_path))
    write(tmp_path, 1, 1)
    assert wrong(chain(tmp_path)) == []


def test_who_comes_during_a_commit_shares_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(Desk(tmp_path, WINDOW)) as desk:
        committed: list[int] = []
        begun, done, commit, place = threading.Event(), threading.Event(), desk.commit, desk.place

        def placed(bodies: Sequence[Mapping[str, Any]]) -> list[Sealed]:
            committed.append(len(bodies))
            return place(bodies)

        def slow() -> None:
            begun.set()
            assert done.wait(60)
            commit()

        async def ask() -> None:
            together = Together(desk)
            first = [together.give(ANSWER) for _ in range(300)]
            while not begun.is_set():
                await asyncio.sleep(0)
            later = [together.give(ANSWER) for _ in range(3)]
            await asyncio.sleep(0)
            later += [together.give(ANSWER) for _ in range(2)]
            assert not any(one.done() for one in (*first, *later)), "an answer before its commit"
            done.set()
            await asyncio.gather(*first, *later)

        monkeypatch.setattr(desk, "place", placed)
        monkeypatch.setattr(desk, "commit", slow)
        asyncio.run(ask())
    assert committed == [300, 5]
    assert len(chain(tmp_path)) == 306
    assert wrong(chain(tmp_path)) == []


def test_no_receipt_means_no_answer(tmp_path: Path) -> None:
    """A full disk: whoever waits is told, and the chain goes on unbroken afterwards."""
    with closing(Desk(tmp_path, WINDOW)) as desk:
        database = desk._receipts._db

        async def ask() -> None:
            together = Together(desk)
            pages = database.execute("PRAGMA page_count").fetchone()[0]
            database.execute(f"PRAGMA max_page_count = {pages}")
            given = [together.give({**ANSWER, "long": "x" * 20_000}) for _ in range(2)]
            told = await asyncio.gather(*given, return_exceptions=True)
            assert [type(one) for one in told] == [NotWritten] * 2
            assert all("disk is full" in str(one) and "make room" in str(one) for one in told)
            database.execute("PRAGMA max_page_count = 1000000")
            assert (await together.give(ANSWER)).sequence == 2

        asyncio.run(ask())
    assert len(chain(tmp_path)) == 2
    assert wrong(chain(tmp_path)) == []


def test_a_commit_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    """The log's file may grow no further: SQLite learns of it at the commit."""
    with closing(Desk(tmp_path, WINDOW)) as desk:
        size = (tmp_path / "receipts.db-wal").stat().st_size
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

        async def ask() -> None:
            together = Together(desk)
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
            try:
                told = await asyncio.gather(together.give(ANSWER), return_exceptions=True)
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, limits)
            assert isinstance(told[0], NotWritten)
            assert "disk" in str(told[0])
            assert (await together.give(ANSWER)).sequence == 2

        try:
            asyncio.run(ask())
        finally:
            signal.signal(signal.SIGXFSZ, ignored)
    assert len(chain(tmp_path)) == 2
    assert wrong(chain(tmp_path)) == []


def test_a_window_is_one_process(tmp_path: Path) -> None:
    with (
        answering(tmp_path),
        pytest.raises(WindowBusy, match="MIANTI_WINDOW_NAME"),
        answering(tmp_path),
    ):
        raise AssertionError


def test_the_key_is_its_owners_alone(tmp_path: Path) -> None:
    write(tmp_path, 1)
    assert stat.S_IMODE(key_file(tmp_path).stat().st_mode) == 0o600
    assert "PRIVATE" not in public_text(read_key(key_file(tmp_path)))


def pem(what: str, der: str) -> bytes:
    text = base64.encodebytes(bytes.fromhex(der))
    return b"-----BEGIN %b KEY-----\n%b-----END %b KEY-----\n" % (
        what.encode(),
        text,
        what.encode(),
    )


#: A key of an algorithm that nobody knows (object 1.3.101.1), as a changed byte makes one.
UNKNOWN = pem("PRIVATE", "302e020100300506032b650104220420" + "07" * 32)
UNKNOWN_PUBLIC = pem("PUBLIC", "302a300506032b6501032100" + "07" * 32)


def test_a_key_of_an_unknown_algorithm_has_signed_nothing() -> None:
    assert not signed_by(UNKNOWN_PUBLIC.decode(), b"x" * 64, b"text")


@pytest.mark.parametrize("text", [b"", b"nonsense", b"-----BEGIN PRIVATE KEY-----\n", UNKNOWN])
def test_a_spoilt_key_is_told_and_not_replaced(tmp_path: Path, text: bytes) -> None:
    key_file(tmp_path).write_bytes(text)
    with pytest.raises(BadKey, match="Ed25519"):
        Desk(tmp_path, WINDOW)
    assert key_file(tmp_path).read_bytes() == text


def test_receipts_are_written_through_to_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(Receipts(tmp_path)) as receipts:
        level = receipts._db.execute("PRAGMA synchronous").fetchone()[0]
        assert level >= 2, "SQLite's FULL: a commit waits for the disk"


@pytest.mark.parametrize(
    ("id_", "parts"),
    [
        ("window-1-42", ("window-1", 42)),
        ("w-0", ("w", 0)),
        *[(text, None) for text in ("window", "", "-5", "w-１", "w-1x", f"w-{'9' * 5000}")],
    ],
)
def test_an_id_is_a_window_and_a_number(id_: str, parts: tuple[str, int] | None) -> None:
    assert window_and_sequence(id_) == parts


def test_shipping_ends_though_answers_keep_coming(tmp_path: Path) -> None:
    """Else a busy window is shipped in a commit for each few receipts, all the time."""
    here = Settings(mianti_home=tmp_path)
    with closing(Desk(here.mianti_window, here.mianti_window_name)) as desk:

        class Busy(Receipts):
            def after(self, sequence: int, limit: int) -> list[Row]:
                found = super().after(sequence, limit)
                assert sequence < 9, "it does not end"
                desk.write([ANSWER])
                return found

        with closing(Busy(here.mianti_window)) as receipts:
            assert [ship(here, receipts) for _ in range(3)] == [1, 1, 1]
    assert shipped(shipped_table(here), here.mianti_window_name) == 3

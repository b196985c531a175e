"""Receipts prove something by registered keys alone; forged, cut and re-signed chains are found."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from connectors.receipts import Receipts
from connectors.settings import Settings
from deploy.cli.main import cli
from deploy.local.window import register_first
from flows.receipt import continuity
from flows.receipt.chain import START, Link, Signer, key_body, seal
from flows.receipt.continuity import Continuity, NotCompared
from flows.receipt.desk import Desk, change_key, key_file
from flows.receipt.keys import fingerprint, public_text, read_key
from flows.receipt.register import BadRegister, read_register, register
from flows.receipt.ship import OtherChain, noted, ship
from flows.receipt.verify import verify

#: A refusal rests on no data: its proof is the chain's alone.
REFUSAL = {"kind": "refusal", "subject": "s", "who": {"clerk": "c1", "departments": ["d"]}}


def refuse(here: Settings, count: int) -> None:
    with closing(Desk(here.mianti_window, here.mianti_window_name)) as desk:
        desk.write([REFUSAL] * count)


def shipped(here: Settings) -> int:
    with closing(Receipts(here.mianti_window)) as receipts:
        return ship(here, receipts)


def told(here: Settings, number: int) -> list[str]:
    return verify(here, f"{here.mianti_window_name}-{number}").flaws


@pytest.fixture
def here(tmp_path: Path) -> Settings:
    """A window with three shipments, of receipts 1-4, 5-7 and 8-10, and two not shipped."""
    made = Settings(mianti_home=tmp_path / "home")
    for count in (3, 3, 3):
        refuse(made, count)
        shipped(made)
    refuse(made, 2)
    register(made)
    assert [told(made, number) for number in (1, 4, 5, 10, 12)] == [[]] * 5
    return made


def own(here: Settings) -> sqlite3.Connection:
    return sqlite3.connect(here.mianti_window / "receipts.db", isolation_level=None)


def anchor(here: Settings, number: int) -> Path:
    return Path(here.mianti_evidence) / "anchors" / here.mianti_window_name / f"{number:012}.json"


def resealed(here: Settings, signer: Signer, change: Callable[[dict[str, Any]], None]) -> None:
    """Write the whole chain anew, signed with a key, and ship it in the place of the old."""
    with closing(own(here)) as database:
        texts = [text for (text,) in database.execute("SELECT text FROM receipts ORDER BY 1")]
    bodies = sorted(map(json.loads, texts), key=lambda body: body["sequence"])
    shutil.rmtree(Path(here.mianti_lake))
    for path in here.mianti_window.glob("receipts.db*"):
        path.unlink()
    link, rows = Link(0, START), []
    for body in bodies:
        at = dt.datetime.fromisoformat(body["at"])
        if body["kind"] == "key":
            body = key_body(signer.public)
        change(body)
        one = seal(body, here.mianti_window_name, link, signer, at)
        link = Link(one.sequence, one.hash)
        rows.append((one.sequence, body.get("subject"), one.hash, one.signature, one.text))
    with closing(Receipts(here.mianti_window)) as receipts:
        receipts.add(rows)
        receipts.commit()
    shipped(here)


def another_clerk(body: dict[str, Any]) -> None:
    if "who" in body:
        body["who"] = {"clerk": "somebody-else", "departments": ["d"]}


def test_a_chain_signed_with_any_other_key_does_not_hold(here: Settings) -> None:
    resealed(here, Signer(Ed25519PrivateKey.generate()), another_clerk)
    for number in (1, 2, 12):
        [why] = told(here, number)
        assert "not in the register" in why
        assert "mianti window register" in why
    with pytest.raises(Exception, match="key"):
        register(here)


def test_a_forged_chain_whose_key_lies_in_the_windows_directory_is_not_registered(
    here: Settings,
) -> None:
    key_file(here.mianti_window).unlink()
    forger = Ed25519PrivateKey.generate()
    resealed(here, Signer(forger), another_clerk)
    shutil.copy(_written(forger, here.mianti_home / "forged.pem"), key_file(here.mianti_window))
    with pytest.raises(BadRegister, match="other keys"):
        register(here)
    assert not register_first(here)
    assert told(here, 5)


def _written(key: Ed25519PrivateKey, path: Path) -> Path:
    from cryptography.hazmat.primitives import serialization as form

    path.write_bytes(
        key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())
    )
    return path


def test_a_key_that_the_register_lacks_is_told_with_what_to_do(here: Settings) -> None:
    here.mianti_window_keys.unlink()
    environment = {"MIANTI_HOME": str(here.mianti_home)}
    run = CliRunner(env=environment)
    refused = run.invoke(cli, ["receipt", "verify", "window-1-5"], prog_name="mianti")
    assert refused.exit_code == 1
    assert "mianti window register" in refused.output
    name = fingerprint(public_text(read_key(key_file(here.mianti_window))))
    added = run.invoke(cli, ["window", "register"], prog_name="mianti")
    assert (added.exit_code, name in added.output) == (0, True), added.output
    holds = run.invoke(cli, ["receipt", "verify", "window-1-5"], prog_name="mianti")
    assert holds.exit_code == 0, holds.output
    again = run.invoke(cli, ["window", "register"], prog_name="mianti")
    assert "Registered already" in again.output


def test_a_home_registers_its_own_window_once_and_no_register_elsewhere(tmp_path: Path) -> None:
    home = Settings(mianti_home=tmp_path / "a")
    assert register_first(home)
    assert not register_first(home)
    [key] = read_register(home.mianti_window_keys)[home.mianti_window_name]
    assert key.public == public_text(read_key(key_file(home.mianti_window)))
    kept = Settings(mianti_home=tmp_path / "b", mianti_window_keys=tmp_path / "keys.yaml")
    assert not register_first(kept)
    assert not kept.mianti_window_keys.exists()


def test_a_changed_key_proves_nothing_until_it_is_registered(here: Settings) -> None:
    change_key(here.mianti_window, here.mianti_window_name)
    refuse(here, 1)
    shipped(here)
    assert told(here, 5) == []
    assert any("not in the register" in why for why in told(here, 14))
    assert len(register(here)) == 1
    assert told(here, 5) == told(here, 12) == told(here, 13) == told(here, 14) == []
    old, new = read_register(here.mianti_window_keys)[here.mianti_window_name]
    assert old.last == new.first
    assert new.last is None


def test_a_key_counts_on_its_days_alone(here: Settings) -> None:
    path = here.mianti_window_keys
    content = yaml.safe_load(path.read_text("utf-8"))
    [key] = content[here.mianti_window_name]
    for days in ({"from": dt.date(2999, 1, 1)}, {"to": dt.date(2020, 1, 1)}):
        path.write_text(yaml.safe_dump({here.mianti_window_name: [key | days]}), "utf-8")
        assert any("not for" in why for why in told(here, 5))
    ended = key | {"to": dt.date(2020, 1, 1)}
    path.write_text(yaml.safe_dump({here.mianti_window_name: [ended]}), "utf-8")
    register(here)  # what was set by hand stays
    [kept] = read_register(path)[here.mianti_window_name]
    assert kept.last == dt.date(2020, 1, 1)


@pytest.mark.parametrize(
    "text",
    [
        "[",
        "x: 1",
        "w: [{}]",
        "w: [{key: x, from: 2026-01-01}]",
        "w: [{key: x, from: 2026-99-99}]",
        "\x00",
        "[" * 20_000,
        "w: []\nw: []",
    ],
)
def test_a_register_that_cannot_be_read_is_no_empty_one(here: Settings, text: str) -> None:
    here.mianti_window_keys.write_text(text, "utf-8")
    with pytest.raises(BadRegister, match="version control"):
        told(here, 5)


def test_an_anchor_names_the_head_and_count_before(here: Settings) -> None:
    with closing(own(here)) as database:
        rows = database.execute("SELECT sequence, hash FROM receipts")
        hashes = dict(rows.fetchall())
    for before, number in ((0, 4), (4, 7), (7, 10)):
        content = json.loads(anchor(here, number).read_text())
        assert content["hash"] == hashes[number]
        head = {"sequence": before, "hash": hashes.get(before, START)}
        assert content["before"] == head
    anchor(here, 7).unlink()
    assert any("number 7, is missing" in why for why in told(here, 9))


def test_a_chain_re_signed_by_its_own_key_is_not_the_anchored_one(here: Settings) -> None:
    kept = shutil.copytree(Path(here.mianti_evidence), here.mianti_home / "locked")
    key = Signer(read_key(key_file(here.mianti_window)))
    resealed(here, key, another_clerk)
    assert told(here, 5) == [], "nothing is out of the keeper's reach: this cannot be seen"
    locked = here.model_copy(update={"mianti_evidence": str(kept)})
    assert any("anchored" in why for why in told(locked, 5))


def test_an_end_cut_off_is_found_wherever_it_was_cut(here: Settings) -> None:
    with closing(own(here)) as database:
        database.execute("DELETE FROM receipts WHERE sequence > 8")
    assert any("own copy ends at number 8" in why for why in told(here, 2))
    anchor(here, 10).unlink()
    assert any("anchors after number 7" in why for why in told(here, 2))


def test_a_table_and_evidence_cut_behind_the_anchors_are_found(here: Settings) -> None:
    shutil.rmtree(here.mianti_window)
    folder = Path(here.mianti_evidence) / "receipts" / here.mianti_window_name
    table = Path(here.mianti_lake) / "window" / "receipts" / "_delta_log"
    assert told(here, 5) == []
    max(table.glob("*.json")).unlink()
    assert told(here, 5) == [], "a shipment under way: anchored, and not yet in the table"
    max(folder.glob("*.jsonl")).unlink()
    assert any("number 10 was anchored" in why for why in told(here, 5))


def test_a_window_whose_chain_was_cut_gives_no_number_twice(here: Settings) -> None:
    with closing(Continuity(here)) as whole:
        whole.require()
    with closing(own(here)) as database:
        database.execute("DELETE FROM receipts WHERE sequence > 6")
    with closing(Continuity(here)) as cut, pytest.raises(OtherChain, match="10"):
        cut.require()
    for path in here.mianti_window.glob("receipts.db*"):
        path.unlink()
    with closing(Continuity(here)) as lost, pytest.raises(OtherChain):
        lost.require()
    with closing(Desk(here.mianti_window, here.mianti_window_name, begin=False)):
        pass
    with closing(Receipts(here.mianti_window)) as receipts:
        assert receipts.last() is None, "no second chain is begun by opening the desk"


def test_an_anchor_that_the_table_lacks_counts_too(here: Settings) -> None:
    table = Path(here.mianti_lake) / "window" / "receipts" / "_delta_log"
    max(table.glob("*.json")).unlink()
    with closing(own(here)) as database:
        database.execute("DELETE FROM receipts WHERE sequence > 8")
    with closing(Continuity(here)) as cut, pytest.raises(OtherChain, match="10"):
        cut.require()


def test_receipts_taken_out_before_they_were_shipped_are_not_shipped_around(here: Settings) -> None:
    refuse(here, 2)
    with closing(own(here)) as database:
        database.execute("DELETE FROM receipts WHERE sequence = 12")
    with pytest.raises(OtherChain):
        shipped(here)


def test_a_window_that_cannot_compare_waits_and_then_answers(
    here: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = True

    def asked(settings: Settings, receipts: Receipts) -> int:
        if away:
            raise OSError("away")
        return 10

    monkeypatch.setattr(continuity, "require_continuous", asked)
    monkeypatch.setattr(continuity, "_FIRST_SECONDS", 0.01)
    monkeypatch.setattr(continuity, "_AGAIN_SECONDS", 0.01)
    with closing(Continuity(here)) as comparing:
        with pytest.raises(NotCompared, match="MIANTI_EVIDENCE"):
            comparing.require()
        away = False
        comparing._thread.join()
        comparing.require()


def test_a_receipt_that_waits_for_its_shipment_is_told(here: Settings) -> None:
    assert noted(here) == 10
    with closing(Continuity(here)) as comparing, closing(Receipts(here.mianti_window)) as receipts:
        row = receipts.at(11)
        assert row is not None
        later = Receipts.written_at(row) + dt.timedelta(seconds=301)
        assert comparing.unshipped_seconds(receipts, later) == 301
        words = continuity.late_words(301)
        assert words is not None
        assert "MIANTI_EVIDENCE" in words[0]
        assert continuity.late_words(299) is None
        shipped(here)
        assert comparing.unshipped_seconds(receipts, later) == 0


def test_a_shipment_cut_short_by_an_earlier_release_goes_on(here: Settings) -> None:
    """Its anchor, of the same head, names nothing before it."""
    with closing(Receipts(here.mianti_window)) as receipts:
        row = receipts.at(12)
    assert row is not None
    content = {"window": here.mianti_window_name, "sequence": 12, "hash": row[2]}
    anchor(here, 12).write_text(json.dumps(content))
    assert shipped(here) == 2
    assert told(here, 12) == []

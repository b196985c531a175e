"""What one record is: a number however it was typed, of one enterprise, as one layout says it."""

from __future__ import annotations

import datetime as dt
import sqlite3
from contextlib import closing
from typing import Any

import pytest

from connectors.errors import MiantiError
from connectors.topics import ensure_topic
from flows.publish.events import single
from tests.oracle.identity import event_id
from tests.support import kafka as raw
from tests.support.codes import uscc
from tests.support.exchange import Department, Exchange
from tests.support.window import penalty

SPELLINGS = [
    "示许[2026]1号",
    "示许（2026）1号",
    "示许【2026】1号",
    "示许｛2026｝1号",
    "示许〔２０２６〕１号",
    "示许〔2026〕1 号",
    "示许〔2026〕1号\u200b",
    "\ufeff示许〔2026〕\u20601号",
    "示许〔2026〕1號",
    "《示许〔2026〕1号》",
]
PLACEHOLDERS = ["无", "/", "-", "——", "NULL", "0", "空", "／", "暂无", "n/a", " 无 "]
NUMBER_ALONE = {"columns": ["XK_WSH"], "says": {"en": "the number", "zh": "文号"}}


def day(number: int) -> dt.datetime:
    return dt.datetime(2026, 3, number, tzinfo=dt.UTC)


def states(exchange: Exchange, family: str = "licence") -> dict[tuple[str, str], str]:
    exchange.ingest(family)
    rows = exchange.query(family)
    exchange.verified(family)
    return {
        (row["subject"], row["record_key"]): row["state"] if row["usable"] == "yes" else "withdrawn"
        for row in rows.iter_rows(named=True)
    }


@pytest.fixture
def dept(exchange: Exchange) -> Department:
    return exchange.department()


def test_a_revocation_reaches_its_licence_in_any_spelling(
    exchange: Exchange, dept: Department
) -> None:
    """Each spelling revokes and restores what the last one said, and none is a record of its own."""
    dept.publish([dept.licence(1)], edition=day(1))
    for number, spelling in enumerate(SPELLINGS, start=2):
        row = dept.licence(1, XK_WSH=spelling, XK_ZT=["1", "3"][number % 2])
        assert dept.publish([row], edition=day(number)).published == 1
    assert states(exchange) == {(uscc(1), dept.key(1)): "revoked"}
    [row] = exchange.query().to_dicts()
    assert row["document_number"] == SPELLINGS[-1]


def test_an_issuer_written_otherwise_is_the_same_issuer(exchange: Exchange) -> None:
    names = ["示范局（城东）", "示范局(城东)", "示范局 （城东）"]
    rights = {"facets": ["decision", "standing", "objection"], "issuers": names}
    dept = exchange.department(families={"licence": rights})
    for number, name in enumerate(names, start=1):
        row = dept.licence(1, XK_XKJGDM=name, XK_XKJG=name, XK_ZT="13"[number // 3])
        assert dept.publish([row], edition=day(number)).published == 1
    key = f"示范局(城东)/示许(2026)1号/{uscc(1)}"
    assert states(exchange) == {(uscc(1), key): "revoked"}
    # The organ's name in the key is folded; who withdraws speaks for the organ as it is written.
    assert dept.publisher.withdraw(key, "公示有误")
    assert states(exchange) == {(uscc(1), key): "withdrawn"}


@pytest.mark.parametrize("files", [1, 2])
def test_a_document_about_two_enterprises_is_two_records(
    exchange: Exchange, dept: Department, files: int
) -> None:
    rows = [dept.licence(n, XK_WSH="示公告〔2026〕36号") for n in (1, 2)]
    for number in range(files):
        part = rows if files == 1 else [rows[number]]
        done = dept.publish(part, edition=day(number + 1))
        assert (done.refused, done.moved, done.withdrawn_elsewhere) == (0, 0, 0)
    assert {subject: state for (subject, _), state in states(exchange).items()} == {
        uscc(1): "in_force",
        uscc(2): "in_force",
    }


def test_a_penalty_of_two_parties_stays_with_both(exchange: Exchange, dept: Department) -> None:
    for number in (1, 2):
        row = penalty(dept, 77, CF_XDR_SHXYM=uscc(number))
        dept.publish([row], edition=day(number), layout="cn-sgs-2018-penalty")
    exchange.ingest("credit")
    assert exchange.query("credit")["usable"].to_list() == ["yes", "yes"]


@pytest.mark.parametrize("placeholder", PLACEHOLDERS)
def test_a_placeholder_is_no_number(dept: Department, placeholder: str) -> None:
    """Whom a row without a number is about is excepted until it has one."""
    rows = [dept.licence(n, XK_WSH=placeholder) for n in (1, 2)]
    done = dept.publish(rows, complete_through=dt.datetime.now(dt.UTC))
    assert (done.published, done.reasons, done.excepted) == (0, {"key_incomplete": 2}, 2)
    assert dept.publish([dept.licence(3, XK_XKBH=placeholder)]).published == 1
    assert dept.events()[-1]["decision"]["number"] is None


def test_a_placeholder_is_no_number_in_a_programs_event(dept: Department) -> None:
    rows = [
        dept.native(1, record_key=f"{dept.code}/无"),
        dept.native(2, decision={"number": "——", "document_number": "NULL", "name": "证"}),
    ]
    done = dept.publisher.publish_rows("mianti-licence", rows)
    assert (done.published, done.reasons) == (1, {"key_incomplete": 1})
    [event] = dept.events()
    assert (event["decision"]["number"], event["decision"]["document_number"]) == (None, None)


def test_a_programs_event_reaches_the_record_of_a_file(
    exchange: Exchange, dept: Department
) -> None:
    """It names the number in its own spelling, without the enterprise, and sets another facet."""
    dept.publish([dept.licence(1), dept.licence(2, XK_WSH="示许〔2026〕1号")])
    event = dept.native(1, record_key=f"{dept.code}/示许[2026]1号", facet="standing")
    event |= {"event_type": "status_stated", "standing": {"state": "revoked"}}
    del event["decision"]
    assert dept.publisher.publish_rows("mianti-licence", [event]).published == 1
    assert states(exchange) == {
        (uscc(1), dept.key(1)): "revoked",
        (uscc(2), f"{dept.code}/示许(2026)1号/{uscc(2)}"): "in_force",
    }


def test_a_file_reaches_the_record_of_a_programs_event(
    exchange: Exchange, dept: Department
) -> None:
    event = dept.native(1, record_key=f"{dept.code}/示许[2026]1号", facet="objection")
    event |= {"event_type": "objection_stated", "objection": {"state": "raised"}}
    del event["decision"]
    dept.publisher.publish_rows("mianti-licence", [event])
    dept.lose_ledger()
    assert dept.publish([dept.licence(1)]).published == 1
    exchange.ingest()
    [row] = exchange.query().to_dicts()
    assert (row["record_key"], row["objection"]) == (f"{dept.code}/示许(2026)1号", "raised")
    exchange.verified()


# A record that another enterprise or another layout has


def bare(exchange: Exchange, **changes: Any) -> Department:
    """Register a department whose layout has no enterprise in its key."""
    layouts = exchange.like(
        "cn-sgs-2018-licence", "bare", record_key=NUMBER_ALONE, title={"en": "b", "zh": "b"}
    )
    return exchange.department(layouts=layouts | changes)


def test_a_record_is_not_taken_from_another_enterprise_unasked(exchange: Exchange) -> None:
    dept = bare(exchange)
    now = dt.datetime.now(dt.UTC)
    dept.publish([dept.licence(1)], layout="bare", edition=day(1))
    row = dept.licence(1, XK_XDR_SHXYM=uscc(2), XK_WSH="示许[2026]1号")
    done = dept.publish([row], layout="bare", edition=day(2), complete_through=now)
    assert (done.published, done.reasons) == (0, {"subject_changed": 1})
    assert excepted(dept) == {uscc(1), uscc(2)}
    assert states(exchange) == {(uscc(1), f"{dept.code}/示许(2026)1号"): "in_force"}


def test_two_enterprises_that_claim_one_record_in_one_file_get_it_neither(
    exchange: Exchange,
) -> None:
    dept = bare(exchange)
    rows = [dept.licence(1), dept.licence(1, XK_XDR_SHXYM=uscc(2))]
    done = dept.publish(rows, layout="bare", complete_through=dt.datetime.now(dt.UTC))
    assert (done.published, done.reasons) == (0, {"subject_changed": 2})
    assert excepted(dept) == {uscc(1), uscc(2)}


def excepted(dept: Department) -> set[str]:
    """Return whom the newest statements of its topic leave out."""
    newest: dict[int, Any] = {}
    for message in dept.messages():
        event = raw.decode(message.value, "licence")
        if event["facet"] == "statement":
            newest[event["statement"]["partition"]] = event["statement"]
    return {code for said in newest.values() for code in said["excepted"]}


POORER: dict[str, Any] = {
    "facet": "decision",
    "type": {"const": "granted"},
    "content": {
        "number": "XK_XKBH",
        "name": "XK_XKZS",
        "subject_name": "XK_XDR_MC",
        "term": {"const": "not_stated"},
        "identifier_check": {"const": "none"},
    },
}


def test_a_poorer_layout_erases_nothing_unasked(exchange: Exchange) -> None:
    layouts = exchange.like("cn-sgs-2018-licence", "poor", events=[POORER])
    layouts["cn-sgs-2018-licence"] = layouts.pop("poor")
    moves = {"layouts": ["cn-sgs-2018-licence"]}
    exchange.like("cn-sgs-2018-licence", "meant", events=[POORER], moves=moves)
    layouts |= {"poor": {}, "meant": {}}
    dept = exchange.department(layouts=layouts)
    now = dt.datetime.now(dt.UTC)
    dept.publish([dept.licence(1)], layout="cn-sgs-2018-licence", edition=day(1))
    done = dept.publish([dept.licence(1)], layout="poor", edition=day(2), complete_through=now)
    assert (done.published, done.reasons) == (0, {"other_layout": 1})
    assert excepted(dept) == {uscc(1)}
    exchange.ingest()
    assert exchange.query()["scope"].to_list() == ["预包装食品销售"]
    done = dept.publish([dept.licence(1)], layout="meant", edition=day(3))
    assert (done.published, done.refused) == (1, 0)
    exchange.ingest()
    assert exchange.query()["scope"].to_list() == [None]


def test_constants_in_the_key_keep_two_lists_of_one_organ_apart(exchange: Exchange) -> None:
    layouts: dict[str, Any] = {}
    for name in ("甲", "乙"):
        key = {
            "columns": [{"const": f"名单（{name}）"}, "XK_XDR_SHXYM"],
            "says": NUMBER_ALONE["says"],
        }
        layouts |= exchange.like("cn-sgs-2018-licence", f"list-{name}", record_key=key)
    dept = exchange.department(layouts=layouts)
    for name in layouts:
        assert dept.publish([dept.licence(1)], layout=name).published == 1
    assert {key for _, key in states(exchange)} == {
        f"{dept.code}/名单({name})/{uscc(1)}" for name in ("甲", "乙")
    }


# The same file, read otherwise


def test_the_same_file_read_by_a_mended_dialect_is_a_correction(exchange: Exchange) -> None:
    """And the next revision is what counts, though its edition is the same; a dry run tells it."""
    exchange.like("cn-sgs-2018-licence", "mended", events=[POORER])
    dept = exchange.department(layouts={"mended": {}})
    rows = [dept.licence(n) for n in (1, 2)]
    dept.publish(rows, "list-20260301.csv", layout="mended")
    richer = POORER | {"content": POORER["content"] | {"scope": "XK_NR"}}
    exchange.dialects = exchange.home / "dialects-2"
    exchange.like("cn-sgs-2018-licence", "mended", events=[richer])
    for dry_run in (True, False):
        done = dept.publish(rows, "list-20260301.csv", layout="mended", dry_run=dry_run)
        assert (done.published, done.corrected, done.refused, done.excepted) == (2, 2, 0, 0)
    exchange.ingest()
    assert exchange.query()["scope"].to_list() == ["预包装食品销售"] * 2
    assert dept.publish(rows, "list-20260301.csv", layout="mended").unchanged == 2
    # Another file of that day still contradicts it.
    other = [dept.licence(1, XK_NR="散装食品销售")]
    done = dept.publish(other, "more-20260301.csv", layout="mended")
    assert done.reasons == {"contradictory_published": 1}
    exchange.verified()


# What an earlier release left


def aged(dept: Department) -> None:
    """Make its ledger one of the release before keys were folded."""
    with closing(sqlite3.connect(ledger(dept))) as database, database:
        database.executescript(
            "DROP TABLE identities; DROP TABLE issuers; ALTER TABLE versions DROP COLUMN layout;"
            "PRAGMA user_version = 0;"
        )


def ledger(dept: Department) -> str:
    return str(dept.exchange.home / "ledger" / f"{dept.id}.licence.sqlite")


def earlier(dept: Department, number: int, spelling: str, day_: int, **said: Any) -> None:
    """Send what an earlier release sent: a key as typed, without the enterprise."""
    facet = next(iter(said), "decision")
    fields = {
        "event_type": "granted",
        "publisher": dept.id,
        "issuer": dept.code,
        "subject": uscc(number),
        "record_key": f"{dept.code}/{spelling}",
        "facet": facet,
        "sequence": 1,
        "edition": day(day_),
        "layout": "cn-sgs-2018-licence",
        "layout_version": "2018",
        "file_digest": "0" * 64,
        "file_row": 1,
    }
    content: dict[str, Any] = {
        "name": "食品经营许可证",
        "identifier_check": "none",
        "term": "not_stated",
    }
    content |= {"document_number": spelling}
    content |= {"addresses": [], "previous_identifiers": [], "permits": []}
    [event] = single("licence", fields | {facet: said.get(facet, content)}).to_dicts()
    value = raw.encode(event, "licence")
    ensure_topic(dept.exchange.settings, dept.topic())
    raw.send(dept.exchange.address, dept.topic(), [(uscc(number).encode(), value)], partition=0)


@pytest.mark.parametrize("left", ["its ledger", "its topic alone"])
def test_a_new_spelling_continues_the_record_of_an_earlier_release(
    exchange: Exchange, dept: Department, left: str
) -> None:
    for number in (1, 2):
        earlier(dept, number, f"示许〔2026〕{number}号", 1)
    if left == "its ledger":
        dept.publish([dept.licence(9)], edition=day(1))
        aged(dept)
    rows = [dept.licence(1, XK_WSH="示许[2026]1号", XK_ZT="3"), dept.licence(2, XK_ZT="2")]
    done = dept.publish([*rows, dept.licence(3)], edition=day(2))
    assert (done.published, done.refused, done.merged) == (3, 0, 0)
    found = states(exchange)
    found.pop((uscc(9), dept.key(9)), None)
    assert found == {
        (uscc(1), f"{dept.code}/示许〔2026〕1号"): "revoked",
        (uscc(2), f"{dept.code}/示许〔2026〕2号"): "suspended",
        (uscc(3), dept.key(3)): "in_force",
    }


def test_two_records_of_one_number_of_an_earlier_release_become_one(
    exchange: Exchange, dept: Department
) -> None:
    """The newest goes on; once only, and a lost ledger finds the same."""
    earlier(dept, 1, "示许〔2026〕1号", 1)
    earlier(dept, 1, "示许[2026]1号", 2)
    row = dept.licence(1, XK_WSH="示许（2026）1号")
    assert dept.publish([row], edition=day(3), dry_run=True).merged == 1
    assert dept.publish([row], edition=day(3)).merged == 1
    dept.lose_ledger()
    later = dept.licence(1, XK_ZT="3")
    done = dept.publish([later], edition=day(4))
    assert (done.published, done.merged) == (1, 0)
    assert states(exchange) == {
        (uscc(1), f"{dept.code}/示许〔2026〕1号"): "withdrawn",
        (uscc(1), f"{dept.code}/示许[2026]1号"): "revoked",
    }


def test_a_revocation_is_not_withdrawn_with_the_spelling_it_was_given_in(
    exchange: Exchange, dept: Department
) -> None:
    """The newer spelling says nothing of it: both records stand."""
    earlier(dept, 1, "示许〔2026〕1号", 1)
    earlier(dept, 1, "示许〔2026〕1号", 2, standing={"state": "revoked"})
    earlier(dept, 1, "示许[2026]1号", 3)
    assert dept.publish([dept.licence(1)], edition=day(4)).merged == 0
    assert states(exchange)[uscc(1), f"{dept.code}/示许〔2026〕1号"] == "revoked"


def test_a_row_that_waited_in_an_earlier_release_is_mended_by_the_new_key(
    dept: Department,
) -> None:
    now = dt.datetime.now(dt.UTC)
    dept.publish([dept.licence(9)], edition=day(1), complete_through=now)
    with closing(sqlite3.connect(ledger(dept))) as database, database:
        database.execute(
            "CREATE TABLE waiting (layout TEXT NOT NULL, record_key TEXT NOT NULL, "
            "facet TEXT NOT NULL, subject TEXT NOT NULL, edition INTEGER NOT NULL, "
            "PRIMARY KEY (layout, record_key, facet, subject)) WITHOUT ROWID"
        )
        database.execute(
            "INSERT INTO waiting (layout, record_key, facet, subject, edition) VALUES (?,?,?,?,?)",
            ("cn-sgs-2018-licence", f"{dept.code}/示许〔2026〕1号", "", uscc(1), 0),
        )
    aged(dept)
    assert dept.publish([dept.licence(8)], edition=day(2)).excepted == 1
    assert dept.publish([dept.licence(1)], edition=day(3)).excepted == 0


# Taking back what a person names


def test_a_record_is_withdrawn_by_its_number_in_any_spelling(dept: Department) -> None:
    dept.publish([dept.licence(1), dept.licence(2)])
    for undo, typed in [
        (False, "示许[2026]1号"),
        (True, "示许（2026）１號"),
        (False, dept.key(1)[19:]),
    ]:
        assert dept.publisher.withdraw(f"{dept.code}/{typed}", "公示有误", undo=undo)
    assert [e["subject"] for e in dept.events() if e["facet"] == "withdrawal"] == [uscc(1)] * 3


def test_a_number_of_several_enterprises_is_asked_for_in_full(dept: Department) -> None:
    dept.publish([dept.licence(n, XK_WSH="示公告〔2026〕36号") for n in (1, 2)])
    with pytest.raises(MiantiError) as told:
        dept.publisher.withdraw(f"{dept.code}/示公告〔2026〕36号", "公示有误")
    keys = [f"{dept.code}/示公告(2026)36号/{uscc(n)}" for n in (1, 2)]
    assert all(key in told.value.message_en and key in told.value.message_zh for key in keys)
    assert dept.publisher.withdraw(keys[1], "公示有误")
    [event] = [e for e in dept.events() if e["facet"] == "withdrawal"]
    assert event["subject"] == uscc(2)


# A sequence after which there would be no other


def test_the_greatest_sequence_of_all_is_refused(exchange: Exchange, dept: Department) -> None:
    for sequence in (2**52, 2**53, 2**63 - 1):
        row = dept.native(1, sequence=sequence)
        done = dept.publisher.publish_rows("mianti-licence", [row])
        assert (done.published, done.reasons) == (0, {"sequence_range": 1})
    dept.publish([dept.licence(1)])
    [event] = dept.events()
    forged = event | {"sequence": 2**63 - 1, "facet": "withdrawal", "decision": None}
    forged |= {"event_type": "withdrawn", "withdrawal": {"state": "withdrawn"}}
    value = raw.encode(forged, "licence")
    raw.send(exchange.address, dept.topic(), [(event["subject"].encode(), value)], partition=0)
    assert dept.publisher.withdraw(dept.key(1), "公示有误")
    assert states(exchange) == {(uscc(1), dept.key(1)): "withdrawn"}


def test_the_highest_number_a_row_may_bring_is_followed_by_others(dept: Department) -> None:
    for given in ({"sequence": 2**52 - 1}, {}, {"edition": "2200-01-01T00:00:00Z"}):
        row = dept.native(1, decision={"number": "JY1", "name": f"许可{given}"}, **given)
        dept.publisher.publish_rows("mianti-licence", [row])
    assert [event["sequence"] for event in dept.events()] == [2**52 - 1, 2**52, 2**52 + 1]


def test_where_nothing_can_follow_it_is_said_and_nothing_is_sent(
    exchange: Exchange, dept: Department
) -> None:
    dept.publisher.publish_rows("mianti-licence", [dept.native(1)])
    [event] = dept.events()
    for changed in (
        {"decision": event["decision"] | {"name": "误"}},
        {
            "facet": "withdrawal",
            "event_type": "restored",
            "decision": None,
            "withdrawal": {"state": "none", "reason_code": None, "reason": None},
        },
    ):
        forged = event | {"sequence": 2**53 - 1} | changed
        forged["event_id"] = event_id("licence", forged)
        message = (forged["subject"].encode(), raw.encode(forged, "licence"))
        raw.send(exchange.address, dept.topic(), [message])
    before = len(dept.events())
    row = dept.native(1, decision={"number": "JY1", "name": "正"})
    done = dept.publisher.publish_rows("mianti-licence", [row])
    assert (done.published, done.reasons) == (0, {"no_sequence_left": 1})
    with pytest.raises(MiantiError, match="mianti overrule"):
        dept.publisher.withdraw(dept.native(1)["record_key"], "公示有误")
    assert len(dept.events()) == before

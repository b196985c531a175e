"""Whatever becomes of the row that ends a licence on its way, no paper is exempted by the licence.

A department says that the licence is lost, and the row is refused, or its file fails, or an older
one comes behind it, or the message waits in quarantine; then come sound files about others, stated
complete. Each scene is a department and an enterprise of its own, all on one exchange: real files,
the ledger, Kafka, the lake, and the answers.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from connectors.errors import MiantiError
from tests.property.effort import some
from tests.property.lost_deal import Deal
from tests.property.lost_kafka import in_memory
from tests.property.lost_scenes import Scene, Stage
from tests.support.codes import organisation, uscc
from tests.support.exchange import Exchange
from tests.support.window import PENALTY, penalty

EXAMPLES = 2
#: What makes a row refused whose document and enterprise can be read.
FAULTS = (
    {"XK_JDRQ": "2026-13-45"},
    {"XK_ZT": "9"},
    {"XK_YXQZ": "2026年2月31日"},
    {"XK_XKJGDM": "1"},
)


def refused(scene: Scene) -> None:
    scene.send(scene.lost(**scene.deal.one(FAULTS)), scene.other(XK_NR="糕点"))


def refused_and_its_file_sent_again(scene: Scene) -> None:
    rows = [scene.lost(**scene.deal.one(FAULTS)), scene.other(XK_NR="糕点")]
    day = scene.day
    scene.send(*rows)
    scene.send(*rows, edition=day)


def refused_without_its_number(scene: Scene) -> None:
    scene.send(scene.lost(XK_WSH=scene.deal.one(("", "/", "无"))), scene.other(XK_NR="糕点"))
    road = {"XK_WSH": "示运许〔2026〕9号", "XK_XKZS": "道路运输经营许可证", "XK_XKBH": "DL77"}
    scene.send(scene.row(**road), scene.other(XK_NR="糖果"))


def refused_under_another_name_without_a_code(scene: Scene) -> None:
    told = {"XK_XDR_SHXYM": scene.deal.one(("x", "9" * 18)), "XK_XDR_MC": "示范商贸有限公司"}
    scene.send(scene.lost(**told), scene.other(XK_NR="糕点"))


def refused_by_its_name_alone(scene: Scene) -> None:
    told = {"XK_XDR_SHXYM": "91X", "XK_WSH": "示许撤〔2026〕9号"}
    name = scene.deal.one((f"示范企业{scene.number}有限公司", f"示范企业{scene.number} 有限公司　"))
    scene.send(scene.lost(XK_XDR_MC=name, **told), scene.other(XK_NR="糕点"))


def refused_by_its_organisation_code(scene: Scene) -> None:
    told = {
        "XK_XDR_SHXYM": "",
        "XK_XDR_ZZJG": organisation(scene.number),
        "XK_WSH": "示许撤〔2026〕9号",
    }
    scene.send(scene.lost(XK_XDR_MC="/", **told), scene.other(XK_NR="糕点"))


def refused_of_nobody(scene: Scene) -> None:
    told = {"XK_XDR_SHXYM": "", "XK_XDR_MC": "/", "XK_WSH": "示许撤〔2026〕9号"}
    scene.send(scene.lost(**told), scene.other(XK_NR="糕点"))


def refused_in_another_layout(scene: Scene) -> None:
    event = scene.dept.native(scene.number, facet="standing", event_type="revoked", decision=None)
    event |= {"standing": {"state": "gone"}}
    scene.dept.publisher.publish_rows("mianti-licence", [event])


def refused_at_the_organ_above(scene: Scene) -> None:
    row = scene.lost(XK_JDRQ="2026-13-45", XK_WSH="示许撤〔2026〕9号")
    scene.send(row, to=scene.province)


def penalty_refused(scene: Scene) -> None:
    fault: dict[str, Any] = scene.deal.one(({"CF_JDRQ": "2026-02-31"}, {"CF_WSH": ""}))
    told = {"CF_XDR_SHXYM": uscc(scene.number), "CF_CFLB": "吊销许可证件"}
    row = penalty(scene.police, scene.number, **told, **fault)
    scene.send(row, to=scene.police, layout=PENALTY)


def older_edition(scene: Scene) -> None:
    scene.send(scene.row(XK_NR="糕点"), edition=scene.day + dt.timedelta(days=15))
    scene.send(scene.lost())


def older_edition_and_the_newest_sent_again(scene: Scene) -> None:
    ahead = scene.day + dt.timedelta(days=15)
    scene.send(scene.row(XK_NR="糕点"), edition=ahead)
    scene.send(scene.lost())
    scene.send(scene.row(XK_NR="糕点"), edition=ahead)


def an_older_file_behind_it(scene: Scene) -> None:
    day = scene.day
    scene.send(scene.lost())
    scene.send(scene.row(XK_NR="糕点"), edition=day)


def contradicted_in_its_file(scene: Scene) -> None:
    scene.send(scene.lost(), scene.row(XK_NR="糕点"))


def contradicted_in_its_edition(scene: Scene) -> None:
    scene.send(scene.row(XK_NR="糕点"))
    scene.send(scene.lost(), edition=scene.day)
    scene.send(scene.row(XK_NR="糕点"), edition=scene.day - dt.timedelta(days=1))


def state_left_empty(scene: Scene) -> None:
    scene.send(scene.row(XK_YXQZI="2026-03-01"))
    renewal = scene.row(XK_ZT="", XK_WSH="示许〔2026〕9号", XK_JDRQ="2026-03-02")
    scene.send(renewal, scene.other(XK_NR="糕点"))


def other_layout_behind_it(scene: Scene) -> None:
    scene.send(scene.lost())
    row = scene.row()
    poorer = {
        "XK_WSH": row["XK_WSH"],
        "XK_XMMC": "食品经营许可",
        "XK_SPLB": "普通",
        "XK_NR": row["XK_NR"],
        "XK_XDR": row["XK_XDR_MC"],
        "XK_XDR_SHXYM": row["XK_XDR_SHXYM"],
        "XK_JDRQ": "2026-01-05",
        "XK_JZQ": "2031-01-05",
        "XK_XZJG": scene.dept.code,
        "XK_ZT": "0",
    }
    scene.send(poorer, layout="cn-sgs-2016-licence")


def cut_off(scene: Scene) -> None:
    path = scene.dept.file([scene.other(XK_NR="糕点"), scene.lost()], "cut.csv")
    lost = scene.deal.one((1, 2))
    path.write_bytes(path.read_bytes().rstrip(b"\r\n")[:-lost])
    with contextlib.suppress(MiantiError):
        scene.dept.publisher.publish_file(path, **scene.options())


def dated_before_there_were_licences(scene: Scene) -> None:
    day = scene.deal.one(("1899-12-30", "1900-01-01"))
    told = {"XK_JDRQ": day, "XK_YXQZ": day, "XK_WSH": "示许撤〔2026〕9号"}
    scene.send(scene.lost(**told))


def on_a_second_sheet(scene: Scene) -> None:
    path = scene.book([scene.other(XK_NR="糕点")], [scene.lost()])
    scene.dept.publisher.publish_file(path, **scene.options())


def on_a_sheet_that_is_not_read(scene: Scene) -> None:
    other = {"文号": "示许撤1号", "单位": scene.row()["XK_XDR_MC"], "结果": "吊销"}
    path = scene.book([scene.other(XK_NR="糕点")], [other])
    scene.dept.publisher.publish_file(path, **scene.options(layout=None))


def on_a_hidden_sheet(scene: Scene) -> None:
    path = scene.book([scene.other(XK_NR="糕点")], [scene.lost()], hidden=True)
    scene.dept.publisher.publish_file(path, **scene.options())


def in_a_file_that_failed(scene: Scene) -> None:
    data = scene.deal.one((b"", b"PK\x03\x04broken", "名称,结论\n某企业,吊销\n".encode()))
    path = scene.file(scene.deal.one(("revoked.csv", "revoked.xlsx")), data)
    with contextlib.suppress(MiantiError):
        scene.dept.publisher.publish_file(path, **scene.options())


def in_a_file_that_failed_under_a_daily_name(scene: Scene) -> None:
    for text in ("糕点", "糖果"):
        scene.send(scene.other(XK_NR=text), name="daily.csv")
    path = scene.file("daily.csv", "名称,结论\n某企业,吊销\n".encode())
    with contextlib.suppress(MiantiError):
        scene.dept.publisher.publish_file(path, **scene.options())
    scene.send(scene.other(XK_NR="冷食"), name="daily.csv")


def refused_before_the_ledger_was_lost(scene: Scene) -> None:
    refused(scene)
    scene.dept.lose_ledger()


def in_quarantine(scene: Scene) -> None:
    _poison(scene, uscc(scene.number).encode())


def in_quarantine_of_nobody(scene: Scene) -> None:
    _poison(scene, scene.deal.one((b"k", None)))


def in_quarantine_of_a_publisher_that_is_gone(scene: Scene) -> None:
    scene.memory.send("mianti.licence.gone", key=uscc(scene.number).encode(), value=b"poison")


def _poison(scene: Scene, key: bytes | None) -> None:
    scene.memory.send(scene.dept.topic(), key=key, value=b"poison")


SCENES = [
    refused,
    refused_and_its_file_sent_again,
    refused_without_its_number,
    refused_under_another_name_without_a_code,
    refused_by_its_name_alone,
    refused_by_its_organisation_code,
    refused_of_nobody,
    refused_in_another_layout,
    refused_at_the_organ_above,
    penalty_refused,
    older_edition,
    older_edition_and_the_newest_sent_again,
    an_older_file_behind_it,
    contradicted_in_its_file,
    contradicted_in_its_edition,
    state_left_empty,
    other_layout_behind_it,
    cut_off,
    dated_before_there_were_licences,
    on_a_second_sheet,
    on_a_sheet_that_is_not_read,
    on_a_hidden_sheet,
    in_a_file_that_failed,
    in_a_file_that_failed_under_a_daily_name,
    refused_before_the_ledger_was_lost,
    in_quarantine,
    in_quarantine_of_nobody,
    in_quarantine_of_a_publisher_that_is_gone,
]


def test_what_was_lost_on_the_way_exempts_from_nothing() -> None:
    @settings(max_examples=some(EXAMPLES), phases=(Phase.generate,))
    @given(st.integers(0, 2**32))
    def none_exempt(seed: int) -> None:
        with tempfile.TemporaryDirectory(prefix="lost-") as home, in_memory() as memory:
            exchange = Exchange(Path(home), "127.0.0.1:1", f"{home}/lake")
            play(Stage(exchange, memory, len(SCENES), Deal(seed)))

    none_exempt()


def play(stage: Stage) -> None:
    """Play every scene, then ask all their enterprises."""
    for scene, plot in zip(stage.scenes, SCENES, strict=True):
        scene.name = plot.__name__
    stage.begin()
    assert stage.exempted() == [scene.name for scene in stage.scenes]
    for scene, plot in zip(stage.scenes, SCENES, strict=True):
        plot(scene)
        scene.day_after()
    assert stage.exempted() == []

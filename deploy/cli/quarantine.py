"""`mianti quarantine`: what was not accepted, and what becomes of it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import click

from connectors.settings import read_settings
from deploy.cli.families import AS_JSON
from deploy.cli.times import local
from schemas.families import FAMILIES
from schemas.reasons import REASONS, sentence

if TYPE_CHECKING:
    import polars as pl

    from flows.quarantine import Chosen
    from flows.redrive import Redriven


_HELP = """What was not accepted, and what becomes of it · 处理被隔离的消息

A message that fails a check waits in quarantine. What a mended right, code list or check accepts
by now is redriven: it takes its place by its sequence, once. What its publisher has to mend is
sent again by the publisher, and the old message is discarded. No command shows what a message says.

\b
  mianti quarantine list
  mianti quarantine show --reason family_not_owned --publisher housing-demo
  mianti quarantine redrive --publisher housing-demo
  mianti quarantine discard --place mianti.licence.housing-demo/2/117 \\
      --by 'Li Wei' --why 'sent again on 1 November'
"""
_NOTHING = "Nothing waits that fits · 没有符合条件的隔离消息"
#: Some of what was asked to be redriven waits on.
_DONE_IN_PART = 1


class _Place(click.ParamType[tuple[str, int, int]]):
    """TOPIC/PARTITION/OFFSET, as `list` and `show` print it."""

    name = "topic/partition/offset"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[str, int, int]:
        from flows.quarantine import BadPlace, parse_place

        try:
            return parse_place(str(value))
        except BadPlace as error:
            self.fail(" · ".join(str(error).splitlines()), param, ctx)


_OPTIONS: Final = (
    click.option("--family", type=click.Choice(FAMILIES), help="One family · 数据类别"),
    click.option("--reason", type=click.Choice([*REASONS]), metavar="CODE", help="Why · 原因代码"),
    click.option("--publisher", help="Whose messages: an id of the table · 发布部门编号"),
    click.option("--since", help="Landed at or after: 2026-05-01 · 入库时间起"),
    click.option("--until", help="Landed before · 入库时间止"),
    click.option("--place", type=_Place(), help="One message: TOPIC/PARTITION/OFFSET · 位置"),
)


_DISCARDED: Final = click.option(
    "--discarded", is_flag=True, help="What was given up, not what waits · 已放弃的消息"
)


def _choosing(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that choose messages."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def _chosen(given: dict[str, Any]) -> tuple[tuple[str, ...], Chosen]:
    """Return the families and the messages that options name. Raises BadTime."""
    from flows.publish.edition import parse_time
    from flows.quarantine import Chosen

    since, until = (
        parse_time(given[name], f"--{name}") if given[name] else None for name in ("since", "until")
    )
    said = {name: given[name] for name in ("reason", "publisher", "place")}
    chosen = Chosen(**said, since=since, until=until, discarded=given.get("discarded", False))
    return (given["family"],) if given["family"] else FAMILIES, chosen


@click.group(help=_HELP)
def command() -> None:
    """Look at the quarantine, and empty it."""


@command.command("list")
@_choosing
@_DISCARDED
@AS_JSON
def list_(as_json: bool, **given: Any) -> None:
    """Count what waits, by topic and reason · 按主题和原因统计."""
    import polars as pl

    from flows.quarantine import listed

    families, chosen = _chosen(given)
    settings = read_settings()
    found = pl.concat([listed(settings, family, chosen) for family in families])
    if as_json:
        click.echo(json.dumps(_plain(found), ensure_ascii=False))
        return
    for row in found.iter_rows(named=True):
        said = sentence(row["reason"], "…")
        click.echo(
            f"{row['topic']}  {row['reason']}  messages · 条数 {row['messages']:,}  "
            f"{local(row['oldest'])} – {local(row['newest'])}\n"
            f"    {said.en}\n    {said.zh}"
        )
    if found.is_empty():
        click.echo(_NOTHING)


@command.command("show")
@_choosing
@_DISCARDED
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 10_000))
@AS_JSON
def show(limit: int, as_json: bool, **given: Any) -> None:
    """Say where each message is and what is wrong with it · 查看位置和问题."""
    import polars as pl

    from flows.quarantine import shown

    families, chosen = _chosen(given)
    settings = read_settings()
    found = pl.concat([shown(settings, family, chosen, limit) for family in families]).head(limit)
    if as_json:
        click.echo(json.dumps(_plain(found), ensure_ascii=False))
        return
    for row in found.iter_rows(named=True):
        said = sentence(row["reason"], row["reason_where"] or "…")
        click.echo(
            f"{row['topic']}/{row['partition']}/{row['offset']}  {row['reason']}  "
            f"{local(row['landed_at'])}\n    {said.en}\n    {said.zh}"
        )
    if found.is_empty():
        click.echo(_NOTHING)


@command.command("redrive")
@_choosing
@_DISCARDED
@AS_JSON
def redrive_(as_json: bool, **given: Any) -> None:
    """Judge again what waits; what is right by now is accepted, once · 重新检查并入库.

    Exit code 1 when some of it still waits.
    """
    from flows.redrive import redrive

    families, chosen = _chosen(given)
    settings = read_settings()
    done = [redrive(settings, family, chosen) for family in families]
    if as_json:
        click.echo(json.dumps({one.family: _counts(one) for one in done}))
    else:
        for one in done:
            _tell(one)
    sys.exit(_DONE_IN_PART if any(one.waiting for one in done) else 0)


@command.command("discard")
@_choosing
@click.option(
    "--by",
    required=True,
    help="Who gives them up: an id or name of operators.yaml · 经办人编号或姓名",
)
@click.option("--why", required=True, help="Why; no personal data · 原因（不得含个人信息）")
@AS_JSON
def discard_(by: str, why: str, as_json: bool, **given: Any) -> None:
    """Give messages up; who did it and why is recorded · 放弃并留痕."""
    from flows.operators import known
    from flows.quarantine import Chosen, discard, require_said

    families, chosen = _chosen(given)
    if chosen == Chosen():
        raise click.UsageError(
            "Say which: --reason, --publisher, --since, --until or --place · 请指定要放弃的消息"
        )
    require_said(by, why)
    settings = read_settings()
    by = known(settings, by)
    done = {family: discard(settings, family, chosen, by=by, why=why) for family in families}
    if as_json:
        click.echo(json.dumps(done))
    elif not any(done.values()):
        click.echo(_NOTHING)
    else:
        for family, count in done.items():
            click.echo(f"{family}: discarded · 已放弃 {count:,}")


def _tell(one: Redriven) -> None:
    click.echo(
        f"{one.family}: accepted · 入库 {one.accepted:,}, waiting on · 仍在隔离 {one.waiting:,}"
    )
    for reason, count in sorted(one.reasons.items()):
        said = sentence(reason, "…")
        click.echo(f"    {reason} {count:,}\n        {said.en}\n        {said.zh}")
    if one.without_bytes:
        click.echo(
            f"    {one.without_bytes:,}: what they said is kept nowhere; their publisher sends them "
            f"again, and they are discarded · 内容已无处可查，由发布部门重新报送后放弃"
        )


def _plain(rows: pl.DataFrame) -> list[dict[str, Any]]:
    """Return rows as JSON has them; times are ISO 8601, UTC."""
    import polars as pl

    return rows.with_columns(pl.col(pl.Datetime).dt.to_string("iso:strict")).to_dicts()


def _counts(one: Redriven) -> dict[str, Any]:
    return {"accepted": one.accepted, "reasons": one.reasons, "without_bytes": one.without_bytes}

"""`mianti publish`: files of a department become delivered events, refused rows come back."""

from __future__ import annotations

import datetime as dt
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from connectors.errors import MiantiError
from connectors.settings import read_settings
from deploy.cli.times import local
from flows.clock import CHINA

if TYPE_CHECKING:
    from flows.publish import Outcome, Publisher
    from flows.publish.job import Step


SOME_REFUSED = 3
NOTHING_DONE = 2
_UNREAD: Final = 20
_STEPS: Final[dict[Step, str]] = {"reading": "reading · 读取", "sending": "sending · 发送"}

_HELP = """Publish department files · 发布部门文件

Every row ends as published, unchanged or refused; refused rows come back in a file beside the
original, the reason with each. Publishing a file again doubles nothing.

\b
  mianti publish penalties-20260501.csv --publisher credit-demo
  mianti publish list.xlsx --publisher housing-demo --dry-run --show 3
  mianti publish empty.csv --publisher credit-demo --complete-through 2026-05-01

Exit codes: 0 all published or unchanged, 3 some refused, not read or held (`mianti refused list`),
2 nothing could be done.
"""


@click.command(help=_HELP)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--publisher", required=True, help="Id in the publishers' table · 发布部门编号")
@click.option("--layout", help="Layout id; recognised by the header if left out · 版式")
@click.option("--edition", help="What the export stands for, e.g. 2026-05-01T18:00 · 版次")
@click.option("--complete-through", help="The layout is complete up to this time · 完整截止时间")
@click.option("--dry-run", is_flag=True, help="Say what would happen; send nothing · 试运行")
@click.option(
    "--show",
    type=click.IntRange(min=1, max=1000),
    help="With --dry-run: show the first rows as the events they would become · 试运行时显示前若干行的事件",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout")
def command(
    files: Sequence[Path],
    publisher: str,
    layout: str | None,
    edition: str | None,
    complete_through: str | None,
    dry_run: bool,
    show: int | None,
    as_json: bool,
) -> None:
    """Publish each file in turn; one that cannot be read does not stop the others."""
    from flows.apart import Apart
    from flows.publish import Publisher

    if show is not None and not dry_run:
        raise click.UsageError("--show goes with --dry-run · --show 须与 --dry-run 一起使用")
    sender = Publisher(publisher, read_settings())
    options: dict[str, Any] = {
        "layout": layout,
        "edition": _time(edition, "--edition"),
        "complete_through": _time(complete_through, "--complete-through"),
        "dry_run": dry_run,
        "show": show or 0,
    }
    done: list[Outcome] = []
    failed: list[MiantiError] = []
    with Apart() as apart:
        options["by"] = apart.publish_any
        for path in files:
            try:
                done.append(_one(sender, path, options, quiet=as_json))
            except (MiantiError, OSError) as error:
                if len(files) == 1:
                    raise
                notes = getattr(error, "__notes__", [])
                click.echo("\n".join([f"{path.name}: {error}", *notes]), err=True)
                failed.append(MiantiError(str(error), ""))
    if as_json:
        click.echo(json.dumps(_totals(done), ensure_ascii=False))
    sys.exit(_code(done, failed))


def _time(text: str | None, option: str) -> dt.datetime | None:
    from flows.publish.edition import parse_time

    return parse_time(text, option) if text is not None else None


def _one(sender: Publisher, path: Path, options: dict[str, Any], *, quiet: bool) -> Outcome:
    from deploy.cli.progress import progress_bar

    with progress_bar() as bar:
        task = bar.add_task(path.name, total=None)

        def show(step: Step, done: int, of: int) -> None:
            words = f"{path.name} · {_STEPS[step]}"
            bar.update(task, description=words, completed=done, total=of)

        outcome = sender.publish_file(path, progress=show, **options)
    if not quiet:
        stated = options["complete_through"] is not None
        tell(outcome, sender.name, dry_run=bool(options["dry_run"]), stated=stated)
    return outcome


def tell(outcome: Outcome, publisher: str, *, dry_run: bool = False, stated: bool = False) -> None:
    """Print the outcome of publishing one file; `stated`: completeness was to be stated with it."""
    from flows.publish.preview import preview_lines

    published = "would be published · 将发布" if dry_run else "published · 发布"
    click.echo(
        f"{outcome.file} [{outcome.layout}]: read · 读取 {outcome.read:,}, "
        f"{published} {outcome.published:,}, unchanged · 未变 {outcome.unchanged:,}, "
        f"refused · 退回 {outcome.refused:,} ({outcome.seconds:.1f} s)"
    )
    if outcome.edition is not None:
        # A day or a time in China, wherever the machine stands.
        edition = outcome.edition.astimezone(CHINA).isoformat(" ", "minutes")
        click.echo(f"  edition · 版次 {edition}")
    if outcome.skipped:
        click.echo(f"  skipped, footers and totals · 略过的合计、落款等行 {outcome.skipped:,}")
    for code, count in outcome.reasons.items():
        click.echo(f"  {count:>8,}  {code}")
    for example in outcome.examples:
        row = example.get("place", example["__row"])
        click.echo(f"  row · 行 {row}: {example['sentence_en']} {example['sentence_zh']}")
    more = outcome.refused - len({example["__row"] for example in outcome.examples})
    if more > 0:
        click.echo(f"  … {more:,} more refused rows · 另有 {more:,} 行被退回")
    _tell_identity(outcome)
    for note in outcome.notes:
        click.echo(f"  {note['en']} {note['zh']}")
    for doubt in outcome.not_complete:
        click.echo(f"Not stated complete · 不作完整性声明: {doubt['en']} {doubt['zh']}")
    if outcome.complete_through is not None:
        click.echo(f"Stated complete through · 已声明完整至 {local(outcome.complete_through)}")
    elif not stated and not outcome.not_complete:
        click.echo(_not_stated(outcome))
    for line in unread_lines(outcome):
        click.echo(line)
    for line in preview_lines(outcome.shown):
        click.echo(line)
    _tell_excepted(outcome, publisher, dry_run=dry_run)
    if outcome.refused_file:
        click.echo(
            f"Refused rows with their reasons · 退回的行及原因: {outcome.refused_file}\n"
            "Mend them there and publish that file · 修改后可直接发布该文件"
        )


def _not_stated(outcome: Outcome) -> str:
    """Ask for a statement of completeness, with the option as it is typed."""
    before = outcome.complete_before
    since = "never before" if before is None else f"last through {local(before)}"
    zh = "此前从未声明" if before is None else f"上次声明至 {local(before)}"
    edition = outcome.edition
    if edition is None or (before is not None and edition <= before):
        time = "TIME"  # to state less than was stated takes nothing back
    else:
        time = edition.astimezone(CHINA).isoformat(timespec="minutes")
    option = f"--layout {outcome.layout} --complete-through {time}"
    return (
        f"Completeness of {outcome.layout} not stated ({since}). Windows exempt only by data stated "
        f"complete: where this file holds all of your data of the layout, publish it again with "
        f"`{option}` (the time of the export) · 未作完整性声明（{zh}）。窗口只依据已声明完整的数据免提交："
        f"本文件为该版式全部数据的，请加 `{option}`（导出时间）重新发布"
    )


def unread_lines(outcome: Outcome) -> Iterator[str]:
    """Return what to say of the columns that were not read."""
    from schemas.personal import redact

    if not outcome.unread_columns:
        return
    yield (
        f"Columns not read · 未读取的列 {len(outcome.unread_columns)} (add those not wanted to "
        "`ignore` in the dialect · 不需要的列请加入方言文件的 ignore):"
    )
    for unread in outcome.unread_columns[:_UNREAD]:
        meant = ", ".join(unread.may_mean)
        note = f" (is it · 是否为 {meant}?)" if meant else ""
        yield f"  {redact(unread.column)}{note}"
    if len(outcome.unread_columns) > _UNREAD:
        yield f"  … {len(outcome.unread_columns) - _UNREAD} more · 其余见 --json"


def _tell_identity(outcome: Outcome) -> None:
    """Print what became of records that were published before as something else."""
    if outcome.moved:
        click.echo(
            f"Moved to another enterprise: {outcome.moved:,} records; withdrawn from enterprises: "
            f"{outcome.withdrawn_elsewhere:,} · 改属其他企业的记录 {outcome.moved:,} 条，"
            f"已从原企业撤回 {outcome.withdrawn_elsewhere:,} 条"
        )
    if outcome.merged:
        click.echo(
            f"Merged: {outcome.merged:,} records were of a number published in another spelling, too; "
            f"they are withdrawn, and the newest goes on · 同一文号因写法不同重复发布的记录 "
            f"{outcome.merged:,} 条已撤回，以最新的一条为准"
        )
    if outcome.corrected:
        click.echo(
            f"Corrected: {outcome.corrected:,} rows say otherwise than this file did when it was "
            "published before (its layout or code list has changed) · "
            f"因版式或代码表修改，本文件 {outcome.corrected:,} 行更正了此前发布的内容"
        )


def _tell_excepted(outcome: Outcome, publisher: str, *, dry_run: bool) -> None:
    from flows.publish.statement import MOST_EXCEPTED

    if outcome.excepted or outcome.everyone:
        whom = f"{outcome.excepted:,} enterprises", f"{outcome.excepted:,} 家企业"
        if outcome.everyone or outcome.excepted > MOST_EXCEPTED:
            whom = "EVERY enterprise", "所有企业"
        not_complete, data = ("Would not be complete", "将") if dry_run else ("Not complete", "")
        click.echo(
            f"{not_complete} for {whom[0]}: rows or files wait to be mended. No paper of theirs is "
            f"exempted by these data until then · {whom[1]}的数据{data}不完整：有退回的行或失败的文件"
            "待修改，修改之前不据此免提交"
        )
        for code, count in outcome.held.items():
            click.echo(f"  {count:>8,}  {code}")
        if not dry_run:
            click.echo(f"List them · 查看: mianti refused list --publisher {publisher}")
    if outcome.unreadable:
        click.echo(
            f"Without a valid code: {outcome.unreadable:,} refused rows; each holds the enterprises of "
            "its name, or every enterprise where it gives no name either · "
            f"代码无效或缺失的退回行 {outcome.unreadable:,} 行：按名称暂停相应企业的免提交；"
            "既无代码又无名称的，暂停所有企业，请尽快修改"
        )


def _totals(done: Sequence[Outcome]) -> dict[str, Any]:
    if len(done) == 1:
        return done[0].as_json()
    each = [outcome.as_json() | {"file": outcome.file} for outcome in done]
    reasons: dict[str, int] = {}
    for outcome in done:
        for code, count in outcome.reasons.items():
            reasons[code] = reasons.get(code, 0) + count
    counts = {n: sum(e[n] for e in each) for n in ("read", "published", "unchanged", "refused")}
    seconds = round(sum(outcome.seconds for outcome in done), 3)
    files = [outcome.refused_file for outcome in done if outcome.refused_file]
    rest = {"reasons": reasons, "refused_file": files or None, "seconds": seconds, "files": each}
    return counts | rest


def _code(done: Sequence[Outcome], failed: Sequence[MiantiError]) -> int:
    if not done:
        return NOTHING_DONE
    return SOME_REFUSED if failed or any(outcome.warns for outcome in done) else 0

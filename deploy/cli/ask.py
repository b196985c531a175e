"""`mianti ask`: which papers an enterprise need not bring for a matter, and why."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from connectors.settings import Settings, read_settings
from deploy.cli.families import AS_JSON
from deploy.cli.times import KNOWN_AT, ON, asked_day, asked_time, landed_words

if TYPE_CHECKING:
    from flows.answer.ask import Answer


_HELP = """Say which papers an enterprise need not bring · 查询企业可免提交的材料

For each paper of a matter, or of a bundle: need not bring, promise instead, may follow, or must
bring; why, and on which record. `mianti catalogue list` has the matters.

\b
  mianti ask --subject 91990100MA01RXEY0J --matter JS-3001
  mianti ask --subject … --matter start-building --on 2026-04-01
  mianti ask --subject … --matter JS-3001 --on 2026-04-01 --known-at 2026-11-17T09:00+08:00

Many at once · 批量查询: a CSV, XLSX or JSON file with a column `subject` (统一社会信用代码) and, if you
like, `matter` (事项编码), or a list of codes, one a line. A row comes out for each paper, with the
line it answers (`row`), in no order of the file; a line that cannot be answered has one row with
the reason. Without --output the rows are printed as CSV.

\b
  mianti ask --file enterprises.csv --matter ZB-6001 --output answers.parquet
  mianti ask --file 企业名单.xlsx --matter start-building --output 结果.csv
  mianti ask --file codes.txt --matter JS-3001 --on 2026-04-01 > answers.csv

Exit codes · 退出码: 0 all answered · 全部答复, 3 some lines not · 部分行未能答复, 2 nothing done · 未执行
"""


@click.command(help=_HELP)
@click.option("--subject", help="The enterprise's unified code · 统一社会信用代码")
@click.option("--matter", help="A matter or a bundle · 事项或一件事")
@click.option("--file", type=click.Path(path_type=Path), help="Many enterprises · 企业名单文件")
@click.option(
    "--output", type=click.Path(path_type=Path), help="OUT.csv, .jsonl or .parquet · 结果文件"
)
@ON
@KNOWN_AT
@AS_JSON
def command(
    subject: str | None,
    matter: str | None,
    file: Path | None,
    output: Path | None,
    on: str | None,
    known_at: str | None,
    as_json: bool,
) -> None:
    """Answer for one enterprise, or for those of a file."""
    if (subject is None) == (file is None):
        raise click.UsageError("Name --subject or --file · 请指定 --subject 或 --file")
    settings, times = read_settings(), (asked_day(on), asked_time(known_at))
    if file is not None:
        from deploy.cli.ask_file import answer_file

        answer_file(settings, file, matter, output, times, as_json=as_json)
        return
    if subject is None or matter is None or output is not None:
        raise click.UsageError(
            "--subject needs --matter and takes no --output · --subject 须与 --matter 同用，不能用 --output"
        )
    from flows.answer.ask import as_json as answer_json
    from flows.answer.ask import ask

    answers = ask(settings, subject, matter, *times)
    if as_json:
        told = [answer_json(answer, settings) for answer in answers]
        click.echo(json.dumps({"answers": told}, ensure_ascii=False, default=str))
        return
    for answer in answers:
        tell_answer(answer, settings)


def tell_answer(answer: Answer, settings: Settings) -> None:
    """Print the decision on each paper, and why, in both languages."""
    from flows.answer.ask import layout_titles
    from flows.answer.words import OUTCOMES, why
    from flows.catalogue import catalogue
    from schemas import contract

    found = catalogue(settings.mianti_catalogue)
    table, titles = contract.publishers(settings.mianti_publishers), layout_titles(settings)
    name = found.matters[answer.matter].name
    click.echo(f"{answer.matter} {name.zh} · {name.en}  ({answer.subject}, {answer.on})")
    click.echo(f"  data through · 数据截至: {landed_words(answer.landed_through)}")
    for one in answer.decisions:
        paper, outcome = found.materials[one.material].name, OUTCOMES[one.outcome]
        reason = why(one, found, table, titles)
        optional = "（非必要 · optional）" if one.necessity == "optional" else ""
        click.echo(f"  {outcome.zh} · {outcome.en}: {paper.zh} · {paper.en}{optional}")
        click.echo(f"    {reason.zh}\n    {reason.en}")

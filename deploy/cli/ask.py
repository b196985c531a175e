"""`mianti ask`: which papers an enterprise need not bring for a matter, and why."""

import json

import click

from connectors.settings import Settings, read_settings
from deploy.cli.families import AS_JSON
from deploy.cli.times import KNOWN_AT, ON, asked_day, asked_time
from flows.answer.ask import Answer, ask
from flows.answer.ask import as_json as answer_json
from flows.answer.words import OUTCOMES, why
from flows.catalogue import catalogue
from schemas import contract

_HELP = """Say which papers an enterprise need not bring · 查询企业可免提交的材料

For each paper of a matter, or of a bundle: need not bring, promise instead, may follow, or must
bring; why, and on which record. `mianti catalogue list` has the matters.

\b
  mianti ask --subject 91990100MA01RXEY0J --matter JS-3001
  mianti ask --subject … --matter start-building --on 2026-04-01
  mianti ask --subject … --matter JS-3001 --on 2026-04-01 --known-at 2026-11-17T09:00+08:00
"""


@click.command(help=_HELP)
@click.option("--subject", required=True, help="The enterprise's unified code · 统一社会信用代码")
@click.option("--matter", required=True, help="A matter or a bundle · 事项或一件事")
@ON
@KNOWN_AT
@AS_JSON
def command(subject: str, matter: str, on: str | None, known_at: str | None, as_json: bool) -> None:
    """Answer for one enterprise."""
    settings = read_settings()
    answers = ask(settings, subject, matter, asked_day(on), asked_time(known_at))
    if as_json:
        told = [answer_json(answer, settings) for answer in answers]
        click.echo(json.dumps({"answers": told}, ensure_ascii=False, default=str))
        return
    for answer in answers:
        tell_answer(answer, settings)


def tell_answer(answer: Answer, settings: Settings) -> None:
    """Print the decision on each paper, and why, in both languages."""
    found = catalogue(settings.mianti_catalogue)
    table = contract.publishers(settings.mianti_publishers)
    name = found.matters[answer.matter].name
    click.echo(f"{answer.matter} {name.zh} · {name.en}  ({answer.subject}, {answer.on})")
    for one in answer.decisions:
        paper, outcome = found.materials[one.material].name, OUTCOMES[one.outcome]
        reason = why(one, found, table)
        optional = "（非必要 · optional）" if one.necessity == "optional" else ""
        click.echo(f"  {outcome.zh} · {outcome.en}: {paper.zh} · {paper.en}{optional}")
        click.echo(f"    {reason.zh}\n    {reason.en}")

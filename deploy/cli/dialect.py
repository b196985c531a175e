"""`mianti dialect`: whether dialects, code lists and the publishers' table can work."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from connectors.settings import read_settings
from connectors.work import work_folder
from deploy.cli.families import AS_JSON
from schemas.faults import Fault

if TYPE_CHECKING:
    from schemas.contract import BadContract


_HELP = """Whether dialects, code lists and the publishers' table can work · 检查方言、代码表和发布部门表

Without a name those of MIANTI_DIALECTS and MIANTI_PUBLISHERS are checked; with a directory its
dialects (in `dialects/`, where it has that) with their `codes/` and the publishers.yaml in it or
beside it; with files these alone. The shipped ones are always there. Every fault is told: file,
place, and what may stand there.

\b
  mianti dialect check
  mianti dialect check fire/
  mianti dialect check fire.yaml fire-result.yaml publishers.yaml

Exit codes · 退出码: 0 nothing is wrong · 没有问题, 2 something is · 有问题
"""
_FAULTS = 2
_TABLE = "publishers.yaml"


@click.group(help=_HELP)
def command() -> None:
    """Hold the verb."""


@command.command(help=_HELP)
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path, exists=True))
@AS_JSON
def check(paths: tuple[Path, ...], as_json: bool) -> None:
    """Tell every fault of all files; exit code 2 where there is any."""
    from schemas.contract import BadContract

    try:
        english, chinese = _checked(paths)
    except BadContract as told:
        _tell(told, as_json=as_json)
        sys.exit(_FAULTS)
    click.echo(json.dumps({"ok": True, "faults": []}) if as_json else f"{english} · {chinese}")


def _checked(paths: Sequence[Path]) -> tuple[str, str]:
    """Return in both languages what was found to be right. Raises BadContract."""
    from schemas import contract

    settings = read_settings()
    if not paths:
        return _agreed(settings.mianti_dialects, settings.mianti_publishers)
    if len(paths) == 1 and paths[0].is_dir():
        folder = paths[0].absolute()
        dialects = folder / "dialects" if (folder / "dialects").is_dir() else folder
        beside = (one / _TABLE for one in (dialects.parent, folder.parent))
        table = next((one for one in beside if one.is_file()), settings.mianti_publishers)
        return _agreed(dialects, table)
    with work_folder() as folder:
        table = _gather([path.absolute() for path in paths], folder)
        if table is not None:
            return _agreed(folder, table)
        return _counted(len(contract.dialects(folder)), len(contract.code_lists(folder)), 0)


def _agreed(dialects: Path | None, table: Path | None) -> tuple[str, str]:
    from schemas import contract

    found = contract.agreed(dialects, table)
    return _counted(len(found.dialects), len(found.code_lists), len(found.table.publishers))


def _counted(dialects: int, lists: int, lines: int) -> tuple[str, str]:
    return (
        f"{dialects} dialects, {lists} code lists, {lines} publishers: nothing is wrong",
        f"{dialects} 个方言、{lists} 个代码表、{lines} 个发布部门：没有问题",
    )


def _gather(paths: Sequence[Path], folder: Path) -> Path | None:
    """Put files where dialects and code lists lie in a directory; return the table among them."""
    (folder / "codes").mkdir()
    table = None
    for path in paths:
        words = _words(path)
        if "publishers" in words:
            table = path
            continue
        place = folder / ("codes" if "values" in words or path.parent.name == "codes" else ".")
        place = place / path.with_suffix(".yaml").name
        if path.is_dir() or place.exists():
            raise click.UsageError(
                f"{path}: name one directory, or files of different names · 请指定一个目录，或名称不同的文件"
            )
        place.symlink_to(path)
    return table


def _words(path: Path) -> list[str]:
    """Return the words that a file begins its parts with; none of what cannot be read."""
    import yaml

    try:
        content = yaml.safe_load(path.read_text("utf-8"))
    except Exception:  # whatever PyYAML's parts raise: the check says what is wrong
        return []
    return [str(word) for word in content] if isinstance(content, dict) else []


def _tell(told: BadContract, *, as_json: bool) -> None:
    if as_json:
        faults = [_plain(fault) for fault in told.faults]
        click.echo(json.dumps({"ok": False, "faults": faults}, ensure_ascii=False))
        return
    for fault in told.faults:
        place = f"{fault.file}: {fault.place}" if fault.place else fault.file
        click.echo(f"! {place}: {fault.says.en}\n  {fault.says.zh}")
    count = len(told.faults)
    click.echo(f"{count} faults; see docs/dialects.md · {count} 处问题，见 docs/dialects.zh-CN.md")


def _plain(fault: Fault) -> dict[str, object]:
    return {"file": fault.file, "place": fault.place, "says": fault.says._asdict()}

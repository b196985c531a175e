"""`mianti sample`: write files to try things with, as three departments would export them."""

from __future__ import annotations

from pathlib import Path

import click

from flows.sample.export import FEWEST_ROWS


@click.command(help="Write sample files of three departments · 生成三个部门的示例文件")
@click.option(
    "--rows",
    type=click.IntRange(min=FEWEST_ROWS),
    default=1000,
    show_default=True,
    help="About so many rows a file · 每个文件的大致行数",
)
@click.option(
    "--seed",
    default=1,
    show_default=True,
    help="The same seed, the same files · 相同种子生成相同文件",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Directory to write to · 输出目录",
)
def command(rows: int, seed: int, out: Path) -> None:
    """What must become of each file is in manifest.json beside them."""
    from flows.sample.generate import generate
    from flows.sample.manifest import MANIFEST

    manifest = generate(rows, seed, out)
    for name, file in manifest.files.items():
        refused = sum(file.refused.values())
        click.echo(
            f"{out / name}: {file.rows} rows ({file.published} to publish, {file.unchanged} "
            f"unchanged, {refused} to refuse) · --publisher {file.publisher}"
        )
    click.echo(f"{out / MANIFEST}: what must become of them · 预期结果")

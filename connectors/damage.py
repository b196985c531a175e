"""A damaged table, told by its name: which table, which file, what is wrong, and how it is mended.

deltalake, Polars and their kin say what they stumbled over in words of their own, most without the
file. So their errors are not read: the tables are looked at, as Delta's protocol lays them down
(PROTOCOL.md, "File Types"), and the first thing found that is not as it must be is told.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import polars as pl
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError
from polars.exceptions import PolarsError

from connectors import lake, store
from connectors.errors import MiantiError
from connectors.settings import Settings
from schemas.avro import FAMILIES

_LOG: Final = "_delta_log"
_HINT: Final = "_last_checkpoint"
_COMMIT: Final = re.compile(r"(\d{20})\.json")
_CHECKPOINT: Final = re.compile(r"(\d{20})\.checkpoint\.parquet")
#: By whom an error may come of a damaged file.
_READERS: Final = ("_internal", "deltalake", "polars", "pyo3_runtime", "json")

Words = tuple[str, str]
_CUT: Final = "is cut short or no Parquet file", "被截断或不是 Parquet 文件"
_GONE: Final = "is missing", "缺失"
_NO_JSON: Final = "cannot be read as a commit", "无法读取（提交文件损坏）"
_HINTS: Final = "names a checkpoint that is not there", "指向不存在的检查点"
_NO_HINT: Final = "cannot be read", "无法读取"
_FAR: Final = (
    "stands behind a gap: commits before it are missing, or it is a stray file, to be removed",
    "之前缺少提交：中间的提交文件丢失，或该文件本不属于此表（应删除）",
)
_STRANGE: Final = (
    "is no commit that this release reads: it is damaged, or of a newer release",
    "不是本版本可读取的提交：已损坏，或由更新的版本写入",
)
_OTHER: Final = "holds other columns than the table", "的列与表不一致"


class Damaged(MiantiError):
    """A table of the lake cannot be read whole."""

    def __init__(self, table: str, file: str, what: Words, mend: Words) -> None:
        """Take the table as `kind/family`, the file with its place, what is wrong, what to do."""
        super().__init__(
            f"The table {table} is damaged: {file} {what[0]}. {mend[0]} "
            "(docs/operator.md, “A damaged table”).",
            f"表 {table} 已损坏：{file} {what[1]}。{mend[1]}（见 docs/operator.zh-CN.md“表损坏时”）。",
        )


def explained(
    settings: Settings, error: BaseException, families: Sequence[str] = FAMILIES
) -> MiantiError | None:
    """Return the sentence for an error that reading a table may have raised; None for another.

    `families`: whose tables it may be.
    """
    if isinstance(error, MiantiError) or not _may_be_of_a_table(error):
        return None
    refused = store.refusal(error) if settings.mianti_lake.startswith(store.S3) else None
    if refused is not None:
        return store.no_answer(refused)
    try:
        return next(damages(settings, families), None)
    except (MiantiError, OSError):
        return None  # the storage itself has failed; that is told by the error at hand


def damages(settings: Settings, families: Sequence[str] = FAMILIES) -> Iterator[Damaged]:
    """Yield what is wrong with each table of the lake, the first thing of each; reads it whole.

    `families`: those looked at.
    """
    every = [(kind, family) for family in families for kind in lake.TABLES]
    for kind, family in (*every, ("window", "receipts")):
        place = lake.uri(settings, kind, family)
        names = store.files(place)
        found = next(_wrong(place, names), None) if names else None
        if found is not None:
            yield _damaged(kind, family, place, *found)


def require_whole(settings: Settings, family: str) -> None:
    """Raise Damaged where a data file of a family's tables is not there, or not of its size.

    One listing a table: what is damaged within is found by whoever reads it.
    """
    for kind in lake.TABLES:
        table = lake.open_table(settings, kind, family)
        if table is not None:
            place = lake.uri(settings, kind, family)
            for found in _wrong_files(table, store.files(place)):
                raise _damaged(kind, family, place, *found)


def _may_be_of_a_table(error: BaseException) -> bool:
    if isinstance(error, OSError):
        return ".parquet" in str(error) or _LOG in str(error) or "<Code>" in str(error)
    module = type(error).__module__.split(".")[0]
    return module in _READERS or type(error) in (Exception, UnicodeDecodeError)


def _damaged(kind: lake.Kind, family: str, place: str, file: str, what: Words) -> Damaged:
    mend = _mend(kind, family, file, place)
    return Damaged(f"{kind}/{family}", f"{place}/{file}", what, mend)


def _wrong(place: str, names: Mapping[str, int]) -> Iterator[tuple[str, Words]]:
    """Yield what is wrong with a table: files, from its place on, and in which way."""
    commits = {int(found[1]): found[0] for found in _matching(names, _COMMIT)}
    points = {int(found[1]): found[0] for found in _matching(names, _CHECKPOINT)}
    if not commits and not points:
        yield _LOG, _GONE
        return
    yield from _wrong_checkpoints(place, names, points)
    yield from _wrong_commits(place, commits, max(points, default=-1))
    try:
        table = lake.opened(place)
    except DeltaError:
        yield f"{_LOG}/{commits[_first_strange(place, commits)]}", _STRANGE
        return
    yield from _wrong_files(table, names)
    yield from _unreadable(table, place)


def _matching(names: Mapping[str, int], pattern: re.Pattern[str]) -> Iterator[re.Match[str]]:
    for name in names:
        folder, _, file = name.rpartition("/")
        found = pattern.fullmatch(file) if folder == _LOG else None
        if found is not None:
            yield found


def _wrong_checkpoints(
    place: str, names: Mapping[str, int], points: Mapping[int, str]
) -> Iterator[tuple[str, Words]]:
    for version in sorted(points, reverse=True):
        if not _is_parquet(f"{place}/{_LOG}/{points[version]}", place):
            yield f"{_LOG}/{points[version]}", _CUT
    if f"{_LOG}/{_HINT}" in names:
        try:
            named = int(json.loads(store.read(f"{place}/{_LOG}/{_HINT}") or b"")["version"])
        except (ValueError, KeyError, TypeError):
            yield f"{_LOG}/{_HINT}", _NO_HINT
        else:
            if not store.exists(f"{place}/{_LOG}/{named:020}.checkpoint.parquet"):
                yield f"{_LOG}/{_HINT}", _HINTS


def _wrong_commits(
    place: str, commits: Mapping[int, str], summed_up: int
) -> Iterator[tuple[str, Words]]:
    """What a checkpoint sums up is read, too: settling and landing ask for each commit's change."""
    versions = sorted(commits)
    if versions and versions[0] not in (0, *range(summed_up + 2)):
        yield f"{_LOG}/{versions[0] - 1:020}.json", _GONE
    for before, after in pairwise(versions):
        if after == before + 2:
            yield f"{_LOG}/{before + 1:020}.json", _GONE
        elif after > before + 1:
            yield f"{_LOG}/{commits[after]}", _FAR
    for version in versions:
        if not _is_commit(store.read(f"{place}/{_LOG}/{commits[version]}") or b""):
            yield f"{_LOG}/{commits[version]}", _NO_JSON


def _is_commit(text: bytes) -> bool:
    try:
        actions = [json.loads(line) for line in text.splitlines()]
    except ValueError:
        return False
    return bool(actions) and all(isinstance(one, dict) and one for one in actions)


def _wrong_files(table: DeltaTable, names: Mapping[str, int]) -> Iterator[tuple[str, Words]]:
    place = store.place_of(table.table_uri)
    for path, size in _data_files(table):
        if path not in names and not store.exists(f"{place}/{path}"):
            yield path, _GONE
        elif names.get(path, size) != size:
            yield path, _CUT


def _unreadable(table: DeltaTable, place: str) -> Iterator[tuple[str, Words]]:
    columns: Any = lake.schema(table)
    for path, _ in _data_files(table):
        held = _parquet(f"{place}/{path}", place)
        if held is None:
            yield path, _CUT
        elif any(columns.get(name) != dtype for name, dtype in held.items()):
            yield path, _OTHER


def _first_strange(place: str, commits: Mapping[int, str]) -> int:
    """Return the first version that cannot be opened, looked for from the newest on."""
    strange = max(commits)
    while strange - 1 in commits and not _opens(place, strange - 1):
        strange -= 1
    return strange


def _opens(place: str, version: int) -> bool:
    try:
        DeltaTable(place, version=version, storage_options=store.options(place))
    except DeltaError:
        return False
    return True


def _data_files(table: DeltaTable) -> Iterator[tuple[str, int]]:
    files = lake.file_statistics(table)
    if files is not None:
        yield from zip(map(store.place_of, files["path"]), files["size_bytes"], strict=True)


def _is_parquet(file: str, place: str) -> bool:
    return _parquet(file, place) is not None


def _parquet(file: str, place: str) -> dict[str, Any] | None:
    """Return the columns of a Parquet file; None where it cannot be read whole.

    Column by column: one of a large file is what memory need hold.
    """
    try:
        rows = pl.scan_parquet(
            file, glob=False, hive_partitioning=False, storage_options=store.options(place)
        )
        columns = rows.collect_schema()
        for name in columns:
            rows.select(name).collect()
    except (PolarsError, OSError):
        return None
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        return None
    return dict(columns)


def _mend(kind: lake.Kind, family: str, file: str, place: str) -> Words:
    """Return what makes a table whole again."""
    name = Path(file).name
    if name == _HINT or _CHECKPOINT.fullmatch(name):
        return (
            f"Remove this file and {_HINT} beside it: the commits are all there, and the table "
            "is read from them",
            f"请删除该文件以及同目录的 {_HINT}：提交文件都在，可据此读取该表",
        )
    if kind in ("history", "datasets"):
        return (
            f"It is made out of the log: move {place} away, run `mianti rebuild {family}`, then "
            "`mianti verify`",
            f"该表由日志得出：请将 {place} 移走，执行 `mianti rebuild {family}`，再执行 `mianti verify`",
        )
    if kind == "log":
        return (
            "Put the file back from the backup; without one, move "
            f"{place} away and run `mianti ingest {family}`, which lands again what Kafka has, and "
            f"`mianti rebuild {family}`; then `mianti verify`",
            f"请从备份恢复该文件；没有备份时，将 {place} 移走，执行 `mianti ingest {family}` 从 Kafka 重新入库，"
            f"再执行 `mianti rebuild {family}`，最后执行 `mianti verify`",
        )
    return (
        "Put the file back from the backup: the same receipts are among the evidence, too",
        "请从备份恢复该文件；证据存储中另有同样的回执",
    )

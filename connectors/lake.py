"""Where the tables lie, and the one careful way to write one."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from typing import Any, Final, Literal

import polars as pl
from deltalake import CommitProperties, DeltaTable, QueryBuilder, Transaction, write_deltalake
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError
from deltalake.transaction import AddAction, RemoveAction

from connectors.disk import DiskFull, is_full
from connectors.errors import MiantiError
from connectors.growing import as_written, changed, grows
from connectors.preflight import require_safe
from connectors.settings import Settings
from connectors.store import S3, exists, no_answer, options, place_of, read, refusal
from connectors.table_files import write_files
from connectors.transactions import transactions

#: `log`: everything landed. `history`: the accepted versions by bucket, for settling and asking
#: about the past; neither is for others to read. `datasets`: what others read. `window`: what the
#: windows answered.
Kind = Literal["log", "history", "datasets", "window"]
#: A family's tables: what is told first is what the others are made of.
TABLES: Final[tuple[Kind, ...]] = ("log", "history", "datasets")

#: Set before the first row: change data cannot be read across a commit made without it, and the
#: transaction ids are the log's only memory of Kafka's offsets, so they must not expire.
CONFIGURATION: Final = {
    "delta.enableChangeDataFeed": "true",
    "delta.logRetentionDuration": "interval 36500 days",
    # Each opening and each reading of the ids asks for every commit since the last checkpoint.
    "delta.checkpointInterval": "20",
}


#: deltalake gives rows 8,192 at a time: so many together are worth Polars' while.
_BATCHES: Final = 12


class OtherShape(MiantiError):
    """A table has columns otherwise than this release writes them."""


class Lost(MiantiError):
    """Another writer was first: what was read for this commit no longer holds."""

    def __init__(self) -> None:
        """Say that others kept writing, which whoever does it again does not come to say."""
        super().__init__(
            "Other runs kept writing to the same table; nothing is lost. Run it again.",
            "其他运行正在写入同一张表；数据没有丢失，请稍后重试。",
        )


def uri(settings: Settings, kind: Kind, family: str) -> str:
    """Return where a family's table lies."""
    return f"{settings.mianti_lake}/{kind}/{family}"


def open_table(settings: Settings, kind: Kind, family: str) -> DeltaTable | None:
    """Return a table at its newest version, or None when it was never written."""
    try:
        return opened(uri(settings, kind, family))
    except TableNotFoundError:
        return None


def opened(place: str) -> DeltaTable:
    """Return the table at a place. Raises TableNotFoundError, StoreUnreachable."""
    try:
        return DeltaTable(place, storage_options=options(place))
    except OSError as error:
        if not place.startswith(S3):
            raise
        raise no_answer(refusal(error) or "no answer") from error


def reopened(table: DeltaTable) -> DeltaTable:
    """Return a table once more, at its newest version."""
    return opened(table.table_uri)


def ensure_table(
    settings: Settings,
    kind: Kind,
    family: str,
    columns: pl.Schema,
    partition_by: list[str],
    *,
    only_append: bool = False,
) -> DeltaTable:
    """Return a table at its newest version, made empty when it was never written.

    A table of an earlier release gets the columns it lacks; its rows have null there. `only_append`:
    no writer that keeps Delta's protocol may change or delete a row of it. Raises OtherShape, Lost,
    DiskFull, StoreUnreachable, and connectors.preflight.UnsafeStore where a bucket's server would
    lose commits.
    """
    place = uri(settings, kind, family)
    require_safe(settings.mianti_lake)
    found = open_table(settings, kind, family)
    if found is not None:
        return _grown(found, columns)
    try:
        write_deltalake(
            place,
            pl.DataFrame(schema=columns),
            mode="ignore",
            partition_by=partition_by,
            configuration=CONFIGURATION | ({"delta.appendOnly": "true"} if only_append else {}),
            storage_options=options(place),
        )
    except OSError as error:
        raise _why_not(place, error) or error from None
    except (CommitFailedError, DeltaError) as error:  # another process made it in this moment
        if open_table(settings, kind, family) is None:
            raise _why_not(place, error) or Lost() from error
    return opened(place)


def _grown(table: DeltaTable, columns: pl.Schema) -> DeltaTable:
    held = schema(table)
    other = changed(held, columns)
    if other:
        raise OtherShape(
            f"{table.table_uri} has {', '.join(other)} otherwise than this release writes it: "
            "nothing was written. Go back to the release that made it, or read the changelog.",
            f"{table.table_uri} 中 {'、'.join(other)} 与本版本写入的不同，未写入任何数据。"
            "请换回原版本，或查阅更新日志。",
        )
    if not grows(held, columns):
        return table
    try:
        write_deltalake(
            table.table_uri,
            pl.DataFrame(schema=columns),
            mode="append",
            schema_mode="merge",
            storage_options=options(table.table_uri),
        )
    except (CommitFailedError, DeltaError) as error:
        # Another process was first, maybe with the same.
        if grows(schema(reopened(table)), columns):
            raise Lost from error
    return reopened(table)


def append(table: DeltaTable, rows: pl.DataFrame, ids: Mapping[str, int]) -> None:
    """Append rows and record transaction ids in one commit. Raises Lost."""
    _commit(table, rows, ids, "append")


def replace(
    table: DeltaTable, rows: pl.DataFrame, ids: Mapping[str, int], buckets: list[int]
) -> None:
    """Put rows in the place of those of some buckets, ids with them, in one commit. Raises Lost."""
    chosen = [("bucket", "in", [str(bucket) for bucket in buckets])]
    _commit(table, rows, ids, "overwrite", chosen)


def _commit(
    table: DeltaTable,
    rows: pl.DataFrame,
    ids: Mapping[str, int],
    mode: Literal["append", "overwrite"],
    chosen: list[tuple[str, str, list[str]]] | None = None,
) -> None:
    columns = schema(table)
    fitting = rows.select(columns.names()).match_to_schema(columns)  # a wrong type is an error
    files: list[AddAction | RemoveAction] = [*write_files(table, fitting)]
    with _sure(table, ids) as properties:
        table.create_write_transaction(
            files,
            mode,
            table.schema(),
            table.metadata().partition_columns,
            chosen,
            commit_properties=properties,
        )


@contextmanager
def _sure(table: DeltaTable, ids: Mapping[str, int]) -> Iterator[CommitProperties]:
    """Give a commit's properties; when the commit fails, find out whether it is in all the same.

    A commit can be in although its answer is an error (a response lost on the way). The ids
    decide: all of them there means ours, or one that went further, is in. Raises Lost, DiskFull,
    StoreUnreachable.
    """
    named = [Transaction(name, number) for name, number in ids.items()]
    try:
        yield CommitProperties(app_transactions=named, max_commit_retries=0)
    except (CommitFailedError, DeltaError, OSError) as error:
        if not _is_in(table, ids):
            raise _why_not(table.table_uri, error) or Lost() from error


def _why_not(place: str, error: Exception) -> MiantiError | None:
    """Return what stands against a commit, and would again: no room, no right. None for the rest."""
    if is_full(error):
        return DiskFull(place_of(place))
    refused = refusal(error)
    return None if refused is None else no_answer(refused)


def _is_in(table: DeltaTable, ids: Mapping[str, int]) -> bool:
    known = transactions(reopened(table))
    return all(known.get(name, -1) >= number for name, number in ids.items())


def added_since(
    table: DeltaTable, after: int, columns: pl.Schema, where: str
) -> Iterator[pl.DataFrame]:
    """Yield the rows appended after one table version, with `_commit_version`, some at a time.

    The cost follows what is new, not what is there. `after` -1 means from the start. Null in
    columns that the table has not grown to yet.
    """
    if after >= table.version():  # asking for a version yet to come is an error of its own
        return
    reader = table.load_cdf(
        starting_version=after + 1,
        ending_version=table.version(),  # else it reads what was committed since it was opened, too
        columns=_named(table, columns, "_commit_version", "_change_type"),
        predicate=where,
    )
    told = pl.Schema({**columns, "_commit_version": pl.Int64()})
    for rows in _frames(reader):
        inserted = rows.filter(pl.col("_change_type") == "insert")
        yield as_written(inserted.cast({"_commit_version": pl.Int64}), told)


def is_there(table: DeltaTable) -> bool:
    """Return whether a table's newest commit still lies where it was read.

    A table whose directory is gone looks as if it had gained nothing.
    """
    log = f"{place_of(table.table_uri)}/_delta_log"
    return exists(f"{log}/{table.version():020}.json")


def commit_digest(place: str, version: int) -> str | None:
    """Return the SHA-256 (hex) of a commit of the table at a place; None where it is not there.

    Two tables, or two courses of one, have no commit alike: each names files by chance.
    """
    said = read(f"{place}/_delta_log/{version:020}.json")
    return None if said is None else hashlib.sha256(said).hexdigest()


def in_pieces(table: DeltaTable, columns: pl.Schema, where: str) -> Iterator[pl.DataFrame]:
    """Yield some of a table's rows, some at a time: memory is bounded, whatever its size.

    By deltalake's own engine: Polars' (2.1.0) reads ahead, 2.7 GB of 3 M rows. Null in columns
    that the table has not grown to yet.
    """
    names = ", ".join(_named(table, columns))
    query = f"SELECT {names} FROM rows WHERE {where}"  # noqa: S608 - the project's own words
    for rows in _frames(QueryBuilder().register("rows", table).execute(query)):
        yield as_written(rows, columns)


def _named(table: DeltaTable, columns: pl.Schema, *more: str) -> list[str]:
    held = schema(table)
    return [f'"{name}"' for name in (*(name for name in columns if name in held), *more)]


def _frames(reader: Iterator[Any]) -> Iterator[pl.DataFrame]:
    while batches := [*islice(reader, _BATCHES)]:
        yield pl.concat([pl.DataFrame(batch) for batch in batches])


def scan(
    table: DeltaTable, columns: pl.Schema | None = None, *, buckets: Collection[int] | None = None
) -> pl.LazyFrame:
    """Return a table's rows, lazily: all its columns, or some; of some buckets only.

    Null in those of `columns` that the table has not grown to yet. From the files the table lists:
    `polars.scan_delta` (2.1.0) takes the percent-encoded paths as they are, and finds nothing in a
    directory whose name holds a blank or a Chinese character.
    """
    only = None if buckets is None else [("bucket", "in", [str(bucket) for bucket in buckets])]
    files = table.file_uris(file_pruning_predicate=only) if buckets != [] else []
    return _scan(table, [place_of(file) for file in files], columns or schema(table))


def scan_files(
    table: DeltaTable, columns: pl.Schema, partition: tuple[str, str]
) -> Iterator[pl.LazyFrame]:
    """Yield what `scan` gives of one partition, file by file, so that memory holds one of them."""
    only = [(partition[0], "=", partition[1])]
    for file in table.file_uris(file_pruning_predicate=only):
        yield _scan(table, [place_of(file)], columns)


def _scan(table: DeltaTable, files: list[str], columns: pl.Schema) -> pl.LazyFrame:
    if not files:
        return pl.LazyFrame(schema=columns)
    held = schema(table)
    parted = pl.Schema({name: held[name] for name in table.metadata().partition_columns})

    def read_files(some: list[str], hive: pl.Schema | None) -> pl.LazyFrame:
        return pl.scan_parquet(
            some,
            glob=False,
            hive_partitioning=hive is not None,
            hive_schema=hive,
            schema={name: dtype for name, dtype in columns.items() if name not in parted},
            # Files of before the table grew, and columns not asked for.
            missing_columns="insert",
            extra_columns="ignore",
            cast_options=pl.ScanCastOptions(
                missing_struct_fields="insert", extra_struct_fields="ignore"
            ),
            storage_options=options(table.table_uri),
        )

    place = place_of(table.table_uri)
    if "=" not in place:
        return read_files(files, parted).select(columns.names())
    # Polars takes a folder `env=prod` above the table for a column of it, whatever it is told: so
    # the values are read out of what is below.
    by_folder: dict[str, list[str]] = {}
    for file in files:
        by_folder.setdefault(file.removeprefix(f"{place}/").rpartition("/")[0], []).append(file)
    return pl.concat(
        read_files(some, None).with_columns(_values(folder, parted)).select(columns.names())
        for folder, some in by_folder.items()
    )


def _values(folder: str, parted: pl.Schema) -> list[pl.Expr]:
    """Return the partition's columns that a folder `name=value/…` of a table names."""
    told = dict(part.split("=", 1) for part in folder.split("/"))
    return [pl.lit(told[name]).cast(dtype).alias(name) for name, dtype in parted.items()]


def rows_by(table: DeltaTable, partition: str) -> dict[str, int]:
    """Return a table's rows by the values of its partition, from its own statistics."""
    files = file_statistics(table)
    if files is None:
        return {}
    value = pl.col(f"partition.{partition}").cast(pl.String)
    return dict(files.group_by(value).agg(pl.col("num_records").sum()).iter_rows())


def file_statistics(table: DeltaTable) -> pl.DataFrame | None:
    """Return what the table says of each of its files; None where it has none."""
    files = pl.DataFrame(table.get_add_actions(flatten=True))
    return None if files.is_empty() else files


def schema(table: DeltaTable) -> pl.Schema:
    """Return a table's columns in Polars."""
    return pl.Schema(table.schema().to_arrow())


def empty(table: DeltaTable) -> pl.DataFrame:
    """Return no rows of a table."""
    return pl.DataFrame(schema=schema(table))

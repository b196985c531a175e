"""A soak recounted in columns: every message, event and record, once; fast where the oracle is slow.

It shares no code with the product: messages are read by the oracle's reader and by fastavro, tables
as open Delta, and what must be there comes from the files that the offices have sent.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import fastavro
import polars as pl
from kafka import KafkaConsumer, TopicPartition

from tests.oracle import contract
from tests.soak.publish import Job, told

_PLACE: Final = ["topic", "partition", "offset"]
_SAID: Final = ["event_id", "record_key", "subject", "facet", "sequence"]
_MESSAGE: Final = pl.Schema(
    dict.fromkeys(("topic",), pl.String)
    | dict.fromkeys(("partition", "offset"), pl.Int64)
    | dict.fromkeys(("event_id", "record_key", "subject", "facet"), pl.String)
    | {"sequence": pl.Int64}
)
_FRAME: Final = 5
_PIECE: Final = 100_000
#: Columns of the files: what a record is called, and what is said of it.
_LAW: Final = {"编号": "number", "内容": "scope", "有效期至": "valid_to", "状态": "state"}
_FOOD: Final = {"XK_WSH": "number", "XK_NR": "scope", "XK_YXQZI": "valid_to", "XK_ZT": "state"}
_FINES: Final = {"CF_WSH": "number", "CF_NR_FK": "fine_yuan"}
#: The layouts whose keys hold the enterprise.
_SUBJECTS: Final = {"food": "XK_XDR_SHXYM", "fines": "CF_XDR_SHXYM"}
_NAMES: Final = {"law": _LAW, "food": _FOOD, "fines": _FINES}
_STATES: Final = {"1": "in_force", "2": "suspended"}
#: What a decision of a family says.
_DECIDED: Final = {"licence": ["scope", "valid_to"], "credit": ["fine_yuan"]}
_TEN_THOUSAND: Final = 10_000


@dataclass
class Tables:
    """All that is compared: Kafka's messages, the log, the history, the dataset, and the files."""

    family: str
    messages: pl.DataFrame
    log: pl.DataFrame
    history: pl.DataFrame
    dataset: pl.DataFrame
    sent: pl.DataFrame


@dataclass
class Count:
    """What was counted, and what is wrong."""

    messages: int = 0
    accepted: int = 0
    quarantined: int = 0
    repeated: int = 0
    records: int = 0
    versions: int = 0
    faults: list[str] = field(default_factory=list)

    def of(self, wrong: pl.DataFrame, what: str) -> None:
        """Note rows that should not be, the first of them by their names."""
        if wrong.height:
            self.faults.append(f"{what}: {wrong.height}, such as {wrong.row(0, named=True)}")


def read(
    address: str, place: str, family: str, topics: Sequence[str], sent: pl.DataFrame
) -> Tables:
    """Read everything of a family; `sent` is what its files say, in the order they were sent."""
    log = _table(f"{place}/log/{family}", [*_PLACE, "verdict", "reason", *_SAID])
    said = {"decision": _DECIDED[family]} | ({"standing": ["state"]} if family == "licence" else {})
    facets = [pl.struct(pl.col(f).struct.field(*names)).alias(f) for f, names in said.items()]
    history = _table(f"{place}/history/{family}", [*_SAID, *facets])
    states = ["state"] if family == "licence" else []
    keys = ["subject", "record_key", *_DECIDED[family], *states]
    dataset = _table(f"{place}/datasets/{family}", keys)
    return Tables(family, messages(address, topics), log, history, dataset, sent)


def _table(place: str, columns: Sequence[str | pl.Expr]) -> pl.DataFrame:
    return pl.scan_delta(place).select(columns).collect()


def messages(address: str, topics: Sequence[str]) -> pl.DataFrame:
    """Return all messages; of one that is no event only its place."""
    client = KafkaConsumer(
        bootstrap_servers=address,
        group_id=None,
        isolation_level="read_committed",
        max_poll_records=20_000,
        fetch_max_bytes=16 << 20,
        max_partition_fetch_bytes=8 << 20,
    )
    try:
        parts = [
            TopicPartition(topic, number)
            for topic in topics
            for number in client.partitions_for_topic(topic) or ()
        ]
        return pl.concat([pl.DataFrame(schema=_MESSAGE), *_pieces(client, parts)])
    finally:
        client.close()


def _pieces(client: Any, parts: list[TopicPartition]) -> Iterator[pl.DataFrame]:
    client.assign(parts)
    client.seek_to_beginning(*parts)
    ends, rows = client.end_offsets(parts), []
    while any(client.position(part) < end for part, end in ends.items()):
        for part, found in client.poll(timeout_ms=1_000).items():
            family = part.topic.split(".")[1]
            said = [(part.topic, part.partition, m.offset, *_read(m.value, family)) for m in found]
            rows += said
        if len(rows) >= _PIECE:
            yield pl.DataFrame(rows, schema=_MESSAGE, orient="row")
            rows = []
    yield pl.DataFrame(rows, schema=_MESSAGE, orient="row")


def _read(value: bytes | None, family: str) -> tuple[Any, ...]:
    """Return what an event says; nothing of a message that is none."""
    nothing = (None,) * len(_SAID)
    if value is None or value[:1] != b"\0":
        return nothing
    meant = contract.meant_by(int.from_bytes(value[1:_FRAME], "big"))
    if meant is None or meant[0] != family:
        return nothing
    event: Any = fastavro.schemaless_reader(
        io.BytesIO(value[_FRAME:]), contract.parsed(*meant), None
    )
    return tuple(event[name] for name in _SAID)


def sent(job: Job) -> pl.DataFrame:
    """Return what an office's files say, row by row, in the order they were sent."""
    files = [Path(job.folder) / one.file for one in told(job.journal)]
    return pl.concat(said(file, job.kind, job.code) for file in files)


def said(file: Path, kind: str, issuer: str) -> pl.DataFrame:
    """Return what a file says of the records of its issuer."""
    names, rows = _NAMES[kind], pl.scan_csv(file, infer_schema=False)
    if kind == "law":
        rows = rows.filter(
            (pl.col("代码").fill_null("") != "") & (pl.col("决定日") != "2026-02-30")
        )
    number = pl.col("number").str.replace_many({"〔": "(", "〕": ")"})
    whose = [pl.lit("/"), pl.col("whose")] if kind in _SUBJECTS else []
    key = pl.concat_str(pl.lit(f"{issuer}/"), number, *whose)
    columns = names | ({_SUBJECTS[kind]: "whose"} if whose else {})
    found = rows.select(pl.col(old).alias(new) for old, new in columns.items())
    found = found.select(pl.exclude("number", "whose"), record_key=key)
    if kind == "fines":
        found = found.with_columns(pl.col("fine_yuan").cast(pl.Int64) * _TEN_THOUSAND)
    else:
        found = found.with_columns(
            pl.col("state").replace_strict(_STATES), pl.col("valid_to").str.to_date()
        )
    return found.collect()


def count(tables: Tables) -> Count:
    """Recount a family."""
    found = Count(messages=tables.messages.height)
    _messages(tables, found)
    _history(tables, found)
    _records(tables, found)
    return found


def _messages(tables: Tables, found: Count) -> None:
    """Every message is in the log once: accepted as what it says, or quarantined with its reason."""
    there, log = tables.messages, tables.log
    accepted, refused = log.filter(verdict="accepted"), log.filter(verdict="quarantined")
    found.accepted, found.quarantined = accepted.height, refused.height
    twice = log.filter(pl.struct(_PLACE).is_duplicated())
    found.of(twice, "landed more than once")
    found.of(there.join(log, on=_PLACE, how="anti"), "published, and not in the log")
    found.of(log.join(there, on=_PLACE, how="anti"), "in the log, and not in Kafka")
    same = [*_PLACE, *_SAID]
    events = there.filter(pl.col("event_id").is_not_null())
    found.of(
        events.join(accepted, on=same, how="anti", nulls_equal=True),
        "an event that is not accepted as what it is",
    )
    found.of(accepted.join(events, on=same, how="anti", nulls_equal=True), "accepted, no event")
    found.of(refused.filter(pl.col("reason").is_null()), "quarantined without a reason")


def _history(tables: Tables, found: Count) -> None:
    """Every accepted event is in the history once, and no other."""
    # A statement is about no record: the log alone keeps it.
    accepted = tables.log.filter(verdict="accepted").filter(pl.col("facet") != "statement")
    once = accepted.unique("event_id")
    found.repeated = accepted.height - once.height
    kept = tables.history.filter(pl.col("facet") != "statement")
    found.of(kept.filter(pl.col("event_id").is_duplicated()), "in the history twice")
    found.of(once.join(kept, on="event_id", how="anti"), "accepted, and not in the history")
    found.of(kept.join(once, on="event_id", how="anti"), "in the history, never accepted")
    keys = tables.dataset.select("subject", "record_key")
    found.of(keys.filter(keys.is_duplicated()), "in the dataset twice")


def _records(tables: Tables, found: Count) -> None:
    """Every row of a file is a version of its record, in its turn, and the last one is its state."""
    decided, history = _DECIDED[tables.family], tables.history.sort("record_key", "sequence")
    content = [*decided, "state"] if "state" in tables.sent.columns else decided
    last = tables.sent.group_by("record_key", maintain_order=True).last()
    found.records = last.height
    dataset = tables.dataset.with_columns(pl.col(n).cast(last.schema[n]) for n in content)
    same = ["record_key", *content]
    found.of(last.join(dataset, on=same, how="anti"), "last said, and not in the dataset")
    found.of(dataset.join(last, on=same, how="anti"), "in the dataset, and not last said")
    wanted = _turns(tables.sent, decided)
    decisions = history.filter(facet="decision").with_columns(
        pl.col("decision").struct.field(name).cast(last.schema[name]) for name in decided
    )
    found.versions = wanted.height
    _in_turn(wanted, _numbered(decisions), decided, found, "decision")
    if "state" in content:
        standing = history.filter(facet="standing").with_columns(
            state=pl.col("standing").struct.field("state").cast(pl.String)
        )
        wanted = _turns(tables.sent, ["state"], "in_force")
        _in_turn(wanted, _numbered(standing), ["state"], found, "state")


def _turns(sent: pl.DataFrame, names: list[str], before: str | None = None) -> pl.DataFrame:
    """Return each record's versions: what differs from what was said before, numbered."""
    said = pl.struct(names)
    first = pl.col(names[0]).shift(1).over("record_key").is_null()
    new = pl.lit(value=True) if before is None else pl.col(names[0]) != before
    changed = pl.when(first).then(new).otherwise(said != said.shift(1).over("record_key"))
    return _numbered(sent.filter(changed).select("record_key", *names))


def _numbered(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(turn=pl.int_range(pl.len()).over("record_key"))


def _in_turn(
    wanted: pl.DataFrame, kept: pl.DataFrame, names: list[str], found: Count, what: str
) -> None:
    same = ["record_key", "turn", *names]
    found.of(wanted.join(kept, on=same, how="anti"), f"a {what} said, and not in the history")
    found.of(kept.join(wanted, on=same, how="anti"), f"a {what} in the history, never said")

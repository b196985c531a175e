"""What a run is called and what its tables show; pure, and without Prefect."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import TypeAlias

from flows.collect import Collected
from flows.complete import Cycle
from flows.follow import Standing
from flows.ingest import Ingested
from flows.land import Landed
from flows.maintain import Maintained
from flows.settle import Settled

#: One line of a table artifact.
Row: TypeAlias = dict[str, str | int]


def follow_summary(standings: Iterable[Standing]) -> str:
    """Return what following came to, such as `5,194 accepted, 3 quarantined`."""
    every = list(standings)
    accepted, quarantined = sum(s.accepted for s in every), sum(s.quarantined for s in every)
    return f"{accepted:,} accepted, {quarantined:,} quarantined"


def follow_rows(standings: Iterable[Standing]) -> list[Row]:
    """Return one line for each family that is followed."""
    return [
        {
            "family": one.family,
            "accepted": one.accepted,
            "quarantined": one.quarantined,
            "landed last (UTC)": _second(one.landed_at),
            "landed through (UTC)": _second(one.through),
            "does not go on because": one.error or "",
        }
        for one in standings
    ]


def settle_summary(done: Iterable[Settled]) -> str:
    """Return what one settling did, such as `3 buckets, 20 rows in the datasets`."""
    every = list(done)
    buckets = sum(one.buckets for one in every)
    return f"{buckets:,} buckets folded, {sum(one.rows for one in every):,} rows in the datasets"


def maintain_summary(done: Iterable[Maintained]) -> str:
    """Return what one maintenance did, such as `120 files to 6, 3.1 MB freed`."""
    every = list(done)
    before, after = sum(m.files_before for m in every), sum(m.files_after for m in every)
    return f"{before:,} files to {after:,}, {sum(m.freed for m in every) / 1e6:,.1f} MB freed"


def collect_summary(done: Collected | None) -> str:
    """Return what one collecting did, such as `3 files published, 1 failed, 2 waiting`."""
    left = done is not None and (done.strays or done.unread or done.copies)
    if done is None or not (done.receipts or done.waiting or left):
        return "nothing new"
    failed = sum(receipt.outcome is None for receipt in done.receipts)
    counts = {
        "files published": len(done.receipts) - failed,
        "failed": failed,
        "waiting": done.waiting,
        "in no department's folder": len(done.strays),
        "not read": len(done.unread),
        "copies left": len(done.copies),
    }
    return ", ".join(f"{count:,} {what}" for what, count in counts.items() if count)


def collected_rows(done: Collected) -> list[Row]:
    """Return one line for each file collected, or lying where nothing is collected."""
    lines: list[Row] = []
    for receipt in done.receipts:
        outcome = receipt.outcome
        lines.append(
            {
                "file": receipt.path,
                "read": outcome.read if outcome else 0,
                "published": outcome.published if outcome else 0,
                "unchanged": outcome.unchanged if outcome else 0,
                "refused": outcome.refused if outcome else 0,
                "why not": str(receipt.why or ""),
            }
        )
    told = "not under <publisher>/<layout>/ · 不在 <部门>/<版式>/ 目录下"
    none = {"read": 0, "published": 0, "unchanged": 0, "refused": 0}
    copied = "a copy made by a sync program or file manager · 同步软件或文件管理器产生的副本"
    left = [(path, told) for path in done.strays] + [(path, copied) for path in done.copies]
    left += [(path, str(why)) for path, why in done.unread.items()]
    return lines + [{"file": path, **none, "why not": why} for path, why in left]


def collected_text(done: Collected) -> str:
    """Return what stands above the table of one collecting, in both languages."""
    return (
        f"{collect_summary(done)}. Receipts and refused rows lie beside each file, in `done/` or "
        "`failed/` of its folder.\n\n回执和被退回的行与文件一起放在所在目录的 `done/` 或 `failed/` 中。"
    )


def run_name(flow: str, summary: str, failed: Iterable[str]) -> str:
    """Return a run's name; families that failed come first. The empty one: all of it failed."""
    stopped = ", ".join(failed)
    if stopped:
        return f"{flow}: {stopped} failed; {summary}"
    return f"{flow}: {summary}" if summary else f"{flow}: failed"


def failure_text(failed: Mapping[str, str]) -> str:
    """Return what a failed run says, each family on a line of its own."""
    return "\n".join(f"{family}: {why}" if family else why for family, why in failed.items())


def landed_rows(landed: Landed, lags: Mapping[tuple[str, int], int]) -> list[Row]:
    """Return one line for each topic partition that moved, or that still has messages waiting.

    Offsets are from (inclusive) to (exclusive); `lag` is what came in while the run was at work.
    """
    moved: dict[tuple[str, int], Row] = {
        (part.topic, part.partition): {
            "from": part.start,
            "to": part.end,
            "accepted": part.accepted,
            "quarantined": part.quarantined,
            "no message": part.skipped + part.compacted,
        }
        for part in landed.parts
    }
    still: Row = {"from": "", "to": "", "accepted": 0, "quarantined": 0, "no message": 0}
    waiting = {place: still for place, lag in lags.items() if lag}
    return [
        {"topic": topic, "partition": number, **counts, "lag": lags.get((topic, number), 0)}
        for (topic, number), counts in sorted((waiting | moved).items())
    ]


def ingested_text(one: Ingested) -> str:
    """Return what stands above the table of one family's ingest, in both languages."""
    landed, settled = one.landed, one.settled
    return (
        f"**{one.family}**: {landed.accepted:,} accepted, {landed.quarantined:,} quarantined "
        f"(commits: {landed.commits}; {one.seconds:.1f} s). The dataset has {settled.rows:,} rows; "
        f"buckets settled: {settled.buckets}. Landed through {_second(landed.through)} UTC.  \n"
        "*from* is the first offset landed, *to* the next one to come; *no message* counts offsets "
        "without one, such as transaction markers; *lag* is what waits now.\n\n"
        f"接收 {landed.accepted:,} 条，隔离 {landed.quarantined:,} 条；"
        f"数据集现有 {settled.rows:,} 行；入库截至 {_second(landed.through)}（UTC）。  \n"
        "from 为本次起始位点，to 为下次起始位点，lag 为尚未入库的消息数。"
    )


def _second(time: dt.datetime | None) -> str:
    return f"{time:%Y-%m-%d %H:%M:%S}" if time else "—"


def settled_rows(done: Iterable[Settled], day: dt.date) -> list[Row]:
    """Return one line for each family settled for a day."""
    return [
        {
            "family": one.family,
            "day": day.isoformat(),
            "buckets folded": one.buckets,
            "versions taken in": one.versions,
            "dataset rows": one.rows,
        }
        for one in done
    ]


def cycle_rows(found: Iterable[Cycle], now: dt.datetime) -> list[Row]:
    """Return one line for each publisher and family: heard last (UTC), and whether in time."""
    return [
        {
            "publisher": cycle.publisher,
            "family": cycle.family,
            "heard last (UTC)": f"{cycle.heard_at:%Y-%m-%d %H:%M}" if cycle.heard_at else "never",
            "promised every": f"{cycle.cycle / dt.timedelta(days=1):g} days",
            "state": _kept(cycle, now),
        }
        for cycle in found
    ]


def maintained_rows(done: Iterable[Maintained]) -> list[Row]:
    """Return one line for each table maintained."""
    return [
        {
            "table": f"{one.table}/{one.family}",
            "files before": one.files_before,
            "files after": one.files_after,
            "files deleted": one.deleted,
            "bytes freed": one.freed,
            "files held for a follower": one.held,
            "not compacted because": one.skipped or "",
        }
        for one in done
    ]


def _kept(cycle: Cycle, now: dt.datetime) -> str:
    if cycle.heard_at is None:
        return "not heard yet · 尚未报送"
    return "missed · 超期未报送" if cycle.missed(now) else "kept · 正常"

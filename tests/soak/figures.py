"""The figures of a soak beside their bounds: memory flat, lag bounded, files per table bounded."""

from __future__ import annotations

import platform
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from os import cpu_count, getloadavg
from typing import Any, Final

from tests.soak.judge import Judged, questions
from tests.soak.run import Ran
from tests.soak.town import Town

#: The last quarter's median of a part's memory to that of the second quarter, and megabytes beside.
_FLAT, _FLAT_MB = 1.25, 50.0
#: A kill and what comes of it: away from these seconds the lag is that of plain work.
_WAKE: Final = 15.0
#: So long after it was killed a part's memory is not one of its work.
_YOUNG: Final = 30.0
#: Data files a table may have: those of 64 buckets, and one a second between two compactions.
_BUCKETS: Final = 64
#: Rows of a lag of so many seconds' events, in one moment of a quarter of an hour with kills.
_LAG_SECONDS: Final = 60.0


@dataclass
class Bound:
    """A figure and what it may be at most."""

    what: str
    figure: float
    most: float

    @property
    def holds(self) -> bool:
        return self.figure <= self.most


@dataclass
class Told:
    """Everything a soak is told by: how it was run, the figures, the bounds, what is wrong."""

    run: dict[str, Any] = field(default_factory=dict)
    figures: dict[str, Any] = field(default_factory=dict)
    bounds: list[Bound] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        """Whether nothing was lost, doubled or without its receipt; speed and size are bounds."""
        return not self.faults

    @property
    def bounded(self) -> bool:
        return all(bound.holds for bound in self.bounds)

    def as_json(self) -> dict[str, Any]:
        bounds = [vars(bound) | {"holds": bound.holds} for bound in self.bounds]
        return {**vars(self), "bounds": bounds, "sound": self.sound, "bounded": self.bounded}


def tell(town: Town, ran: Ran, judged: Judged) -> Told:
    """Return the figures of a run that was judged."""
    told = Told(faults=judged.faults)
    told.run = {
        "plan": asdict(town.plan),
        "machine": f"{platform.machine()}, {cpu_count()} cores, load at the end {getloadavg()[1]:.0f}",
        "kills": [(round(at - ran.began, 1), name) for at, name in ran.kills],
        "ended by themselves": {
            p.name: [f"after {at - ran.began:.0f} s: {how}" for at, how in p.ends]
            for p in town.parts
            if p.ends
        },
        "seconds of load": round(ran.loaded - ran.began, 1),
        "seconds until all was landed": round(max(0.0, ran.finished - ran.loaded), 1),
    }
    _events(town, ran, judged, told)
    _lag(town, ran, told)
    _memory(ran, told)
    _processor(ran, told)
    _files(town, ran, told)
    _answers(town, ran, judged, told)
    return told


def _events(town: Town, ran: Ran, judged: Judged, told: Told) -> None:
    loaded = [n for at, n, _ in ran.figures.lag if at <= ran.loaded]
    seconds = ran.loaded - ran.began
    told.figures["messages"] = {
        n: asdict(c) | {"faults": len(c.faults)} for n, c in judged.counts.items()
    }
    told.figures["messages a second"] = round((loaded or [0])[-1] / seconds)
    report = judged.report
    rows = None if report is None else {n: v for n, v in vars(report).items() if n != "faults"}
    told.figures["oracle, row by row"] = rows


def _lag(town: Town, ran: Ran, told: Told) -> None:
    there = [(at, lag) for at, _, lag in ran.figures.lag if ran.began <= at <= ran.loaded]
    calm = [lag for at, lag in there if not any(0 <= at - kill <= _WAKE for kill, _ in ran.kills)]
    every = [lag for _, lag in there]
    told.figures["lag, all the time"] = shares(every)
    told.figures[f"lag, but for {_WAKE:.0f} s from each kill"] = shares(calm)
    most = town.plan.rate * _LAG_SECONDS
    told.bounds.append(Bound("lag, events at most", max(every, default=0), most))


def _memory(ran: Ran, told: Told) -> None:
    quarter = (ran.loaded - ran.began) / 4
    names = sorted({name for _, found in ran.figures.memory for name in found})
    figures = told.figures["memory, MB"] = {}
    for name in names:
        parts = [
            [
                mb[name]
                for at, mb in ran.figures.memory
                if name in mb and begin <= at < end and not _young(ran, name, at)
            ]
            for begin, end in (
                (ran.began + quarter, ran.began + 2 * quarter),
                (ran.began + 3 * quarter, ran.loaded),
            )
        ]
        top = max(mb[name] for _, mb in ran.figures.memory if name in mb)
        second, last = (round(statistics.median(part)) if part else None for part in parts)
        figures[name] = {"second quarter": second, "last quarter": last, "most": round(top)}
        if second is not None and last is not None:
            told.bounds.append(Bound(f"memory of {name}, MB", last, second * _FLAT + _FLAT_MB))


def _processor(ran: Ran, told: Told) -> None:
    """Tell what each part had of a core, in all and in the last quarter, when the tables are large."""
    last = ran.loaded - (ran.loaded - ran.began) / 4
    told.figures["cores"] = _cores(ran, ran.began)
    told.figures["cores in the last quarter"] = _cores(ran, last)


def _cores(ran: Ran, begin: float) -> dict[str, float]:
    """Return what each part had of a core from then on; not what a process did after its last sample."""
    samples = [found for at, found in ran.figures.processor if begin <= at <= ran.loaded]
    last = {process: seconds for found in samples for process, seconds in found.items()}
    first = samples[0] if samples else {}
    used: defaultdict[str, float] = defaultdict(float)
    for process, seconds in last.items():
        used[process[0]] += seconds - first.get(process, 0.0)
    return {name: round(seconds / (ran.loaded - begin), 3) for name, seconds in used.items()}


def _young(ran: Ran, name: str, at: float) -> bool:
    """Return whether a part had just been started again: it has not yet what it needs to work."""
    return any(0 <= at - kill <= _YOUNG for kill, who in ran.kills if who == name)


def _files(town: Town, ran: Ran, told: Told) -> None:
    tables = sorted({name for _, found in ran.figures.files for name in found})
    figures = told.figures["files of a table"] = {}
    for table in tables:
        counts = [found[table] for _, found in ran.figures.files if table in found]
        figures[table] = {
            "median": statistics.median(counts),
            "most": max(counts),
            "last": counts[-1],
        }
        most = _BUCKETS * 4 + town.plan.maintain_every * 8
        told.bounds.append(Bound(f"files of {table}", max(counts), most))


def _answers(town: Town, ran: Ran, judged: Judged, told: Told) -> None:
    asked = [one for one in questions(town) if ran.began <= one["t"] <= ran.loaded]
    took, quarter = _of(asked, ran.began, ran.loaded), (ran.loaded - ran.began) / 4
    away = _away(ran)
    calm = [one["ms"] for one in asked if "answer" in one and not away(one["t"])]
    errors = [one for one in asked if "error" in one]
    told.figures["questions"] = {
        "asked": len(asked),
        "answered": len(took),
        "not answered": Counter(one["error"] for one in errors),
        "not answered, but for the seconds after a kill": sum(not away(o["t"]) for o in errors),
        "ms": shares(took),
        "ms in the first quarter": shares(_of(asked, ran.began, ran.began + quarter)),
        "ms in the last quarter": shares(_of(asked, ran.loaded - quarter, ran.loaded)),
        "ms, but for the seconds after a kill": shares(calm),
    }
    told.figures["receipts"] = {
        "kept": judged.receipts,
        "shipped": judged.shipped,
        "answers with theirs": judged.answers,
        "of answers that broke off": judged.unheard,
        "proved by mianti receipt verify": judged.proved,
    }


def _of(asked: Iterable[dict[str, Any]], begin: float, end: float) -> list[float]:
    return [one["ms"] for one in asked if "answer" in one and begin <= one["t"] <= end]


def _away(ran: Ran) -> Any:
    return lambda at: any(0 <= at - kill <= _WAKE for kill, _ in ran.kills)


def shares(found: Iterable[float]) -> dict[str, float]:
    """Return the middle, the 95th and 99th of a hundred, and the most."""
    there: Sequence[float] = sorted(found)
    if not there:
        return {}
    named = {f"p{share}": there[int(len(there) * share / 100)] for share in (50, 95, 99)}
    return named | {"most": there[-1]}

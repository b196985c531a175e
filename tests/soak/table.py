"""The figures of a soak as a short table, in Markdown."""

from __future__ import annotations

from typing import Any

from tests.soak.figures import Told


def table(told: Told) -> str:
    """Return the table, the bounds that do not hold, and all that is wrong."""
    figures, run = told.figures, told.run
    counts = figures["messages"].values()
    questions, receipts = figures["questions"], figures["receipts"]
    whole = sum(one["messages"] for one in counts)
    lines = {
        "seed": run["plan"]["seed"],
        "load": f"{run['seconds of load']:.0f} s, {figures['messages a second']:,} messages a second",
        "messages": f"{whole:,}, {sum(one['quarantined'] for one in counts):,} of them quarantined",
        "records, versions": f"{sum(c['records'] for c in counts):,}, "
        f"{sum(c['versions'] for c in counts):,}",
        "kills": _kills(run["kills"]),
        "ended by themselves": run["ended by themselves"] or "none",
        "lag in events": _shares(figures["lag, all the time"]),
        **{name: _shares(one) for name, one in figures.items() if name.startswith("lag, but")},
        "landed after the load": f"{run['seconds until all was landed']:.0f} s",
        "questions": f"{questions['asked']:,} asked, {questions['answered']:,} answered; "
        f"not: {dict(questions['not answered']) or 'none'}",
        "answers, ms": _shares(questions["ms"]),
        "answers away from kills, ms": _shares(questions["ms, but for the seconds after a kill"]),
        "receipts": ", ".join(f"{count:,} {name}" for name, count in receipts.items()),
        **{
            f"memory of {name}, MB": f"{one['second quarter']} → {one['last quarter']}, "
            f"most {one['most']}"
            for name, one in figures["memory, MB"].items()
        },
        **{
            f"files of {name}": f"median {one['median']:.0f}, most {one['most']}"
            for name, one in figures["files of a table"].items()
        },
        "answers in the first quarter, ms": _shares(questions["ms in the first quarter"]),
        "answers in the last quarter, ms": _shares(questions["ms in the last quarter"]),
        "cores taken by": _cores(figures["cores"]),
        "cores in the last quarter": _cores(figures["cores in the last quarter"]),
        "machine": run["machine"],
    }
    rows = [f"| {name} | {value} |" for name, value in lines.items()]
    beyond = [
        f"BEYOND {b.what}: {b.figure:,.0f} > {b.most:,.0f}" for b in told.bounds if not b.holds
    ]
    wrong = [f"WRONG {fault}" for fault in told.faults]
    end = "whole: nothing lost, nothing doubled" if told.sound else "NOT whole"
    return "\n".join(["| figure | |", "|---|---|", *rows, "", *beyond, *wrong, end])


def _kills(kills: list[Any]) -> str:
    names: dict[str, int] = {}
    for _, name in kills:
        names[name] = names.get(name, 0) + 1
    return f"{len(kills)}: " + ", ".join(f"{name} {n}" for name, n in sorted(names.items()))


def _cores(taken: dict[str, float]) -> str:
    most = sorted(taken.items(), key=lambda one: -one[1])
    return f"{sum(taken.values()):.2f}: " + ", ".join(f"{name} {of:.2f}" for name, of in most)


def _shares(found: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:,.0f}" for name, value in found.items())

"""A picture of one run: `python -m benchmarks.plot RESULTS.json` writes RESULTS.svg beside it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib import pyplot as plt

#: Who reads or lands the same topic, in the order of the picture.
LANDED = {
    "poll (lz4)": "kafka-python poll, nothing done",
    "consume (lz4)": "confluent-kafka consume, nothing done",
    "land (by Mianti)": "Mianti: columns, every check, log",
    "land (S3)": "Mianti, the log in a bucket",
    "land record by record": "Mianti, record by record",
    "fastavro one by one": "fastavro one by one, no check",
    "dlt (Arrow)": "dlt with Arrow, no check",
    "Spark local[2], cold": "Spark local[2] cold, no check",
    "Spark local[2], warm": "Spark local[2] warm, no check",
}


def plot(path: Path) -> Path:
    """Draw who lands how much, and each figure beside its limit; return the picture's path."""
    told = json.loads(path.read_text("utf-8"))
    mpl.rcParams["svg.hashsalt"] = "mianti"  # the same figures give the same file
    figure, (left, right) = plt.subplots(1, 2, figsize=(15, 6), constrained_layout=True)
    _landed(left, told)
    _limits(right, told)
    figure.suptitle(
        f"{told['events']:,} events of {told['bytes_a_value']:.0f} bytes, "
        f"{told['machine']['cores']} cores, {told['at'][:10]}"
    )
    picture = path.with_suffix(".svg")
    figure.savefig(picture, metadata={"Date": None})
    return picture


def _landed(axes: Any, told: dict[str, Any]) -> None:
    figures = told["figures"]
    names = [key for key in LANDED if key in figures]
    rates = [figures[key]["events"] / figures[key]["seconds"] for key in names]
    colours = ["tab:gray" if "nothing" in LANDED[key] else "tab:blue" for key in names]
    bars = axes.barh([LANDED[key] for key in names], rates, color=colours)
    axes.bar_label(bars, [f"{rate:,.0f}" for rate in rates], padding=3)
    axes.invert_yaxis()
    axes.margins(x=0.15)
    axes.xaxis.set_major_formatter(lambda rate, _: f"{rate / 1000:.0f} k")
    axes.set_xlabel("events a second from one topic (lz4)")


def _limits(axes: Any, told: dict[str, Any]) -> None:
    """Show how far each figure is within its limit: 1 is the limit, more is better."""
    held = [one for one in told["limits"] if one["limit"]]  # none at all has no scale
    shares = [
        one["found"] / one["limit"] if one["at_least"] else one["limit"] / one["found"]
        for one in held
    ]
    colours = ["tab:green" if one["kept"] else "tab:red" for one in held]
    bars = axes.barh([one["what"] for one in held], shares, color=colours)
    axes.bar_label(bars, [f"{one['found']:,.2f}" for one in held], padding=3)
    axes.axvline(1, color="black", linewidth=1)
    axes.invert_yaxis()
    axes.margins(x=0.15)
    axes.set_xlabel("times the limit (right of 1: kept)")


if __name__ == "__main__":
    print(plot(Path(sys.argv[1])))

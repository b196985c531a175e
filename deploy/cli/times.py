"""The --on and --known-at options: a day in China, and a point in time."""

from __future__ import annotations

import datetime as dt

import click

from flows.clock import CHINA

ON = click.option("--on", help="The day asked about, 2026-04-01; today unless given · 查询日期")
KNOWN_AT = click.option("--known-at", help="Leave out what was landed later · 以该时刻所知为准")


def asked_day(on: str | None) -> dt.date | None:
    """Return the day in China that --on names."""
    from flows.publish.edition import parse_time

    return parse_time(on, "--on").astimezone(CHINA).date() if on else None


def asked_time(known_at: str | None) -> dt.datetime | None:
    """Return the time that --known-at names."""
    from flows.publish.edition import parse_time

    return parse_time(known_at, "--known-at") if known_at else None


def landed_words(through: dt.datetime | None) -> str:
    """Return the time through which data were landed, in the machine's zone, for people."""
    return local(through) if through else "not known · 未知"


def local(time: dt.datetime) -> str:
    """Return a time as every command shows it to people: in the machine's zone, which it names.

    JSON has ISO 8601 with its offset instead.
    """
    return time.astimezone().isoformat(" ", "seconds")

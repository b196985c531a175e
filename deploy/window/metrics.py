"""Counts and times for Prometheus."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from flows.receipt.entry import Decided

_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)


class Metrics:
    """The metrics of one window.

    `behind` and `unshipped` (seconds) are asked for each time they are read; NaN for unknown.
    """

    def __init__(self, behind: Callable[[], float], unshipped: Callable[[], float]) -> None:
        self.registry = CollectorRegistry()
        self._papers = Counter(
            "mianti_window_papers_total",
            "Papers decided, by matter and outcome",
            ["matter", "outcome"],
            registry=self.registry,
        )
        self._refusals = Counter(
            "mianti_window_refusals_total",
            "Questions refused for want of a right",
            registry=self.registry,
        )
        self._requests = Histogram(
            "mianti_window_request_seconds",
            "Time to answer a request",
            ["path", "status"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        gauge = Gauge(
            "mianti_window_replica_behind_seconds",
            "How long ago everything published was landed and in the replica; NaN: not known",
            registry=self.registry,
        )
        gauge.set_function(behind)
        waiting = Gauge(
            "mianti_window_unshipped_seconds",
            "How long the oldest receipt that was not shipped yet has waited",
            registry=self.registry,
        )
        waiting.set_function(unshipped)

    def answered(self, decided: Decided) -> None:
        """Count the papers of an answer."""
        for matter, decisions in decided.answers.items():
            for one in decisions:
                self._papers.labels(matter, one.outcome).inc()

    def refused(self) -> None:
        """Count a refusal."""
        self._refusals.inc()

    def took(self, path: str, status: int, seconds: float) -> None:
        """Count a request; `path` is the route's pattern, never what was asked for."""
        self._requests.labels(path, str(status)).observe(seconds)

    def text(self) -> bytes:
        """Return everything in Prometheus' text format."""
        return generate_latest(self.registry)

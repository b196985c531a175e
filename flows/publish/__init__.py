"""From a department's file to delivered events: recognise, map, check, plan, send, report."""

from flows.publish.outcome import Outcome
from flows.publish.publisher import Publisher

__all__ = ["Outcome", "Publisher"]

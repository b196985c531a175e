"""Publishing from a department's own program: the same path as a file's.

from flows.publish import Publisher

publisher = Publisher("housing-demo")
outcome = publisher.publish_rows("mianti-licence", [{"subject": …, "record_key": …, …}])
if outcome.refused: …
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from connectors.settings import Settings, read_settings
from flows.publish.failed import publish_path
from flows.publish.job import Progress, Request, no_progress
from flows.publish.outcome import Outcome
from flows.publish.publish import publish
from flows.publish.source import Handed
from flows.publish.withdraw import withdraw

#: Publishes a file as `publish_path` does.
ByPath: TypeAlias = Callable[[Path, Request, Settings, Progress], Outcome]


class Publisher:
    """One publisher, as a line of the publishers' table names it. Times are UTC-aware.

    Every method returns only when Kafka has acknowledged all it says it published, and raises
    connectors.errors.MiantiError when it could not; calling it again then doubles nothing.
    """

    def __init__(self, name: str, settings: Settings | None = None) -> None:
        """Take settings from the environment unless given."""
        self.name = name
        self._settings = settings or read_settings()

    def publish_rows(
        self,
        layout: str,
        rows: Sequence[Mapping[str, Any]],
        *,
        edition: dt.datetime | None = None,
        complete_through: dt.datetime | None = None,
    ) -> Outcome:
        """Publish rows of a layout, each a mapping of its column names to values."""
        request = Request(self.name, "rows", layout, edition, complete_through)
        return publish(Handed(rows), request, self._settings)

    def publish_file(
        self,
        path: Path,
        *,
        layout: str | None = None,
        edition: dt.datetime | None = None,
        complete_through: dt.datetime | None = None,
        dry_run: bool = False,
        show: int = 0,
        progress: Progress = no_progress,
        by: ByPath = publish_path,
    ) -> Outcome:
        """Publish a file; its refused rows go to `<name>.refused.<suffix>` beside it.

        Where a file of that name was changed since it was written, they go to `.refused.2` and so
        on. Beside a file in a folder nobody may write to, they go to `refused/` of MIANTI_HOME.
        After a file that failed whole nobody is exempted by its layout until it is published or
        discarded (`mianti refused`). A dry run writes no file and holds nobody; it returns the
        first `show` rows as events. `by`: what publishes it; `flows.apart.Apart.publish` bounds
        what it may take.
        """
        refused = self._beside(path) / f"{path.stem}.refused{path.suffix}"
        request = Request(
            self.name, path.name, layout, edition, complete_through, dry_run, refused, show
        )
        return by(path, request, self._settings, progress)

    def _beside(self, path: Path) -> Path:
        folder = path.absolute().parent
        # The mode, not access(2): root may write anywhere, and still is not meant to.
        if folder.is_dir() and folder.stat().st_mode & 0o222 == 0:
            folder = self._settings.mianti_home / "refused"
            folder.mkdir(parents=True, exist_ok=True)
        return folder

    def withdraw(self, record_key: str, reason: str, *, undo: bool = False) -> bool:
        """Withdraw a record (or lift that); return whether it changed anything."""
        return withdraw(record_key, self.name, reason, self._settings, undo=undo)

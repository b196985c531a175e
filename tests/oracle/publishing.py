"""What comes of each row of a file, and the versions it adds, by the rules of publishing.

A ledger holds, for each facet of a record, the versions published so far and the edition each was
last seen in. A row is refused whole when any of its facets is; what a file leaves out says nothing.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass, field, replace

from tests.oracle.layout import CLOCKS, Content, Said, read_rows

#: States a record is in of which nothing was ever said.
NEUTRAL = {"standing": "in_force", "objection": "none"}
#: Reasons of a withdrawal that keep a record from being published again until it is undone.
BLOCKING = "publisher_error"


@dataclass(frozen=True)
class Version:
    """One version of one facet of one record; `landed_at` is None until it was landed."""

    record_key: str
    facet: str
    sequence: int
    content: Content
    edition: dt.datetime | None = None
    landed_at: dt.datetime | None = None
    overrules: int | None = None


@dataclass
class Held:
    """A version as the ledger holds it; sequence 0: a neutral state nothing was published of."""

    content: Content
    edition: dt.datetime | None


@dataclass
class Account:
    """What came of a file's rows: by row number, the reasons that may be given for a refusal."""

    read: int
    published: set[int] = field(default_factory=set)
    unchanged: set[int] = field(default_factory=set)
    refused: dict[int, set[str]] = field(default_factory=dict)


class Unclear(Exception):
    """Nobody can say how new a file is: it is refused whole, and its publisher has to say."""


class Publisher:
    """One publisher of one layout: its ledger, and its topic with every version it has sent."""

    def __init__(self) -> None:
        self.topic: list[Version] = []
        self._held: dict[tuple[str, str], dict[int, Held]] = {}
        self._home: dict[str, str] = {}
        self._files: dict[str, dt.datetime] = {}
        self._newest: dt.datetime | None = None
        self._floor: dt.datetime | None = None
        self._dated: bool | None = None

    def send(self, text: str, stated: dt.datetime | None, now: dt.datetime) -> Account:
        """Publish a file; `stated` is the edition in its name, `now` the time it is sent at.

        Raises Unclear, with nothing published, where the edition is yet to come, or where a new
        file states none though all files before it did.
        """
        if stated is not None and stated > now + CLOCKS:
            raise Unclear
        if stated is None and self._dated and _digest(text) not in self._files:
            raise Unclear
        self._dated = stated is not None and self._dated is not False
        edition = self._edition(text, stated, now)
        readable: dict[int, list[Said]] = {}
        account = Account(0)
        for number, found in read_rows(text, now).items():
            account.read += 1
            if isinstance(found, set):
                account.refused[number] = found
            else:
                readable[number] = [replace(s, edition=s.edition or edition) for s in found]
        for number, sayings in readable.items():
            reasons = {r for said in sayings for r in self._against(said, readable)}
            if reasons:
                account.refused[number] = reasons
        good = [n for n in readable if n not in account.refused]
        for number in sorted(good, key=lambda n: (_edition_of(readable[n]), n)):
            new = [self._take(said) for said in readable[number]]
            (account.published if any(new) else account.unchanged).add(number)
        self._note(text, edition, [_edition_of(sayings) for sayings in readable.values()])
        return account

    def withdraw(self, key: str, *, undo: bool) -> bool | None:
        """Withdraw a record by hand or undo it; None: no such record, False: nothing to change."""
        if not any(record == key for record, _ in self._held):
            return None
        if self._blocked(key) != undo:
            return False
        self._withdrawal(key, self._home[key], None if undo else BLOCKING)
        return True

    def overhear(self, version: Version) -> None:
        """Take in a version that another program wrote to this publisher's topic."""
        self.topic.append(version)
        self._hold(version)

    def lose_ledger(self) -> None:
        """Begin again with what the topic tells: no silent states, no editions seen since.

        What a file older than the newest one sent says of a known record can then no longer be
        put in order. Of a file whose rows were all refused a statement tells.
        """
        self._held, self._home, self._dated = {}, {}, None
        for version in self.topic:
            self._hold(version)
        self._floor = self._newest

    def land(self, landed_at: dt.datetime) -> None:
        """Give everything that was not landed yet the time it was landed at."""
        self.topic = [v if v.landed_at else replace(v, landed_at=landed_at) for v in self.topic]

    def _edition(self, text: str, stated: dt.datetime | None, now: dt.datetime) -> dt.datetime:
        known = self._files.get(_digest(text))
        if stated or known:
            return stated or known or now
        last = self._newest
        return now if last is None or last < now else last + dt.timedelta(microseconds=1)

    def _note(self, text: str, edition: dt.datetime, of_rows: list[dt.datetime]) -> None:
        self._files.setdefault(_digest(text), edition)
        of_file = max(of_rows, default=edition)
        self._newest = max(self._newest or of_file, of_file)

    def _against(self, said: Said, readable: dict[int, list[Said]]) -> set[str]:
        """Return what speaks against one saying: the ledger's versions, the file's other rows."""
        assert said.edition is not None
        reasons = set()
        if self._blocked(said.record_key):
            reasons.add("withdrawn")
        for others in readable.values():
            for other in others:
                same = (other.record_key, other.facet, other.edition)
                if same == (said.record_key, said.facet, said.edition):
                    reasons |= {"contradictory"} if other.content != said.content else set()
        last = self._last(said.record_key, said.facet)
        if last is not None and last.content == said.content:
            return reasons
        if last is not None and last.edition is not None and said.edition <= last.edition:
            older = said.edition < last.edition
            reasons.add("older_edition" if older else "contradictory_published")
        known = any(record == said.record_key for record, _ in self._held)
        first_neutral = last is None and _neutral(said)
        if known and not first_neutral and self._floor and said.edition < self._floor:
            reasons.add("older_edition")
        return reasons

    def _take(self, said: Said) -> bool:
        """Take an accepted saying into the ledger; return whether it is a new version."""
        last = self._last(said.record_key, said.facet)
        if last is not None and last.content == said.content:
            last.edition = max(e for e in (last.edition, said.edition) if e is not None)
            return False
        if last is None and _neutral(said):
            self._held[said.record_key, said.facet] = {0: Held(said.content, said.edition)}
            return False
        self._move(said.record_key, said.content.subject)
        sequence = max(self._held.get((said.record_key, said.facet), {0: None})) + 1
        self._publish(Version(said.record_key, said.facet, sequence, said.content, said.edition))
        return True

    def _move(self, key: str, subject: str) -> None:
        """Where a record turns out to be another subject's, take it from the one it was at."""
        home = self._home.get(key)
        if home is not None and home != subject:
            self._withdrawal(key, home, "subject_corrected")
            if self._withdrawn_at(key, subject):
                self._withdrawal(key, subject, None)

    def _withdrawal(self, key: str, subject: str, reason: str | None) -> None:
        state = "withdrawn" if reason else "none"
        content = Content(subject, (("state", state), ("reason_code", reason)))
        sequence = max(self._held.get((key, "withdrawal"), {0: None})) + 1
        self._publish(Version(key, "withdrawal", sequence, content))

    def _withdrawn_at(self, key: str, subject: str) -> bool:
        said = [
            v.content.get("state")
            for v in self.topic
            if (v.record_key, v.facet, v.content.subject) == (key, "withdrawal", subject)
        ]
        return bool(said) and said[-1] == "withdrawn"

    def _publish(self, version: Version) -> None:
        self.topic.append(version)
        self._hold(version)

    def _hold(self, version: Version) -> None:
        held = self._held.setdefault((version.record_key, version.facet), {})
        held.setdefault(version.sequence, Held(version.content, version.edition))
        if version.facet != "withdrawal":
            self._home[version.record_key] = version.content.subject

    def _last(self, key: str, facet: str) -> Held | None:
        held = self._held.get((key, facet))
        return held[max(held)] if held else None

    def _blocked(self, key: str) -> bool:
        last = self._last(key, "withdrawal")
        return last is not None and last.content.get("reason_code") == BLOCKING


def _neutral(said: Said) -> bool:
    return NEUTRAL.get(said.facet, "-") == said.content.get("state")


def _edition_of(sayings: list[Said]) -> dt.datetime:
    edition = sayings[0].edition
    assert edition is not None
    return edition


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()

"""What is known of one enterprise on one day, as it was known at one time. Pure."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from flows.clock import CHINA
from flows.stated import Pair, Source
from schemas.catalogue.grammar import FieldEvidence, LicenceEvidence, SharedEvidence

_CREDIT: Final = "credit"
#: A row of `flows.fold.whole`: with the content of what may not be used, which never leaves here.
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Facts:
    """Rows by family; `complete`: by publisher and layout, until when its exports are complete.

    `on` is a day in China, `asked_at` (UTC) the time at which all this was known; `cycles`: how
    often each publisher promised to publish. `excepted`: the publishers and families that hold this
    enterprise, because refused rows, failed files or messages in quarantine may be about it.
    `newest`: by publisher and layout, the newest year that a grade of anybody is of. `rights`: by
    publisher and family, a regular expression of the issuers it may speak for.
    """

    on: dt.date
    asked_at: dt.datetime
    rows: Mapping[str, Sequence[Row]]
    complete: Mapping[Pair, dt.datetime]
    cycles: Mapping[str, dt.timedelta]
    excepted: frozenset[Source] = frozenset()
    newest: Mapping[Pair, int] = field(default_factory=dict)
    rights: Mapping[Source, str] = field(default_factory=dict)
    #: What `flows.answer.evidence.judge` made of each piece of evidence, which it keeps alive.
    judged: dict[int, tuple[SharedEvidence, Any]] = field(
        init=False, repr=False, compare=False, default_factory=dict
    )

    def of(self, family: str) -> Sequence[Row]:
        """Return the rows of a family."""
        return self.rows.get(family, ())


@dataclass(frozen=True)
class SourceState:
    """Whether sources may be relied on; `through` (UTC): until when all of them are complete.

    `excepted`: rows, files or messages that may be about the enterprise wait to be mended.
    `layout`: the one of the publisher's layouts that this is about, as each is complete by itself.
    `uncounted`: the layout of the record that would be relied on, if the evidence does not list it.
    """

    fault: Literal["source_incomplete", "too_old"] | None
    through: dt.datetime | None
    publisher: str
    excepted: bool = False
    layout: str | None = None
    uncounted: str | None = None


def source_state(evidence: SharedEvidence, facts: Facts) -> SourceState:
    """Return the state of the worst of a piece of evidence's sources.

    One that states a time yet to come states nothing, and so does one that is no publisher any
    more; nobody is complete for a day to come.
    """
    holder = holder_of_all(evidence, facts)
    if holder is not None:
        return SourceState("source_incomplete", None, holder, excepted=True)
    pairs = [(id_, layout) for id_, layouts in evidence.sources.items() for layout in layouts]
    # One that is no publisher is named first: the catalogue's keeper has to mend that.
    for pair in sorted(pairs, key=lambda pair: pair[0] in facts.cycles):
        if pair not in facts.complete:
            return SourceState("source_incomplete", None, pair[0], layout=pair[1])
    through, publisher, layout = min((facts.complete[pair], *pair) for pair in pairs)
    for id_, each in pairs:
        said = facts.complete[id_, each]
        cycle = facts.cycles.get(id_)
        if cycle is None or said > facts.asked_at or facts.asked_at - said > cycle:
            return SourceState("source_incomplete", said, id_, layout=each)
    if facts.on > facts.asked_at.astimezone(CHINA).date():
        return SourceState("source_incomplete", through, publisher, layout=layout)
    late = facts.asked_at - through > evidence.max_age
    return SourceState("too_old" if late else None, through, publisher, layout=layout)


def holder_of_all(evidence: SharedEvidence, facts: Facts) -> str | None:
    """Return a publisher whose waiting rows, files or messages may end any record of this evidence.

    These are the evidence's own sources in its family and, for a licence or a registration, every
    publisher of penalties. A publisher whose rights are not known may speak for any issuer.
    """
    family = _family(evidence)
    for publisher, of in sorted(facts.excepted):
        own = of == family and (publisher in evidence.sources)
        penalty = of == _CREDIT != family
        unknown = of == family != _CREDIT and (publisher, of) not in facts.rights
        if own or penalty or unknown:
            return publisher
    return None


def held_issuers(evidence: SharedEvidence, facts: Facts) -> list[str]:
    """Return regular expressions of the issuers whose records other publishers hold.

    Another publisher of the family may speak for the issuer of a record that is relied on.
    """
    return [*_held_issuers(_family(evidence), evidence.sources, facts)]


def held(row: Row, evidence: SharedEvidence, facts: Facts) -> bool:
    """Return whether another publisher that may speak for a record's issuer holds the enterprise.

    An issuer that is not known may be any.
    """
    issuer = row["issuer"]
    patterns = held_issuers(evidence, facts)
    return any(issuer is None or re.search(pattern, issuer) for pattern in patterns)


def _held_issuers(family: str, sources: Mapping[str, list[str]], facts: Facts) -> Iterator[str]:
    for publisher, of in sorted(facts.excepted):
        if of == family != _CREDIT and publisher not in sources:
            issuers = facts.rights.get((publisher, of))
            if issuers is not None:
                yield issuers


def _family(evidence: SharedEvidence) -> str:
    if isinstance(evidence, LicenceEvidence):
        return "licence"
    return evidence.family if isinstance(evidence, FieldEvidence) else _CREDIT

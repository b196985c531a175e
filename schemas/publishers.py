"""The publishers' table: who may publish what about whom, in which layouts, and how often."""

from __future__ import annotations

import datetime as dt
import re
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from schemas.dialect import Words
from schemas.facets import ALWAYS_OWNED


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Rights(_Strict):
    """What a publisher may say in one family.

    `issuers` are codes or names of deciding organs; `*` stands for any text in a name.
    """

    facets: list[str] = Field(min_length=1)
    issuers: list[str] = Field(min_length=1)

    def owned(self) -> list[str]:
        """Return the facets the publisher may set, those everyone owns included."""
        return [*self.facets, *ALWAYS_OWNED]

    def issuer_pattern(self) -> str:
        """Return one regular expression that the issuers the publisher may speak for match."""
        return "^(?:" + "|".join(_glob(issuer) for issuer in self.issuers) + ")$"


class Layout(_Strict):
    """A layout the publisher sends, and which code list it means by each list of the dialect.

    `complete`: the publisher promises that each file it puts into the drop zone holds all of its
    data of the layout up to the file's edition; without the word a file there states nothing.
    """

    codes: dict[str, str] = {}
    complete: Literal["through_edition"] | None = None


class Publisher(_Strict):
    """One line of the table."""

    name: Words
    code: str
    cycle: dt.timedelta
    families: dict[str, Rights]
    layouts: dict[str, Layout]


class PublishersTable(_Strict):
    """All publishers by their id (the last part of their topics' names).

    `extends`: the lines of the shipped table hold as well; without the word this table stands in
    its place.
    """

    extends: Literal["shipped"] | None = None
    publishers: dict[str, Publisher]


def _glob(pattern: str) -> str:
    return ".*".join(re.escape(part) for part in pattern.split("*"))

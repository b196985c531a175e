"""Whether an event may be believed: its codes, its publisher's rights, its ranges, its identity.

Pure, over columns. The same checks run before an event is sent and again before it is landed:
a topic is open to whoever may write to it. Each check gives `code` or `code:field` where it fails,
and is first asked whether it fails anywhere: as a rule none does, and no row is looked at again.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator
from typing import Final

import polars as pl

from flows.clock import CLOCKS_DIFFER
from flows.leaves import leaves
from flows.overruled import OVERRULES
from schemas.avro import facets
from schemas.canonical import content_digest, event_id
from schemas.identifiers import org_code, uscc
from schemas.names_held import PATTERN
from schemas.personal import NUMBER_FIELDS, holds_personal, holds_personal_beside_numbers
from schemas.publishers import Publisher
from schemas.record_key import folded_issuer, issuer_part

EARLIEST: Final = dt.date(1900, 1, 1)
LATEST: Final = dt.date(2200, 12, 31)
LONGEST_TEXT: Final = 20_000
#: Bytes of an event's texts together: a Kafka message holds 1 MiB unless its broker says otherwise.
LARGEST_EVENT: Final = 900_000
#: Beyond it JSON's numbers are no longer exact, and nothing could follow the greatest of all.
LARGEST_SEQUENCE: Final = 2**53 - 1
#: Of a sequence that a row brings with it: as many are left for what has to follow. What is greater
#: may be overruled.
LARGEST_GIVEN: Final = 2**52 - 1
#: decimal(20,2): Avro readers accept more digits than declared (`docs/decisions/0005-checks.md`).
LARGEST_AMOUNT: Final = 10**18

_EXCEPTED: Final = "statement.excepted"

#: What is wrong with an event (Boolean) and the reason to give (String).
Check = tuple[pl.Expr, pl.Expr]


def check(events: pl.DataFrame, family: str, publisher: Publisher, name: str) -> pl.DataFrame:
    """Return the frame with `__why`: null, or the first reason against the event.

    `events` has the family's event columns and `content_digest`; `name` is the publisher's id.
    """
    return with_reasons(events, checks(events, family, publisher, name))


def with_reasons(events: pl.DataFrame, checks: Iterable[Check]) -> pl.DataFrame:
    """Return the frame with `__why`: null, or the reason of the first check an event fails."""
    if events.is_empty():
        return events.with_columns(__why=pl.lit(None, pl.String))
    every = list(checks)
    asked = [wrong.any().alias(str(number)) for number, (wrong, _) in enumerate(every)]
    fails = events.select(asked).row(0)
    reasons = [
        pl.when(wrong).then(reason)
        for (wrong, reason), any_fails in zip(every, fails, strict=True)
        if any_fails
    ]
    return events.with_columns(__why=pl.coalesce(*reasons, pl.lit(None, pl.String)))


def all_reasons(events: pl.DataFrame, checks: Iterable[Check]) -> pl.DataFrame:
    """Return `__row` and `__why` of every check that events (with `__row`) fail, in their order."""
    empty = pl.DataFrame(schema={"__row": pl.Int64(), "__why": pl.String()})
    found = [events.filter(wrong).select("__row", __why=reason) for wrong, reason in checks]
    return pl.concat([empty, *found]).unique(maintain_order=True)


def checks(events: pl.DataFrame, family: str, publisher: Publisher, name: str) -> Iterator[Check]:
    """Yield what `check` asks, in its order."""
    subject = uscc.fault(pl.col("subject"))
    yield subject.is_not_null(), subject + pl.lit(":subject")
    yield from _rights(events, family, publisher, name)
    # Compared folded: keys of earlier releases and of other programs are as somebody typed them.
    begins = issuer_part(pl.col("record_key")).eq_missing(folded_issuer(pl.col("issuer")))
    yield _why("key_without_issuer", pl.col("record_key").is_not_null() & ~begins)
    yield _why("sequence_range", ~pl.col("sequence").is_between(1, LARGEST_SEQUENCE))
    yield _why("bad_value:file_digest", ~pl.col("file_digest").str.contains("^[0-9a-f]{64}$"))
    yield from _overruling(events)
    yield from _contents(family)
    yield from _dates(events, family)
    yield from _amounts(events, family)
    yield from _statements(events, publisher)
    yield from _texts(events, family)


def identity(events: pl.DataFrame, family: str) -> Check:
    """Return the check that an event's id follows from its content."""
    return _why("bad_event_id", pl.col("event_id") != event_id(events, family))


def with_digest(events: pl.DataFrame, family: str) -> pl.DataFrame:
    """Return the events with `content_digest`."""
    return events.with_columns(content_digest=content_digest(events, family))


def _why(reason: str, wrong: pl.Expr) -> Check:
    return wrong, pl.lit(reason)


def _rights(events: pl.DataFrame, family: str, publisher: Publisher, name: str) -> Iterator[Check]:
    yield _why("wrong_publisher", pl.col("publisher") != name)
    rights = publisher.families.get(family)
    if rights is None:
        yield _why("family_not_owned", pl.lit(value=True))
        return
    yield _why("facet_not_owned", ~pl.col("facet").is_in(rights.owned()))
    pattern = re.compile(rights.issuer_pattern())
    issuers = [i for i in events["issuer"].unique() if i and pattern.fullmatch(i)]
    own = (pl.col("facet") == "statement") & (pl.col("issuer") == publisher.code)
    yield _why("issuer_not_owned", ~pl.col("issuer").is_in(issuers) & ~own)
    yield _why("layout_not_owned", ~pl.col("layout").is_in([*publisher.layouts, "mianti"]))


def _overruling(events: pl.DataFrame) -> Iterator[Check]:
    """Check which sequence an event overrules: one that nothing could follow, beyond its own."""
    held = events.get_column(OVERRULES, default=None)
    if held is None or held.null_count() == len(held):
        return
    named = pl.col(OVERRULES).struct.field("sequence")
    fits = named.is_between(LARGEST_GIVEN + 1, LARGEST_SEQUENCE) & (named > pl.col("sequence"))
    yield _why("bad_value:overrules.sequence", ~fits)


def _contents(family: str) -> Iterator[Check]:
    for facet in facets(family):
        named = pl.col("facet") == facet
        yield _why(f"content_mismatch:{facet}", named != pl.col(facet).is_not_null())


def _dates(events: pl.DataFrame, family: str) -> Iterator[Check]:
    for path, value in leaves(events, family, pl.Date()):
        yield _why(f"date_out_of_range:{path}", ~value.is_between(EARLIEST, LATEST))
    reversed_ = pl.col("effective_from") > pl.col("effective_to")
    yield _why("dates_reversed:effective_to", reversed_)


def _amounts(events: pl.DataFrame, family: str) -> Iterator[Check]:
    for path, value in leaves(events, family, pl.Decimal(20, 2)):
        yield _why(f"amount_out_of_range:{path}", (value < 0) | (value >= LARGEST_AMOUNT))


def _statements(events: pl.DataFrame, publisher: Publisher) -> Iterator[Check]:
    """Check statements of completeness: only their publisher makes them, and only of the past.

    `excepted` names enterprises by their unified code, the organisation code in it or a digest of
    their name.
    """
    said = events.get_column("statement", default=None)
    if said is None or said.null_count() == len(said):
        return
    told, statement = pl.col("statement").is_not_null(), pl.col("statement").struct
    own = (pl.col("subject") == publisher.code) & (pl.col("issuer") == publisher.code)
    yield _why("bad_value:subject", told & ~own)
    part, parts = statement.field("partition"), statement.field("partitions")
    yield _why("bad_value:statement.partition", told & ~part.is_between(0, parts - 1))
    latest = dt.datetime.now(dt.UTC) + CLOCKS_DIFFER
    early = statement.field("complete_through") > latest
    yield _why("bad_value:statement.complete_through", told & early.fill_null(value=False))
    element = pl.element()
    code = uscc.fault(element).is_null() | org_code.valid(element)
    code |= element.str.contains(PATTERN)
    wrong = statement.field("excepted").list.eval(~code).list.any()
    yield _why(f"bad_value:{_EXCEPTED}", wrong.fill_null(value=False))


def _texts(events: pl.DataFrame, family: str) -> Iterator[Check]:
    skipped = {"event_id", "subject", "file_digest", _EXCEPTED}  # each has a check of its own
    texts = {path: v for path, v in leaves(events, family, pl.String()) if path not in skipped}
    sizes = [value.str.len_bytes().cast(pl.Int64).fill_null(0) for value in texts.values()]
    yield _why("too_large", pl.sum_horizontal(sizes) > LARGEST_EVENT)
    for path, value in texts.items():
        yield _why(f"control_character:{path}", value.str.contains(r"[\x00-\x1f\x7f]"))
        yield _why(f"too_long:{path}", value.str.len_chars() > LONGEST_TEXT)
        # A key begins with its issuer, which has been looked at; its digits are no person's.
        free = value.str.replace("^[^/]*/", "") if path == "record_key" else value
        yield _why(f"personal_data:{path}", _personal(path, free))


def _personal(path: str, value: pl.Expr) -> pl.Expr:
    numbers = path.rpartition(".")[2] in NUMBER_FIELDS
    return holds_personal_beside_numbers(value) if numbers else holds_personal(value)


def personal_in_event(events: pl.DataFrame, family: str) -> pl.Series:
    """Return whether any text of each event holds a number of a person."""
    texts = [_personal(path, value) for path, value in leaves(events, family, pl.String())]
    held = pl.any_horizontal(texts).fill_null(value=False)
    return events.select(held.alias("personal")).to_series()

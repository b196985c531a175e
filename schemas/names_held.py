"""How a statement names an enterprise whose code cannot be read: by a digest of its name.

The digest stands in the list of held enterprises beside codes. The name itself would not do: that
of a sole trader may be a person's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final

import polars as pl

from schemas.canonical import sha256
from schemas.folding import fold, fold_text, is_placeholder, is_placeholder_text

#: By family, the field of the decision that names the enterprise.
NAME_FIELDS: Final = {"registration": "name", "licence": "subject_name", "credit": "subject_name"}
#: What a digest in a list of held enterprises looks like.
PATTERN: Final = "^name:[0-9a-f]{16}$"
_PREFIX: Final = "name:"
_DIGITS: Final = 16
#: Characters of a unified social credit code (GB 32100-2015); an organisation code has 9.
_UNIFIED: Final = 18


def digest_of_name(name: pl.Expr) -> pl.Expr:
    """Return the digest of each name, however it is written; null for null and for placeholders."""
    said = pl.when(~is_placeholder(name)).then(fold(name))
    return pl.lit(_PREFIX) + sha256(said).str.slice(0, _DIGITS)


def digests_of_names(names: Iterable[str | None]) -> frozenset[str]:
    """Return the digests of some names, without those that say nothing."""
    return frozenset(
        _PREFIX + hashlib.sha256(fold_text(name).encode()).hexdigest()[:_DIGITS]
        for name in names
        if name is not None and not is_placeholder_text(name)
    )


def is_unified(entry: pl.Expr) -> pl.Expr:
    """Return whether each entry is a unified code: the others name enterprises of any partition."""
    return (entry.str.len_chars() == _UNIFIED).fill_null(value=False)


def is_digest(text: str) -> bool:
    """Return whether an entry of the list is a digest of a name."""
    return text.startswith(_PREFIX)

"""The enterprise that is asked about, as a person types its code. Pure."""

from __future__ import annotations

import unicodedata

from connectors.errors import MiantiError
from schemas.identifiers import uscc


class BadSubject(MiantiError):
    """What was typed is no unified social credit code."""


def checked_subject(text: str) -> str:
    """Return a unified social credit code as it is written. Raises BadSubject."""
    code = "".join(unicodedata.normalize("NFKC", text).split()).upper()
    if uscc.is_valid(code):
        return code
    # Whatever was typed may be a person's number: it is not repeated.
    raise BadSubject(
        "This is no unified social credit code: 18 characters, the last a check digit. Look for "
        "a mistyped character.",
        "输入的不是有效的统一社会信用代码（18 位，末位为校验码），请检查录入。",
    )

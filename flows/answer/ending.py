"""Whether a record says in words that its licence has ended, whatever its state says. Pure."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from flows.answer.facts import Row
from flows.answer.naming import squash
from schemas import ending_words as words
from schemas.folding import fold_text
from schemas.wording import OLD_SIGNS, plain_signs, worded

#: A document's content and a remark that say at their head that a licence has ended.
_CONTENT: Final = re.compile(words.DOCUMENT)
_REMARK: Final = re.compile(words.REMARK)
_TITLE: Final = re.compile(words.TITLE)
_NUMBER: Final = re.compile(words.NUMBER)
_WORD: Final = re.compile(words.WORDS)
_NEGATED: Final = [re.compile(one + words.WORDS) for one in words.NOT_ENDING]
_HARMLESS: Final = [re.compile(one) for one in words.NO_ENDING]
_OLDER: Final = re.compile(words.OLDER_PAPER)
_NUMBERED: Final = re.compile(words.NUMBERED_PAPER)
_OVER: Final = re.compile(words.OVER)
_IN_DOUBT: Final = re.compile(words.IN_DOUBT)
_HARMLESS_WORDS: Final = re.compile(words.HARMLESS)
_CHANGED: Final = re.compile(words.CHANGED_BEFORE)
_REPLACED: Final = re.compile(words.REPLACED_PAPER + words.WORDS)
_SIGN: Final = re.compile(f"[{''.join((*words.SIGNS, *OLD_SIGNS))}]")
_NEW: Final = re.compile(words.NEW_PAPER)
_NOT_NEW: Final = re.compile(words.NO_NEW_PAPER)
#: What a word of it makes of the licence; the others are cancelled.
_MADE: Final = {
    "注": "other",
    **dict.fromkeys(("吊销", "吊消", "吊照", "吊证", "吊"), "revoked"),
    **dict.fromkeys(("撤销", "撤消", "撤回", "撤证", "撤"), "annulled"),
    **dict.fromkeys(
        (
            *("暂扣", "吊扣", "暂停", "中止", "停用", "停业", "停产", "歇业", "扣留", "扣押"),
            "冻结",
        ),
        "suspended",
    ),
}
#: Where a record says that a licence has ended: in its names, and in its texts.
_NAMES: Final = ("document_name", "name")
_TEXTS: Final = ("scope", "remarks")
_OWN_NUMBER: Final = "document_number"
#: What is told beside a state, in both families: `in_force` because 逾期注销 is no good standing.
_REASON: Final = "standing_reason"
#: What is read for signs of an ending, besides its words.
REMARKS: Final = ("remarks", _REASON)
#: The same of an enterprise's entry in the register.
_ENTRY: Final = ("name", "business_scope", "address", "entity_type")
COLUMNS: Final = {
    "licence": (*_NAMES, *_TEXTS, _OWN_NUMBER, _REASON),
    "registration": (*_ENTRY, *REMARKS),
}
#: A column that tells rows of a family from others.
OF_FAMILY: Final = {"scope": "licence", "business_scope": "registration"}
_CLOSED_NAME: Final = re.compile(words.CLOSED_NAME)
_CLOSED_TEXT: Final = re.compile(words.CLOSED_TEXT)
_CLOSED_BESIDE: Final = re.compile(words.CLOSED_BESIDE)


def ending(row: Row) -> str | None:
    """Return what a document makes of a licence that it ends, by its name, content or remarks.

    `other` where a text only says somewhere that something was ended: a person has to read it. Of
    an entry in the register, what its texts say of the enterprise. The reason of a state is read as
    a remark.
    """
    if "business_scope" in row:
        told = (_remarked(_read(row, name)) for name in REMARKS)
        return _closed(row) or next((made for made in told if made), None)
    titles = [_NEGATED[0].sub("", _said(row, name)) for name in _NAMES]
    texts = [_said(row, name) for name in _TEXTS]
    found = [_TITLE.search(one) for one in titles]
    texts[1] = _OVER.sub("", texts[1])
    found += [_CONTENT.match(texts[0]), _REMARK.match(texts[1])]
    found.append(_NUMBER.search(_said(row, _OWN_NUMBER)))
    for match in found:
        if match is not None:
            return _MADE.get(match[match.lastindex or 0], "cancelled")
    number = row.get("number")
    if any(_says_ended(text, number) for text in texts) or _in_doubt(_read(row, "remarks"), number):
        return "other"
    return _remarked(_read(row, _REASON), number)


def _remarked(said: str, number: str | None = None) -> str | None:
    """Return what a remark makes of the licence or the entry that it stands beside."""
    said = _OVER.sub("", said)
    match = _REMARK.match(said)
    if match is not None:
        return _MADE.get(match[1], "cancelled")
    return "other" if _says_ended(said, number) or _in_doubt(said, number) else None


def _said(row: Row, column: str) -> str:
    """Return a text as words are looked for in it; empty where it has a sign of none."""
    text = row.get(column)
    return worded(text) if text and _SIGN.search(text) else ""


def _read(row: Row, column: str) -> str:
    """Return a remark or a reason as words are looked for in it; empty where nothing may be told."""
    text = row.get(column)
    return _told(text) if text else ""


@lru_cache(maxsize=1024)  # few remarks are of one row alone
def _told(text: str) -> str:
    plain = plain_signs(fold_text(text))
    if _IN_DOUBT.search(plain) is None and _SIGN.search(plain) is None:
        return ""
    return _OVER.sub("", worded(text))


def _closed(row: Row) -> str | None:
    name, *texts = (_said(row, column) for column in _ENTRY)
    found = [_CLOSED_NAME.search(name), *map(_CLOSED_TEXT.search, (name, *texts))]
    found += map(_CLOSED_BESIDE.search, texts)
    made = (_MADE.get(match[1], "cancelled") for match in found if match is not None)
    return next(made, None)


def _without_negations(text: str) -> str:
    for pattern in _NEGATED:
        text = pattern.sub("", text)
    return text


def _says_ended(text: str, number: str | None) -> bool:
    """Return whether a text says that the licence was ended, and not another paper or a condition.

    An older paper is another one where a new one is told, or a number other than the licence's own.
    """
    if _WORD.search(text) is None:
        return False
    return _CHANGED.search(text) is not None or _WORD.search(_of_it(text, number)) is not None


def _in_doubt(text: str, number: str | None) -> bool:
    """Return whether a remark has a sign of an ending that is not known as harmless."""
    if _IN_DOUBT.search(text) is None:
        return False
    return _IN_DOUBT.search(_HARMLESS_WORDS.sub("", _of_it(text, number))) is not None


def _of_it(text: str, number: str | None) -> str:
    """Return a text without what it says of another paper, on a condition or that did not happen."""
    new = _NEW.search(_NOT_NEW.sub("", text)) is not None
    own = squash(number)
    old = _NUMBERED.search(text) is not None and not (own and own in squash(text))
    text = _OLDER.sub("", text) if new or old else text
    text = _REPLACED.sub("", text) if new else text
    for pattern in _HARMLESS:
        text = pattern.sub("", text)
    return _without_negations(text)

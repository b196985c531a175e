"""Whether a record says in words that its licence has ended, whatever its state says. Pure."""

from __future__ import annotations

import re
from typing import Final

from flows.answer.facts import Row
from schemas import ending_words as words
from schemas.folding import fold_text

#: A document's content and a remark that say at their head that a licence has ended.
_CONTENT: Final = re.compile(words.DOCUMENT)
_REMARK: Final = re.compile(words.REMARK)
_TITLE: Final = re.compile(words.TITLE)
_WORD: Final = re.compile(words.WORDS)
_NEGATED: Final = [re.compile(one + words.WORDS) for one in words.NOT_ENDING]
_HARMLESS: Final = [re.compile(one) for one in words.NO_ENDING]
_OLDER: Final = re.compile(words.OLDER_PAPER)
_REPLACED: Final = re.compile(words.REPLACED_PAPER + words.WORDS)
_NEW: Final = re.compile(words.NEW_PAPER)
_NOT_NEW: Final = re.compile(words.NO_NEW_PAPER)
#: What a word of it makes of the licence; the others are cancelled.
_MADE: Final = {
    **dict.fromkeys(("吊销", "吊消", "吊照", "吊证"), "revoked"),
    **dict.fromkeys(("撤销", "撤消", "撤回", "撤证"), "annulled"),
    **dict.fromkeys(
        ("暂扣", "吊扣", "暂停", "中止", "停用", "停业", "停产", "扣留", "扣押", "冻结"),
        "suspended",
    ),
}
#: Where a record says that a licence has ended: in its names, and in its texts.
_NAMES: Final = ("document_name", "name")
_TEXTS: Final = ("scope", "remarks")
COLUMNS: Final = (*_NAMES, *_TEXTS)


def ending(row: Row) -> str | None:
    """Return what a document makes of a licence that it ends, by its name, content or remarks.

    `other` where a text only says somewhere that something was ended: a person has to read it.
    """
    titles = [fold_text(row.get(name) or "") for name in _NAMES]
    texts = [fold_text(row.get(name) or "") for name in _TEXTS]
    found = [_TITLE.search(_without_negations(one)) for one in titles]
    found += [_CONTENT.match(texts[0]), _REMARK.match(texts[1])]
    for match in found:
        if match is not None:
            return _MADE.get(match[1], "cancelled")
    return "other" if any(map(_says_ended, texts)) else None


def _without_negations(text: str) -> str:
    for pattern in _NEGATED:
        text = pattern.sub("", text)
    return text


def _says_ended(text: str) -> bool:
    """Return whether a text says that the licence was ended, and not another paper or a condition."""
    if _WORD.search(text) is None:
        return False
    text = _OLDER.sub("", text)
    if _NEW.search(_NOT_NEW.sub("", text)) is not None:
        text = _REPLACED.sub("", text)
    for pattern in _HARMLESS:
        text = pattern.sub("", text)
    return _WORD.search(_without_negations(text)) is not None

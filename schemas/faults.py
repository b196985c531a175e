"""What is wrong with a file of the contract: which file, where in it, and what may stand there."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final, NamedTuple

from schemas.errors import MiantiError

#: So many words are listed even where one of them was likely meant.
_FEW: Final = 12
_SHORT: Final = 4


class Said(NamedTuple):
    """One sentence in both languages, without its end."""

    en: str
    zh: str


class Fault(NamedTuple):
    """One fault; `place`: the words that lead to it in the file, held apart by points."""

    file: str
    place: str
    says: Said


class BadContract(MiantiError):
    """A dialect, a code list, the publishers' table or the catalogue cannot work.

    It has every fault that was found, in `faults`.
    """

    def __init__(self, faults: Iterable[Fault], guide: str = "dialects") -> None:
        self.faults = tuple(faults)
        super().__init__(
            "\n".join(
                [
                    *(_line(f.file, f.place, f.says.en, ": ") for f in self.faults),
                    f"docs/{guide}.md has every word of the grammar.",
                ]
            ),
            "\n".join(
                [
                    *(_line(f.file, f.place, f.says.zh, "：") for f in self.faults),
                    f"语法说明见 docs/{guide}.zh-CN.md。",
                ]
            ),
        )


def no_such(what: Said, word: str, known: Collection[str]) -> Said:
    """Return that there is no such thing, what was likely meant, and what there is."""
    meant = near(word, known)
    listed = ", ".join(sorted(known)) or "-"
    english, chinese = f"there is no {what.en} {word!r}", f"没有{what.zh}“{word}”"
    if meant is not None:
        english, chinese = f"{english}; did you mean {meant}?", f"{chinese}；是否应为“{meant}”？"
    if meant is None or len(known) <= _FEW:
        english, chinese = f"{english}; there are: {listed}", f"{chinese}；可用：{listed}"
    return Said(english.replace("?;", "?"), chinese.replace("？；", "？"))


def near(word: str, known: Collection[str]) -> str | None:
    """Return the word of some that was likely meant; None where none is like it."""
    from difflib import get_close_matches  # seldom needed, and slow to import

    folded = {one.casefold().replace("-", "_"): one for one in known}
    like = 0.5 if len(word) < _SHORT else 0.6  # one sign of two is another
    found = get_close_matches(word.casefold().replace("-", "_"), folded, n=1, cutoff=like)
    return folded[found[0]] if found else None


def _line(file: str, place: str, says: str, colon: str) -> str:
    return f"{file}: {place}{colon}{says}" if place else f"{file}: {says}"

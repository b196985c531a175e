"""README and docs say the same in both languages, as far as a machine can tell."""

import re
from pathlib import Path

import pytest

from tests.support.docs import ROOT, blocks, commands, uncommented

PAIRS = [(one, one.with_suffix("").with_suffix(".zh-CN.md")) for one in (ROOT / "README.md",)]
PAIRS += [
    (chinese.with_name(chinese.name.replace(".zh-CN", "")), chinese)
    for chinese in sorted((ROOT / "docs").glob("*.zh-CN.md"))
]
#: What a person puts in, which each language writes in its own words.
OWN = (re.compile(r"'[^']*'"), re.compile(r"\bPORT\b|端口"))


def typed(document: Path) -> list[str]:
    """Return what is typed, without what a person puts in."""
    found = [uncommented(one) for one in commands(document)]
    for own in OWN:
        found = [own.sub("…", one) for one in found]
    return found


@pytest.mark.parametrize(("english", "chinese"), PAIRS, ids=lambda one: one.name)
def test_the_commands_are_the_same_in_both_languages(english: Path, chinese: Path) -> None:
    assert typed(english) == typed(chinese)


def test_the_programs_and_settings_of_the_readme_are_the_same_in_both_languages() -> None:
    english, chinese = PAIRS[0]
    programs = [
        [[uncommented(line) for line in block.splitlines()[1:]] for block in blocks(one, "python")]
        for one in (english, chinese)
    ]
    assert programs[0] == programs[1]
    named = [re.findall(r"`((?:MIANTI|AWS|KAFKA|PREFECT)_\w+)", one.read_text("utf-8"))
             for one in (english, chinese)]  # fmt: skip
    assert set(named[0]) == set(named[1])

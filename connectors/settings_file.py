"""The settings that a home keeps in a file, so that whoever works in it has the same."""

from __future__ import annotations

import os
import stat
import tomllib
from collections.abc import Collection
from pathlib import Path
from typing import Final

from connectors.errors import MiantiError
from schemas.faults import Said, no_such

NAME: Final = "settings.toml"
_HOME: Final = "MIANTI_HOME"
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


class BadSetting(MiantiError):
    """A setting has a value, or a name, that cannot be used."""


def settings_file(home: Path) -> Path:
    """Return where a home keeps its settings; the file need not be there."""
    return home / NAME


def read_file(
    home: Path, known: Collection[str], places: Collection[str], secrets: Collection[str]
) -> dict[str, str]:
    """Return the settings of a home's file by the fields of their names; none where there is no file.

    `known`: all fields; `places`: those that name a file or folder, which is looked for from the home
    on; `secrets`: those for whose sake others may not read the file. An empty text counts as unset.
    Raises BadSetting, which names the file and the word, never a value.
    """
    path = settings_file(home)
    try:
        with path.open("rb") as file:
            mode, content = os.fstat(file.fileno()).st_mode, file.read()
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        why = Said(f"cannot be read ({error.strerror})", f"无法读取（{error.strerror}）")
        raise _bad(path, "", why) from error
    found: dict[str, str] = {}
    for word, value in _parsed(path, content).items():
        name = word.lower()
        if name not in known or word.upper() == _HOME:
            raise _bad(path, word, _no_setting(word, known))
        if name in found:
            raise _bad(path, word, Said("is given twice", "重复"))
        number = isinstance(value, int) and not isinstance(value, bool) and value < 1 << 64
        if not (number or isinstance(value, str)):
            raise _bad(
                path, word, Said("must be a text in quotes, or a number", "应为带引号的文本或数字")
            )
        if name in secrets and mode & _OTHERS:
            raise _bad(path, word, _open_to_others(path))
        text = str(value)
        found[name] = _place(home, path, word, text) if name in places and text else text
    return {name: text for name, text in found.items() if text}


def _parsed(path: Path, content: bytes) -> dict[str, object]:
    try:
        return tomllib.loads(content.decode("utf-8-sig"))  # Notepad begins a file with a mark
    except UnicodeDecodeError:
        raise _bad(path, "", Said("is not in UTF-8", "不是 UTF-8 编码")) from None
    except tomllib.TOMLDecodeError as error:
        _, _, at = str(error).rpartition(" (")  # the rest may repeat a value
        said = Said(
            f'is no TOML ({at}: write NAME = "value", one a line',
            f'不是有效的 TOML（{at.rstrip(")")}）：每行写一项，如 NAME = "值"',
        )
        raise _bad(path, "", said) from None
    except (
        ValueError,
        RecursionError,
    ) as error:  # a number of thousands of digits, too great a depth
        kind = type(error).__name__
        said = Said(f"is no TOML that can be read ({kind})", f"不是可读的 TOML（{kind}）")
        raise _bad(path, "", said) from None


def _place(home: Path, path: Path, word: str, text: str) -> str:
    """Return a place from the home on: the folder of whoever runs a command is another each time."""
    try:
        return text if "://" in text else str(home / Path(text).expanduser())
    except RuntimeError:
        said = Said("begins with ~ of a user who is not known here", "~ 所指的用户在本机不存在")
        raise _bad(path, word, said) from None


def _no_setting(word: str, known: Collection[str]) -> Said:
    if word.upper() == _HOME:
        return Said(
            "says where this file is, so it belongs into the environment",
            "决定本文件的位置，只能用环境变量设置",
        )
    names = {name.upper() for name in known} - {_HOME}
    if word.upper().startswith("AWS_"):
        return Said(
            "is a setting of S3's clients: it belongs into the environment, or into ~/.aws",
            "是 S3 客户端的设置，请用环境变量或 ~/.aws 设置",
        )
    return no_such(Said("setting", "设置"), word, names)


def _open_to_others(path: Path) -> Said:
    return Said(
        f"is a secret, and others may read this file: `chmod 600 {path}`",
        f"是机密，而其他用户可以读取本文件：请执行 `chmod 600 {path}`",
    )


def _bad(path: Path, word: str, said: Said) -> BadSetting:
    place = f"{path}: {word}" if word else str(path)
    return BadSetting(f"{place}: {said.en}.", f"{place}：{said.zh}。")

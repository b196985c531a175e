"""Who may give something up: the people of the operators' table, by whose names it is recorded.

A name proves nothing by itself. But what is given up lets windows exempt again, so it is recorded by
the name of somebody who can be asked, not by whatever was typed.
"""

from __future__ import annotations

import unicodedata
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from connectors.errors import MiantiError
from connectors.settings import Settings
from schemas import yaml_once

_Id = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
_Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]


class UnknownOperator(MiantiError):
    """The one who gives something up is not in the operators' table."""


class BadOperators(MiantiError):
    """The operators' table cannot be read."""


class _Table(BaseModel):
    """The operators by their ids."""

    model_config = ConfigDict(extra="forbid")

    operators: dict[_Id, _Name]


def known(settings: Settings, by: str) -> str:
    """Return the name under which one is recorded who gave an id or a name of the table.

    Raises UnknownOperator, and BadOperators where there is a table that cannot be read.
    """
    file = settings.mianti_operators
    said = unicodedata.normalize("NFC", by).strip()
    people = _table(settings).operators
    names = {unicodedata.normalize("NFC", name): name for name in people.values()}
    found = people.get(said) or names.get(said)
    if found is not None:
        return found
    raise UnknownOperator(
        "Only somebody whom the system knows can give something up. Give an id or a name of the "
        f"operators' table {file}, or have its keeper add a line, such as `li-wei: Li Wei` below "
        "`operators:`.",
        f"放弃操作须由系统登记的经办人执行。请填写经办人表 {file} 中的编号或姓名；未登记的，由该表管理人在 "
        "`operators:` 之下增加一行，例如 `li-wei: 李伟`。",
    )


def _table(settings: Settings) -> _Table:
    try:
        text = settings.mianti_operators.read_text("utf-8")
    except FileNotFoundError:
        return _Table(operators={})
    except (OSError, UnicodeDecodeError) as error:
        raise _bad(settings, type(error).__name__) from error
    try:
        return _Table.model_validate(yaml_once.load(text))
    except yaml.YAMLError as error:
        raise _bad(settings, "YAML") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise _bad(settings, f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None


def _bad(settings: Settings, why: str) -> BadOperators:
    file = settings.mianti_operators
    return BadOperators(
        f"The operators' table {file} cannot be read ({why}). It has one key, `operators`, with a "
        "line `id: name` for each person; ids are lower-case letters, digits and hyphens.",
        f"无法读取经办人表 {file}（{why}）。该表只有一个键 `operators`，其下每人一行 `编号: 姓名`，编号由小写字母、"
        "数字和连字符组成。",
    )

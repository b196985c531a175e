"""One piece of work for each family: one that fails stops none of the others."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final, Generic, Literal, TypeVar

from connectors.damage import explained
from connectors.errors import MiantiError
from connectors.settings import read_settings

_log = logging.getLogger(__name__)
T = TypeVar("T")

#: What a run's form offers; the same as `schemas.avro.FAMILIES`.
Family = Literal["registration", "licence", "credit"]
EVERY: Final[list[Family]] = ["registration", "licence", "credit"]


@dataclass
class Outcome(Generic[T]):
    """What came of each family: a result, or the sentences of what stopped it."""

    done: dict[str, T] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)


def each(families: Iterable[str], work: Callable[[str], T]) -> Outcome[T]:
    """Do `work` for each family, whatever happens to the ones before it; raises nothing."""
    outcome = Outcome[T]()
    for family in families:
        try:
            outcome.done[family] = work(family)
        except Exception as error:
            outcome.failed[family] = said(error, f"{family}: ")
    return outcome


def said(error: Exception, of: str = "") -> str:
    """Return what an operator is told of an error, once it is in the log, with where it was."""
    told = words(error)
    _log.error("%s%s", of, told)
    if not isinstance(error, MiantiError):
        _log.error("%sat\n%s", of, _where(error))
    return told


def words(error: Exception) -> str:
    """Return what an operator is told of an error, in both languages."""
    why = None if isinstance(error, MiantiError) else _explained(error)
    if why is not None or isinstance(error, MiantiError | OSError):
        return str(why or error)
    # The text of an error not foreseen may repeat a value of a row: only its kind is shown.
    kind = f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")
    return (
        f"Something unexpected went wrong ({kind}); the run's log shows where.\n"
        f"发生意外错误（{kind}），详细位置见本次运行日志。"
    )


def _explained(error: Exception) -> MiantiError | None:
    """Return what is known of an error; nothing where the settings themselves cannot be read."""
    try:
        return explained(read_settings(), error)
    except MiantiError:
        return None


def _where(error: Exception) -> str:
    """Return the lines of code the error went through, without its text."""
    return "".join(traceback.format_tb(error.__traceback__))

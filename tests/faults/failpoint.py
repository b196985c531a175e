"""Points of the product at which a process of a test is killed or held, named from outside.

The product knows nothing of them: a named function is wrapped in the child process alone, before
the command runs. `MODULE:NAME:before:3` is the moment before its third call, `MODULE:NAME:after:1`
the moment at which its first call has returned. `MODULE:NAME=1` makes a limit of the product small,
so that little data takes as many steps as much.
"""

from __future__ import annotations

import ast
import functools
import itertools
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any


@dataclass(frozen=True)
class Point:
    """A moment of a process: before or after the `call`-th call of a function or method."""

    module: str
    name: str
    side: str
    call: int

    @classmethod
    def of(cls, text: str) -> Point:
        """Read `MODULE:NAME:before|after:N`."""
        module, name, side, call = text.split(":")
        assert side in ("before", "after"), text
        return cls(module, name, side, int(call))

    def reach(self, then: Callable[[], object]) -> None:
        """Have `then` called when this process comes to the point."""
        owner, last = _owner(self.module, self.name)
        kept, calls = getattr(owner, last), itertools.count(1)

        @functools.wraps(kept)
        def wrapped(*given: Any, **named: Any) -> Any:
            here = next(calls) == self.call
            if here and self.side == "before":
                then()
            done = kept(*given, **named)
            if here and self.side == "after":
                then()
            return done

        setattr(owner, last, wrapped)


def tune(text: str) -> None:
    """Give a name another value: `MODULE:NAME=VALUE`, or `MODULE:NAME[KEY]=VALUE` in a dict."""
    place, _, value = text.partition("=")
    place, _, key = place.removesuffix("]").partition("[")
    owner, last = _owner(*place.split(":"))
    kept = getattr(owner, last)  # a name that is gone is an error
    if key:
        assert key in kept, text
        kept[key] = ast.literal_eval(value)
    else:
        setattr(owner, last, ast.literal_eval(value))


def run(arguments: Sequence[str], then: Callable[[Point], object]) -> None:
    """Run `POINT… [NAME=VALUE…] -- WHAT…`; `then` is called at each point.

    `WHAT` is a command line of `mianti`, or `MODULE:FUNCTION` with the texts it is given.
    """
    ours, what = _split(arguments)
    for text in ours:
        if "=" in text:
            tune(text)
        else:
            point = Point.of(text)
            point.reach(functools.partial(then, point))
    if ":" in what[0]:
        owner, last = _owner(*what[0].split(":"))
        getattr(owner, last)(*what[1:])
        return
    from deploy.cli.main import main

    sys.argv = ["mianti", *what]
    main()


def _split(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    at = [*arguments].index("--")
    return [*arguments[:at]], [*arguments[at + 1 :]]


def _owner(module: str, name: str) -> tuple[Any, str]:
    *path, last = name.split(".")
    return functools.reduce(getattr, path, import_module(module)), last

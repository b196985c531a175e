"""Which matters a caller may ask, by department and purpose. Pure."""

from __future__ import annotations

from dataclasses import replace

from deploy.window.problems import Problem
from deploy.window.tokens import Caller
from flows.receipt.uses import Scope
from schemas.catalogue.grammar import Catalogue


def may_ask(caller: Caller, found: Catalogue, code: str) -> bool:
    """Return whether a caller acts for a matter's department, and for its purpose."""
    matter = found.matters[code]
    purposes = caller.purposes
    return matter.department in caller.departments and (
        purposes is None or matter.purpose in purposes
    )


def lacking(caller: Caller, found: Catalogue, codes: list[str]) -> Problem | None:
    """Return what a caller lacks to ask some matters; None where it lacks nothing."""
    for code in codes:
        if not may_ask(caller, found, code):
            matter = found.matters[code]
            department = found.departments[matter.department]
            purpose = department.purposes[matter.purpose]
            return Problem(
                403,
                "no-right",
                f"{code} is handled by {department.name.en} for {purpose.name.en}: your account "
                "has no right to ask for it. The refusal was recorded.",
                f"{code}由{department.name.zh}以“{purpose.name.zh}”用途办理：您的账号无权查询。本次拒绝已留痕。",
            )
    return None


def recognised(caller: Caller, found: Catalogue) -> Caller:
    """Return a caller with those of its departments that the catalogue has.

    It has none, and so is no clerk, where its purposes name none of theirs.
    """
    known = [one for one in caller.departments if one in found.departments]
    if caller.purposes is not None:
        meant = {purpose for one in known for purpose in found.departments[one].purposes}
        known = known if meant & {*caller.purposes} else []
    return replace(caller, departments=tuple(known))


def seen_by(caller: Caller, found: Catalogue, subject: str) -> Scope | None:
    """Return whose uses of an enterprise's data a clerk sees; None for the enterprise: all."""
    if caller.subject == subject:
        return None
    return Scope(
        [code for code in found.matters if may_ask(caller, found, code)], caller.departments
    )


def may_see_uses(caller: Caller, subject: str) -> bool:
    """Return whether a caller may look at an enterprise's uses: itself, or a clerk."""
    return caller.subject == subject or bool(caller.departments)

"""Which matters a caller may ask, by department and purpose. Pure."""

from __future__ import annotations

from deploy.window.problems import Problem
from deploy.window.tokens import Caller
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


def may_see_uses(caller: Caller, subject: str) -> bool:
    """Return whether a caller may see for what an enterprise's data were used: itself, or a clerk."""
    return caller.subject == subject or bool(caller.departments)

"""How long properties are looked at: as long as CI has, or by `make fuzz` much longer."""

from __future__ import annotations

import os
from typing import Any

from hypothesis import settings

# Nothing depends on speed, and what fails is printed so that it can be repeated.
_ALWAYS: dict[str, Any] = {"deadline": None, "database": None, "print_blob": True}
settings.register_profile(
    "usual", derandomize=os.environ.get("CI", "").lower() == "true", **_ALWAYS
)
settings.register_profile("fuzz", max_examples=2000, derandomize=False, **_ALWAYS)
settings.load_profile("usual")

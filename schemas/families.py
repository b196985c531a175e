"""The families of data, in the order in which they are shown; imports nothing that takes long."""

from typing import Final

FAMILIES: Final[tuple[str, ...]] = ("registration", "licence", "credit")

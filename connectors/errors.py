"""The error that a person may meet, as every room of the project raises it."""

from schemas.errors import MiantiError

__all__ = ["MiantiError"]

"""Code lists: what the codes of one source mean, in the events' words."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from schemas.dialect import Words


class CodeList(BaseModel):
    """What the codes of one source mean; `source` says where that is known from."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    id: str
    says: Words
    source: str
    values: dict[str, str] = Field(min_length=1)

"""What goes wrong, as problem details (RFC 9457), in both languages; inputs are never repeated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException

MEDIA_TYPE: Final = "application/problem+json"
_TITLES: Final[Mapping[str, tuple[str, str]]] = {
    "unauthenticated": ("Sign in first", "请先登录"),
    "no-right": ("No right to ask this", "无权查询"),
    "unknown": ("Nothing of that name", "没有该项"),
    "bad-request": ("The request cannot be read", "请求无法识别"),
    "bad-subject": ("No unified social credit code", "统一社会信用代码无效"),
    "too-many": ("Too many requests", "请求过于频繁"),
    "too-large": ("The request is too large", "请求内容过大"),
    "behind": ("The window's data are behind", "窗口数据滞后"),
    "unable": ("The window cannot answer now", "窗口暂时无法应答"),
    "http": ("Not possible", "无法处理"),
}


class ProblemTold(BaseModel):
    """A problem (RFC 9457); `title_zh` and `detail_zh` say the same in Chinese.

    `fields`: the names of the request's fields that it is about, none for any other problem.
    """

    type: str
    title: str
    title_zh: str
    status: int
    detail: str
    detail_zh: str
    fields: list[str]


@dataclass
class Problem(Exception):
    """A problem to answer with; `kind` is a key of the titles above, `fields` names those to mend."""

    status: int
    kind: str
    detail: str
    detail_zh: str
    headers: dict[str, str] = field(default_factory=dict)
    fields: tuple[str, ...] = ()

    def response(self) -> Response:
        """Return it as a response."""
        title, title_zh = _TITLES[self.kind]
        told = {
            "type": f"urn:mianti:problem:{self.kind}",
            "title": title,
            "title_zh": title_zh,
            "status": self.status,
            "detail": self.detail,
            "detail_zh": self.detail_zh,
            "fields": [*self.fields],
        }
        return Response(orjson.dumps(told), self.status, self.headers, media_type=MEDIA_TYPE)


def tell_problems(app: FastAPI) -> None:
    """Let every error of an app be answered with a problem."""

    @app.exception_handler(Problem)
    async def _problem(_: Request, error: Problem) -> Response:
        return error.response()

    @app.exception_handler(RequestValidationError)
    async def _invalid(_: Request, error: RequestValidationError) -> Response:
        where = sorted({_where(one) for one in error.errors()})
        return Problem(
            422,
            "bad-request",
            f"Look at: {', '.join(where)}. The API's description (/openapi.json) says what fits.",
            f"请检查：{'、'.join(where)}。格式要求见接口说明（/openapi.json）。",
            fields=tuple(where),
        ).response()

    @app.exception_handler(HTTPException)
    async def _http(_: Request, error: HTTPException) -> Response:
        headers = {**(error.headers or {})}
        if error.status_code == 400:  # a body that is no JSON, or no UTF-8
            return Problem(
                400, "bad-request", "The body is no JSON.", "请求体不是 JSON。"
            ).response()
        if error.status_code == 413:
            return Problem(413, "too-large", "At most 16 KiB.", "请求体最多 16 KiB。").response()
        kind = "unknown" if error.status_code == 404 else "http"
        return Problem(
            error.status_code, kind, f"{error.detail}.", "该地址或方法不存在。", headers
        ).response()

    @app.exception_handler(Exception)
    async def _unforeseen(_: Request, error: Exception) -> Response:
        return Problem(
            500,
            "unable",
            f"Something unexpected went wrong ({type(error).__name__}); the window's log shows where.",
            f"发生意外错误（{type(error).__name__}），详见窗口日志。",
        ).response()


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the description of problems for an operation of the API."""
    schema = {"schema": ProblemTold.model_json_schema()}
    return {
        status: {"description": "Problem", "content": {MEDIA_TYPE: schema}} for status in statuses
    }


def _where(error: Any) -> str:
    parts = [str(part) for part in error["loc"] if part not in ("body", "query")]
    return ".".join(parts) or "body"

"""Refusals over HTTP: RFC 9457 problem documents, with the fields of the bus's own refusals."""

from __future__ import annotations

import math
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from bridge.protocol import strict_json
from bridge.protocol.errors import REFUSALS, Code, Rejection

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.exceptions import HTTPException
    from starlette.requests import Request


MEDIA_TYPE = "application/problem+json"


class ProblemError(Exception):
    """A request is refused for a reason that HTTP itself has a status for."""

    def __init__(self, status: HTTPStatus, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


def of_rejection(rejection: Rejection) -> Response:
    """Give a refusal of the bus; ``type`` is the page that explains its code."""
    body = rejection.to_json()
    if rejection.correlation_id is not None:
        body["correlationId"] = rejection.correlation_id
    return of_body(body)


def of_body(body: Mapping[str, Any]) -> Response:
    """Give the same from the body of a ``Rejected``."""
    code = Code(body["code"])
    refusal = REFUSALS[code]
    problem: dict[str, Any] = {
        "type": f"/problems/{code}",
        "title": refusal.meaning,
        "status": refusal.status,
        "detail": body["message"],
        **body,
    }
    headers = {}
    if code is Code.RATE_LIMITED:
        headers["Retry-After"] = str(math.ceil(body["retryAfterMs"] / 1000))
    return _response(refusal.status, problem, headers)


def of_status(status: int, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    """Give a refusal whose HTTP status says all."""
    title = HTTPStatus(status).phrase
    return _response(status, {"type": "about:blank", "title": title, "status": status, "detail": detail}, headers)


async def on_problem(request: Request, error: Exception) -> Response:  # noqa: ARG001 Starlette's signature
    """Answer a ``ProblemError``."""
    assert isinstance(error, ProblemError)  # noqa: S101 registered for nothing else
    return of_status(error.status, error.detail)


async def on_rejection(request: Request, error: Exception) -> Response:  # noqa: ARG001 Starlette's signature
    """Answer a refusal of the bus."""
    assert isinstance(error, Rejection)  # noqa: S101 registered for nothing else
    return of_rejection(error)


async def on_http_exception(request: Request, error: Exception) -> Response:
    """Answer what Starlette refuses: unknown paths, wrong methods."""
    failed: HTTPException = error  # type: ignore[assignment]  # registered for nothing else
    return of_status(failed.status_code, f"{request.method} {request.url.path}: {failed.detail}", failed.headers)


def _response(status: int, body: dict[str, Any], headers: Mapping[str, str] | None = None) -> Response:
    return Response(strict_json.write(body), status, headers=headers, media_type=MEDIA_TYPE)

"""What every HTTP request passes: the Host rule, the Origin rule, security headers, and the count of requests."""

from __future__ import annotations

import time
from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from bridge.server import hosts, origins, problems

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from bridge.server.endpoint import Endpoint

API = "/api/"
"""Paths that do something, or tell what is not for everyone: there the Origin rule holds."""

OTHER = "other"
"""The route of what no route matches: paths that clients make up must not become labels of a metric."""

_SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": (
        "default-src 'self'; connect-src 'self' ws: wss:; frame-ancestors 'self'; base-uri 'self'; form-action 'self'"
    ),
}

_PREFLIGHT_HEADERS = {
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Allow-Headers": "content-type, last-event-id, authorization",
    "Access-Control-Max-Age": "600",
}


class Guard:
    """ASGI middleware around the whole application."""

    def __init__(self, app: ASGIApp, endpoint: Endpoint) -> None:
        self._app = app
        self._endpoint = endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve what may be served, and count it."""
        begun = time.monotonic()
        status = 0
        added = dict(_SECURITY_HEADERS)
        app = self._judge(scope, added)

        async def send_guarded(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = int(message["status"])
                headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in added.items()]
                message["headers"] = [*message["headers"], *headers]
            await send(message)

        try:
            await app(scope, receive, send_guarded)
        except ClientDisconnect:
            pass  # in the middle of its body: nobody is at fault, and nobody is there to be answered
        except Exception as error:
            self._endpoint.observer.failed("request", error)
            if status:
                raise
            answer = problems.of_status(HTTPStatus.INTERNAL_SERVER_ERROR, "the bridge is at fault; its log says more")
            await answer(scope, receive, send_guarded)
        finally:
            route = getattr(scope.get("route"), "path", OTHER) or "/"
            self._endpoint.observer.http_request(scope["method"], route, status, time.monotonic() - begun)

    def _judge(self, scope: Scope, added: dict[str, str]) -> ASGIApp:
        """Give who answers: the application, or a refusal. ``added`` gets what lets a page of its origin read that."""
        headers = Headers(scope=scope)
        names = headers.getlist("host")
        if not hosts.allowed(names, scope["path"]):
            return problems.of_status(HTTPStatus.FORBIDDEN, hosts.REFUSAL)
        sent = headers.getlist("origin")
        if not sent or not scope["path"].startswith(API):
            return self._app
        if len(sent) > 1 or not self._endpoint.origins.allow(sent[0], scope["scheme"], names[0]):
            return problems.of_status(HTTPStatus.FORBIDDEN, origins.REFUSAL)
        added |= {"Access-Control-Allow-Origin": sent[0], "Vary": "Origin"}
        if scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
            return Response(status_code=HTTPStatus.NO_CONTENT, headers=_PREFLIGHT_HEADERS)
        return self._app

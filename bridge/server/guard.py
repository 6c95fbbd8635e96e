"""What every HTTP request passes: where it comes from, its token, the rules for Host and Origin, security headers.

Paths under ``/api/`` do something, or tell what is not for everyone: there a token is needed where there is
authentication, and a page's origin must be allowed. The token is looked at first (wire protocol, "HTTP"), except in a
browser's own question whether it may ask, which brings none.
"""

from __future__ import annotations

import time
from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from bridge.broker.tokens import RefusedToken
from bridge.server import bearer, content_policy, hosts, origins, problems
from bridge.server.opening import Applicant, Opening

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from bridge.server.endpoint import Endpoint
    from bridge.server.proxies import Client

API = "/api/"

SHARED = ("/sdk/", "/schemas/", "/asyncapi.json")
"""What pages of every origin may load: it is the same for everybody, and tells nothing of anybody."""

OTHER = "other"
"""The route of what no route matches: paths that clients make up must not become labels of a metric."""

_UNUSED = ("camera", "display-capture", "geolocation", "microphone", "midi", "payment", "usb")
"""Of the browser: no page of the bridge asks for it, so no script that got into one may."""

_SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": content_policy.FOR_ANYBODY,
    "Permissions-Policy": ", ".join(f"{feature}=()" for feature in _UNUSED),
}

_HTTPS_HEADERS = {"Strict-Transport-Security": "max-age=31536000"}

_SHARED_HEADERS = {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"}

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

        async def send_guarded(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = int(message["status"])
                message["headers"] = [*message["headers"], *_missing(added, message["headers"])]
            await send(message)

        try:
            app = await self._judge(scope, added)
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

    async def _judge(self, scope: Scope, added: dict[str, str]) -> ASGIApp:
        """Give who answers: the application, or a refusal. ``added`` gets what a browser needs beside the answer."""
        try:
            return await self._admit(scope, added)
        except _RefusedError as refused:
            return refused.answer

    async def _admit(self, scope: Scope, added: dict[str, str]) -> ASGIApp:
        headers = Headers(scope=scope)
        applicant = self._applicant(scope, headers)
        if scope["scheme"] == "https":
            added |= _HTTPS_HEADERS
        self._check_host(scope, headers)
        added["Content-Security-Policy"] = content_policy.of_page(scope["scheme"], headers["host"])
        if scope["path"].startswith(SHARED):
            added |= _SHARED_HEADERS
        if not scope["path"].startswith(API):
            return self._app
        preflight = scope["method"] == "OPTIONS" and "access-control-request-method" in headers
        if not preflight:
            await self._authenticate(scope, headers, applicant)
        self._check_origin(scope, headers)
        if applicant.origin is not None:
            added |= {"Access-Control-Allow-Origin": applicant.origin, "Vary": "Origin"}
        return Response(status_code=HTTPStatus.NO_CONTENT, headers=_PREFLIGHT_HEADERS) if preflight else self._app

    def _applicant(self, scope: Scope, headers: Headers) -> Applicant:
        """See who asks."""
        client: Client = scope["state"]["client"]
        applicant = Applicant(Opening(None, None), client.address, headers.get("origin"), client.secure)
        scope["state"]["applicant"] = applicant
        return applicant

    def _check_host(self, scope: Scope, headers: Headers) -> None:
        authentication = self._endpoint.tokens is not None
        refused = hosts.refusal(headers.getlist("host"), scope["path"], authentication=authentication)
        if refused is not None:
            raise _RefusedError(problems.of_status(*refused))

    def _check_origin(self, scope: Scope, headers: Headers) -> None:
        sent = headers.getlist("origin")
        if len(sent) > 1 or not self._endpoint.origins.allow(
            sent[0] if sent else None, scope["scheme"], headers["host"]
        ):
            raise _RefusedError(problems.of_status(HTTPStatus.FORBIDDEN, origins.REFUSAL))

    async def _authenticate(self, scope: Scope, headers: Headers, applicant: Applicant) -> None:
        """Leave the grant of the request's token where the application finds it, where there is authentication."""
        grant = await bearer.of_request(self._endpoint.tokens, headers.getlist("authorization"))
        if isinstance(grant, RefusedToken):
            self._endpoint.observer.sign_in_refused(applicant, grant.code, grant.reason)
            raise _RefusedError(bearer.refusal(grant))
        scope["state"]["grant"] = grant


def _missing(added: dict[str, str], present: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Give the headers that an answer does not bring itself: a page may have a policy of its own."""
    names = {name.lower() for name, _ in present}
    headers = ((name.lower().encode(), value.encode("latin-1")) for name, value in added.items())
    return [header for header in headers if header[0] not in names]


class _RefusedError(Exception):
    """Leaves the rules; ``answer`` is to be sent."""

    def __init__(self, answer: Response) -> None:
        super().__init__()
        self.answer = answer

"""The HTTP paths (wire protocol §8): pages, schemas, publish, server-sent events, health and metrics."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Protocol

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from bridge.broker.broker import RefusedError
from bridge.broker.policy import EVERY_WORKSPACE, not_permitted
from bridge.protocol import strict_json
from bridge.protocol.errors import CloseCode, Code, Rejection
from bridge.server import assets, gadgets, handshake, operators, pages, problems
from bridge.server.events import EventStream, RefusedSubscribeError
from bridge.server.guard import Guard
from bridge.server.opening import ForbiddenError, Opening, check_workspace, read_app
from bridge.server.problems import ProblemError
from bridge.server.published import Published

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request
    from starlette.routing import BaseRoute

    from bridge.broker.identity import Grant, Identity
    from bridge.server.endpoint import Endpoint
    from bridge.server.opening import Applicant

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Health(Protocol):
    """What the paths for operators ask."""

    def ready(self) -> dict[str, bool]:
        """Say of each part whether it can do its work."""

    def metrics(self) -> bytes:
        """Give everything in Prometheus' text format."""


def application(endpoint: Endpoint, health: Health) -> Starlette:
    """Put the paths together."""
    api = Api(endpoint)
    app = Starlette(
        routes=[
            Route(handshake.PATH, _upgrade_required),
            Route("/healthz", _healthz),
            Route("/readyz", _readyz(endpoint, health)),
            Route("/metrics", _metrics(endpoint, health)),
            Route("/problems/", _problems),
            Route("/problems/{code}", _problem),
            Route("/api/v1/workspaces/{workspace}/messages", api.publish, methods=["POST"]),
            Route("/api/v1/workspaces/{workspace}/events", api.events, methods=["GET"]),
            *_schemas(),
            *_sdk(),
        ],
        middleware=[Middleware(Guard, endpoint)],
        exception_handlers={
            ProblemError: problems.on_problem,
            HTTPException: problems.on_http_exception,
            Rejection: problems.on_rejection,
        },
    )
    directory = assets.directory("demo_page") if endpoint.settings.demo_page else None
    if directory is not None:
        app.router.routes.append(gadgets.route(directory / "gadgets"))
        app.router.default = StaticFiles(
            directory=directory, html=True
        )  # after all routes, also those of other methods
    return app


# Operators


async def _healthz(request: Request) -> Response:  # noqa: ARG001 Starlette's signature
    return PlainTextResponse("ok\n")


def _readyz(endpoint: Endpoint, health: Health) -> Callable[[Request], Awaitable[Response]]:
    async def readyz(request: Request) -> Response:
        parts = {"serving": not endpoint.stopping, **health.ready()}
        ready = all(parts.values())
        status = HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE
        told: dict[str, Any] = {"ready": ready}
        if not isinstance(await operators.check(endpoint.tokens, request), Response):
            told["parts"] = parts
        return JSONResponse(told, status)

    return readyz


def _metrics(endpoint: Endpoint, health: Health) -> Callable[[Request], Awaitable[Response]]:
    async def metrics(request: Request) -> Response:
        refused = await operators.check(endpoint.tokens, request)
        if refused is not None:
            return refused
        return Response(health.metrics(), headers={"content-type": METRICS_TYPE})

    return metrics


# Pages and files


async def _upgrade_required(request: Request) -> Response:  # noqa: ARG001 Starlette's signature
    raise HTTPException(HTTPStatus.UPGRADE_REQUIRED, "here speaks WebSocket", {"Upgrade": "websocket"})


async def _problems(request: Request) -> Response:  # noqa: ARG001 Starlette's signature
    return HTMLResponse(pages.of_all())


async def _problem(request: Request) -> Response:
    try:
        code = Code(request.path_params["code"])
    except ValueError:
        raise ProblemError(HTTPStatus.NOT_FOUND, "no such code; /problems/ lists them") from None
    return HTMLResponse(pages.of_code(code))


def _schemas() -> list[BaseRoute]:
    directory = assets.directory("schemas")
    if directory is None:
        return []

    async def index(request: Request) -> Response:  # noqa: ARG001 Starlette's signature
        return FileResponse(directory / "index.json")

    async def asyncapi(request: Request) -> Response:  # noqa: ARG001 Starlette's signature
        return FileResponse(directory / "asyncapi.json")

    files = StaticFiles(directory=directory)
    return [Route("/asyncapi.json", asyncapi), Route("/schemas/", index), Mount("/schemas", files)]


def _sdk() -> list[BaseRoute]:
    directory = assets.directory("sdk")
    return [] if directory is None else [Mount("/sdk", Published(directory=directory, bundled=["workspace-bridge.js"]))]


# Servers and pages that do not speak WebSocket


class Api:
    """Publish and read over HTTP, as an app of a workspace."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    async def publish(self, request: Request) -> Response:
        """Publish one message."""
        workspace, identity = self._caller(request)
        text = await self._body(request)
        if workspace == EVERY_WORKSPACE:
            return await self._announce(identity, text)
        id_, accepted = self._endpoint.broker.publish(workspace, identity, text)
        body = strict_json.write({"id": id_, **accepted})
        return Response(body, HTTPStatus.ACCEPTED, media_type="application/json")

    async def _announce(self, identity: Identity, text: str) -> Response:
        """Publish one message to every workspace; others have their turn in between."""
        notice = self._endpoint.broker.announce(identity, text)
        while notice.go_on():  # noqa: ASYNC110 it does not wait for anything
            await asyncio.sleep(0)
        return JSONResponse({"id": notice.id, "workspaces": notice.workspaces}, HTTPStatus.ACCEPTED)

    async def events(self, request: Request) -> Response:
        """Open an event stream."""
        if request.method == "HEAD":  # it would hold a session that nothing is ever read from
            raise HTTPException(HTTPStatus.METHOD_NOT_ALLOWED, "a stream has no headers alone", {"Allow": "GET"})
        workspace, identity = self._caller(request)
        if workspace == EVERY_WORKSPACE:
            raise ProblemError(HTTPStatus.BAD_REQUEST, "a stream is of one workspace")
        grant = identity.grant
        if grant is not None and workspace not in grant.workspaces:
            self._turned_away(request, "the token is not for this workspace")
            raise not_permitted(f"read workspace {workspace}", "workspace")
        stream = EventStream(self._endpoint)
        patterns = request.query_params.getlist("pattern")
        try:
            stream.open(workspace, identity, patterns, request.headers.get("last-event-id"))
        except RefusedSubscribeError as refused:
            return problems.of_body(refused.body)
        except RefusedError as refused:
            busy = refused.code is CloseCode.TOO_MANY
            status = HTTPStatus.TOO_MANY_REQUESTS if busy else HTTPStatus.SERVICE_UNAVAILABLE
            raise ProblemError(status, refused.reason) from None
        if grant is not None:
            self._endpoint.observer.signed_in(workspace, identity)
        return stream  # type: ignore[return-value]  # an ASGI callable, which is all that Starlette needs

    def _caller(self, request: Request) -> tuple[str, Identity]:
        """Check who asks, and for which workspace."""
        applicant: Applicant = request.state.applicant
        grant: Grant | None = request.state.grant
        workspace = request.path_params["workspace"]
        try:
            if workspace != EVERY_WORKSPACE:
                check_workspace(workspace)
            applicant.opening = Opening(workspace, read_app(request.url.query))
        except ValueError as error:
            raise ProblemError(HTTPStatus.BAD_REQUEST, str(error)) from None
        if grant is None:
            return applicant.anybody()
        try:
            return workspace, applicant.identify(grant)
        except ForbiddenError as forbidden:
            self._turned_away(request, str(forbidden))
            raise ProblemError(HTTPStatus.FORBIDDEN, str(forbidden)) from None

    def _turned_away(self, request: Request, reason: str) -> None:
        """Tell of a good token that is not for this."""
        self._endpoint.observer.sign_in_refused(request.state.applicant, CloseCode.FORBIDDEN, reason)

    async def _body(self, request: Request) -> str:
        """Read a JSON text, no longer than a message may be."""
        media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type != "application/json":
            raise ProblemError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "send application/json")
        limit = self._endpoint.settings.message_bytes
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > limit:
                raise ProblemError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"more than MESSAGE_BYTES ({limit})")
        try:
            return body.decode()
        except UnicodeDecodeError as error:
            where = {"line": 1, "column": error.start + 1}
            raise Rejection(Code.MALFORMED_JSON, "not valid JSON: not UTF-8", details=where) from None

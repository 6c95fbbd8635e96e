"""The hand of the outside world, over HTTP: who calls, answers and hangs up, and what goes wrong.

It is there for tests and for people who try things out; it listens on loopback and asks nobody who they are. Web pages
are kept out, wherever they are from: by the name in ``Host``, and by their ``Origin``.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from bridge.calls.simulator.errors import SwitchError
from bridge.finesse_simulator.fault_request import FaultRequest, explain

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request
    from starlette.types import ASGIApp, Receive, Scope, Send

    from bridge.finesse_simulator.look_alike import FinesseLookAlike

HELP: Final = (
    'POST /offer         {"to": "1001001", "from": "+15550100", "variables": {}}: a customer\'s call rings there',
    'POST /party/answer  {"address": "5070"}: that party answers the call that has been ringing there longest',
    'POST /party/drop    {"address": "5070", "call": "16786021"}: that party hangs up, all its calls without "call"',
    "GET  /dialogs       the truth: state and dialogs of every agent, by extension",
    "GET  /log           every request that would change something, in order, and what became of it",
    "GET  /agents        where everything is, with the agents' passwords",
    "POST /faults        lets things go wrong, see below",
    "",
)


LOOPBACK: Final = ("127.0.0.1", "localhost")

Body = TypeVar("Body", bound=BaseModel)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Offer(_Strict):
    """A customer's call."""

    to: str
    from_address: str = Field(alias="from")
    variables: dict[str, str] = {}


class PartyAnswers(_Strict):
    """Somebody picks up."""

    address: str


class PartyDrops(_Strict):
    """Somebody hangs up."""

    address: str
    call: str | None = None


def control_app(finesse: FinesseLookAlike) -> Starlette:
    """Make the application."""

    def offer(body: Offer) -> dict[str, Any]:
        return {"call": finesse.offer(body.to, body.from_address, body.variables)}

    def answer(body: PartyAnswers) -> dict[str, Any]:
        finesse.party_answer(body.address)
        return {}

    def drop(body: PartyDrops) -> dict[str, Any]:
        finesse.party_drop(body.address, body.call)
        return {}

    def reading(give: Callable[[], Any]) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(_request: Request) -> Response:
            return JSONResponse(give())

        return endpoint

    async def show_help(_request: Request) -> Response:
        return PlainTextResponse("\n".join([*HELP, *explain(), ""]))

    async def faults(request: Request) -> Response:
        try:
            wanted = FaultRequest.model_validate_json(await request.body())
            return JSONResponse(await finesse.set_faults(wanted))
        except ValueError as error:
            return _refused(HTTPStatus.BAD_REQUEST, error)

    return Starlette(
        routes=[
            Route("/", show_help, methods=["GET"]),
            Route("/offer", _asked(Offer, offer), methods=["POST"]),
            Route("/party/answer", _asked(PartyAnswers, answer), methods=["POST"]),
            Route("/party/drop", _asked(PartyDrops, drop), methods=["POST"]),
            Route("/dialogs", reading(lambda: {"agents": finesse.dialogs()}), methods=["GET"]),
            Route("/log", reading(lambda: {"entries": finesse.log()}), methods=["GET"]),
            Route("/agents", reading(finesse.to_json), methods=["GET"]),
            Route("/faults", faults, methods=["POST"]),
        ],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=LOOPBACK), Middleware(_NoPages)],
    )


class _NoPages:
    """Refuses what a browser sends on behalf of a page: only such requests have an ``Origin``."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._app
        if scope["type"] == "http" and any(name == b"origin" for name, _ in scope["headers"]):
            app = PlainTextResponse("this is not for web pages", HTTPStatus.FORBIDDEN)
        await app(scope, receive, send)


def _asked(model: type[Body], act: Callable[[Body], dict[str, Any]]) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            return JSONResponse(act(model.model_validate_json(await request.body())))
        except ValidationError as error:
            return _refused(HTTPStatus.BAD_REQUEST, error)
        except SwitchError as error:
            return _refused(HTTPStatus.CONFLICT, error)

    return endpoint


def _refused(status: HTTPStatus, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, status)

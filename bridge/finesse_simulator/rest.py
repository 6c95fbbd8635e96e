"""Finesse's REST face on one node (Finesse developer guide, "User APIs", "Dialog APIs", "SystemInfo API").

A request is checked in this order: is the node in service, who asks, can the body be read, is the object theirs. What
passes is written into the journal, answered with 202 and an empty body, and waits for its turn in the world.
"""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from bridge.calls.model import Action, ParticipantState
from bridge.finesse_simulator import documents, orders
from bridge.finesse_simulator.faults import Body, Effect
from bridge.finesse_simulator.https import CUT
from bridge.finesse_simulator.refusals import (
    ApiError,
    RefusalError,
    bad_request,
    no_dialog,
    no_user,
    out_of_service,
    unauthorized,
    wrong_user,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from starlette.requests import Request

    from bridge.calls.finesse.xml import Markup
    from bridge.calls.model import Call
    from bridge.finesse_simulator.accounts import Account, Accounts
    from bridge.finesse_simulator.faults import Faults, Rule
    from bridge.finesse_simulator.journal import Entry, Journal
    from bridge.finesse_simulator.orders import CallOrder, StateOrder
    from bridge.finesse_simulator.world import World

BODY_BYTES: Final = 65_536
REQUEST_ID: Final = "requestId"
SESSION: Final = "JSESSIONID"
_XML: Final = "application/xml"
_NO_ACTIVE_CALL: Final = "No Active call available on agent for {}"
_HTML: Final = (
    "<!doctype html><html><head><title>HTTP Status {0}</title></head><body><h1>HTTP Status {0}</h1></body></html>"
)


class RestNode:
    """One node's web application; ``system_info()`` writes what it tells about itself."""

    def __init__(
        self,
        node: int,
        *,
        world: World,
        accounts: Accounts,
        faults: Faults,
        journal: Journal,
        system_info: Callable[[], Markup],
    ) -> None:
        self._node = node
        self._world = world
        self._accounts = accounts
        self._faults = faults
        self._journal = journal
        self._system_info = system_info
        user, dialogs = "/finesse/api/User/{user}", "/finesse/api/User/{user}/Dialogs"
        dialog = "/finesse/api/Dialog/{dialog}"
        self.app = Starlette(
            routes=[
                Route("/finesse/api/SystemInfo", self._anonymous(self._get_system_info), methods=["GET"]),
                Route(user, self._authenticated(self._get_user), methods=["GET"]),
                Route(user, self._authenticated(self._put_user), methods=["PUT"]),
                Route(dialogs, self._authenticated(self._get_dialogs), methods=["GET"]),
                Route(dialogs, self._authenticated(self._post_dialog), methods=["POST"]),
                Route(dialog, self._authenticated(self._get_dialog), methods=["GET"]),
                Route(dialog, self._authenticated(self._put_dialog), methods=["PUT"]),
            ]
        )

    # Around every request

    def _anonymous(self, answer: Callable[[Request], Response]) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            if self._node in self._faults.unavailable:
                return self._refused(request, out_of_service())
            return answer(request)

        return endpoint

    def _authenticated(
        self, answer: Callable[[Request, Account], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            try:
                if self._node in self._faults.unavailable | self._faults.out_of_service:
                    raise out_of_service()
                account = self._accounts.authenticate(request.headers.get("authorization", ""))
                if request.cookies.get(SESSION, account.username) != account.username:
                    raise wrong_user(account.username)  # somebody else's session
                response = await answer(request, account)
                response.set_cookie(SESSION, account.username, path="/finesse", secure=True, httponly=True)
            except RefusalError as refusal:
                return self._refused(request, refusal)
            else:
                return response

        return endpoint

    def _refused(self, request: Request, refusal: RefusalError) -> Response:
        headers = {REQUEST_ID: request.headers[REQUEST_ID]} if REQUEST_ID in request.headers else {}
        if refusal.status == HTTPStatus.UNAUTHORIZED:
            headers["WWW-Authenticate"] = 'Basic realm="Finesse"'
        match self._faults.error_body:
            case Body.XML:
                return _xml(documents.api_errors(refusal.error), refusal.status, headers)
            case Body.HTML:
                return Response(_HTML.format(refusal.status), refusal.status, headers, "text/html")
            case Body.EMPTY:
                return Response(status_code=refusal.status, headers=headers)

    # What is read

    def _get_system_info(self, _request: Request) -> Response:
        return _xml(self._system_info())

    async def _get_user(self, request: Request, account: Account) -> Response:
        self._require_self(request, account)
        return _xml(documents.user(self._world.seats[account.username]))

    async def _get_dialogs(self, request: Request, account: Account) -> Response:
        self._require_self(request, account)
        calls = self._world.calls(account.username)
        return _xml(documents.dialogs(self._world.document(call) for call in calls))

    async def _get_dialog(self, request: Request, account: Account) -> Response:
        return _xml(self._world.document(self._require_call(request.path_params["dialog"], account)))

    # What is asked

    async def _put_user(self, request: Request, account: Account) -> Response:
        self._require_self(request, account)
        order = orders.read_state_order(await _body(request))
        with self._written_down(request, account.username, order) as entry:
            if order.state != orders.LOGIN:
                self._require_signed_in(account)
            return await self._take(request, order, entry)

    async def _post_dialog(self, request: Request, account: Account) -> Response:
        self._require_self(request, account)
        self._require_signed_in(account)
        seat = self._world.seats[account.username]
        order = orders.read_new_call(await _body(request), self._world.profile, seat.extension)
        with self._written_down(request, account.username, order) as entry:
            return await self._take(request, order, entry)

    async def _put_dialog(self, request: Request, account: Account) -> Response:
        self._require_signed_in(account)
        body = await _body(request)
        order = orders.read_call_order(body, self._world.profile, request.path_params["dialog"])
        with self._written_down(request, account.username, order) as entry:
            self._check_at_once(order, self._require_call(order.dialog, account), account)
            return await self._take(request, order, entry)

    @contextmanager
    def _written_down(self, request: Request, user: str, order: CallOrder | StateOrder) -> Iterator[Entry]:
        """Write into the journal what is asked, and whether it is refused at once."""
        entry = self._journal.begin(self._node, user, order, request.headers.get(REQUEST_ID, ""))
        try:
            yield entry
        except RefusalError as refusal:
            entry.status, entry.outcome, entry.detail = refusal.status, "refused", refusal.error.message
            raise

    def _check_at_once(self, order: CallOrder, call: Call, account: Account) -> None:
        """Find what Finesse itself finds about the state of calls; the rest is for the switch."""
        extension = self._world.seats[account.username].extension
        if order.target and order.target != extension and order.action != orders.PARTICIPANT_DROP:
            raise wrong_user(account.username)
        state = _participant_state(call, extension)
        if order.action in {Action.TRANSFER, Action.CONFERENCE} and not self._world.has_active_call(account.username):
            error = ApiError("Invalid State", _NO_ACTIVE_CALL.format(order.action), order.action)
            raise RefusalError(HTTPStatus.BAD_REQUEST, error)
        if order.action in {Action.SEND_DTMF, orders.START_RECORDING} and state is ParticipantState.HELD:
            raise RefusalError(HTTPStatus.UNAUTHORIZED, ApiError("Invalid State", f"{extension} is HELD", order.action))

    async def _take(self, request: Request, order: CallOrder | StateOrder, entry: Entry) -> Response:
        """Let it wait for its turn and answer, as far as the faults allow."""
        rules = {rule.effect: rule for rule in self._faults.take(entry.action, entry.user)}
        if Effect.CUT_REQUEST in rules:
            entry.outcome = "ignored"
            return await _cut(request)
        if refuse := rules.get(Effect.REFUSE):
            raise RefusalError(refuse.status, refuse.error)
        self._world.order(order, entry, tuple(rules.values()))
        if Effect.CUT_ANSWER in rules:
            return await _cut(request)
        return await self._accepted(entry, rules.get(Effect.DELAY_ANSWER))

    async def _accepted(self, entry: Entry, late: Rule | None) -> Response:
        if late is not None:
            await asyncio.sleep(late.seconds)
        entry.status = int(HTTPStatus.ACCEPTED)
        return Response(status_code=HTTPStatus.ACCEPTED)

    # Whose it is

    def _require_self(self, request: Request, account: Account) -> None:
        name = request.path_params["user"]
        found = self._accounts.find(name)
        if found is None:
            raise no_user(name)
        if found is not account:
            raise wrong_user(account.username)

    def _require_signed_in(self, account: Account) -> None:
        if not self._world.seats[account.username].signed_in:
            raise unauthorized(account.username)

    def _require_call(self, dialog: str, account: Account) -> Call:
        call = self._world.call(dialog)
        if call is None:
            raise no_dialog(dialog)
        if all(own.id != dialog for own in self._world.calls(account.username)):
            raise wrong_user(account.username)
        return call


def _participant_state(call: Call, extension: str) -> ParticipantState | None:
    party = call.participant(extension)
    return party.state if party else None


def _xml(document: Markup, status: int = HTTPStatus.OK, headers: dict[str, str] | None = None) -> Response:
    return Response(str(document), status, headers, f"{_XML};charset=UTF-8")


async def _body(request: Request) -> bytes:
    """Read a body of XML, not more than any request needs."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != _XML:
        raise RefusalError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, ApiError("Bad Request", f"the body must be {_XML}"))
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES:
            raise bad_request(f"the body has more than {BODY_BYTES} bytes")
    return bytes(body)


async def _cut(request: Request) -> Response:
    """Let the connection end without an answer."""
    request.scope[CUT]()
    await asyncio.sleep(0)
    return Response()

"""The Finesse adapter with the look-alike's outside world at hand: for demonstrations and for trying out gadgets.

Calls go the whole way, over REST and XMPP, as they do with a real Finesse. Only what no Finesse offers, a customer who
calls and a party who answers or hangs up, goes to the look-alike directly, by the same ``Simulator/…`` commands that
the built-in simulator knows. So neither a browser nor a gadget has to know the look-alike's control interface.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from bridge.calls.adapter import CallChanged, Failure, OfferCall, PartyAnswer, PartyDrop
from bridge.calls.finesse.adapter import NOT_SIGNED_IN, FinesseAdapter
from bridge.calls.simulator.errors import SwitchError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.calls.adapter import AdapterEvents, Change, Request
    from bridge.calls.model import Agent, Call
    from bridge.finesse_simulator.look_alike import FinesseLookAlike

OutsideRequest = OfferCall | PartyAnswer | PartyDrop


class DemoAdapter(FinesseAdapter):
    """Finesse's adapter at a look-alike that has been started."""

    name = "finesse-demo"
    offers_simulator = True

    def __init__(self, finesse: FinesseLookAlike) -> None:
        super().__init__(finesse.rest_urls, xmpp_urls=finesse.xmpp_urls, ca_file=finesse.ca_file)
        self._finesse = finesse
        self._offers = _Offers()

    def start(self, events: AdapterEvents) -> None:
        """Begin; what Finesse tells passes through here."""
        self._offers.events = events
        super().start(self._offers)

    def submit(self, request: Request) -> None:
        """Pass a request on, to the world outside or to Finesse."""
        if isinstance(request, OutsideRequest):
            asyncio.get_running_loop().call_soon(self._reach_out, request)
        else:
            super().submit(request)

    def _reach_out(self, request: OutsideRequest) -> None:
        session = self._sessions.get(request.workspace)
        if session is None:
            self._events.refused(request.id, NOT_SIGNED_IN)
            return
        try:
            match request:
                case OfferCall(from_address=caller, variables=variables):
                    self._offers.note(self._finesse.offer(session.extension, caller, variables), request.id)
                case PartyAnswer(address=address):
                    self._finesse.party_answer(address)
                case PartyDrop(address=address, call=call):
                    self._finesse.party_drop(address, call)
        except SwitchError as error:
            self._events.refused(request.id, Failure(error.error_type, error.message, error.cause))
        else:
            self._events.taken(request.id)


class _Offers:
    """Passes on what the adapter tells, and says which command is behind a call that was offered.

    Finesse cannot know: for it the customer has called. The call's first notification is still on its way when the
    offer is noted.
    """

    def __init__(self) -> None:
        self.events: AdapterEvents
        self._requests: dict[str, str] = {}

    def note(self, call: str, request: str) -> None:
        """Remember which request made a call."""
        self._requests[call] = request

    def taken(self, request: str) -> None:
        self.events.taken(request)

    def refused(self, request: str, failure: Failure) -> None:
        self.events.refused(request, failure)

    def unanswered(self, request: str) -> None:
        self.events.unanswered(request)

    def changed(self, changes: Sequence[Change]) -> None:
        self.events.changed([self._explained(change) for change in changes])

    def reread(self, workspace: str, agent: Agent | None, calls: Sequence[Call]) -> None:
        self.events.reread(workspace, agent, calls)

    def _explained(self, change: Change) -> Change:
        if isinstance(change, CallChanged) and (request := self._requests.pop(change.call.id, None)) is not None:
            return replace(change, cause=request)
        return change

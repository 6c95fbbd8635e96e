"""Cisco Finesse on the stage: the look-alike in a process of its own, over real HTTPS and a real XMPP server."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from bridge.calls.finesse.adapter import FinesseAdapter
from bridge.calls.finesse.pace import Pace
from bridge.calls.model import AgentStatus
from tests.calls.contract.stage import Seat, Shown, Stage, Truth

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from bridge.calls.adapter import Adapter
    from bridge.calls.finesse.site import Transport
    from bridge.calls.model import Action
    from tests.calls.contract.look_alike_process import LookAlike

QUICK = Pace(settle=0.05, back_off=0.05)

_numbers = count(600_001)


class FinesseStage(Stage):
    """A look-alike that tests share. Nobody else's numbers are called: they are counted over all tests."""

    def __init__(self, finesse: LookAlike, transport: Transport = "websocket") -> None:
        self._finesse = finesse
        self._transport = transport

    def adapter(self) -> Adapter:
        finesse = self._finesse
        xmpp_urls = finesse.tcp_urls if self._transport == "tcp" else finesse.websocket_urls
        return FinesseAdapter(finesse.rest_urls, xmpp_urls=xmpp_urls, ca_file=finesse.ca_file, pace=QUICK)

    def seat(self) -> Seat:
        account = self._finesse.account()
        return Seat(f"desk-{account.username}", account.username, account.extension, account.password)

    def number(self) -> str:
        return str(next(_numbers))

    async def calls(self, seat: Seat, number: str, variables: Mapping[str, str]) -> None:
        self._finesse.offer(seat.extension, number, variables)

    async def answers(self, seat: Seat, address: str) -> None:
        del seat
        self._finesse.party_answer(address)

    async def hangs_up(self, seat: Seat, address: str) -> None:
        del seat
        self._finesse.party_drop(address)

    async def loses_the_answer(self, seat: Seat, action: Action) -> None:
        self._finesse.faults(rules=[{"effect": "cut_answer", "action": action.value, "user": seat.username}])

    async def truth(self, seat: Seat) -> Truth:
        told = self._finesse.agent(seat.extension)
        return Truth(AgentStatus(told["state"]), {call["id"]: _shown(call) for call in told["dialogs"]})


def _shown(call: Mapping[str, Any]) -> Shown:
    return Shown(
        call["state"],
        call["fromAddress"] or "",
        call["toAddress"],
        call["secondaryId"],
        call["associated"],
        frozenset((name, value) for name, value in call["variables"].items() if value),
        frozenset((party["address"], party["state"]) for party in call["participants"]),
    )

"""Puts into notices what happened: to a call, to an agent, to a request that was refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.calls.simulator.desks import Event
from bridge.calls.simulator.dialog import CallType
from bridge.finesse_simulator import documents
from bridge.finesse_simulator.notices import Notice
from bridge.finesse_simulator.orders import CallOrder

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bridge.calls.finesse.xml import Markup
    from bridge.calls.model import Call
    from bridge.calls.simulator.desks import Notification
    from bridge.finesse_simulator.agents import Seat
    from bridge.finesse_simulator.faults import Faults
    from bridge.finesse_simulator.orders import StateOrder
    from bridge.finesse_simulator.profile import Profile
    from bridge.finesse_simulator.records import CallRecords
    from bridge.finesse_simulator.refusals import ApiError


class Herald:
    """Writes notices. It needs to know what the switch does not tell about calls, and how they are to look."""

    def __init__(self, *, profile: Profile, faults: Faults, records: CallRecords) -> None:
        self._profile = profile
        self._faults = faults
        self._records = records

    def dialog(self, call: Call, name: str = "Dialog") -> Markup:
        """Write a call as it looks now."""
        call_type = self._faults.consult_call_type if call.call_type == CallType.CONSULT else None
        wrap_up = self._records.wrap_ups.get(call.id, "")
        return documents.dialog(call, self._profile, name, call_type=call_type, wrap_up=wrap_up)

    def of_calls(
        self, told: Iterable[Notification], seats: Mapping[str, Seat], request_id: str = "", *, at_once: bool = True
    ) -> list[Notice]:
        """Tell what happened to calls; ``seats`` are by extension. What several agents are told is written once."""
        written: dict[tuple[int, bool], Markup] = {}
        notices = []
        for each in told:
            listed = each.event is not Event.PUT
            key = (id(each.call), listed)
            if key not in written:
                written[key] = self._listed(each.call) if listed else self.dialog(each.call, "dialog")
            user = seats[each.extension].account.username
            node = documents.dialogs_uri(user)
            source = node if listed else documents.dialog_uri(each.call.id)
            notices.append(Notice(user, node, each.event, source, written[key], each.call.id, request_id, at_once))
        return notices

    def of_agent(self, seat: Seat, request_id: str = "") -> Notice:
        """Tell an agent's state."""
        uri = documents.user_uri(seat.account.username)
        return Notice(seat.account.username, uri, "PUT", uri, documents.user(seat, "user"), "user", request_id)

    def of_refusal(self, user: str, order: CallOrder | StateOrder, error: ApiError, request_id: str) -> Notice:
        """Tell that the switch will not do what Finesse has taken."""
        data = documents.late_errors(error)
        if not isinstance(order, CallOrder):
            uri = documents.user_uri(user)
            return Notice(user, uri, "PUT", uri, data, "user", request_id)
        node = documents.dialogs_uri(user)
        source = documents.dialog_uri(order.dialog) if order.dialog else node
        return Notice(user, node, "PUT", source, data, order.dialog, request_id)

    def _listed(self, call: Call) -> Markup:
        return documents.dialogs([self.dialog(call)], "dialogs")

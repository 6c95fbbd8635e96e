"""How often a request is tried that cannot be sent: nobody listens where the node should be."""

from __future__ import annotations

import socket
import ssl
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from bridge.calls.adapter import CallRequest, Failure
from bridge.calls.finesse.credentials import Credentials
from bridge.calls.finesse.dispatch import Dispatch
from bridge.calls.finesse.nodes import Node, Nodes
from bridge.calls.finesse.pace import Pace
from bridge.calls.finesse.rest import FinesseRest, make_client
from bridge.calls.finesse.site import Site
from bridge.calls.finesse.view import View
from bridge.calls.model import Action
from tests.calls.simulator.adapter_desk import Told

if TYPE_CHECKING:
    from bridge.calls.finesse.bodies import Outgoing


class Counted(FinesseRest):
    """Counts what it is given to send."""

    tries = 0

    async def send(self, outgoing: Outgoing, credentials: Credentials, request_id: str) -> None:
        self.tries += 1
        await super().send(outgoing, credentials, request_id)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.mark.parametrize(("last_try", "tries"), [(10.0, 3), (0.0, 1)], ids=["in time", "its time is over"])
async def test_request_that_cannot_be_sent_is_tried_again_within_its_time_and_then_refused(
    last_try: float, tries: int
) -> None:
    pace = Pace(request_retry=0.01, request_last_try=last_try)
    url = f"https://127.0.0.1:{free_port()}"
    async with make_client(ssl.create_default_context()) as client:
        rest = Counted(url, client)
        node = Node(url, rest)
        site, told = Site(Nodes([node], pace), ssl.create_default_context(), pace=pace), Told()
        credentials = Credentials("1001001", SecretStr("s3cret"))
        dispatch = Dispatch(credentials, "1001001", site, told, View("desk", "1001001", lambda: 0.0))
        dispatch.node = node
        dispatch.submit(CallRequest("r1", "desk", Action.HOLD, "1"))
        (task,) = dispatch._tasks
        await task
    assert rest.tries == tries
    assert told.all == [
        ("refused", "r1", Failure("Service Unavailable", "Finesse could not be reached; nothing was sent"))
    ]

"""How often a request is tried that cannot be sent, and what is told when its refusal overtakes its answer."""

from __future__ import annotations

import asyncio
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
from bridge.calls.finesse.rest import FinesseRest, Refused, Unanswered, make_client
from bridge.calls.finesse.site import Site
from bridge.calls.finesse.view import View
from bridge.calls.model import Action
from tests.calls.simulator.adapter_desk import Told

if TYPE_CHECKING:
    from bridge.calls.finesse.bodies import Outgoing
    from bridge.calls.finesse.pool import Pool

HOLD = CallRequest("r1", "desk", Action.HOLD, "1")
BUSY = Failure("Invalid Destination", "busy")


class Counted(FinesseRest):
    """Counts what it is given to send."""

    tries = 0

    async def send(self, outgoing: Outgoing, credentials: Credentials, request_id: str) -> None:
        self.tries += 1
        await super().send(outgoing, credentials, request_id)


class Slow(FinesseRest):
    """Answers when it is told to, with nothing or with what ``send`` raises."""

    def __init__(self, base_url: str, client: Pool) -> None:
        super().__init__(base_url, client)
        self.sent = asyncio.Event()
        self.answer: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()

    async def send(self, *_: object) -> None:
        self.sent.set()
        if (problem := await self.answer) is not None:
            raise problem


def dispatching(rest: FinesseRest, told: Told, pace: Pace) -> Dispatch:
    node = Node("https://127.0.0.1", rest)
    site = Site(Nodes([node], pace), ssl.create_default_context(), pace=pace)
    credentials = Credentials("1001001", SecretStr("s3cret"))
    dispatch = Dispatch(credentials, "1001001", site, told, View("desk", "1001001", lambda: 0.0))
    dispatch.node = node
    return dispatch


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
        told = Told()
        dispatch = dispatching(rest, told, pace)
        dispatch.submit(HOLD)
        (task,) = dispatch._tasks
        await task
    assert rest.tries == tries
    assert told.all == [
        ("refused", "r1", Failure("Service Unavailable", "Finesse could not be reached; nothing was sent"))
    ]


@pytest.mark.parametrize(
    "answer",
    [None, Unanswered("lost"), Refused(Failure("Invalid State", "too late"), 400)],
    ids=["taken", "unanswered", "refused"],
)
async def test_request_whose_refusal_overtakes_its_answer_is_told_refused_and_nothing_more(
    answer: Exception | None,
) -> None:
    async with make_client(ssl.create_default_context()) as client:
        rest, told = Slow(f"https://127.0.0.1:{free_port()}", client), Told()
        dispatch = dispatching(rest, told, Pace())
        dispatch.submit(HOLD)
        (task,) = dispatch._tasks
        await rest.sent.wait()
        dispatch.refuse("r1", BUSY)
        rest.answer.set_result(answer)
        await task
        assert told.all == [("refused", "r1", BUSY)]

        rest.answer = asyncio.get_running_loop().create_future()
        rest.answer.set_result(None)
        dispatch.submit(CallRequest("r2", "desk", Action.HOLD, "1"))
        (task,) = dispatch._tasks
        await task
        assert told.all[1:] == [("taken", "r2")]

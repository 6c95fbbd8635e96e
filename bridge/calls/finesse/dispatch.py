"""Giving one agent's requests to Finesse, and telling what became of each: taken, refused, or unanswered.

A request that was sent is never sent again, since it might act twice. One that could not be sent at all is tried a few
times, at the node where the agent then is.
"""

from __future__ import annotations

import asyncio
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING

from bridge.calls.adapter import AgentChanged, Failure
from bridge.calls.finesse.bodies import outgoing
from bridge.calls.finesse.endings import UNREACHABLE, credentials_refused
from bridge.calls.finesse.rest import Refused, Unanswered, Unreachable
from bridge.calls.model import AgentStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from bridge.calls.adapter import AdapterEvents, CallRequest, ChangeStatus, ReadAgent, SignIn
    from bridge.calls.finesse.bodies import Outgoing
    from bridge.calls.finesse.credentials import Credentials
    from bridge.calls.finesse.nodes import Node
    from bridge.calls.finesse.site import Site
    from bridge.calls.finesse.view import View
    from bridge.calls.model import Agent

NOWHERE = Unreachable("the agent is at no node")
NOTHING_SENT = Failure(UNREACHABLE, "Finesse could not be reached; nothing was sent")


class Dispatch:
    """The requests of one agent.

    ``node`` is where the agent is, ``None`` before it is anywhere. ``in_doubt`` is called when an answer was lost,
    ``locked_out`` when Finesse does not take the credentials any more.
    """

    def __init__(
        self,
        credentials: Credentials,
        extension: str,
        site: Site,
        events: AdapterEvents,
        view: View,
    ) -> None:
        self.credentials = credentials
        self.node: Node | None = None
        self.in_doubt: Callable[[], None] = _nobody
        self.locked_out: Callable[[], None] = _nobody
        self._extension = extension
        self._site = site
        self._events = events
        self._view = view
        self._correlation = view.correlation
        self._over: Failure | None = None
        # What is being sent and has not been refused meanwhile.
        self._sending: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def submit(self, request: CallRequest | ChangeStatus) -> None:
        """Send a request."""
        self._spawn(self._send(request))

    def refuse(self, request: str, failure: Failure) -> None:
        """Tell that Finesse will not do a request; this may come before the answer to the request itself."""
        self._sending.discard(request)
        self._correlation.forget(request)
        self._events.refused(request, failure)

    def read_agent(self, request: ReadAgent) -> None:
        """Tell the agent's state anew."""
        self._spawn(self._read_agent(request))

    def renew(self, request: SignIn, renewed: Credentials) -> None:
        """Take new credentials of the same agent, if Finesse takes them; nobody is signed out."""
        self._spawn(self._renew(request, renewed))

    def end(self, failure: Failure) -> None:
        """Send nothing any more, and refuse it with ``failure``; what was sent may still be answered."""
        self._over = failure

    @property
    def idle(self) -> bool:
        """Whether nothing is under way."""
        return not self._tasks

    async def stop(self) -> None:
        """Give up what is under way: what was sent stays unanswered."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _send(self, request: CallRequest | ChangeStatus) -> None:
        try:
            message = outgoing(request, user=self.credentials.username, extension=self._extension)
        except ValueError as problem:
            self._events.refused(request.id, Failure("Invalid Input", str(problem)))
            return
        self._correlation.expect(request)
        last_try = monotonic() + self._site.pace.request_last_try
        for attempt in range(self._site.pace.request_tries):
            if attempt:
                await asyncio.sleep(self._site.pace.request_retry)
            # Not after its time: a person who was told so may have asked again.
            too_late = attempt and monotonic() > last_try
            if too_late or self._over is not None:
                break
            if (node := self.node) is not None and await self._try(request, message, node):
                return
        self.refuse(request.id, self._over or NOTHING_SENT)

    async def _try(self, request: CallRequest | ChangeStatus, message: Outgoing, node: Node) -> bool:
        """Send a request once. Returns whether it was sent."""
        credentials = self.credentials
        self._sending.add(request.id)
        try:
            await node.rest.send(message, credentials, request.id)
        except Unreachable:
            self._site.nodes.suspect(node)
            return False
        except Unanswered:
            self._site.nodes.suspect(node)
            self._answer(request, self._events.unanswered)
            self.in_doubt()
        except Refused as refusal:
            self._answer(request, partial(self.refuse, failure=refusal.failure))
            if refusal.out_of_service:
                self._site.nodes.suspect(node)
            if refusal.credentials_refused and credentials is self.credentials:
                self.locked_out()
        else:
            self._answer(request, self._events.taken)
        finally:
            self._sending.discard(request.id)
        return True

    def _answer(self, request: CallRequest | ChangeStatus, tell: Callable[[str], None]) -> None:
        """Tell what came of sending a request, unless a notification of its refusal was faster."""
        if request.id in self._sending:
            tell(request.id)

    async def _read_agent(self, request: ReadAgent) -> None:
        mark = self._view.mark()
        agent = await self._ask(request, self.credentials)
        if agent is not None:
            self._view.agent_reading(mark, agent)
            agent = self._view.agent or agent
            self._events.changed([AgentChanged(request.workspace, agent, request.id)])
            self._events.taken(request.id)
            if agent.status is AgentStatus.LOGOUT:
                self.in_doubt()

    async def _renew(self, request: SignIn, renewed: Credentials) -> None:
        if await self._ask(request, renewed) is None:
            return
        if self._over is not None:
            self._events.refused(request.id, self._over)
            return
        self.credentials = renewed
        self._events.taken(request.id)

    async def _ask(self, request: ReadAgent | SignIn, credentials: Credentials) -> Agent | None:
        """Read the agent's state with those credentials; a failure answers the request."""
        try:
            if self.node is None:
                raise NOWHERE
            return await self.node.rest.user(credentials)
        except Refused as refusal:
            told = credentials_refused(credentials).failure if refusal.credentials_refused else refusal.failure
            self._events.refused(request.id, told)
            if refusal.credentials_refused and credentials is self.credentials:
                self.locked_out()
        except (Unreachable, Unanswered) as problem:
            self._events.refused(request.id, Failure(UNREACHABLE, str(problem)))
        return None


def _nobody() -> None:
    """Stand in until the session says whom to tell."""

"""One signed-in agent: a line to the notification service, requests over REST, and a picture kept true.

The life of a session::

    sign in ─▶ live ─▶ blind: line lost, node out of service ─▶ live …
                 └──▶ over: logged out, credentials refused, taken over, nobody looks any more

A session is *live* while its line is up, its node serves, and all calls were read since. Otherwise it is blind; what
notifications tell in between is kept, and told in order before what the reading adds once it is live again. One session
serves all of an agent's widgets.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import secrets
from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING

import structlog

from bridge.calls.adapter import (
    AgentChanged,
    ConnectionChanged,
    Failure,
    SignIn,
)
from bridge.calls.finesse.bodies import outgoing
from bridge.calls.finesse.credentials import Credentials
from bridge.calls.finesse.dispatch import Dispatch
from bridge.calls.finesse.endings import Interrupted, Over, credentials_refused, gravest, judge
from bridge.calls.finesse.linger import Linger
from bridge.calls.finesse.notifications import DialogNotice, ErrorNotice, SystemNotice, UserNotice, read_notices
from bridge.calls.finesse.rest import Refused, Unanswered, Unreachable
from bridge.calls.finesse.view import View
from bridge.calls.finesse.xml import XmlError
from bridge.calls.model import AgentStatus, Connection

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bridge.calls.adapter import AdapterEvents, CallRequest, Change, ChangeStatus, ReadAgent
    from bridge.calls.finesse.nodes import Node
    from bridge.calls.finesse.notifications import Notice
    from bridge.calls.finesse.site import Site
    from bridge.calls.finesse.xml import Element
    from bridge.calls.finesse.xmpp import XmppConnection

log = structlog.get_logger("bridge.calls.finesse")

AVAILABILITY_USER = "finesse"
"""Finesse's web application is an XMPP user of this name: its presence tells whether the application runs (Finesse REST
developer guide, "Notification service")."""


class AgentSession:
    """One agent at one workspace, from sign-in to the end. ``over`` is called when it has ended."""

    def __init__(
        self, request: SignIn, site: Site, events: AdapterEvents, over: Callable[[AgentSession], None], *, watched: bool
    ) -> None:
        self.workspace = request.workspace
        self.username = request.username
        self.extension = request.extension
        self._site = site
        self._events = events
        self._over = over
        self._view = View(self.workspace, self.extension, monotonic)
        self._dispatch = Dispatch(credentials_of(request), self.extension, site, events, self._view.correlation)
        self._dispatch.in_doubt = self._settle_soon
        self._dispatch.locked_out = lambda: self._interrupt(credentials_refused(self._credentials))
        self._log = log.bind(workspace=self.workspace, agent=self.username)

        # The sign-in that is under way, and whether Finesse still has to be asked to sign the agent in.
        self._signing_in: SignIn | None = request
        self._login_due = True
        self._trouble = ""

        # Live or blind; what is told once live; events that the coroutines below wait for.
        self._live = self._was_live = self._is_over = False
        self._untold: list[Change] = []
        self._application_available = True
        self._status_told = asyncio.Event()
        self._poke = asyncio.Event()
        self._interruption: asyncio.Future[None] | None = None

        # Reading afresh: one at a time, again if somebody asks meanwhile.
        self._read_wanted = asyncio.Event()
        self._reread_owed = False

        self._settling: asyncio.TimerHandle | None = None

        self._linger = Linger(site.linger_seconds, self._leave_if_due)
        self._linger.watch(watched=watched)
        self._life = asyncio.create_task(self._run())

    # What the adapter asks

    def submit(self, request: CallRequest | ChangeStatus) -> None:
        """Send a request to Finesse."""
        self._dispatch.submit(request)

    def read_agent(self, request: ReadAgent) -> None:
        """Tell the agent's state anew."""
        self._dispatch.read_agent(request)

    def renew(self, request: SignIn) -> None:
        """Take new credentials of the same agent, if Finesse takes them; nobody is signed out."""
        self._dispatch.renew(request, credentials_of(request))

    def read(self) -> None:
        """Read agent and calls afresh and answer with a ``reread``."""
        self._reread_owed = True
        self._read_wanted.set()

    def watch(self, *, watched: bool) -> None:
        """Note whether any widget is connected; without one the session ends after its time."""
        self._linger.watch(watched=watched)

    def leave(self, over: Over) -> None:
        """End: the line is closed soon, the agent stays signed in at Finesse."""
        self._finish(over)
        self._life.cancel()

    async def stop(self) -> None:
        """End without telling anybody, and wait until the line is closed."""
        self._is_over = True
        self._life.cancel()
        await asyncio.gather(self._life, return_exceptions=True)

    @property
    def _credentials(self) -> Credentials:
        return self._dispatch.credentials

    # The life of a session

    async def _run(self) -> None:
        try:
            await self._live_until_over()
        except Over as over:
            self._finish(over)
        except TimeoutError:
            trouble = self._trouble or self._site.nodes.trouble() or "it does not answer in time"
            self._finish(Over(f"Finesse cannot be reached: {trouble}"))
        except Exception:  # noqa: BLE001
            # Whatever is wrong with us, the desktop must learn that call control is gone.
            self._log.exception("finesse_session_failed")
            self._finish(Over("the connection to Finesse failed; see the bridge's log"))
        finally:
            self._clear()

    def _clear(self) -> None:
        self._linger.cancel()
        self._dispatch.cancel()
        if self._settling is not None:
            self._settling.cancel()

    async def _live_until_over(self) -> None:
        """Connect, and connect again after each interruption; a first sign-in has its time."""
        attempt = 0
        avoid: Node | None = None
        async with asyncio.timeout(self._site.pace.sign_in) as time_to_sign_in:
            while True:
                was_live_since = monotonic()
                try:
                    await self._follow(avoid, time_to_sign_in)
                except Interrupted as interruption:
                    self._trouble = str(interruption)
                    self._go_blind(self._trouble)
                    lasted = monotonic() - was_live_since > self._site.pace.back_off_most
                    attempt = 0 if lasted else attempt + 1
                    # Once at the same node: the line may just have broken. Then elsewhere, if there is an elsewhere.
                    avoid = self._dispatch.node if attempt > 1 or not self._node_serves() else None
                await asyncio.sleep(self._pause(attempt))

    def _pause(self, attempt: int) -> float:
        """Give a random pause before a reconnect: up to twice as long each time, so that not all come at once."""
        pace = self._site.pace
        return random.uniform(0, min(pace.back_off_most, pace.back_off * 2 ** min(attempt, 10)))  # noqa: S311 no secret

    async def _follow(self, avoid: Node | None, time_to_sign_in: asyncio.Timeout) -> None:
        """Connect to a node and stay there. Raises ``Interrupted`` or ``Over``; never returns."""
        site = self._site
        async with contextlib.AsyncExitStack() as stack:
            admitted = await stack.enter_async_context(contextlib.AsyncExitStack())
            await admitted.enter_async_context(site.admission)
            node = await site.nodes.choose(prefer=self._dispatch.node, avoid=avoid)
            self._login_due = self._login_due or node is not self._dispatch.node
            self._dispatch.node = node
            try:
                agent = await node.rest.user(self._credentials)
                line = await site.open_line(node, agent.login_id or self.username, self._credentials)
            except Exception as problem:
                raise judge(problem, self._credentials) or problem from problem
            stack.push_async_callback(line.close)
            self._application_available = True
            self._interruption = asyncio.get_running_loop().create_future()
            site.nodes.watchers.add(self._nodes_changed)
            stack.callback(site.nodes.watchers.discard, self._nodes_changed)
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._listen(line))
                    group.create_task(self._stay_live(node, admitted, time_to_sign_in))
                    group.create_task(self._await_interruption(self._interruption))
            except BaseExceptionGroup as problems:
                raise gravest(problems, self._credentials) from problems

    @staticmethod
    async def _await_interruption(interruption: asyncio.Future[None]) -> None:
        await interruption

    def _interrupt(self, problem: Over) -> None:
        """End the session, wherever its life is just now."""
        if self._interruption is not None and not self._interruption.done():
            self._interruption.set_exception(problem)
        else:
            self.leave(problem)

    # Becoming live, staying so

    async def _stay_live(
        self, node: Node, admitted: contextlib.AsyncExitStack, time_to_sign_in: asyncio.Timeout
    ) -> None:
        """Sign in where needed, read everything, and do so again whenever the node comes back into service."""
        while True:
            await self._sign_in(node)
            await self._read(node, come_up=True)
            time_to_sign_in.reschedule(None)
            await admitted.aclose()
            while self._live:
                await self._read_wanted.wait()
                if self._live:
                    await self._read_if_possible(node)
            await self._until_it_serves(node)
            self._login_due = True

    async def _until_it_serves(self, node: Node) -> None:
        """Wait in place, with the line up: Finesse signs out whose line is down. Go where another node serves."""
        while not (node.in_service and self._application_available):
            if self._site.nodes.serving(beside=node):
                raise Interrupted(self._trouble)
            self._poke.clear()
            await self._poke.wait()

    async def _sign_in(self, node: Node) -> None:
        """Ask Finesse to sign the agent in, which keeps the state of one who is, and see that it has."""
        login_due, request = self._login_due, self._signing_in
        if login_due:
            asked = request or self._own_sign_in()
            self._view.correlation.expect(asked)
            self._status_told.clear()
            await node.rest.send(
                outgoing(asked, user=self.username, extension=self.extension), self._credentials, asked.id
            )
            if request is not None:
                self._events.taken(request.id)
        while (agent := await node.rest.user(self._credentials)).status is AgentStatus.LOGOUT:
            if not login_due:
                raise Over("the agent was logged out of Finesse", status=AgentStatus.LOGOUT)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._site.pace.settle):
                    await self._status_told.wait()
            self._status_told.clear()
        if agent.extension and agent.extension != self.extension:
            message = f"the agent is signed in at extension {agent.extension} already"
            raise Over(message, failure=Failure("Invalid Device", message))
        self._login_due = False

    def _own_sign_in(self) -> SignIn:
        """Make a sign-in that no widget asked for: the agent comes back after an outage."""
        return SignIn(secrets.token_hex(8), self.workspace, self.username, self.extension)

    async def _read_if_possible(self, node: Node) -> None:
        try:
            await self._read(node, come_up=False)
        except (Unreachable, Unanswered, Refused) as problem:
            verdict = judge(problem, self._credentials)
            if isinstance(verdict, Over):
                raise verdict from problem
            self._log.warning("finesse_read_failed", reason=str(problem))
            self._site.nodes.suspect(node)

    async def _read(self, node: Node, *, come_up: bool) -> None:
        """Read agent and calls, and tell what that changes."""
        self._read_wanted.clear()
        owed, self._reread_owed = self._reread_owed or come_up, False
        mark = self._view.picture.mark()
        agent = await node.rest.user(self._credentials)
        calls = await node.rest.dialogs(self._credentials)
        changes = self._view.reading(mark, agent, calls)
        if come_up:
            self._come_up(changes)
        elif changes:
            self._tell(changes)
        if owed and self._view.agent is not None:
            self._events.reread(self.workspace, self._view.agent, self._view.calls)

    def _come_up(self, changes: list[Change]) -> None:
        cause = self._signing_in.id if self._signing_in is not None else None
        # The agent comes first, since calls are shown as the agent's; how the state came about meanwhile is past.
        untold = [change for change in self._untold if not isinstance(change, AgentChanged)]
        agent = self._view.agent
        known: list[Change] = [] if agent is None else [AgentChanged(self.workspace, agent, cause)]
        self._untold = []
        self._live = self._was_live = True
        self._trouble = ""
        self._signing_in = None
        self._log.info("finesse_connected", node=self._dispatch.node.url if self._dispatch.node else None)
        self._events.changed(
            [ConnectionChanged(self.workspace, Connection.CONNECTED, cause), *known, *untold, *changes],
        )

    # Going blind

    def _node_serves(self) -> bool:
        return self._dispatch.node is not None and self._dispatch.node.in_service

    def _nodes_changed(self) -> None:
        if not self._node_serves():
            node = self._dispatch.node
            self._go_blind(node.trouble if node is not None else "no node serves")
        self._poke.set()

    def _go_blind(self, reason: str) -> None:
        if not self._live:
            return
        self._live = False
        self._trouble = reason
        self._read_wanted.set()
        self._log.warning("finesse_reconnecting", reason=reason)
        self._events.changed(
            [ConnectionChanged(self.workspace, Connection.RECONNECTING, reason=reason)],
        )

    # Notifications

    async def _listen(self, line: XmppConnection) -> None:
        async for stanza in line:
            if stanza.name == "presence":
                self._presence(stanza)
                continue
            try:
                notices = read_notices(stanza)
            except XmlError as problem:
                self._log.warning("finesse_notification_unreadable", problem=str(problem))
                self._settle_soon()
                continue
            for notice in notices:
                self._notice(notice)

    def _notice(self, notice: Notice) -> None:
        match notice:
            case DialogNotice():
                changes, doubtful = self._view.dialogs(notice)
                self._tell(changes)
                if doubtful:
                    self._settle_soon()
            case UserNotice():
                self._user(notice)
            case ErrorNotice():
                self._error(notice)
            case SystemNotice(in_service=False) if self._dispatch.node is not None:
                self._site.nodes.went_out(self._dispatch.node, "it says that it is out of service")
            case SystemNotice() if self._dispatch.node is not None:
                self._site.nodes.suspect(self._dispatch.node)

    def _user(self, notice: UserNotice) -> None:
        self._status_told.set()
        if notice.agent.status is not AgentStatus.LOGOUT:
            self._tell(self._view.user(notice))
        elif not self._login_due:
            cause = self._view.correlation.cause_of_agent(notice.request_id, notice.agent)
            reason = None if cause else "the agent was logged out of Finesse"
            self._interrupt(Over(reason, status=AgentStatus.LOGOUT, cause=cause))

    def _error(self, notice: ErrorNotice) -> None:
        found = self._view.error(notice)
        if found is None:
            self._log.info("finesse_error_of_nobody", error=notice.failure.message)
            return
        request, failure = found
        self._view.correlation.forget(request)
        if self._signing_in is not None and request == self._signing_in.id:
            self._interrupt(Over(failure.message, failure=failure))
        else:
            self._events.refused(request, failure)

    def _presence(self, stanza: Element) -> None:
        sender = stanza.attributes.get("from", "")
        if sender.partition("@")[0] != AVAILABILITY_USER:
            return
        self._application_available = stanza.attributes.get("type", "") != "unavailable"
        if not self._application_available:
            self._go_blind("Finesse's web application is unavailable")
        self._poke.set()

    def _tell(self, changes: Sequence[Change]) -> None:
        if not changes:
            return
        if self._live:
            self._events.changed(changes)
            self._leave_if_due()
        else:
            self._untold.extend(changes)

    def _settle_soon(self) -> None:
        """Read afresh in a moment, once for all doubts of that moment."""
        if self._settling is None:
            self._settling = asyncio.get_running_loop().call_later(self._site.pace.settle, self._settle)

    def _settle(self) -> None:
        self._settling = None
        self._read_wanted.set()

    # The end

    def _leave_if_due(self) -> None:
        """Let go of an agent at whom nobody has looked for long, but not during a call."""
        if self._linger.is_over and not self._view.calls:
            self._interrupt(Over("no widget was connected for a while: sign in again"))

    def _finish(self, over: Over) -> None:
        """Tell that the agent is not followed any more; once."""
        if self._is_over:
            return
        self._is_over = True
        if self._signing_in is not None:
            self._events.refused(self._signing_in.id, over.failure)
        changes: list[Change] = []
        agent = self._view.agent
        if agent is not None and self._was_live:
            changes.append(AgentChanged(self.workspace, replace(agent, status=over.status), over.cause))
        changes.append(ConnectionChanged(self.workspace, Connection.SIGNED_OUT, over.cause, over.reason))
        self._log.info("finesse_session_over", reason=over.reason)
        self._over(self)
        self._events.changed(changes)


def credentials_of(request: SignIn) -> Credentials:
    """Take the credentials out of a sign-in: an SSO access token, or a password."""
    if request.token is not None:
        return Credentials(request.username, request.token, bearer=True)
    if request.password is None:
        raise ValueError("a sign-in has a password or a token")
    return Credentials(request.username, request.password)

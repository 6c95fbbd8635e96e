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
from time import monotonic
from typing import TYPE_CHECKING

import structlog

from bridge.calls.adapter import AgentChanged, ChangeStatus, Failure, SignIn
from bridge.calls.finesse.bodies import outgoing
from bridge.calls.finesse.credentials import Credentials
from bridge.calls.finesse.dispatch import Dispatch
from bridge.calls.finesse.endings import UNREACHABLE, Interrupted, Over, credentials_refused, gravest, judge
from bridge.calls.finesse.linger import Linger
from bridge.calls.finesse.notifications import DialogNotice, ErrorNotice, SystemNotice, UserNotice, read_notices
from bridge.calls.finesse.reading import Reading
from bridge.calls.finesse.rest import Refused, Unanswered, Unreachable
from bridge.calls.finesse.telling import Telling
from bridge.calls.finesse.view import View
from bridge.calls.finesse.xml import XmlError
from bridge.calls.model import AgentStatus

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from bridge.calls.adapter import AdapterEvents, CallRequest, Change, ReadAgent
    from bridge.calls.finesse.nodes import Node
    from bridge.calls.finesse.notifications import Notice
    from bridge.calls.finesse.site import Site
    from bridge.calls.finesse.xml import Element
    from bridge.calls.finesse.xmpp import XmppConnection
    from bridge.calls.model import Agent

log = structlog.get_logger("bridge.calls.finesse")

AVAILABILITY_USER = "finesse"
"""Finesse's web application is an XMPP user of this name: its presence tells whether the application runs (Finesse REST
developer guide, "Notification service")."""


OUT_OF_SERVICE = "Finesse is out of service"
LOGGED_OUT = "the agent was logged out of Finesse"


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
        self._reading = Reading(self._view, site.pace.settle)
        self._dispatch = Dispatch(credentials_of(request), self.extension, site, events, self._view)
        self._dispatch.in_doubt = self._reading.settle_soon
        self._dispatch.locked_out = lambda: self.leave(credentials_refused(self._credentials))
        self._log = log.bind(workspace=self.workspace, agent=self.username)

        # The sign-in that is under way, and whether Finesse still has to be asked to sign the agent in.
        self._signing_in: SignIn | None = request
        self._proven = self._taken = False
        self._login_due = True
        self._wants_out = False
        self._login_id: str | None = None
        self._own_id = request.username
        self._is_out = False
        self._trouble = ""

        # Live or blind; what is told once live; events that the coroutines below wait for.
        self._telling = Telling(self.workspace, events)
        self._live_since: float | None = None
        self._is_over = False
        self._application_available = True
        self._status_told = asyncio.Event()
        self._poke = asyncio.Event()

        self._linger = Linger(site.linger_seconds, self._leave_if_due)
        self._linger.watch(watched=watched)
        self._life = asyncio.create_task(self._run())

    # What the adapter asks

    def submit(self, request: CallRequest | ChangeStatus) -> None:
        """Send a request to Finesse."""
        if isinstance(request, ChangeStatus):
            self._wants_out = request.status is AgentStatus.LOGOUT
        self._dispatch.submit(request)

    def read_agent(self, request: ReadAgent) -> None:
        """Tell the agent's state anew."""
        self._dispatch.read_agent(request)

    def renew(self, request: SignIn) -> None:
        """Take new credentials of the same agent, if Finesse takes them; nobody is signed out."""
        self._wants_out = False
        self._dispatch.renew(request, credentials_of(request))

    def read(self) -> None:
        """Read agent and calls afresh and answer with a ``reread``."""
        self._reading.ask()

    def watch(self, *, watched: bool) -> None:
        """Note whether any widget is connected; without one the session ends after its time."""
        self._linger.watch(watched=watched)

    def leave(self, over: Over) -> None:
        """End at once, wherever its life is; the line is closed soon, the agent stays signed in at Finesse."""
        if not self._is_over:
            self._finish(over)
            self._life.cancel()

    async def stop(self) -> None:
        """End without telling anybody, and wait until the line is closed."""
        self._is_over = True
        self._life.cancel()
        await self._dispatch.stop()
        await asyncio.gather(self._life, return_exceptions=True)

    @property
    def is_gone(self) -> bool:
        """Whether nothing of it is left to wait for."""
        return self._life.done() and self._dispatch.idle

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
            self._linger.cancel()
            self._reading.cancel()

    async def _live_until_over(self) -> None:
        """Connect, and connect again after each interruption; a first sign-in has its time."""
        attempt = 0
        avoid: Node | None = None
        async with asyncio.timeout(self._site.pace.sign_in) as time_to_sign_in:
            while True:
                self._live_since = None
                try:
                    await self._follow(avoid, time_to_sign_in)
                except Interrupted as interruption:
                    # A group whose tasks fail swallows a cancellation, and so the end of the time to sign in.
                    if self._is_over:
                        return
                    if time_to_sign_in.expired():
                        raise TimeoutError from interruption
                    attempt = 0 if self._has_lasted() else attempt + 1
                    # Once at the same node: the line may just have broken. Then elsewhere, if there is an elsewhere.
                    leave = interruption.leave or attempt > 1 or not self._node_serves()
                    avoid = self._dispatch.node if leave else None
                await asyncio.sleep(self._pause(attempt))

    def _has_lasted(self) -> bool:
        """Say whether the session was live for some time, so that what interrupted it is a new trouble."""
        return self._live_since is not None and monotonic() - self._live_since > self._site.pace.back_off_most

    def _pause(self, attempt: int) -> float:
        """Give a random pause before a reconnect: up to twice as long each time, so that not all come at once."""
        pace = self._site.pace
        return random.uniform(0, min(pace.back_off_most, pace.back_off * 2 ** min(attempt, 10)))  # noqa: S311 no secret

    async def _follow(self, avoid: Node | None, time_to_sign_in: asyncio.Timeout) -> None:
        """Connect to a node and stay there. Raises ``Interrupted`` or ``Over``; never returns."""
        site = self._site
        node = await site.nodes.choose(prefer=self._dispatch.node, avoid=avoid)
        self._login_due = self._login_due or node is not self._dispatch.node
        self._dispatch.node = node
        line = await self._connect(node, time_to_sign_in)
        self._application_available = True
        site.nodes.watchers.add(self._nodes_changed)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._listen(line))
                group.create_task(self._stay_live(node, time_to_sign_in))
        except BaseExceptionGroup as problems:
            # It is told before the line is closed, which may take its time.
            problem = gravest(problems, self._credentials)
            if isinstance(problem, Over):
                self._finish(problem)
            else:
                self._go_blind(str(problem))
            raise problem from problems
        finally:
            site.nodes.watchers.discard(self._nodes_changed)
            await line.close()

    async def _connect(self, node: Node, time_to_sign_in: asyncio.Timeout) -> XmppConnection:
        """Check the credentials once, by REST, before the notification service sees them; then open the line.

        Where no answer comes they are not tried again, unless they were good before: Finesse may have found them wrong.
        """
        async with _turn(self._site.connecting, time_to_sign_in):
            credentials = self._credentials
            try:
                agent = await node.rest.user(credentials)
                self._proven = True
                self._own_id = agent.login_id or self.username
                self._is_out = agent.status is AgentStatus.LOGOUT
                return await self._site.open_line(node, self._own_id, credentials)
            except Exception as problem:
                if credentials is not self._credentials:
                    raise Interrupted("new credentials have come meanwhile") from problem
                if isinstance(problem, Unanswered) and not self._proven:
                    raise Over(f"{problem}: sign in again", failure=Failure(UNREACHABLE, str(problem))) from problem
                raise judge(problem, credentials) or problem from problem

    # Becoming live, staying so

    async def _stay_live(self, node: Node, time_to_sign_in: asyncio.Timeout) -> None:
        """Sign in where needed, read everything, and do so again whenever the node comes back into service."""
        while True:
            async with _turn(self._site.signing_in, time_to_sign_in):
                await self._sign_in(node)
                await self._come_up(node)
            if self._telling.live and not time_to_sign_in.expired():
                time_to_sign_in.reschedule(None)
            while self._telling.live:
                await self._reading.wanted.wait()
                if self._telling.live:
                    await self._read(node)
            await self._until_it_serves(node)
            self._login_due = True

    async def _until_it_serves(self, node: Node) -> None:
        """Wait in place, with the line up: Finesse signs out whose line is down. Go where another node serves."""
        while not self._serves(node):
            if self._site.nodes.serving(beside=node):
                raise Interrupted(self._trouble, leave=True)
            self._poke.clear()
            await self._poke.wait()

    async def _sign_in(self, node: Node) -> None:
        """See that Finesse has the agent signed in, with our extension."""
        if self._login_due and not self._wants_out:
            agent = await self._log_in(node)
        else:
            agent = await node.rest.user(self._credentials)
        if agent.status is AgentStatus.LOGOUT:
            raise logged_out(self._view.correlation.cause_of_agent(None, agent))
        if agent.extension and agent.extension != self.extension:
            message = f"the agent is signed in at extension {agent.extension} already"
            raise Over(message, failure=Failure("Invalid Device", message))
        self._login_due = False

    async def _log_in(self, node: Node) -> Agent:
        """Ask Finesse to sign the agent in, which keeps the state of one who is, and wait until it has."""
        asked = self._signing_in or SignIn(secrets.token_hex(8), self.workspace, self.username, self.extension)
        message = outgoing(asked, user=self.username, extension=self.extension)
        self._login_id = asked.id
        self._view.correlation.expect(asked)
        self._status_told.clear()
        try:
            await node.rest.send(message, self._credentials, asked.id)
            if asked is self._signing_in and not self._taken:
                self._taken = True
                self._events.taken(asked.id)
            async with asyncio.timeout(self._site.pace.sign_in):
                if self._is_out:  # an answer right now would say that it still is
                    self._is_out = False
                    await self._await_status()
                while (agent := await node.rest.user(self._credentials)).status is AgentStatus.LOGOUT:
                    await self._await_status()
        except TimeoutError:
            raise Interrupted("Finesse does not sign the agent in") from None
        finally:
            # It is the cause of nothing that comes later.
            self._view.correlation.forget(asked.id)
            self._login_id = None
        return agent

    async def _await_status(self) -> None:
        """Wait until the agent's state is told, but no longer than a moment: the notification may be lost."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._site.pace.settle):
                await self._status_told.wait()
        self._status_told.clear()

    async def _come_up(self, node: Node) -> None:
        """Read everything and be live, unless the node has ceased to serve meanwhile."""
        changes, _ = await self._reading.read(node, self._credentials)
        if not self._serves(node):
            self._telling.tell(changes)
            return
        cause = self._signing_in.id if self._signing_in is not None else None
        self._live_since = monotonic()
        self._trouble, self._signing_in = "", None
        self._log.info("finesse_connected", node=node.url)
        if self._view.agent is not None:
            self._telling.come_up(self._view.agent, changes, cause)
            # Calls that the bus still knows from another session, or another agent, end by this.
            self._events.reread(self.workspace, self._view.agent, self._view.calls)

    async def _read(self, node: Node) -> None:
        """Read everything, while live."""
        credentials = self._credentials
        try:
            changes, answer_owed = await self._reading.read(node, credentials)
        except (Unreachable, Unanswered, Refused) as problem:
            verdict = judge(problem, credentials)
            if isinstance(verdict, Over) and credentials is self._credentials:
                raise verdict from problem
            self._log.warning("finesse_read_failed", reason=str(problem))
            self._site.nodes.suspect(node)
            self._reading.settle_soon()
            return
        self._tell(changes)
        if answer_owed and self._view.agent is not None:
            self._events.reread(self.workspace, self._view.agent, self._view.calls)
        if self._view.agent is not None and self._view.agent.status is AgentStatus.LOGOUT:
            # The notification of it was lost.
            raise logged_out(next((change.cause for change in changes if isinstance(change, AgentChanged)), None))

    # Going blind

    def _serves(self, node: Node) -> bool:
        return node.in_service and self._application_available

    def _node_serves(self) -> bool:
        return self._dispatch.node is not None and self._dispatch.node.in_service

    def _nodes_changed(self) -> None:
        if not self._node_serves():
            node = self._dispatch.node
            self._go_blind(node.trouble if node is not None else "no node serves")
        self._poke.set()

    def _go_blind(self, reason: str) -> None:
        self._trouble = reason
        if self._telling.live:
            self._log.warning("finesse_reconnecting", reason=reason)
            self._telling.go_blind(reason)
            self._reading.wanted.set()

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
                self._reading.settle_soon()
                continue
            for notice in notices:
                self._notice(notice)
            self._site.observer.notified(self.workspace, line.arrived)

    def _notice(self, notice: Notice) -> None:
        match notice:
            case DialogNotice():
                changes, doubtful = self._view.dialogs(notice)
                self._tell(changes)
                if doubtful:
                    self._reading.settle_soon()
            case UserNotice():
                self._user(notice)
            case ErrorNotice():
                self._error(notice)
            case SystemNotice(in_service=False) if self._dispatch.node is not None:
                self._site.nodes.went_out(self._dispatch.node, OUT_OF_SERVICE)
            case SystemNotice() if self._dispatch.node is not None:
                self._site.nodes.suspect(self._dispatch.node)

    def _user(self, notice: UserNotice) -> None:
        if self._own_id != notice.agent.login_id:
            return  # a colleague, of a team that was subscribed by another program
        self._status_told.set()
        if notice.agent.status is not AgentStatus.LOGOUT:
            self._tell(self._view.user(notice))
        elif not self._login_due:
            self.leave(logged_out(self._view.correlation.cause_of_agent(notice.request_id, notice.agent)))

    def _error(self, notice: ErrorNotice) -> None:
        found = self._view.error(notice)
        if found is None:
            self._log.info("finesse_error_of_nobody", error=notice.failure.message)
            return
        request, failure = found
        if request == self._login_id:
            self._view.correlation.forget(request)
            self.leave(Over(failure.message, failure=failure))
        else:
            self._dispatch.refuse(request, failure)

    def _presence(self, stanza: Element) -> None:
        sender = stanza.attributes.get("from", "")
        if sender.partition("@")[0] != AVAILABILITY_USER:
            return
        self._application_available = stanza.attributes.get("type", "") != "unavailable"
        if not self._application_available:
            self._go_blind("Finesse's web application is unavailable")
        self._poke.set()

    def _tell(self, changes: Sequence[Change]) -> None:
        self._telling.tell(changes)
        self._leave_if_due()

    # The end

    def _leave_if_due(self) -> None:
        """Let go of an agent at whom nobody has looked for long, but not during a call."""
        if self._linger.is_over and not self._view.calls:
            self.leave(Over("no widget was connected for a while: sign in again"))

    def _finish(self, over: Over) -> None:
        """Tell that the agent is not followed any more; once."""
        if self._is_over:
            return
        self._is_over = True
        if self._signing_in is not None:
            self._events.refused(self._signing_in.id, over.failure)
        self._dispatch.end(over.failure)
        self._log.info("finesse_session_over", reason=over.reason)
        self._over(self)
        self._telling.end(self._view.agent, over)


@contextlib.asynccontextmanager
async def _turn(gate: asyncio.Semaphore, limit: asyncio.Timeout) -> AsyncIterator[None]:
    """Wait for a turn. That does not count: where hundreds come at once, the last must not fail for having waited."""
    now = asyncio.get_running_loop().time
    when = limit.when()
    left = None if when is None or limit.expired() else when - now()
    if left is not None:
        limit.reschedule(None)
    try:
        await gate.acquire()
    finally:
        if left is not None:
            limit.reschedule(now() + left)
    try:
        yield
    finally:
        gate.release()


def logged_out(cause: str | None) -> Over:
    """End because the agent is logged out of Finesse: by the command ``cause``, or by somebody else."""
    return Over(None if cause else LOGGED_OUT, status=AgentStatus.LOGOUT, cause=cause)


def credentials_of(request: SignIn) -> Credentials:
    """Take the credentials out of a sign-in: an SSO access token, or a password."""
    if request.token is not None:
        return Credentials(request.username, request.token, bearer=True)
    if request.password is None:
        raise ValueError("a sign-in has a password or a token")
    return Credentials(request.username, request.password)

"""May this client do that, and which rule said so.

There is one list of rules. They are asked in its order and the first that has an opinion decides; the last one has one
on everything: what nobody allows is refused. Rules that refuse stand before rules that allow, so that no grant of a
token can undo them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from bridge.broker.identity import Role
from bridge.protocol import catalogue, control
from bridge.protocol.address import Pattern
from bridge.protocol.catalogue import Kind
from bridge.protocol.errors import Code, Rejection

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.broker.identity import Grant, Identity
    from bridge.protocol.address import Address

EVERY_WORKSPACE = "*"
"""Stands for the workspaces that there are, in a site-wide notice."""

HEARTBEATS = Pattern(*control.HEARTBEAT)

CACHED_DECISIONS = 64
"""A widget uses a dozen addresses; one that makes up new ones must not fill the memory."""


class Decision(NamedTuple):
    """Whether it is allowed, the rule that decided, and all that were asked, the deciding one last."""

    allowed: bool
    rule: str
    tried: tuple[str, ...] = ()


class Caller(NamedTuple):
    """Who wants something, and in which workspace."""

    identity: Identity
    grant: Grant | None
    workspace: str


def may_enter(grant: Grant, workspace: str) -> bool:
    """Say whether a token's session may be opened in a workspace at all; what it may do there is for the rules."""
    return workspace in grant.workspaces or Role.SERVER in grant.roles


class Rule(NamedTuple):
    """One rule. Each half answers ``True``, ``False``, or ``None`` where it has no opinion; a half may be missing."""

    name: str
    meaning: str
    publish: Callable[[Caller, Address], bool | None] | None
    subscribe: Callable[[Caller, Pattern], bool | None] | None


def _kind(address: Address) -> Kind | None:
    entry = catalogue.BY_ADDRESS.get(address)
    return None if entry is None else entry.kind


def _bridge_only(_caller: Caller, address: Address) -> bool | None:
    kind = _kind(address)
    if kind is Kind.CONTROL:
        return True
    reserved = kind in {Kind.EVENT, Kind.REPLY} or address.channel == control.CHANNEL
    return False if reserved else None


def _not_for_all(caller: Caller, address: Address) -> bool | None:
    return False if caller.workspace == EVERY_WORKSPACE and catalogue.home(address.channel) is not None else None


def _readable_sign_in(caller: Caller, address: Address) -> bool | None:
    entry = catalogue.BY_ADDRESS.get(address)
    return False if entry is not None and entry.secret and not caller.identity.secure else None


def _no_authentication(caller: Caller, _what: object) -> bool | None:
    return True if caller.grant is None else None


def _in_own_workspace(caller: Caller) -> bool:
    return caller.grant is not None and caller.workspace in caller.grant.workspaces


def _has(caller: Caller, role: Role) -> bool:
    return caller.grant is not None and role in caller.grant.roles


def _command_elsewhere(caller: Caller, address: Address) -> bool | None:
    return False if _kind(address) is Kind.COMMAND and not _in_own_workspace(caller) else None


def _command_of_supervisor(caller: Caller, address: Address) -> bool | None:
    return False if _kind(address) is Kind.COMMAND and _has(caller, Role.SUPERVISOR) else None


def _publish_elsewhere(caller: Caller, _address: Address) -> bool | None:
    return None if _in_own_workspace(caller) or _has(caller, Role.SERVER) else False


def _subscribe_elsewhere(caller: Caller, _pattern: Pattern) -> bool | None:
    return None if _in_own_workspace(caller) else False


def _position(_caller: Caller, pattern: Pattern) -> bool | None:
    """No message of a stream has this address; the answer tells where the stream stands, as every heartbeat does."""
    return True if pattern == HEARTBEATS else None


def _is_own_channel(caller: Caller, channel: str | None) -> bool | None:
    """Whether it is the channel that is named as the gadget's app, and none of the catalogue, nor like one."""
    if caller.grant is None or channel is None or not _has(caller, Role.GADGET):
        return None
    return True if channel == caller.grant.app and catalogue.home(channel) is None else None


def _publish_own_channel(caller: Caller, address: Address) -> bool | None:
    return _is_own_channel(caller, address.channel)


def _subscribe_own_channel(caller: Caller, pattern: Pattern) -> bool | None:
    return _is_own_channel(caller, pattern.channel)


def _widget(caller: Caller, _what: object) -> bool | None:
    return True if _has(caller, Role.WIDGET) else None


def _supervisor(caller: Caller, _pattern: Pattern) -> bool | None:
    return True if _has(caller, Role.SUPERVISOR) else None


def _server(caller: Caller, address: Address) -> bool | None:
    return True if _has(caller, Role.SERVER) and _kind(address) is not Kind.COMMAND else None


def _granted_publish(caller: Caller, address: Address) -> bool | None:
    granted = () if caller.grant is None else caller.grant.publish
    return True if any(pattern.matches(address) for pattern in granted) else None


def _granted_subscribe(caller: Caller, pattern: Pattern) -> bool | None:
    granted = () if caller.grant is None else caller.grant.subscribe
    return True if any(mine.contains(pattern) for mine in granted) else None


def _nobody(_caller: Caller, _what: object) -> bool | None:
    return False


RULES: tuple[Rule, ...] = (
    Rule("bridge-only", "Only the bridge sends this; control messages are for everyone.", _bridge_only, None),
    Rule(
        "notice-free-channel", "What goes to every workspace at once is neither command nor event.", _not_for_all, None
    ),
    Rule(
        "sign-in-unencrypted",
        "An agent's password goes over encrypted connections, over loopback, or through a trusted proxy.",
        _readable_sign_in,
        None,
    ),
    Rule(
        "loopback",
        "Without authentication whoever reaches the bridge may do everything.",
        _no_authentication,
        _no_authentication,
    ),
    Rule("command-own-workspace", "Commands are for the workspaces that the token names.", _command_elsewhere, None),
    Rule("supervisor-no-commands", "A supervisor moves nobody's calls.", _command_of_supervisor, None),
    Rule(
        "workspace",
        "The token must name the workspace; only servers publish elsewhere.",
        _publish_elsewhere,
        _subscribe_elsewhere,
    ),
    Rule("position", "Everyone may learn where the stream of the workspace stands.", None, _position),
    Rule(
        "gadget-own-channel",
        "A gadget has the channel that is named as its app.",
        _publish_own_channel,
        _subscribe_own_channel,
    ),
    Rule("widget", "A widget may do everything in its workspace.", _widget, _widget),
    Rule("supervisor", "A supervisor may read everything in the workspaces of the token.", None, _supervisor),
    Rule("server", "A server may publish everything but commands, in any workspace.", _server, None),
    Rule("granted", "A pattern of the token covers it.", _granted_publish, _granted_subscribe),
    Rule("default", "Nothing allowed it.", _nobody, _nobody),
)
"""Every rule, in the order in which they are asked."""


def _halves(half: str) -> tuple[tuple[str, Callable[[Caller, Any], bool | None]], ...]:
    return tuple((rule.name, ask) for rule in RULES if (ask := getattr(rule, half)) is not None)


_publish, _subscribe = _halves("publish"), _halves("subscribe")


def _decide(rules: tuple[tuple[str, Callable[[Caller, Any], bool | None]], ...], caller: Caller, what: Any) -> Decision:
    tried: list[str] = []
    for name, ask in rules:
        tried.append(name)
        if (allowed := ask(caller, what)) is not None:
            return Decision(allowed, name, tuple(tried))
    raise AssertionError("the last rule decides on everything")


class Permissions:
    """What one client may do in one workspace. Made once per session; what was decided is remembered."""

    __slots__ = ("_caller", "_decisions")

    def __init__(self, identity: Identity, workspace: str) -> None:
        self._caller = Caller(identity, identity.grant, workspace)
        self._decisions: dict[Address, Decision] = {}

    def publish(self, address: Address) -> Decision:
        """Decide on publishing at an address, spelt as in the catalogue."""
        decision = self._decisions.get(address)
        if decision is None:
            decision = _decide(_publish, self._caller, address)
            if len(self._decisions) >= CACHED_DECISIONS:
                self._decisions.clear()
            self._decisions[address] = decision
        return decision

    def subscribe(self, pattern: Pattern) -> Decision:
        """Decide on reading everything that matches a pattern; it is never narrowed."""
        return _decide(_subscribe, self._caller, pattern)

    def source(self, claimed: str | None) -> str:
        """Say whose message it is: a host names the gadgets behind it, who has a name from its token has that one."""
        identity, grant = self._caller.identity, self._caller.grant
        if claimed is None or grant is None:
            return claimed or identity.app
        if Role.HOST in grant.roles:
            return claimed if claimed in grant.apps else identity.app
        return claimed if grant.app is None else identity.app


def not_permitted(what: str, rule: str) -> Rejection:
    """Give the refusal of what a rule does not allow."""
    return Rejection(Code.NOT_PERMITTED, f"this session may not {what}", details={"rule": rule})

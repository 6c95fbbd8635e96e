"""Lets go wrong what was asked for, and right again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bridge.finesse_simulator.fault_request import FaultRequest

if TYPE_CHECKING:
    from bridge.finesse_simulator.accounts import Accounts
    from bridge.finesse_simulator.fault_request import Cut
    from bridge.finesse_simulator.faults import Faults
    from bridge.finesse_simulator.pair import Pair
    from bridge.finesse_simulator.world import World

_COPIED: Final = ("request_ids", "duplicates", "delay_seconds", "reorder_seconds", "escapes", "error_body")
_NODES: Final = (
    *("out_of_service", "unavailable", "finesse_unavailable", "silent", "refusing"),
    *("kill_rest", "start_rest", "kill_xmpp", "start_xmpp"),
)
_USERS: Final = ("refused_users", "conflict", "lock", "expire_tokens", "force_logout")
_NOTHING_WRONG: Final = FaultRequest.model_validate(
    {
        "request_ids": "all",
        "duplicates": False,
        "delay_seconds": 0,
        "reorder_seconds": 0,
        "escapes": 1,
        "consult_call_type": "",
        "error_body": "xml",
        "rules": [],
        "out_of_service": [],
        "unavailable": [],
        "finesse_unavailable": [],
        "silent": [],
        "refusing": [],
        "refused_users": [],
    }
)


class Troublemaker:
    """Whoever sets the faults."""

    def __init__(self, *, faults: Faults, accounts: Accounts, world: World, pair: Pair) -> None:
        self._faults = faults
        self._accounts = accounts
        self._world = world
        self._pair = pair

    async def do(self, wanted: FaultRequest) -> dict[str, Any]:
        """Do what is asked and return what came of it.

        Raises:
            ValueError: A node or an agent is named that there is not. Nothing was done.
        """
        self._check(wanted)
        if wanted.reset:
            await self._reset()
        await self._set_standing(wanted)
        await self._kill_and_start(wanted)
        await self._end_connections(wanted)
        for username in wanted.lock:
            self._accounts.lock(username)
        for username in wanted.force_logout:
            self._world.force_out(username)
        return {"tokens": {username: self._renew_token(username) for username in wanted.expire_tokens}}

    def _check(self, wanted: FaultRequest) -> None:
        nodes = {number for name in _NODES for number in getattr(wanted, name) or ()}
        nodes |= {cut.node for cut in wanted.cut if cut.node is not None}
        users = {user for name in _USERS for user in getattr(wanted, name) or ()}
        users |= {cut.user for cut in wanted.cut if cut.user is not None}
        if any(number >= len(self._pair.nodes) for number in nodes):
            raise ValueError(f"nodes are numbered from 0, and there are {len(self._pair.nodes)}")
        if unknown := users - {account.username for account in self._accounts}:
            raise ValueError(f"no such agent: {', '.join(sorted(unknown))}")

    async def _reset(self) -> None:
        self._accounts.unlock_all()
        everything = list(range(len(self._pair.nodes)))
        await self._kill_and_start(FaultRequest(start_xmpp=everything, start_rest=everything))
        await self._set_standing(_NOTHING_WRONG)

    # What stands

    async def _set_standing(self, wanted: FaultRequest) -> None:
        faults = self._faults
        for name in _COPIED:
            if (value := getattr(wanted, name)) is not None:
                setattr(faults, name, value)
        if wanted.consult_call_type is not None:
            faults.consult_call_type = wanted.consult_call_type or None
        if wanted.rules is not None:
            faults.rules = [rule.rule() for rule in wanted.rules]
        if wanted.unavailable is not None:
            faults.unavailable = set(wanted.unavailable)
        if wanted.refused_users is not None:
            self._accounts.refused = set(wanted.refused_users)
        if wanted.out_of_service is not None:
            self._set_out_of_service(set(wanted.out_of_service))
        await self._set_at_nodes(wanted)

    async def _set_at_nodes(self, wanted: FaultRequest) -> None:
        if wanted.finesse_unavailable is not None:
            self._faults.finesse_unavailable = set(wanted.finesse_unavailable)
        for number, node in enumerate(self._pair.nodes):
            if wanted.finesse_unavailable is not None:
                await node.notifications.set_available(available=self._pair.available(number))
            if wanted.silent is not None:
                node.notifications.silence(silent=number in wanted.silent)
            if wanted.refusing is not None:
                await node.notifications.refuse(refusing=number in wanted.refusing)

    def _set_out_of_service(self, nodes: set[int]) -> None:
        """Tell of the end before the silence, and everything when it is over."""
        before = self._faults.out_of_service
        for number in nodes - before:
            self._pair.tell_service(number, in_service=False)
        self._faults.out_of_service = nodes
        for number in before - nodes:
            self._pair.tell_service(number, in_service=True)
            self._pair.tell(number, self._world.everything())

    # What happens once

    async def _kill_and_start(self, wanted: FaultRequest) -> None:
        nodes = self._pair.nodes
        for number in wanted.kill_rest:
            await nodes[number].kill_rest()
        for number in wanted.kill_xmpp:
            await nodes[number].notifications.kill()
        for number in wanted.start_xmpp:
            await nodes[number].notifications.restart()
        for number in wanted.start_rest:
            await nodes[number].start_rest()
            await nodes[number].notifications.set_available(available=self._pair.available(number))

    def _renew_token(self, username: str) -> str:
        token = self._accounts.renew_token(username)
        for node in self._pair.nodes:
            node.notifications.set_token(username, token)
        return token

    async def _end_connections(self, wanted: FaultRequest) -> None:
        for cut in wanted.cut:
            await self._cut(cut)
        for username in wanted.conflict:
            for node in self._pair.nodes:
                await node.notifications.conflict(username)

    async def _cut(self, cut: Cut) -> None:
        for number, node in enumerate(self._pair.nodes):
            if cut.node in {None, number}:
                await node.notifications.cut(cut.user)

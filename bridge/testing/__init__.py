'''A real bridge inside your own test suite: the simulated switch, a free port, nothing to start beforehand.

Installing ``workspace-bridge`` gives pytest these fixtures:

``bridge``
    A bridge of its own for each test, with ``url``, ``http_url`` and ``port``. It runs in a thread with its own event
    loop, so it serves whatever your test uses: asyncio in any mode, another client, a browser.
``desk``
    The agent's desk and the outside world, as :class:`~bridge.testing.desk.Desk`: calls come in, parties answer, and
    ``expect`` waits for messages. Needs ``pytest-asyncio``, in whichever mode.
``bridge_client``
    ``await bridge_client(app="notes")`` gives a connected :class:`~bridge.client.BridgeClient`, closed after the test.
    Needs ``pytest-asyncio``.
``bridge_settings``
    A dict of settings; define a fixture of this name yourself to change them, ``{"strict": True}`` for instance.

A gadget and its test, complete::

    import asyncio

    import pytest

    from bridge.client import connect


    async def greeter(url):
        """The gadget: writes a note for each call that rings."""
        async with connect(url, app="greeter") as client:
            async for message in await client.subscribe("Cisco/InboundCall"):
                call = message.data["call"]
                if call["event"] == "alerting":
                    caller = call["ResponseActual"]["dialog"]["fromAddress"]
                    await client.publish("Notes/Note/Added", {"call": call["id"], "text": f"{caller} rings"})


    @pytest.mark.asyncio
    async def test_greeter_notes_who_rings(bridge, desk):
        gadget = asyncio.create_task(greeter(bridge.url))
        call = await desk.offer("+15550100")

        note = await desk.expect("Notes/Note/Added")
        assert note.source == "greeter"
        assert note.data == {"call": call, "text": "+15550100 rings"}

        await desk.answer(call)
        consult = await desk.consult(call, to="5070")
        assert desk.calls[call]["event"] == "held"
        await desk.party_answer("5070")
        await desk.expect(lambda m: m.data["call"]["id"] == consult and m.data["call"]["event"] == "active")
        await desk.transfer(call)
        assert desk.calls == {}
        gadget.cancel()

Without pytest::

    async with running_bridge() as bridge, open_desk(bridge.url) as desk:
        await desk.offer("+15550100")

Fixtures of a wider loop scope than ``function`` cannot share these; there, use ``running_bridge`` and ``open_desk``.
'''

from __future__ import annotations

import importlib
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bridge.testing.desk import Desk as Desk
    from bridge.testing.desk import open_desk as open_desk
    from bridge.testing.running import BackgroundBridge as BackgroundBridge
    from bridge.testing.running import running_bridge as running_bridge

with suppress(ModuleNotFoundError):  # without pytest there is nobody to give fixtures to
    from bridge.testing.fixtures import bridge, bridge_client, bridge_settings, desk

__all__ = [
    "BackgroundBridge",
    "Desk",
    "bridge",
    "bridge_client",
    "bridge_settings",
    "desk",
    "open_desk",
    "running_bridge",
]

_PLACES = {
    "BackgroundBridge": "bridge.testing.running",
    "Desk": "bridge.testing.desk",
    "open_desk": "bridge.testing.desk",
    "running_bridge": "bridge.testing.running",
}


def __getattr__(name: str) -> Any:
    """Import what is asked for only then: pytest imports this module in every project that has it installed."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_PLACES[name]), name)

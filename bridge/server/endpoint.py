"""What all connections of one server share. Several servers may run in one process, so nothing of this is global."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio

    from bridge.broker.broker import Broker
    from bridge.broker.tokens import Tokens
    from bridge.server.events import EventStream
    from bridge.server.observer import ServerObserver
    from bridge.server.origins import Origins
    from bridge.server.outbox import Flusher, Outbox
    from bridge.server.pending import Pending
    from bridge.server.proxies import Proxies
    from bridge.server.pulse import Pulse
    from bridge.settings import Settings


@dataclass(slots=True, kw_only=True)
class Endpoint:
    """One server's side of every connection. Without ``tokens`` there is no authentication.

    Attributes:
        half_outbox: While so many bytes wait to be written to a client, nothing more of it is handled.
    """

    broker: Broker
    settings: Settings
    observer: ServerObserver
    loop: asyncio.AbstractEventLoop
    origins: Origins
    proxies: Proxies
    tokens: Tokens | None
    pulse: Pulse
    pending: Pending
    flusher: Flusher
    outboxes: set[Outbox] = field(default_factory=set)
    streams: set[EventStream] = field(default_factory=set)
    stopping: bool = False
    half_outbox: int = field(init=False)

    def __post_init__(self) -> None:
        self.half_outbox = self.settings.outbox_bytes // 2

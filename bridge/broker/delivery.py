"""From a message to the sessions that get it: at once, or in bursts.

What a client sends in one go mostly goes to the same sessions. While its transport holds delivery, such messages are
collected, and each session gets them in one call: a burst of sixteen to a thousand sessions is a thousand calls, not
sixteen thousand. What a session gets, and in which order, is the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.protocol.message import Burst

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.broker.session import Session
    from bridge.protocol.errors import CloseCode
    from bridge.protocol.message import Encoded, Published


class Delivery:
    """The one way out to all sessions. Without ``hold`` every message goes out at once."""

    __slots__ = ("_audience", "_burst", "_but", "_held")

    def __init__(self) -> None:
        self._held = False

        # The burst that is being collected, and who gets it: the audience but for one.
        self._burst: list[Published] = []
        self._audience: Mapping[Session, None] = {}
        self._but: Session | None = None

    def hold(self) -> None:
        """Collect bursts until ``release``. The caller bounds what is published meanwhile, and waits for nothing."""
        self._held = True

    def release(self) -> None:
        """Deliver what was collected; from now on everything goes out at once."""
        self._held = False
        if self._burst:
            self.complete()

    def publish(self, message: Published, audience: Mapping[Session, None], sender: Session | None) -> None:
        """Deliver to an audience, which nobody changes any more; to its sender only if it asked for an echo."""
        but = None if sender is None or sender.echo or sender not in audience else sender
        if not self._held:
            for session in audience:
                if session is not but:
                    session.subscriber.send(message)
            message.frame = None  # nobody else gets it; history needs the payload alone
            return
        if audience is not self._audience or but is not self._but:
            self.complete()
            self._audience, self._but = audience, but
        self._burst.append(message)

    def send(self, session: Session, message: Encoded) -> None:
        """Send to one session alone, behind all that went to it before."""
        if self._burst:
            self.complete()
        session.subscriber.send(message)

    def close(self, session: Session, code: CloseCode, reason: str) -> None:
        """Let a session end, behind all that went to it."""
        if self._burst:
            self.complete()
        session.subscriber.close(code, reason)

    def complete(self) -> None:
        """Deliver what was collected so far. A subscriber that this overfills may ask for it again."""
        messages, self._burst = self._burst, []
        audience, self._audience = self._audience, {}
        but = self._but
        if messages:
            burst = Burst(messages)
            for session in audience:
                if session is not but:
                    session.subscriber.send_all(burst)

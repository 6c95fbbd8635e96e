"""One Finesse node: its web application over HTTPS and its notification service, which live and die apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.finesse_simulator.https import HttpServer

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from bridge.finesse_simulator.certificates import Certificates
    from bridge.finesse_simulator.notification_service import NotificationService


class Node:
    """A node. Where its web application is dead, the user ``finesse`` is UNAVAILABLE and nothing is published."""

    def __init__(
        self, *, app: Starlette, certificates: Certificates, port: int, notifications: NotificationService
    ) -> None:
        self.notifications = notifications
        self._rest = HttpServer(app, port=port, certificates=certificates)

    @property
    def rest_url(self) -> str:
        """Where its REST API is."""
        return f"https://localhost:{self._rest.port}"

    @property
    def alive(self) -> bool:
        """Whether the web application runs."""
        return self._rest.running

    async def start(self) -> None:
        """Start all of it."""
        await self.notifications.start()
        await self._rest.start()

    async def stop(self) -> None:
        """Stop all of it."""
        await self._rest.stop()
        await self.notifications.stop()

    async def kill_rest(self) -> None:
        """Kill the web application: its connections are cut."""
        await self._rest.kill()
        await self.notifications.set_available(available=False)

    async def start_rest(self) -> None:
        """Start the web application again, at the same port."""
        await self._rest.start()

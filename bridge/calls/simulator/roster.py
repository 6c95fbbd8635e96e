"""Who sits at which workspace: one agent, one extension, one workspace.

Some workspaces have their agent without signing in: ``demo`` always, and one that is named by digits as long as it is
attached, so that whoever tries the bridge has colleagues to call.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from bridge.calls.simulator.arguments import FAILING

if TYPE_CHECKING:
    from bridge.calls.model import Agent

DEMO_WORKSPACE: Final = "demo"
DEMO_EXTENSION: Final = "5069"

_NUMBERED = re.compile(r"[0-9]{1,64}")


def extension_of(workspace: str) -> str | None:
    """Return the extension that a workspace has by its name alone, ``None`` if it has none."""
    if workspace == DEMO_WORKSPACE:
        return DEMO_EXTENSION
    reserved = workspace == DEMO_EXTENSION or workspace in FAILING
    return workspace if _NUMBERED.fullmatch(workspace) and not reserved else None


class Roster:
    """The signed-in agents, found by workspace, extension or login."""

    def __init__(self) -> None:
        self._agents: dict[str, Agent] = {}
        # Workspaces, by what may be signed in once only.
        self._by_extension: dict[str, str] = {}
        self._by_login: dict[str, str] = {}

    def agent(self, workspace: str) -> Agent | None:
        """Return the agent who sits there, ``None`` if nobody does."""
        return self._agents.get(workspace)

    def workspace(self, extension: str) -> str | None:
        """Return the workspace at which that extension is signed in."""
        return self._by_extension.get(extension)

    def elsewhere(self, workspace: str, login_id: str, extension: str) -> bool:
        """Say whether that login or that extension is signed in at another workspace."""
        places = {self._by_login.get(login_id), self._by_extension.get(extension)}
        return bool(places - {None, workspace})

    def seat(self, workspace: str, agent: Agent) -> None:
        """Let an agent sit there, in the place of who did before, or in another state than before."""
        self.leave(workspace)
        self._agents[workspace] = agent
        self._by_extension[agent.extension] = workspace
        self._by_login[agent.login_id] = workspace

    def leave(self, workspace: str) -> None:
        """Let nobody sit there any more."""
        agent = self._agents.pop(workspace, None)
        if agent is not None:
            del self._by_extension[agent.extension]
            del self._by_login[agent.login_id]

"""What is for those who run the bridge: metrics, and why it is not ready."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.broker.identity import Role
from bridge.broker.policy import not_permitted
from bridge.broker.tokens import RefusedToken
from bridge.server import bearer, problems

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from bridge.broker.tokens import Tokens


async def check(tokens: Tokens | None, request: Request) -> Response | None:
    """Give the refusal of a request whose token has not the role ``operator``; ``None`` where it may be served."""
    grant = await bearer.of_request(tokens, request.headers.getlist("authorization"))
    if isinstance(grant, RefusedToken):
        return bearer.refusal(grant)
    if grant is not None and Role.OPERATOR not in grant.roles:
        return problems.of_rejection(not_permitted("see what is for operators", "operator"))
    return None

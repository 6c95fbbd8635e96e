"""The demo page's sample gadgets: pages that only the demo page frames, and that speak to nobody but it.

Each is served under a name of its own, ``one.localhost`` and so on, and so has an origin of its own.
"""

from __future__ import annotations

import base64
import hashlib
import re
from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from bridge.server import content_policy, hosts

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.requests import Request

_inline_script = re.compile(r"<script>(.*?)</script>", re.DOTALL)


def route(directory: Path) -> Route:
    """Serve the files of a directory, those that are in it now, and nothing else below this path."""
    files = {path.name: (path, _script_sources(path)) for path in directory.iterdir() if path.is_file()}

    async def gadget(request: Request) -> Response:
        found = files.get(request.path_params["name"])
        if found is None:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        path, scripts = found
        policy = content_policy.of_gadget(request.url.scheme, request.headers["host"], scripts)
        return FileResponse(path, headers={"Content-Security-Policy": policy})

    return Route(f"{hosts.GADGETS}{{name:path}}", gadget)


def _script_sources(path: Path) -> str:
    """Name what may run in a page: files beside it, and the very script that stands in it."""
    scripts = _inline_script.findall(path.read_text(encoding="utf-8")) if path.suffix == ".html" else []
    digests = (hashlib.sha256(script.encode()).digest() for script in scripts)
    return " ".join(["'self'", *(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)])

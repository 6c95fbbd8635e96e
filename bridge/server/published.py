"""Files that pages of every origin load, sent compressed where the browser takes that: each made once."""

from __future__ import annotations

import gzip
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.staticfiles import NotModifiedResponse, StaticFiles

from bridge.server.bundle import bundle

if TYPE_CHECKING:
    import os
    from collections.abc import Collection

    from starlette.types import Scope

COMPRESSED = (".js", ".ts", ".json", ".md")

log = structlog.get_logger("bridge.server")


class Published(StaticFiles):
    """A folder of small texts. A browser may keep them, and asks each time whether they have changed.

    ``bundled`` are modules in it that are sent together with all that they import.
    """

    def __init__(self, *, directory: Path, bundled: Collection[str] = ()) -> None:
        super().__init__(directory=directory)
        self._folder = directory
        self._bundled = frozenset(str(directory / name) for name in bundled)

    def file_response(
        self, full_path: str | os.PathLike[str], stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        """Answer with a file, compressed where that is accepted."""
        path = str(full_path)
        if path in self._bundled:
            joined = _joined(path, _state(self._folder))
            if joined is not None:
                return self._text(joined, Headers(scope=scope), status_code)
        plain = super().file_response(full_path, stat_result, scope, status_code)
        plain.headers["cache-control"] = "no-cache"
        if not path.endswith(COMPRESSED):
            return plain
        plain.headers["vary"] = "Accept-Encoding"
        if plain.status_code != status_code or not _takes_gzip(Headers(scope=scope)):
            return plain
        headers = {name: plain.headers[name] for name in ("cache-control", "vary", "etag", "last-modified")}
        headers["content-encoding"] = "gzip"
        body = _compressed(path, stat_result.st_mtime_ns, stat_result.st_size)
        return Response(body, status_code, headers, media_type=plain.media_type)

    def _text(self, text: bytes, asked: Headers, status_code: int) -> Response:
        headers = {
            "cache-control": "no-cache",
            "vary": "Accept-Encoding",
            "etag": f'"{sha256(text).hexdigest()[:32]}"',
        }
        if self.is_not_modified(Headers(headers), asked):
            return NotModifiedResponse(Headers(headers))
        if _takes_gzip(asked):
            headers["content-encoding"] = "gzip"
            text = _packed(text)
        return Response(text, status_code, headers, media_type="text/javascript")


def _takes_gzip(headers: Headers) -> bool:
    for offer in headers.get("accept-encoding", "").split(","):
        coding, _, weight = offer.partition(";")
        if coding.strip().lower() == "gzip":
            return weight.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return False


@lru_cache(maxsize=128)
def _compressed(path: str, changed_ns: int, size: int) -> bytes:  # noqa: ARG001 other times and sizes, another file
    return _packed(Path(path).read_bytes())


@lru_cache(maxsize=8)
def _packed(text: bytes) -> bytes:
    return gzip.compress(text, 9, mtime=0)


def _state(folder: Path) -> tuple[tuple[str, int], ...]:
    """Tell one state of the modules in a folder from another, so that a change shows with the next reload."""
    return tuple(sorted((module.name, module.stat().st_mtime_ns) for module in folder.glob("*.js")))


@lru_cache(maxsize=4)
def _joined(path: str, state: tuple[tuple[str, int], ...]) -> bytes | None:  # noqa: ARG001 another state, another text
    """Join a module with what it imports; ``None`` where that cannot be done, and it is served as it is."""
    try:
        return bundle(Path(path)).encode()
    except (OSError, ValueError) as problem:
        log.warning("sdk_not_bundled", module=Path(path).name, reason=str(problem))
        return None

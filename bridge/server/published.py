"""Files that pages of every origin load, sent compressed where the browser takes that: each compressed once."""

from __future__ import annotations

import gzip
from functools import lru_cache
from typing import TYPE_CHECKING

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

if TYPE_CHECKING:
    import os

    from starlette.types import Scope

COMPRESSED = (".js", ".ts", ".json", ".md")


class Published(StaticFiles):
    """A folder of small texts. A browser may keep them, and asks each time whether they have changed."""

    def file_response(
        self, full_path: str | os.PathLike[str], stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        """Answer with a file, compressed where that is accepted."""
        plain = super().file_response(full_path, stat_result, scope, status_code)
        plain.headers["cache-control"] = "no-cache"
        path = str(full_path)
        if not path.endswith(COMPRESSED):
            return plain
        plain.headers["vary"] = "Accept-Encoding"
        if plain.status_code != status_code or not _takes_gzip(Headers(scope=scope)):
            return plain
        headers = {name: plain.headers[name] for name in ("cache-control", "vary", "etag", "last-modified")}
        headers["content-encoding"] = "gzip"
        body = _compressed(path, stat_result.st_mtime_ns, stat_result.st_size)
        return Response(body, status_code, headers, media_type=plain.media_type)


def _takes_gzip(headers: Headers) -> bool:
    for offer in headers.get("accept-encoding", "").split(","):
        coding, _, weight = offer.partition(";")
        if coding.strip().lower() == "gzip":
            return weight.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return False


@lru_cache(maxsize=128)
def _compressed(path: str, changed_ns: int, size: int) -> bytes:  # noqa: ARG001 other times and sizes, another file
    with open(path, "rb") as file:  # noqa: PTH123 Starlette gives a string
        return gzip.compress(file.read(), 9, mtime=0)

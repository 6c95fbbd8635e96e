"""nchan: a module of nginx, in C."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from benchmarks.peers.peer import Peer
from benchmarks.server import Program, free_port

if TYPE_CHECKING:
    from collections.abc import Mapping

# `user` is whoever runs this; nginx ignores it, with a warning, unless that is root. One worker, as there is one core.
# It keeps as many messages as the bridge does; with the ten that it keeps by default it loses some of a burst.
CONFIGURATION = """
load_module modules/ngx_nchan_module.so;
daemon off;
user {user};
worker_processes 1;
pid {{folder}}/nginx.pid;
error_log stderr error;
events {{ worker_connections 16384; }}
http {{
  access_log off;
  client_body_temp_path {{folder}}/body;
  proxy_temp_path {{folder}}/proxy;
  fastcgi_temp_path {{folder}}/fastcgi;
  uwsgi_temp_path {{folder}}/uwsgi;
  scgi_temp_path {{folder}}/scgi;
  nchan_shared_memory_size 256m;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location ~ ^/send/(\\w+)$ {{
      nchan_publisher websocket; nchan_channel_id $1; nchan_message_buffer_length 1000;
    }}
    location ~ ^/listen/(\\w+)$ {{
      nchan_subscriber websocket; nchan_channel_id $1; nchan_subscriber_first_message newest;
    }}
    location = /status {{ nchan_stub_status; }}
  }}
}}
"""


def _nginx() -> str | None:
    return shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")


class Nchan(Peer):
    """A room is a channel."""

    name = "nchan"
    title = "nchan (nginx)"
    install = "apt-get install libnginx-mod-nchan"

    def program(self, settings: Mapping[str, str]) -> Program:
        """Run an nginx of its own, on a port that is free now."""
        del settings
        port = free_port()
        text = CONFIGURATION.format(port=port, user=pwd.getpwuid(os.getuid()).pw_name)
        command = (_nginx() or "nginx", "-e", "stderr", "-c", "{folder}/nginx.conf")
        return Program(command, port=port, files={"nginx.conf": text})

    def installed(self) -> bool:
        """Say whether nginx and the module are there."""
        nginx = _nginx()
        if nginx is None:
            return False
        built = subprocess.run([nginx, "-V"], capture_output=True, text=True, check=True).stderr
        modules = re.search(r"--modules-path=(\S+)", built)
        return modules is not None and (Path(modules[1]) / "ngx_nchan_module.so").exists()

    async def version(self, port: int) -> str:
        """Ask both."""
        async with httpx.AsyncClient() as client:
            answer = await client.get(f"http://127.0.0.1:{port}/status")
        found = re.search(r"nchan version: (\S+)", answer.text)
        return f"{found[1] if found else 'unknown'} ({answer.headers['server']})"

    def sender_path(self, room: str) -> str:
        """Give the path of a connection that sends."""
        return f"/send/{room}"

    def listener_path(self, room: str) -> str:
        """Give the path of a connection that listens."""
        return f"/listen/{room}"

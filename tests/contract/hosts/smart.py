"""Git over HTTP as every host speaks it: git's own `http-backend` on a bare repository."""

from __future__ import annotations

import base64
import os
import subprocess
from collections.abc import Mapping
from urllib.parse import urlsplit

from tests.contract.hosts.bare import Bare


def shown(token: str) -> str:
    return "Basic " + base64.b64encode(f"oauth2:{token}".encode()).decode()


def answer(
    bare: Bare, method: str, path: str, headers: Mapping[str, str], content: bytes
) -> tuple[int, bytes, dict[str, str]]:
    parts = urlsplit(path)
    _, _, inside = parts.path.partition(".git/")
    env = {
        "PATH": os.environ["PATH"],
        "HOME": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_PROJECT_ROOT": str(bare.folder.parent),
        "GIT_HTTP_EXPORT_ALL": "1",
        "PATH_INFO": f"/{bare.folder.name}/{inside}",
        "REQUEST_METHOD": method,
        "QUERY_STRING": parts.query,
        "CONTENT_TYPE": headers.get("content-type", ""),
        "CONTENT_LENGTH": str(len(content)),
        "HTTP_CONTENT_ENCODING": headers.get("content-encoding", ""),
        "HTTP_GIT_PROTOCOL": headers.get("git-protocol", ""),
        "REMOTE_USER": "fleet-bot",
        "REMOTE_ADDR": "127.0.0.1",
    }
    done = subprocess.run(
        ["git", "http-backend"], input=content, capture_output=True, env=env, timeout=60, check=False
    )
    head, _, body = done.stdout.partition(b"\r\n\r\n")
    told = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line)
    status = int(told.pop("Status", "200").split()[0])
    return status, body, told

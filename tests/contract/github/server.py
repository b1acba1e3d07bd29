"""The double over HTTP: pages, ETags and limits as GitHub has them; what its description forbids is kept."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from controlplane.adapters.forges.github import GitHub
from controlplane.adapters.forges.line import Clock, Line
from tests.contract.github import description
from tests.contract.github.bare import Bare
from tests.contract.github.double import NAME, US, Asked, Double, No

TOKEN = "ghp_notarealtoken0123456789"


@dataclass(frozen=True)
class Fault:
    """What is answered instead, once."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None


@dataclass
class Host:
    """GitHub's end: the double, what was wrong with requests, and what shall go wrong next."""

    double: Double
    url: str = ""
    problems: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    page_size: int = 100
    lock: Any = field(default_factory=threading.Lock)

    def line(self, **more: Any) -> Line:
        headers = {"authorization": f"Bearer {TOKEN}", "accept": "application/vnd.github+json"}
        return Line("GitHub", self.url, headers, clock=Clock(sleep=lambda _: None), **more)

    def forge(self) -> GitHub:
        return GitHub(self.line(), NAME, US)


class _Handler(BaseHTTPRequestHandler):
    host: Host
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        """Quiet."""

    def _any(self) -> None:
        length = int(self.headers.get("content-length", 0))
        body = json.loads(self.rfile.read(length)) if length else None
        with self.host.lock:
            self._reply(*self._judge(body))

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _any  # noqa: N815

    def _judge(self, body: Any) -> tuple[int, Any, dict[str, str]]:
        parts = urlsplit(self.path)
        query = dict(parse_qsl(parts.query))
        self.host.calls.append(f"{self.command} {parts.path}")
        if self.headers["authorization"] != f"Bearer {TOKEN}":
            return 401, {"message": "Bad credentials"}, {}
        if self.host.faults:
            fault = self.host.faults.pop(0)
            return fault.status, fault.body, fault.headers
        where = unquote(parts.path)
        found = description.find(self.command, where)
        wrong = [f"{self.command} {where} is described nowhere"]
        if found is not None:
            wrong = description.complaints(found, query, body)
        if wrong or found is None:
            self.host.problems += wrong
            return 422, {"message": "; ".join(wrong)}, {}
        try:
            status, told = self.host.double.answer(
                self.command, found.template, Asked(found.values, query, body)
            )
        except No as no:
            assert str(no.status) in found.said["responses"], (found.template, no.status)
            return no.status, {"message": no.message}, {}
        headers = {}
        if isinstance(told, list):
            told, headers = self._paged(told, parts.path, query)
        return status, description.answer(found, status, told), headers

    def _paged(self, told: list[Any], path: str, query: dict[str, str]) -> tuple[list[Any], dict[str, str]]:
        size = min(int(query.get("per_page", 30)), self.host.page_size)
        page = int(query.get("page", 1))
        shown = told[(page - 1) * size : page * size]
        if len(told) <= page * size:
            return shown, {}
        link = f"{self.host.url}{path}?{urlencode({**query, 'page': page + 1})}"
        return shown, {"link": f'<{link}>; rel="next"'}

    def _reply(self, status: int, told: Any, headers: dict[str, str]) -> None:
        content = b"" if told is None else json.dumps(told).encode()
        tag = f'W/"{hashlib.sha256(content).hexdigest()}"'
        if self.command == "GET" and status == 200:
            headers = {**headers, "etag": tag}
            if self.headers.get("if-none-match") == tag:
                status, content = 304, b""
        self.send_response(status)
        for name, value in {"content-type": "application/json", **headers}.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def served(folder: Path) -> Iterator[Host]:
    """A GitHub whose repository is empty; at its end, nothing that it was asked was against its rules."""
    bare = Bare(folder)
    bare.make()
    host = Host(Double(bare))
    handler = type("Handler", (_Handler,), {"host": host})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    host.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield host
        assert host.problems == []
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)

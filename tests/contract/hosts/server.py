"""A double over HTTP: pages, ETags and limits as hosts have them; what its description forbids is kept."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlencode, urlsplit

from controlplane.adapters.forges.line import Clock
from controlplane.domain.review.forge import Forge
from tests.contract.hosts import description, smart
from tests.contract.hosts.bare import Bare

US = "fleet-bot"
NAME = "acme-corp/fleet"
PUSH = "git push"


@dataclass(frozen=True)
class Fault:
    """What is answered instead, once; to the next request, or to the next one by that method."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None
    method: str = ""


@dataclass(frozen=True)
class Asked:
    values: Mapping[str, str]
    query: Mapping[str, str]
    body: Any


class No(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


class Gone(Exception):
    """Whoever asked was killed meanwhile."""


class Double(Protocol):
    """A host of one repository; people press its buttons by its other methods."""

    bare: Bare
    pulls: dict[int, dict[str, Any]]
    statuses: list[dict[str, Any]]
    protected: bool

    def answer(self, method: str, template: str, asked: Asked) -> tuple[int, Any]: ...
    def say(self, number: int, login: str, text: str) -> int: ...
    def approve(self, number: int, login: str, state: str = "APPROVED") -> None: ...
    def press_merge(self, number: int, login: str) -> str: ...
    def press_close(self, number: int) -> None: ...
    def open_by(self, login: str, branch: str) -> int: ...
    def open_draft(self, login: str, branch: str) -> int: ...
    def open_from_fork(self, login: str, branch: str) -> int: ...
    def press_ready(self, number: int) -> None: ...
    def texts(self, number: int) -> list[str]: ...


@dataclass(frozen=True)
class Kind:
    """What one host has that another has not."""

    name: str
    description: Path
    api: str  # before every path
    token: str
    header: Callable[[str], tuple[str, str]]  # in which a token is shown
    refusal: str  # of a wrong token
    double: Callable[[Bare], Double]
    forge: Callable[[Host, str, Clock], Forge]
    limits: tuple[tuple[Callable[[float], Fault], int], ...]  # and for how many seconds each asks


@dataclass
class Host:
    """The host's end: the double, what was wrong with requests, and what shall go wrong next."""

    kind: Kind
    double: Double
    url: str = ""
    problems: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    unchanged: int = 0  # answers that cost nothing of a limit
    page_size: int = 100
    on_change: Callable[[str, str], bool] = lambda where, what: False  # True: whoever asked is dead
    lock: Any = field(default_factory=threading.Lock)

    def forge(self, token: str = "", clock: Clock | None = None) -> Forge:
        return self.kind.forge(self, token or self.kind.token, clock or Clock(sleep=lambda _: None))

    def fault(self, method: str) -> Fault | None:
        for fault in self.faults:
            if fault.method in ("", method):
                self.faults.remove(fault)
                return fault
        return None


class _Handler(BaseHTTPRequestHandler):
    host: Host
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        """Quiet."""

    def _any(self) -> None:
        length = int(self.headers.get("content-length", 0))
        content = self.rfile.read(length) if length else b""
        with self.host.lock:
            try:
                if ".git/" in self.path:
                    return self._git(content)
                return self._reply(*self._judge(json.loads(content) if content else None))
            except Gone:
                self.close_connection = True  # nobody is there to be answered
                return None

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _any  # noqa: N815

    def _git(self, content: bytes) -> None:
        """Git's own protocol, beside the API."""
        self.host.calls.append(f"{self.command} {self.path}")
        fault = self.host.fault(self.command)
        is_push = self.path.endswith("/git-receive-pack")
        if fault is not None:
            return self._send(fault.status, b"", fault.headers)
        if self.headers["authorization"] != smart.shown(self.host.kind.token):
            return self._send(401, b"HTTP Basic: Access denied", {"www-authenticate": 'Basic realm="git"'})
        if is_push:
            self._changes("before", PUSH)
        answer = smart.answer(self.host.double.bare, self.command, self.path, self.headers, content)
        if is_push:
            self._changes("after", PUSH)
        return self._send(*answer)

    def _changes(self, where: str, what: str) -> None:
        if self.host.on_change(where, what):
            raise Gone

    def _judge(self, body: Any) -> tuple[int, Any, dict[str, str]]:
        parts = urlsplit(self.path)
        query = dict(parse_qsl(parts.query))
        self.host.calls.append(f"{self.command} {parts.path}")
        kind = self.host.kind
        name, value = kind.header(kind.token)
        if self.headers[name] != value:
            return 401, {"message": kind.refusal}, {}
        fault = self.host.fault(self.command)
        if fault is not None:
            return fault.status, fault.body, fault.headers
        where = parts.path.removeprefix(kind.api)
        found = description.find(kind.description, self.command, where)
        wrong = [f"{self.command} {where} is described nowhere"]
        if found is not None:
            wrong = description.complaints(found, query, body)
        if wrong or found is None:
            self.host.problems += wrong
            return 422, {"message": "; ".join(wrong)}, {}
        return self._answer(found, parts.path, query, body)

    def _answer(
        self, found: description.Operation, path: str, query: dict[str, str], body: Any
    ) -> tuple[int, Any, dict[str, str]]:
        what = f"{self.command} {found.template}"
        if self.command != "GET":
            self._changes("before", what)
        try:
            status, told = self.host.double.answer(
                self.command, found.template, Asked(found.values, query, body)
            )
        except No as no:
            assert str(no.status) in found.said["responses"], (found.template, no.status)
            return no.status, {"message": no.message}, {}
        if self.command != "GET":
            self._changes("after", what)
        headers = {}
        if isinstance(told, list):
            told, headers = self._paged(told, path, query)
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
                self.host.unchanged += 1
        self._send(status, content, {"content-type": "application/json", **headers})

    def _send(self, status: int, content: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def served(kind: Kind, folder: Path) -> Iterator[Host]:
    """A host whose repository is empty; at its end, nothing that it was asked was against its rules."""
    bare = Bare(folder)
    bare.make()
    host = Host(kind, kind.double(bare))
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

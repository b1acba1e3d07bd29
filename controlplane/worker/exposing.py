"""What a worker says of itself to Prometheus, where no API server runs in its process."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from controlplane.domain.errors import Invalid, Unavailable
from controlplane.services import figures
from controlplane.services.control import Control
from controlplane.services.figures import Families

_SETTING = "CONTROLPLANE_WORKER_METRICS"
_PATH = "/metrics"


def own(control: Control, looked_at: Callable[[], float]) -> str:
    """Its calls to AWS, and whether it still looks. What the catalog holds, the API's `/metrics` tells."""
    idle = round(max(0.0, time.monotonic() - looked_at()), 3)
    gauges: Families = {"controlplane_worker_seconds_since_look": {(): idle}}
    return "\n".join(figures.exposition(gauges, figures.counters(control))) + "\n"


@contextmanager
def exposed(place: str, text: Callable[[], str]) -> Iterator[str]:
    """Answer `text` at http://PLACE/metrics meanwhile; its URL."""
    address = _address(place)
    try:
        server = _Server(address, _Handler)
    except OSError as error:
        hint = "stop who uses it, or name another port"
        raise Unavailable(f"{_SETTING}: listening on {place}: {error.strerror}", hint=hint) from error
    server.text = text
    threading.Thread(target=server.serve_forever, args=(0.2,), name="figures", daemon=True).start()
    try:
        yield f"http://{address[0]}:{server.server_port}{_PATH}"
    finally:
        server.shutdown()
        server.server_close()


def _address(place: str) -> tuple[str, int]:
    host, _, port = place.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65_535:
        raise Invalid(f"{_SETTING} is {place!r}", hint="say HOST:PORT, as 127.0.0.1:9187")
    return host, int(port)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    text: Callable[[], str]


class _Handler(BaseHTTPRequestHandler):
    timeout = 10  # of a caller who says nothing
    server: _Server

    def do_GET(self) -> None:
        if self.path != _PATH:
            self._answer(404, f"there is only {_PATH}\n")
        else:
            self._answer(200, self.server.text())

    def _answer(self, status: int, text: str) -> None:
        content = text.encode()
        headers: Mapping[str, str] = {
            "Content-Type": "text/plain; version=0.0.4; charset=utf-8",
            "Content-Length": str(len(content)),
        }
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """A scrape is no news."""

"""A webhook's receiver: an HTTP server on this machine that answers from a script."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Receiver:
    """Answers from a script of status codes, then 204."""

    script: list[int] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)  # of its answers
    received: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    url: str = ""

    def start(self) -> Callable[[], None]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.received.append(({k.lower(): v for k, v in self.headers.items()}, body))
                self.send_response(receiver.script.pop(0) if receiver.script else 204)
                for name, value in receiver.headers.items():
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{server.server_port}/hook/in-the-path"
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()

        def stop() -> None:
            server.shutdown()
            server.server_close()

        return stop

"""A real browser, without a library: Chromium speaks its DevTools protocol over two pipes."""

from __future__ import annotations

import base64
import itertools
import json
import os
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PATIENCE = 120.0
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--remote-debugging-pipe"),
)

# The protocol's pipes are its descriptors 3 and 4, whatever ours are.
_LAUNCHER = (
    sys.executable,
    "-c",
    """
import fcntl, os, sys
ends = [fcntl.fcntl(int(end), fcntl.F_DUPFD, 10) for end in sys.argv[1:3]]
os.dup2(ends[0], 3)
os.dup2(ends[1], 4)
os.execv(sys.argv[3], sys.argv[3:])
""",
)


def found() -> str | None:
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Chromium:
    """One page. `complaints` is what the browser said of it: errors, what a policy refused, lost requests."""

    def __init__(self, into: int, out: int) -> None:
        self._into, self._out = into, out
        self._numbers = itertools.count(1)
        self._rest = b""
        self._events: list[dict[str, Any]] = []
        self.complaints: list[str] = []
        target = self._send("Target.createTarget", url="about:blank")["targetId"]
        self._session = ""
        self._session = self._send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._send(f"{domain}.enable")

    # --- what a person does

    def open(self, url: str) -> None:
        self._loading(lambda: self._send("Page.navigate", url=url))

    def fill(self, field: str, text: str) -> None:
        self.look(f"document.querySelector({json.dumps(field)}).value = {json.dumps(text)}")

    def press(self, button: str) -> None:
        """A button or link that leads to another page."""
        self._loading(lambda: self.look(f"document.querySelector({json.dumps(button)}).click()"))

    def resize(self, width: int, height: int = 900) -> None:
        about = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self._send("Emulation.setDeviceMetricsOverride", **about)

    # --- what a person sees

    def look(self, expression: str) -> Any:
        answer = self._send("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    @property
    def text(self) -> str:
        return str(self.look("document.body.innerText"))

    @property
    def address(self) -> str:
        return str(self.look("location.pathname + location.search"))

    @property
    def is_too_wide(self) -> bool:
        """Whether the page as a whole has to be scrolled sideways."""
        return bool(self.look("document.documentElement.scrollWidth > window.innerWidth"))

    def picture(self, file: Path) -> None:
        shown = self._send("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        file.write_bytes(base64.b64decode(shown["data"]))

    # --- the protocol: JSON, each ended by a zero

    def _loading(self, act: Any) -> None:
        self._events.clear()
        act()
        end = time.monotonic() + PATIENCE
        while not any(event["method"] == "Page.loadEventFired" for event in self._events):
            self._keep(self._read(end))

    def _send(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters}
        if getattr(self, "_session", ""):
            message["sessionId"] = self._session
        os.write(self._into, json.dumps(message).encode() + b"\0")
        end = time.monotonic() + PATIENCE
        while (heard := self._read(end)).get("id") != number:
            self._keep(heard)
        assert "error" not in heard, (method, heard["error"])
        return dict(heard["result"])

    def _keep(self, heard: dict[str, Any]) -> None:
        if "method" not in heard:
            return
        self._events.append(heard)
        about = heard["params"]
        if heard["method"] == "Log.entryAdded" and about["entry"]["level"] in ("error", "warning"):
            self.complaints.append(f"{about['entry']['text']} {about['entry'].get('url', '')}")
        elif heard["method"] == "Runtime.exceptionThrown":
            self.complaints.append(str(about["exceptionDetails"]["text"]))
        elif heard["method"] == "Network.loadingFailed" and not about.get("canceled"):
            self.complaints.append(f"{about['type']}: {about['errorText']}")

    def _read(self, end: float) -> dict[str, Any]:
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._out], [], [], max(0.0, end - time.monotonic()))
            assert ready, "the browser says nothing"
            said = os.read(self._out, 1 << 16)
            assert said, "the browser ended"
            self._rest += said
        message, _, self._rest = self._rest.partition(b"\0")
        return dict(json.loads(message))


@contextmanager
def browser(program: str) -> Iterator[Chromium]:
    """With a profile of its own, below a path that is short enough for sockets; it ends with the test."""
    with (
        TemporaryDirectory(prefix="cp-browser-", ignore_cleanup_errors=True) as folder,
        _running(program, folder) as (into, out),
    ):
        yield Chromium(into, out)


@contextmanager
def _running(program: str, folder: str) -> Iterator[tuple[int, int]]:
    its_in, into = os.pipe()
    out, its_out = os.pipe()
    process = subprocess.Popen(
        [*_LAUNCHER, str(its_in), str(its_out), program, *FLAGS, f"--user-data-dir={folder}"],
        pass_fds=(its_in, its_out),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={"PATH": os.environ["PATH"], "HOME": folder, "TMPDIR": folder},
        start_new_session=True,
    )
    os.close(its_in)
    os.close(its_out)
    try:
        yield into, out
    finally:
        os.close(into)
        os.close(out)
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(10)  # it ends when its pipe does
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        process.wait(30)

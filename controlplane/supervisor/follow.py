"""Terraform's output, followed line by line in its file: what people read, and whether it only waits."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from controlplane.domain.redaction import Redactor
from controlplane.supervisor.ledger import Line

_CHUNK = 1 << 20
_MOST_PENDING = 1000  # lines in memory while the database is away; the rest waits in the file
_LONGEST = 20_000  # characters of one stored line


class Follower:
    """Every line of the file becomes one stored line, so that a successor knows where to go on."""

    def __init__(self, path: Path, redactor: Redactor) -> None:
        self._path = path
        self._redactor = redactor
        self._offset = 0
        self._rest = b""
        self._skip = 0
        self._number = 0
        self.pending: list[Line] = []
        self.activity = Activity()

    def go_on_after(self, stored: int, of_terraform: int) -> None:
        """A predecessor stored so many lines, and so many of them came from the file."""
        self._number, self._skip = stored, of_terraform

    def note(self, text: str) -> None:
        """A line of the supervisor's own."""
        self._add("supervisor", text)

    def read(self, *, last: bool = False) -> None:
        """Take what is new; at the `last` time also a line without an end."""
        while len(self.pending) < _MOST_PENDING or last:
            chunk = self._read_chunk()
            if not chunk:
                break
            *lines, self._rest = (self._rest + chunk).split(b"\n")
            for line in lines:
                self._take(line)
        if last and self._rest:
            self._take(self._rest)
            self._rest = b""

    def stored(self, lines: list[Line]) -> None:
        del self.pending[: len(lines)]

    def _read_chunk(self) -> bytes:
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                chunk = file.read(_CHUNK)
        except FileNotFoundError:
            return b""
        self._offset += len(chunk)
        return chunk

    def _take(self, raw: bytes) -> None:
        text = raw.decode(errors="replace").replace("\x00", "")
        event = _event(text)
        self.activity.see(event)
        if self._skip:
            self._skip -= 1
            self._redactor.line(text)  # it may begin a key that goes on in the next line
            return
        stream = "terraform" if event.get("@level", "error") != "error" else "error"
        self._add(stream, self._redactor.line(_words(event) if event else text))

    def _add(self, stream: str, text: str) -> None:
        self._number += 1
        self.pending.append(Line(self._number, time.time(), stream, text[:_LONGEST]))


def _event(text: str) -> dict[str, Any]:
    try:
        event = json.loads(text)
    except ValueError:
        return {}
    return event if isinstance(event, dict) else {}


def _words(event: dict[str, Any]) -> str:
    """What a person needs of an event: its message, and of an error also where and why."""
    words = str(event.get("@message", ""))
    diagnostic = event.get("diagnostic")
    if not isinstance(diagnostic, dict):
        return words
    place = diagnostic.get("range") or {}
    if diagnostic.get("address"):
        words += f" ({diagnostic['address']})"
    if place.get("filename"):
        words += f" at {place['filename']}:{(place.get('start') or {}).get('line', '?')}"
    return f"{words}: {diagnostic['detail']}" if diagnostic.get("detail") else words


class Activity:
    """Whether Terraform works or only waits for AWS: then it needs no core."""

    def __init__(self) -> None:
        self._waiting: dict[str, bool] = {}

    @property
    def only_waits(self) -> bool:
        """Every resource in progress has said "Still creating…", and nothing else is in progress."""
        return bool(self._waiting) and all(self._waiting.values())

    def see(self, event: dict[str, Any]) -> None:
        kind = str(event.get("type", ""))
        hook = event.get("hook")
        resource = hook.get("resource") if isinstance(hook, dict) else None
        address = str(resource.get("addr", "")) if isinstance(resource, dict) else ""
        if kind == "apply_start":
            self._waiting[address] = False
        elif kind == "apply_progress" and address in self._waiting:
            self._waiting[address] = True
        elif kind in ("apply_complete", "apply_errored"):
            self._waiting.pop(address, None)

"""Terraform's local state, read while Terraform writes it: it is written in place, so what is read may be
empty or cut. Only whole states are ever handed on."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import NamedTuple

Signature = tuple[int, int, int]


class StateFile(NamedTuple):
    """A whole state as it was read."""

    lineage: str
    serial: int
    sha256: str
    content: bytes


class StateReader:
    def __init__(self, path: Path, stored_sha256: str = "") -> None:
        self._path = path
        self._seen: Signature | None = None
        self._reading: Signature | None = None
        self._stored = stored_sha256
        self.damaged = ""  # how the file looked when it was read last, where that was no state

    def changed(self) -> StateFile | None:
        """A whole state that is not stored yet. Asked again, it is read again until `stored` was said."""
        signature = self._signature()
        if signature is None:
            self.damaged = ""
        if signature is None or signature == self._seen:
            return None
        content = self._path.read_bytes()
        state = parse(content)
        if state is None:
            # Before there is a state, Terraform makes an empty file to have something to lock.
            is_placeholder = not content and not self._stored
            self.damaged = "" if is_placeholder else f"{len(content)} bytes that are no whole state"
            self._seen = signature
            return None
        self.damaged = ""
        if state.sha256 == self._stored:
            self._seen = signature
            return None
        self._reading = signature
        return state

    def stored(self, state: StateFile) -> None:
        self._stored = state.sha256
        self._seen = self._reading

    def refused(self) -> None:
        """It will not be stored; the file stays where it is."""
        self._seen = self._reading

    def is_stored(self) -> bool:
        """Whether the file as it lies there is stored, so that it may go."""
        state = parse(self._path.read_bytes()) if self._signature() else None
        return state is not None and state.sha256 == self._stored

    def look_again(self) -> None:
        """Terraform is gone: what lies there now is final, whatever its time stamp says."""
        self._seen = None

    def _signature(self) -> Signature | None:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return None
        return (found.st_ino, found.st_size, found.st_mtime_ns)


def parse(content: bytes) -> StateFile | None:
    """None for what is empty, cut or something else."""
    try:
        state = json.loads(content)
        lineage, serial = state["lineage"], state["serial"]
    except (ValueError, KeyError, TypeError):
        return None
    if not isinstance(lineage, str) or not lineage or not isinstance(serial, int):
        return None
    return StateFile(lineage, serial, hashlib.sha256(content).hexdigest(), content)


def read_state(path: Path) -> StateFile | None:
    try:
        return parse(path.read_bytes())
    except FileNotFoundError:
        return None

"""A bucket of states in memory, with what happens to real ones: it is away, and others write into it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from controlplane.domain.errors import Conflict, Unavailable
from controlplane.ports import PublicState


class FakeBucket:
    def __init__(self) -> None:
        self.states: dict[str, bytes] = {}
        self.locks: dict[str, dict[str, Any]] = {}
        self.away = False

    def place(self, workspace: str) -> str:
        return f"fake://{workspace}"

    def read(self, workspace: str) -> PublicState | None:
        self._answer()
        content = self.states.get(workspace)
        return None if content is None else PublicState(content, _version(content))

    def write(self, workspace: str, content: bytes, over: str) -> None:
        found = self.read(workspace)
        if (found.version if found else "") != over:
            raise Conflict(f"writing {self.place(workspace)}: somebody else wrote it meanwhile")
        self.states[workspace] = content

    def lock(self, workspace: str, info: Mapping[str, Any]) -> Mapping[str, Any]:
        self._answer()
        return self.locks.setdefault(workspace, dict(info))

    def lock_there(self, workspace: str) -> Mapping[str, Any]:
        self._answer()
        return self.locks.get(workspace, {})

    def unlock(self, workspace: str, lock_id: str) -> None:
        if self.lock_there(workspace).get("ID") == lock_id:
            del self.locks[workspace]

    def _answer(self) -> None:
        if self.away:
            raise Unavailable("the bucket does not answer")


def _version(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()

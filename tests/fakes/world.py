"""Where the fakes keep their world: in memory, or in a file that outlives a killed worker."""

from __future__ import annotations

import copy
import fcntl
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from controlplane.domain.errors import ControlPlaneError, Denied, Throttled, Unavailable

_FAULTS: Mapping[str, type[ControlPlaneError]] = {
    "throttled": Throttled,
    "unavailable": Unavailable,  # before any effect
    "lost_answer": Unavailable,  # after the effect
    "denied": Denied,
}


class World:
    """A dict of JSON, read and written under a lock that processes share. Faults stand in it too."""

    def __init__(self, path: Path | None, empty: Callable[[], dict[str, Any]]) -> None:
        self._path = path
        self._thread = threading.RLock()
        self._memory = {**empty(), "_faults": [], "_calls": [], "_before": {}}
        if path is not None and not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(self._memory))

    @contextmanager
    def open(self) -> Iterator[dict[str, Any]]:
        """The world, written back at the end, also when the block raises: effects are effects."""
        with self._thread:
            if self._path is None:
                yield self._memory
                return
            # Written beside and renamed, so that a kill in the middle leaves the world before or after.
            with self._path.with_suffix(".lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                state = json.loads(self._path.read_text())
                try:
                    yield state
                finally:
                    beside = self._path.with_suffix(".new")
                    beside.write_text(json.dumps(state))
                    beside.replace(self._path)

    def inject(self, method: str, fault: str, times: int = 1) -> None:
        """The next `times` calls of `method` meet `throttled`, `unavailable`, `lost_answer`, `denied`,
        or, for reads, `stale`: the answer from before the last change."""
        if fault != "stale" and fault not in _FAULTS:
            raise ValueError(f"no such fault: {fault}")
        with self.open() as state:
            state["_faults"] += [{"method": method, "fault": fault}] * times

    def calls(self, method: str = "") -> list[str]:
        """What was called, in order, as `method subject`."""
        with self.open() as state:
            return [one for one in state["_calls"] if not method or one.split()[0] == method]

    @contextmanager
    def call(self, method: str, subject: str = "", *, changes: bool = False) -> Iterator[dict[str, Any]]:
        """One call of a port: recorded, and struck by the fault that waits for it."""
        with self.open() as state:
            state["_calls"].append(f"{method} {subject}".strip())
            fault = _take(state, method)
            if fault in _FAULTS and fault != "lost_answer":
                raise _error(fault, method, subject)
            if changes:
                _remember(state)
            yield state["_before"] if fault == "stale" and state["_before"] else state
            if fault == "lost_answer":
                raise _error(fault, method, subject)


def _take(state: dict[str, Any], method: str) -> str:
    for position, one in enumerate(state["_faults"]):
        if one["method"] == method:
            return str(state["_faults"].pop(position)["fault"])
    return ""


def _remember(state: dict[str, Any]) -> None:
    state["_before"] = copy.deepcopy({k: v for k, v in state.items() if not k.startswith("_")})


def _error(fault: str, method: str, subject: str) -> ControlPlaneError:
    return _FAULTS[fault](f"{method} {subject}: {fault.replace('_', ' ')} (injected)")

"""How often this process asked AWS, and how often AWS said: slower. Read by whoever serves `/metrics`."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from typing import Any

_THROTTLES = ("throttl", "requestlimitexceeded", "toomanyrequests", "slowdown")


class Tally:
    """One in a process; every client counts into it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: Counter[tuple[str, str, str]] = Counter()
        self._throttles: Counter[str] = Counter()

    def listen(self, client: Any) -> None:
        """Every attempt of this client is counted, those that are repeated too."""
        client.meta.events.register("response-received.*", self._heard)

    def calls(self) -> Mapping[tuple[str, str, str], int]:
        """By service, operation and outcome."""
        with self._lock:
            return dict(self._calls)

    def throttles(self) -> Mapping[str, int]:
        with self._lock:
            return dict(self._throttles)

    def _heard(self, **what: Any) -> None:
        service, operation = what["event_name"].split(".")[1:3]
        parsed = what.get("parsed_response") or {}
        code = str(parsed.get("Error", {}).get("Code", ""))
        outcome = "failed" if what.get("exception") else "refused" if code else "done"
        with self._lock:
            self._calls[(service, operation, outcome)] += 1
            if any(word in code.lower() for word in _THROTTLES):
                self._throttles[service] += 1


TALLY = Tally()

"""Faults on demand: a file of rules, read again when it changes."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from controlplane.sandbox.calls import Call

log = logging.getLogger("sandbox")


class Kind(StrEnum):
    THROTTLE = "throttle"  # refused: Throttling, nothing was done
    ERROR = "error"  # refused: 500, nothing was done
    REFUSE = "refuse"  # refused with `code`, `message` and `status`, nothing was done
    TIMEOUT_AFTER_EFFECT = "timeout_after_effect"  # done, but the connection ends without an answer
    TIMEOUT_BEFORE_EFFECT = "timeout_before_effect"  # not done, and the connection ends without an answer
    SLOW = "slow"  # answered `seconds` later
    STALE = "stale"  # a read that was answered before is given that answer again


@dataclass(frozen=True)
class Rule:
    """Which calls, and what happens to them. Empty matches all; `*` is a wildcard."""

    fault: Kind
    service: str = "*"
    action: str = "*"
    identifier: str = ""  # of any name, identifier or ARN in the request
    nth: int = 1  # the first matching call that is hit, from 1
    count: int = 1  # how many from there on; 0: all
    seconds: float = 0.0  # slow: the delay; time-outs: how long the connection stays open
    code: str = "InternalFailure"
    message: str = "injected by the sandbox"
    status: int = 400

    def concerns(self, call: Call, *, answered: bool) -> bool:
        return (
            (answered or self.fault is not Kind.STALE)
            and fnmatchcase(call.service, self.service)
            and fnmatchcase(call.action, self.action)
            and (not self.identifier or any(fnmatchcase(n, self.identifier) for n in call.names()))
        )

    def hits(self, number: int) -> bool:
        return number >= self.nth and (not self.count or number < self.nth + self.count)


class Faults:
    """The rules of one file and how often each was asked. A changed file starts counting anew."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._read_at: tuple[int, int] | None = None
        self._rules: list[Rule] = []
        self._asked: list[int] = []

    def match(self, call: Call, *, answered: bool = False) -> Rule | None:
        """The first rule that hits this call; every rule that concerns it counts it.

        `answered`: the same was asked before, and the answer is still known.
        """
        with self._lock:
            self._refresh()
            hit = None
            for number, rule in enumerate(self._rules):
                if rule.concerns(call, answered=answered):
                    self._asked[number] += 1
                    if hit is None and rule.hits(self._asked[number]):
                        hit = rule
            return hit

    def _refresh(self) -> None:
        try:
            stat = self.path.stat()
        except FileNotFoundError:
            self._read_at, self._rules, self._asked = None, [], []
            return
        mark = (stat.st_mtime_ns, stat.st_size)
        if mark == self._read_at:
            return
        self._read_at = mark
        try:
            self._rules = parse(json.loads(self.path.read_text()))
        except (ValueError, TypeError, KeyError) as error:
            log.error("the faults in %s cannot be read, none are injected: %s", self.path, error)
            self._rules = []
        self._asked = [0] * len(self._rules)


def parse(content: Mapping[str, Any]) -> list[Rule]:
    """Rules from a file's content; an unknown word is an error, not a fault that never comes."""
    known = {f.name for f in fields(Rule)}
    rules = []
    for row in content["rules"]:
        unknown = set(row) - known
        if unknown:
            raise ValueError(f"a rule has no {', '.join(sorted(unknown))}")
        rules.append(Rule(**{**row, "fault": Kind(row["fault"])}))
    return rules

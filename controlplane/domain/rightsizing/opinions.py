"""What AWS itself says of a database's class: a second opinion, which stands beside ours and decides not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Opinion:
    identifier: str
    finding: str  # Optimized, Underprovisioned, Overprovisioned
    reasons: Sequence[str] = ()
    instance_class: str = ""  # what it would take; "": the one that is there
    look_back_days: int = 0

    def words(self) -> str:
        why = f" ({', '.join(self.reasons)})" if self.reasons else ""
        to = f", and would take {self.instance_class}" if self.instance_class else ""
        return f"Compute Optimizer says {self.finding}{why}{to}"


class OpinionSource(Protocol):
    def opinions(self) -> Sequence[Opinion]:
        """Of the account's databases in its region, in a few requests."""
        ...

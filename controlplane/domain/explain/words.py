"""What every explanation has, and the words that they share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

NOBODY = "nobody has to"
SYSTEM = "the control plane, by itself"
OPERATORS = "an operator of the tenant"
ADMINS = "an admin"


@dataclass(frozen=True)
class Explanation:
    cause: str
    evidence: str
    who: str
    command: str

    def to_json(self) -> dict[str, str]:
        return {"cause": self.cause, "evidence": self.evidence, "who": self.who, "command": self.command}


def said(lines: Sequence[str], otherwise: str) -> str:
    return "; ".join(lines) or otherwise


def at(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M} {moment.tzname()}" if moment else "a time that is not known"

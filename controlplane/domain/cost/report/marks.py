"""Places on a chart's x axis where something must change: numbered above it, told in a key below it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

APART = 18.0  # pixels; what is nearer than this shares a number
LINE = 17  # pixels of a line of the key
MOST_WORDS = 112  # letters of a line of the key; all of them stand in the picture's description


@dataclass(frozen=True, slots=True)
class Mark:
    """Its text begins with a short name of the place."""

    x: float
    text: str


@dataclass(frozen=True, slots=True)
class Cluster:
    """Marks that cannot be told apart at this width."""

    at: float  # pixels
    texts: tuple[str, ...]


def clusters(marks: Sequence[Mark], place: Callable[[float], float]) -> list[Cluster]:
    """From left to right; a cluster stands at its first mark."""
    found: list[Cluster] = []
    for mark in sorted(marks, key=lambda one: one.x):
        at = place(mark.x)
        if found and at - found[-1].at < APART:
            found[-1] = Cluster(found[-1].at, (*found[-1].texts, mark.text))
        else:
            found.append(Cluster(at, (mark.text,)))
    return found


def uprights(found: Sequence[Cluster], top: float, bottom: float) -> list[str]:
    return [
        f"<g><title>{escape('; '.join(one.texts))}</title>"
        f'<path d="M{one.at:g} {top:g}V{bottom:g}" stroke="#767676" stroke-dasharray="1 4"/>'
        f'<circle cx="{one.at:g}" cy="{top - 8:g}" r="8" fill="#fff" stroke="#5a5a5a"/>'
        f'<text x="{one.at:g}" y="{top - 4.5:g}" font-size="10" text-anchor="middle">{number}</text></g>'
        for number, one in enumerate(found, 1)
    ]


def key(found: Sequence[Cluster], left: float, top: float) -> list[str]:
    """One line a number."""
    return [
        f'<text x="{left:g}" y="{top + number * LINE:g}" font-size="11" text-anchor="end">{number}</text>'
        f'<text x="{left + 8:g}" y="{top + number * LINE:g}" font-size="11">{escape(_words(one))}</text>'
        for number, one in enumerate(found, 1)
    ]


def _words(one: Cluster) -> str:
    """The first, and how many more there are."""
    more = f"; and {len(one.texts) - 1} more" if len(one.texts) > 1 else ""
    first = one.texts[0]
    room = MOST_WORDS - len(more)
    return (first if len(first) <= room else first[: room - 1].rstrip() + "…") + more

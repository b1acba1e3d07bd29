"""Where a change's time goes: spans of one trace, from the door through its steps to the Terraform run.

A span's place in its trace travels as W3C's `traceparent`; it stands in the operation's row, so that a worker
elsewhere, days later, goes on with the trace that a door began. Off by default: then nothing is made or sent.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Protocol

Fact = str | int


def traceparent(trace: str, span: str, flags: str = "01") -> str:
    """As W3C writes it: 32 and 16 hexadecimal digits, and whether somebody keeps it."""
    return f"00-{trace}-{span}-{flags}"


class Span(Protocol):
    @property
    def traceparent(self) -> str:
        """For whoever goes on from here."""
        ...

    def rename(self, name: str) -> None: ...

    def tell(self, **facts: Fact) -> None:
        """Never a secret, and no more than an operation's own page would show."""
        ...


class Tracer(Protocol):
    def span(self, name: str, parent: str = "", **facts: Fact) -> AbstractContextManager[Span]:
        """`parent`: a traceparent; without one it stands within the span that this thread is in."""
        ...

    def finish(self) -> None:
        """Send what is left."""
        ...


@dataclass(frozen=True)
class _Unseen:
    traceparent: str

    def rename(self, name: str) -> None:
        """Nobody looks."""

    def tell(self, **facts: Fact) -> None:
        """Nobody listens."""


class Silence:
    """No traces: a parent is passed on as it came."""

    @contextmanager
    def span(self, name: str, parent: str = "", **facts: Fact) -> Iterator[Span]:  # noqa: ARG002
        yield _Unseen(parent)

    def finish(self) -> None:
        """There is nothing."""


SILENCE = Silence()

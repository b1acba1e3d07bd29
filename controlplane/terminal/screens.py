"""Progress of one operation on stderr: lines for a log, or a picture that changes for who watches."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Protocol, TextIO

from controlplane.terminal import layouts, tables

View = Mapping[str, Any]
_TERRAFORM_LINES = 8


class Screen(Protocol):
    def __enter__(self) -> Screen: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def update(self, view: View, events: Sequence[View], lines: Sequence[View]) -> None:
        """What is new since the last call."""
        ...


class Silence:
    """For -q: nothing is said before the end."""

    def __enter__(self) -> Silence:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def update(self, view: View, events: Sequence[View], lines: Sequence[View]) -> None:  # noqa: ARG002
        return None


class Lines:
    """One line an event; Terraform's own lines are indented below the step that runs them."""

    def __init__(self, err: TextIO) -> None:
        self._err = err

    def __enter__(self) -> Lines:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def update(self, view: View, events: Sequence[View], lines: Sequence[View]) -> None:  # noqa: ARG002
        for event in events:
            print(f"{_clock(event)} {_told(event)}", file=self._err)
        for line in lines:
            print(f"{_clock(line)}   | {tables.printable(str(line['text']))}", file=self._err)
        self._err.flush()


def _clock(row: View) -> str:
    return str(row.get("at", ""))[11:19]


def _told(event: View) -> str:
    state = event.get("data", {}).get("state", "")
    ending = {"started": " …", "done": " done"}.get(state, f" {state}" if state else "")
    return tables.printable(f"{event['text']}{ending}")


class Picture:
    """The steps of the operation, and below them the last lines of Terraform."""

    def __init__(self, err: TextIO, *, colored: bool) -> None:
        from rich.console import Console  # noqa: PLC0415 - only a terminal needs it
        from rich.live import Live  # noqa: PLC0415

        self._console = Console(file=err, no_color=not colored, highlight=False)
        self._live = Live(console=self._console, refresh_per_second=8, transient=False)
        self._lines: deque[str] = deque(maxlen=_TERRAFORM_LINES)

    def __enter__(self) -> Picture:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def update(self, view: View, events: Sequence[View], lines: Sequence[View]) -> None:  # noqa: ARG002
        self._lines.extend(tables.printable(str(line["text"])) for line in lines)
        self._live.update(self._drawn(view))

    def _drawn(self, view: View) -> Any:
        from rich.console import Group  # noqa: PLC0415
        from rich.text import Text  # noqa: PLC0415

        subject = view.get("tenant") or view["workspace"]
        head = Text.assemble(
            (f"{view['kind']} {subject}", "bold"),
            f"  {view['id']}  ",
            (view["status"], tables.color_of(view["status"])),
        )
        parts = [head]
        position, waiting = view["metadata"]["queue_position"], view["metadata"]["waiting_for"]
        if waiting:
            parts.append(
                Text(f"  waits for {waiting}" + (f", number {position}" if position else ""), "yellow")
            )
        planned = layouts.planned(view)
        if planned:
            parts.append(Text(f"  {planned}", "bold"))
        parts += [
            Text(f"  {_mark(step)} {tables.printable(step['text'])}", _style(step)) for step in _steps(view)
        ]
        parts += [Text(f"    {line}", "dim", no_wrap=True, overflow="ellipsis") for line in self._lines]
        return Group(*parts)


def _steps(view: View) -> Sequence[View]:
    found: Sequence[View] = view["metadata"]["progress"]
    return found


def _mark(step: View) -> str:
    return {"done": "✓", "failed": "✗", "started": "…", "retrying": "↻"}.get(step["state"], "·")


def _style(step: View) -> str:
    return {"done": "green", "failed": "red", "started": "cyan", "retrying": "yellow"}.get(step["state"], "")

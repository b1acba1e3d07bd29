"""Following an operation to its end, and what Ctrl-C means meanwhile: it goes on without us."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from controlplane.domain.errors import ControlPlaneError
from controlplane.terminal import exits, layouts
from controlplane.terminal.client import Client, Manner
from controlplane.terminal.exits import ExitCode
from controlplane.terminal.options import Here
from controlplane.terminal.output import Form
from controlplane.terminal.screens import Lines, Picture, Screen, Silence

_LOOK_FOR_WORKER_SECONDS = 10.0
_LONGEST_PAUSE_SECONDS = 10.0
View = Mapping[str, Any]


def finish(here: Here, operation: View) -> int:
    """What every changing command ends with: follow if wanted, show the operation, say how it went."""
    if here.manner.dry_run:
        here.out.note("dry run: nothing was changed")
        here.out.one(operation, "id", layouts.operation)
        return exits.of_rehearsal(operation)
    if not here.waiting.wait:
        here.out.one(operation, "id", layouts.operation)
        here.out.note(f"follow it: controlplane operation log -f {operation['id']}")
        return ExitCode.DONE
    return follow(here, str(operation["id"]))


def follow(here: Here, operation_id: str) -> int:
    """Follow to the end, to something that only a person can unblock, or to the time-out."""
    see_to_worker(here)
    watch = _Watch(here.client, operation_id)
    try:
        view = watch.until_settled(_screen(here), here.waiting.timeout_seconds)
    except KeyboardInterrupt:
        return _interrupted(here, watch)
    here.out.one(view, "id", layouts.operation)
    code = exits.of_operation(view)
    if code is ExitCode.WAITS and _may_ask(here) and _approved_now(here, view):
        return follow(here, operation_id)
    if code is ExitCode.TIMED_OUT:
        here.out.note(f"the wait is over, the work goes on: controlplane operation log -f {operation_id}")
    return code


def see_to_worker(here: Here) -> None:
    said = here.client.ensure_worker()
    if said:
        here.out.note(said)


def _screen(here: Here) -> Screen:
    if here.out.quiet:
        return Silence()
    if here.out.err.isatty():
        return Picture(here.out.err, colored=here.out.colored)
    return Lines(here.out.err)


@dataclass
class _Watch:
    """Where we are in the story and in Terraform's log: nothing is told twice."""

    client: Client
    operation_id: str
    offset: int = 0
    cursor: str = ""
    _worker_seen: float = field(default_factory=time.monotonic)

    def until_settled(self, screen: Screen, timeout_seconds: float | None) -> View:
        end = None if timeout_seconds is None else time.monotonic() + timeout_seconds
        with screen:
            while True:
                view = self._look(screen)
                if is_settled(view, patient=timeout_seconds is not None):
                    return view
                left = _LONGEST_PAUSE_SECONDS if end is None else end - time.monotonic()
                if left <= 0:
                    return view
                self._worker_again()
                self.client.pause(min(left, _LONGEST_PAUSE_SECONDS))

    def _look(self, screen: Screen) -> View:
        """The view first: what it says has happened stands in the story by then."""
        view = self.client.operation(self.operation_id)
        events = self.client.events(self.operation_id, self.offset)["items"]
        log = self.client.log(self.operation_id, self.cursor)
        if events:
            self.offset = events[-1]["offset"]
        self.cursor = log["cursor"]
        screen.update(view, events, log["items"])
        return view

    def _worker_again(self) -> None:
        """A worker that ended meanwhile is followed by another one."""
        if time.monotonic() - self._worker_seen > _LOOK_FOR_WORKER_SECONDS:
            self._worker_seen = time.monotonic()
            self.client.ensure_worker()


def is_settled(view: View, *, patient: bool = False) -> bool:
    """Final, or waiting for a person. `patient`: an approval or a window is waited for too."""
    if view["done"] or view["status"] == "needs_operator":
        return True
    return bool(view["metadata"]["blocked"]) and not patient


def _interrupted(here: Here, watch: _Watch) -> int:
    operation_id = watch.operation_id
    here.out.note(f"\nit goes on without you; follow it: controlplane operation log -f {operation_id}")
    here.out.note("Ctrl-C once more, now, cancels it")
    try:
        time.sleep(here.waiting.second_chance_seconds)
    except KeyboardInterrupt:
        return _cancelled(here, watch)
    return ExitCode.INTERRUPTED


def _cancelled(here: Here, watch: _Watch) -> int:
    try:
        here.client.steer("cancel", watch.operation_id, {}, Manner(reason="interrupted twice"))
    except ControlPlaneError as error:
        here.out.error(error.message, error.hint)
        return exits.of_error(error)
    here.out.note("asked it to stop")
    try:
        view = watch.until_settled(_screen(here), here.waiting.timeout_seconds)
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    here.out.one(view, "id", layouts.operation)
    return exits.of_operation(view)


def _may_ask(here: Here) -> bool:
    return sys.stdin.isatty() and here.out.err.isatty() and here.out.form is Form.TABLE and not here.out.quiet


def _approved_now(here: Here, view: View) -> bool:
    """Ask the person who is there; the plan that was shown is the one that is approved."""
    if view["status"] != "awaiting_approval" or " review merge " in view["metadata"]["next_command"]:
        return False
    print("apply this plan? [y/N] ", end="", file=here.out.err, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        here.out.note(f"it waits: {view['metadata']['next_command']}")
        return False
    digest = (view.get("plan") or {}).get("meaning", "")
    here.client.steer("approve", str(view["id"]), {"digest": digest}, Manner(reason=here.manner.reason))
    return True

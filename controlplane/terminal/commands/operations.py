"""`controlplane operation …`"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from controlplane.domain.operation import Kind, Status
from controlplane.terminal import exits, follow, layouts, verbs
from controlplane.terminal.completion import operation_ids
from controlplane.terminal.exits import ExitCode
from controlplane.terminal.options import Here, command, option, paging
from controlplane.terminal.output import Form
from controlplane.terminal.screens import Lines

group = typer.Typer(help="Operations: durable changes, and what a person may tell one.", no_args_is_help=True)
Id = Annotated[str, typer.Argument(show_default=False, metavar="ID", autocompletion=operation_ids)]


_LIST = [
    option("tenant", str, "--tenant", help="Of this tenant.", default=""),
    option("status", Status | None, "--status", default=None),
    option("kind", Kind | None, "--kind", default=None),
    *paging(),
]


@command(group, "list", parameters=_LIST)
def list_(here: Here, **query: Any) -> None:
    """List operations, the newest first."""
    here.out.page(here.client.operations(verbs.body(query)), layouts.OPERATIONS, "id")


@command(group, "show")
def show(here: Here, id_: Id) -> None:
    """Show one operation: what it does, how far it is, and what comes next."""
    here.out.one(here.client.operation(id_), "id", layouts.operation)


@command(group, "plan")
def plan(
    here: Here,
    id_: Id,
    detailed_exitcode: Annotated[
        bool, typer.Option("--detailed-exitcode", help="2: changes are present.")
    ] = False,
) -> int:
    """Show its plan, resource by resource; values that are secret are masked."""
    found = here.client.plan(id_)
    here.out.one(found, "id", layouts.plan)
    return ExitCode.CHANGES if detailed_exitcode and found["changes"] else ExitCode.DONE


@command(group, "log")
def log(
    here: Here,
    id_: Id,
    following: Annotated[bool, typer.Option("--follow", "-f", help="Until its end.")] = False,
) -> int:
    """Its story and Terraform's own lines, from the beginning."""
    if here.out.form is not Form.TABLE and not following:
        here.out.one(_whole(here, id_), "id")
        return ExitCode.DONE
    view = _told(here, id_, following=following)
    return exits.of_operation(view) if following else ExitCode.DONE


def _told(here: Here, id_: str, *, following: bool) -> Any:
    """A log is data: it goes to stdout. Who follows is told when only a person can go on."""
    screen, offset, cursor = Lines(here.out.out), 0, ""
    while True:
        view = here.client.operation(id_)
        events, lines = here.client.events(id_, offset)["items"], here.client.log(id_, cursor)
        screen.update(view, events, lines["items"])
        offset, cursor = (events[-1]["offset"] if events else offset), lines["cursor"]
        if events or lines["items"]:
            continue  # there may be another page
        if not following or follow.is_settled(view):
            return view
        here.client.pause()


def _whole(here: Here, id_: str) -> dict[str, Any]:
    found: dict[str, Any] = {"id": id_, "events": here.client.events(id_, 0)["items"], "lines": []}
    cursor = ""
    while True:
        page = here.client.log(id_, cursor)
        if not page["items"]:
            return found
        found["lines"] += page["items"]
        cursor = page["cursor"]


@command(group, "approve", changes=True)
def approve(
    here: Here,
    id_: Id,
    digest: Annotated[str, typer.Option(help="Only the plan that begins with this.")] = "",
) -> int:
    """Approve the plan that waits; the one apply follows."""
    return follow.finish(here, here.client.steer("approve", id_, {"digest": digest}, here.manner))


@command(group, "reject", changes=True)
def reject(here: Here, id_: Id) -> int:
    """Say no to the plan that waits."""
    here.out.one(here.client.steer("reject", id_, {}, here.manner), "id", layouts.operation)
    return ExitCode.DONE


@command(group, "cancel", changes=True)
def cancel(
    here: Here,
    id_: Id,
    insist: Annotated[bool, typer.Option(help="Also signal an apply that touches a database.")] = False,
) -> int:
    """Drop it from the queue, or ask it to stop."""
    view = here.client.steer("cancel", id_, {"insist": insist}, here.manner)
    if view["done"] or not here.waiting.wait or here.manner.dry_run:
        here.out.one(view, "id", layouts.operation)
        return ExitCode.DONE
    code = follow.follow(here, id_)
    return ExitCode.DONE if code is ExitCode.CANCELLED else code


@command(group, "retry", changes=True)
def retry(here: Here, id_: Id) -> int:
    """Ask for the same change again, as a new operation."""
    return follow.finish(here, here.client.steer("retry", id_, {}, here.manner))


class Outcome(StrEnum):
    RETRY = "retry"
    SUCCEEDED = "succeeded"
    PARTIALLY_APPLIED = "partially_applied"
    FAILED = "failed"
    CANCELLED = "cancelled"
    LOST = "lost"


@command(group, "settle", changes=True)
def settle(
    here: Here,
    id_: Id,
    outcome: Annotated[
        Outcome, typer.Option(help="How it ends; `retry`; or `lost`: its Terraform is gone.")
    ] = Outcome.RETRY,
) -> int:
    """Take it out of `needs_operator`: plan again from what is there, or end it."""
    view = here.client.steer("settle", id_, {"outcome": outcome.value}, here.manner)
    if outcome in (Outcome.RETRY, Outcome.LOST):
        return follow.finish(here, view)
    here.out.one(view, "id", layouts.operation)
    return ExitCode.DONE

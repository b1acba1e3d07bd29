"""`controlplane review …`: changes that go through a repository."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from controlplane.domain.errors import Conflict
from controlplane.domain.review.progress import ReviewStatus
from controlplane.terminal import follow, verbs
from controlplane.terminal.exits import ExitCode
from controlplane.terminal.options import Here, command, option, paging
from controlplane.terminal.output import Column
from controlplane.terminal.tables import fields

group = typer.Typer(help="Changes as reviews in a Git repository (docs/gitops.md).", no_args_is_help=True)

Id = Annotated[str, typer.Argument(show_default=False, metavar="ID")]
View = Mapping[str, Any]
_PLANNING, _MERGING = (ReviewStatus.OPENING.value,), (ReviewStatus.MERGING.value,)
COLUMNS = (
    Column("id", "id"),
    Column("kind", "kind"),
    Column("subject", "subject"),
    Column("status", "status"),
    Column("branch", "branch"),
    Column("by", "requested_by"),
    Column("checks", lambda r: r["checks"][-1]["state"]),
    Column("problem", "problem"),
)
_SYNCED = (
    Column("branch", "branch"),
    Column("review", "review"),
    Column("problem", lambda row: (row["problem"] or {}).get("detail")),
)
_HEAD = ("id", "status", "branch", "head", "operation", "requested_by", "merged_by", "merged_commit")


def layout(view: View) -> str:
    """What it is, then its text as a forge would show it."""
    found = {name: view[name] for name in _HEAD if view[name]}
    found["checks"] = {check["name"]: check["state"] for check in view["checks"]}
    return fields(found) + "\n\n" + "\n".join(view["text"])


@command(
    group,
    "list",
    parameters=[option("status", ReviewStatus | None, "--status", default=None), *paging()],
)
def reviews(here: Here, **query: Any) -> None:
    """List reviews, the newest first."""
    here.out.page(here.client.reviews(verbs.body(query)), COLUMNS, "id")


@command(group, "show")
def show(here: Here, id_: Id) -> None:
    """Show one: its plan, its checks, and what is against it."""
    here.out.one(here.client.review(id_), "id", layout)


@command(group, "open", changes=True)
def open_(here: Here, branch: Annotated[str, typer.Argument(show_default=False)]) -> int:
    """Plan what a branch's tenant.yaml asks for; said again, plan it again."""
    view = _settled(here, here.client.open_review({"branch": branch}, here.manner), _PLANNING)
    here.out.one(view, "id", layout)
    return ExitCode.FAILED if view["status"] == ReviewStatus.CLOSED else _code(here, view, _PLANNING)


@command(group, "approve", changes=True)
def approve(here: Here, id_: Id) -> None:
    """Say yes to the commit that is reviewed."""
    here.out.one(here.client.steer_review("approve", id_, here.manner), "id", layout)


@command(group, "merge", changes=True)
def merge(here: Here, id_: Id) -> int:
    """Merge it, and follow what was planned to its end."""
    view = _settled(here, here.client.steer_review("merge", id_, here.manner), _MERGING)
    if view["status"] == ReviewStatus.OPEN and not here.manner.dry_run:
        raise Conflict(f"the review {id_} was not merged: {view['problem']}", hint=view["next_command"])
    if view["operation"] and view["status"] not in _MERGING and here.waiting.wait:
        return follow.follow(here, str(view["operation"]))
    here.out.one(view, "id", layout)
    return _code(here, view, _MERGING)


@command(group, "sync", changes=True)
def sync(here: Here) -> int:
    """Answer every branch that was pushed since the last time."""
    answer = here.client.sync_reviews(here.manner)
    here.out.page(answer, _SYNCED, "branch")
    follow.see_to_worker(here)
    return ExitCode.FAILED if any(item["problem"] for item in answer["items"]) else ExitCode.DONE


def _code(here: Here, view: View, passing: tuple[str, ...]) -> ExitCode:
    waited = here.waiting.wait and not here.manner.dry_run
    return ExitCode.TIMED_OUT if waited and view["status"] in passing else ExitCode.DONE


def _settled(here: Here, view: View, passing: tuple[str, ...]) -> View:
    """The review once the worker has done its part, unless nobody wants to wait for that."""
    if here.manner.dry_run or not here.waiting.wait:
        return view
    follow.see_to_worker(here)
    limit = here.waiting.timeout_seconds
    end = None if limit is None else time.monotonic() + limit
    while view["status"] in passing and (end is None or time.monotonic() < end):
        operation = here.client.operation(view["operation"]) if view["operation"] else {}
        if operation.get("status") == "needs_operator":
            break
        here.client.pause()
        view = here.client.review(str(view["id"]))
    return view

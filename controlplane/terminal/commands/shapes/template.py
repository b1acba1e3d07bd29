"""`controlplane template …`: which version of their blueprint's template tenants have, and moving them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from controlplane.terminal import follow, layouts, verbs
from controlplane.terminal.exits import ExitCode
from controlplane.terminal.options import Here, command, option
from controlplane.terminal.output import Column
from controlplane.terminal.tables import fields

group = typer.Typer(help="Versions of the templates that workspaces are made from.", no_args_is_help=True)

View = Mapping[str, Any]
_OUTDATED = [Column(name, name) for name in ("tenant", "blueprint", "template_version", "newest")]


@command(group, "outdated")
def outdated(
    here: Here, diff: Annotated[bool, typer.Option("--diff", help="Also line by line.")] = False
) -> None:
    """List tenants that are behind their blueprint's template, and what differs."""
    view = here.client.care("templates/outdated", {})
    here.out.page(view, _OUTDATED, "tenant")
    for one in view["differences"]:
        here.out.note(_difference(one))
        if diff and one["diff"]:
            here.out.note(one["diff"])
    if view["items"]:
        here.out.note("move them: controlplane template rollout --dry-run")


def _difference(one: View) -> str:
    modules = [f"{m['module']} {m['from'] or 'none'} → {m['to'] or 'none'}" for m in one["modules"]]
    files = [f"{f['path']} {f['what']}" for f in one["files"]]
    told = {"modules": modules, "files": files, "note": one["note"]}
    head = f"{one['blueprint']} {one['from']} → {one['to']}"
    return "\n".join([head, fields({name: value for name, value in told.items() if value})])


_ROLLOUT = [
    option(
        "blueprint", str, "--blueprint", help="Whose template; needed where several have tenants.", default=""
    ),
    option(
        "to", str, "--to", help="A version that is kept, or its digest; the newest unless said.", default=""
    ),
    option("selector", str, "--selector", "-l", help="Of those who are behind, who matches.", default=""),
    option("size", int, "--wave", help="So many at a time.", default=5),
    option("canary", int, "--canary", help="So many first, alone.", default=1),
    option(
        "abort_after_percent",
        float | None,
        "--abort-after",
        help="End it when so many percent fail.",
        default=None,
    ),
]


@command(group, "rollout", changes=True, parameters=_ROLLOUT)
def rollout(here: Here, **values: Any) -> int:
    """Move who is behind to another version, in waves; each has its own plan, policy and approval."""
    made = here.client.send_care("templates/rollout", verbs.body(values), here.manner)
    here.out.one(made, "id", _rehearsal if here.manner.dry_run else layouts.wave)
    if not here.manner.dry_run:
        if here.waiting.wait:
            follow.see_to_worker(here)
        here.out.note(f"follow it: controlplane wave show {made['id']}")
    return ExitCode.DONE


def _rehearsal(view: View) -> str:
    """The wave as it would be, and for those who would go first what Terraform would do."""
    told = [_would(item) for item in view["items"] if "rehearsal" in item]
    return "\n\n".join([layouts.wave(view), *told])


def _would(item: View) -> str:
    found = item["rehearsal"]
    if "problem" in found:
        return f"{item['tenant']}: {found['problem']['detail']}"
    said = found["rehearsal"]
    head = f"{item['tenant']} would {said['would']}" + (f": {said['why']}" if said["why"] else "")
    plan = layouts.changes(found["plan"]["changes"]) if found.get("plan") else said["note"]
    return f"{head}\n{plan}" if plan else head

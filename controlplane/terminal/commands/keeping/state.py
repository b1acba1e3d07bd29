"""`controlplane state …`"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer

from controlplane.domain.errors import Missing
from controlplane.terminal import layouts
from controlplane.terminal.client import named_workspace
from controlplane.terminal.completion import serials, slugs
from controlplane.terminal.options import Here, command
from controlplane.terminal.output import Column
from controlplane.terminal.tables import cell, fields, plain_table

group = typer.Typer(help="Terraform states that are kept, and the way back to one.", no_args_is_help=True)

View = Mapping[str, Any]
Workspace = Annotated[
    str,
    typer.Argument(
        show_default=False, help="A tenant's slug, or the id of a workspace.", autocompletion=slugs
    ),
]
_STATES = (
    Column("serial", "serial", right=True),
    Column("stored", lambda one: layouts.moment(one["at"])),
    Column("by", "written_by"),
    Column("run", "run"),
    Column("sha256", lambda one: one["sha256"][:12]),
)


@command(group, "list")
def list_(here: Here, workspace: Workspace) -> None:
    """List the states of a workspace that are kept, the newest first."""
    here.out.page(here.client.states(named_workspace(here.client, workspace)), _STATES, "serial")


@command(group, "show")
def show(
    here: Here,
    workspace: Workspace,
    serial: Annotated[
        int | None, typer.Option(min=0, help="This one, not the newest.", autocompletion=serials)
    ] = None,
) -> None:
    """Show what a state holds; with `-o json` the state itself, in clear."""
    found = here.client.state(named_workspace(here.client, workspace), serial)
    if not found:
        raise Missing(f"{workspace} has no state yet", hint="controlplane operation list")
    here.out.one(found, "serial", _contents)


def _contents(state: View) -> str:
    """Names only: values may be secret."""
    head = fields(state, ("serial", "lineage", "terraform_version"))
    rows = sorted(_addresses(state))
    return f"{head}\n\n{plain_table(['address', 'id'], rows, [False] * 2)}" if rows else head


def _addresses(state: View) -> Iterator[list[str]]:
    for resource in state.get("resources", ()):
        data = "data." if resource["mode"] == "data" else ""
        name = f"{data}{resource['type']}.{resource['name']}"
        whole = ".".join(filter(None, [resource.get("module", ""), name]))
        for instance in resource["instances"]:
            key = f"[{cell(instance['index_key'])}]" if "index_key" in instance else ""
            yield [f"{whole}{key}", cell(instance.get("attributes", {}).get("id"))]


@command(group, "restore", changes=True)
def restore(
    here: Here,
    workspace: Workspace,
    serial: Annotated[int, typer.Argument(show_default=False, min=0, autocompletion=serials)],
) -> None:
    """Make an older state the newest, under a new serial; nothing in AWS changes."""
    found = here.client.restore_state(named_workspace(here.client, workspace), serial, here.manner)
    here.out.one(found, "serial")
    if not found.get("dry_run"):
        here.out.note("AWS is as it was: the next plan shows what this state does not know")

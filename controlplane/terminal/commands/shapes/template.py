"""`controlplane template …`: which version of their blueprint's template tenants have."""

from __future__ import annotations

import typer

from controlplane.terminal.options import Here, command
from controlplane.terminal.output import Column

group = typer.Typer(help="Versions of the templates that workspaces are made from.", no_args_is_help=True)

_OUTDATED = [Column(name, name) for name in ("tenant", "blueprint", "template_version", "newest")]


@command(group, "outdated")
def outdated(here: Here) -> None:
    """List tenants that are behind their blueprint's template."""
    view = here.client.outdated()
    here.out.page(view, _OUTDATED, "tenant")
    if view["items"]:
        here.out.note("what differs: controlplane tenant workspace SLUG --diff")

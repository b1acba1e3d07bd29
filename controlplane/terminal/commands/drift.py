"""`controlplane drift …` and `controlplane catalog …`"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from controlplane.domain.errors import Invalid
from controlplane.terminal import follow, verbs
from controlplane.terminal.exits import ExitCode
from controlplane.terminal.options import Here, command, option, paging
from controlplane.terminal.output import Column
from controlplane.terminal.tables import fields, plain_table

group = typer.Typer(help="What AWS has other than recorded.", no_args_is_help=True)
catalog = typer.Typer(help="The catalog against the world.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(show_default=False, metavar="ID")]
View = Mapping[str, Any]
COLUMNS = (
    Column("id", "id"),
    Column("tenant", "tenant"),
    Column("attribute", lambda d: d["attribute"] or d.get("situation") or "whole"),
    Column("severity", "severity"),
    Column("recorded", "expected"),
    Column("in aws", "found"),
    Column("words", "words"),
    Column("status", "status"),
)
_FOUND = tuple(column for column in COLUMNS if column.title not in ("id", "status"))


_SCAN = [
    option("selector", str, "--selector", "-l", help="As in stage=poc.", default=""),
    option(
        "full", bool, "--full", help="Also plan: where something was seen, by age, by chance.", default=False
    ),
    option("every", bool, "--every", help="With --full: plan all that are selected.", default=False),
    option("most", int, "--most", help="Plans in one look.", default=20),
]


@command(group, "scan", changes=True, parameters=_SCAN)
def scan(
    here: Here,
    detailed: Annotated[
        bool, typer.Option("--detailed-exitcode", help="2 when something differs, as Terraform's plan does.")
    ] = False,
    **values: Any,
) -> int:
    """Ask AWS once for the whole fleet, and compare it with the record."""
    found = here.client.send_care("drift/scans", verbs.body(values), here.manner)
    here.out.one(found, "id", _scanned)
    differs = found["items"] or any(one["items"] for one in found.get("planned", ()))
    return ExitCode.CHANGES if detailed and differs else ExitCode.DONE


def _scanned(view: View) -> str:
    names = ("looked_at", "databases_in_aws", "differences", "inbox")
    head = fields({name.replace("_", " "): view[name] for name in names})
    rows = [[c.of(item) for c in _FOUND] for item in view["items"]]
    skipped = "\n".join(f"left alone: {s['tenant']} {s['why']}" for s in view["skipped"])
    table = plain_table([c.title for c in _FOUND], rows, [False] * len(_FOUND)) if rows else ""
    return "\n\n".join(part for part in (head, table, skipped, _planned(view)) if part)


def _planned(view: View) -> str:
    """Who was planned and why, and what their plans would change."""
    if "asked" in view:
        return f"plans are left to {view['asked']}: controlplane schedule list"
    told = [
        f"planned: {one['tenant']} ({one['why']}): {one['problem'] or len(one['items']) or 'as recorded'}"
        for one in view.get("planned", ())
    ]
    rows = [[c.of(item) for c in _FOUND] for one in view.get("planned", ()) for item in one["items"]]
    table = plain_table([c.title for c in _FOUND], rows, [False] * len(_FOUND)) if rows else ""
    return "\n\n".join(part for part in ("\n".join(told), table) if part)


_LIST = [
    option("status", str, "--status", help="open, proposed, accepted, written_back or ended.", default=""),
    option("severity", str, "--severity", help="benign, real or dangerous.", default=""),
    *paging(),
]


@command(group, "list", parameters=_LIST)
def list_(here: Here, **query: Any) -> None:
    """List what differs, the newest first."""
    here.out.page(here.client.care("drift", verbs.body(query)), COLUMNS, "id")


@command(group, "show")
def show(here: Here, id_: Id) -> None:
    """Show one, and the next step."""
    here.out.one(here.client.care(f"drift/{id_}", {}), "id")


@command(group, "accept", changes=True)
def accept(here: Here, id_: Id) -> None:
    """Record what AWS has as what is wanted."""
    here.out.one(here.client.send_care(f"drift/{id_}/accept", {}, here.manner), "id")


@command(group, "reconcile", changes=True)
def reconcile(here: Here, id_: Id) -> int:
    """Take it back, by an ordinary operation with plan and approval."""
    return follow.finish(here, here.client.send_care(f"drift/{id_}/reconcile", {}, here.manner))


@command(catalog, "orphans")
def orphans(here: Here) -> None:
    """What the catalog, the states and AWS do not all know, and the safe next step."""
    found = here.client.care("catalog/orphans", {})
    here.out.page(found, _ORPHANS, "identifier")
    _note_closed(here, found)


_ORPHANS = (
    Column("identifier", "identifier"),
    Column("tenant", "tenant"),
    Column("catalog", "in_catalog"),
    Column("state", "in_state"),
    Column("aws", "in_aws"),
    Column("situation", "situation"),
    Column("meaning", "meaning"),
    Column("next", "next_step"),
)


@command(catalog, "rebuild", changes=True)
def rebuild(here: Here) -> int:
    """Record what AWS's tags and the rendered workspaces know and the catalog has lost; list what differs."""
    if here.settings.server:
        raise Invalid("this is done on the machine of the control plane, not through a server")
    wiring = importlib.import_module("controlplane.wiring")
    manner = here.manner
    found = wiring.rebuild_catalog(here.settings, manner.reason, dry_run=manner.dry_run)
    here.out.page(found, _REBUILT, "identifier")
    if found["unknown"]:
        here.out.note(f"neither tags nor workspaces know: {', '.join(found['unknown'])}")
    _note_closed(here, found)
    return ExitCode.FAILED if any(item["problem"] for item in found["items"]) else ExitCode.DONE


def _note_closed(here: Here, found: Mapping[str, Any]) -> None:
    for one in found["not_looked_into"]:
        here.out.note(f"not looked into: {one['identifier']}: {one['why']}")


_REBUILT = tuple(
    Column(name, name) for name in ("tenant", "identifier", "what", "recorded", "found", "problem")
)

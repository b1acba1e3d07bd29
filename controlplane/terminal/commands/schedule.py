"""`controlplane schedule …`, `drill …`, `quota …` and `cell …`"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from controlplane.terminal import layouts, verbs
from controlplane.terminal.exits import ExitCode
from controlplane.terminal.options import Here, argument, command, option
from controlplane.terminal.output import Column
from controlplane.terminal.tables import fields, plain_table

group = typer.Typer(help="What is done by the clock.", no_args_is_help=True)
cells = typer.Typer(help="Where tenants live: account, region and network.", no_args_is_help=True)
drills = typer.Typer(help="Backups that were restored to see whether they can be.", no_args_is_help=True)
quota = typer.Typer(help="What AWS grants, and when it runs out.", no_args_is_help=True)

Cell = Annotated[str, typer.Option(help="Whose workers do it; ours, unless said, and at once.")]
Name = Annotated[str, typer.Argument(show_default=False)]


def _status(schedule: Mapping[str, Any]) -> str:
    """Overdue: more than one tick came, and nobody is there to do it."""
    if schedule["running"]:
        return "running"
    return "missed" if schedule["overdue"] else str(schedule["last_status"])


SCHEDULES = (
    Column("name", "name"),
    Column("cell", "cell"),
    Column("cron", "cron"),
    Column("zone", "zone"),
    Column("due", lambda s: layouts.moment(s["due_at"]) if s["enabled"] else "off"),
    Column("last", lambda s: layouts.moment(s["last_ended_at"])),
    Column("status", _status),
    Column("words", "last_words"),
    Column("missed", "missed_in_all", right=True),
)
DRILLS = (
    Column("operation", "id"),
    Column("tenant", "tenant"),
    Column("status", "status"),
    Column("rto s", "rto_seconds", right=True),
    Column("rpo s", "rpo_seconds", right=True),
    Column("checks", lambda d: f"{sum(c['passed'] for c in d['checks'])}/{len(d['checks'])}", right=True),
    Column("ended", lambda d: layouts.moment(d["ended_at"])),
    Column("problem", "problem"),
)
CELLS = (
    Column("name", "name"),
    Column("region", "region"),
    Column("account", "account"),
    Column("state", "state"),
    Column("tenants", "tenants", right=True),
    Column("room for", "tenants_left", right=True),
    Column("workers", "workers", right=True),
    Column("ours", "is_ours"),
)
QUOTAS = (
    Column("quota", "name"),
    Column("used", "used", right=True),
    Column("limit", "limit", right=True),
    Column("percent", "percent", right=True),
    Column("state", "state"),
    Column("out at tenant", "runs_out_at_tenant", right=True),
    Column("from", "source"),
    Column("what", "meaning"),
)


@command(group, "list")
def schedules(here: Here) -> None:
    """List schedules: when each is due, how it went, and what was missed."""
    here.out.page(here.client.care("schedules", {}), SCHEDULES, "name")


@command(group, "run", changes=True)
def run(here: Here, name: Name, cell: Cell = "") -> int:
    """Do it now: also for cron, a Kubernetes CronJob or EventBridge outside."""
    found = here.client.send_care(f"schedules/{name}/run", {"cell": cell} if cell else {}, here.manner)
    here.out.one(found, "name", lambda view: f"{view['name']}: {view['last_status']}: {view['last_words']}")
    return ExitCode.DONE if found["last_status"] == "done" else ExitCode.FAILED


_CHANGE = [
    argument("name"),
    option("cell", str | None, "--cell", help="Of several; all of them unless said.", default=None),
    option("cron", str | None, "--cron", help="As `30 3 * * *`.", default=None),
    option("zone", str | None, "--zone", help="As Europe/Berlin.", default=None),
    option("jitter_seconds", int | None, "--jitter-seconds", default=None),
    option("enabled", bool | None, "--on/--off", default=None),
]


@command(group, "set", changes=True, parameters=_CHANGE)
def set_(here: Here, name: str, **values: Any) -> None:
    """Change when it is due, or turn it off."""
    found = here.client.send_care(f"schedules/{name}", verbs.body(values), here.manner)
    here.out.one(found, "name")


@command(drills, "list")
def all_drills(
    here: Here, tenant: Annotated[str, typer.Option(help="Whose backups; everybody's unless said.")] = ""
) -> None:
    """List restore drills: RTO and RPO as measured, and what was wrong."""
    found = here.client.care("drills", {"tenant": tenant})
    here.out.page(found, DRILLS, "id")
    promised = found["promised"]
    here.out.note(
        f"promised: {promised['rto_seconds']} s to be back, {promised['rpo_seconds']} s that may be missing"
    )


@command(quota, "show", changes=True)
def show(
    here: Here,
    region: Annotated[str, typer.Option(help="Of the default cell unless said.")] = "",
    refresh: Annotated[bool, typer.Option("--refresh", help="Ask AWS first.")] = False,
) -> None:
    """What is used of what, and at which tenant it runs out."""
    if refresh:
        here.client.send_care("quotas/refresh", {}, here.manner)
    here.out.page(here.client.care("quotas", {"region": region}), QUOTAS, "name")


# --- cells ------------------------------------------------------------------------------------------


@command(cells, "list")
def all_cells(here: Here) -> None:
    """List cells: who lives there, and how many more may come."""
    here.out.page(here.client.care("cells", {}), CELLS, "name")


@command(cells, "show")
def one_cell(here: Here, name: Name) -> None:
    """Show one with its platforms and quotas."""
    here.out.one(here.client.care(f"cells/{name}", {}), "name", _cell)


def _cell(view: Mapping[str, Any]) -> str:
    plain = {name: view[name] for name in view if name not in ("quotas", "id")}
    rows = [[column.of(one) for column in QUOTAS] for one in view["quotas"]]
    table = plain_table([c.title for c in QUOTAS], rows, [c.right for c in QUOTAS])
    return f"{fields(plain)}\n\n{table}"

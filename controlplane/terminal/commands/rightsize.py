"""`controlplane rightsize …`"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from controlplane.terminal import follow, layouts, verbs
from controlplane.terminal.completion import slugs
from controlplane.terminal.exits import ExitCode
from controlplane.terminal.options import Here, command, option, paging
from controlplane.terminal.output import Column
from controlplane.terminal.tables import cell, fields, plain_table

group = typer.Typer(help="Classes and storage that fit what tenants do.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(show_default=False, metavar="ID")]
View = Mapping[str, Any]


def _to(row: View) -> str:
    parts = [f"{row['current_size']} → {row['target_size']}"] if row["target_size"] else []
    return ", ".join([*parts, *([f"{row['target_storage_gb']} GB"] if row["target_storage_gb"] else [])])


COLUMNS = (
    Column("id", "id"),
    Column("tenant", "tenant"),
    Column("finding", lambda r: r["finding"] + (" (now)" if r["urgent"] else "")),
    Column("change", _to),
    Column("usd/month", "delta_usd", right=True),
    Column("risk", "risk"),
    Column("why", lambda r: [reason["words"] for reason in r["reasons"]]),
    Column("status", "status"),
)
_PROBLEMS = (Column("tenant", "tenant"), Column("problem", "problem"))
_FIGURES = ("points", "coverage_percent", "p1", "p50", "p95", "p99", "max", "longest_gap_hours")


def _layout(view: View) -> str:
    """The proposal, its price and risk, and the figures that it rests on."""
    lines = {
        "recommendation": view["id"],
        "tenant": view["tenant"],
        "finding": view["finding"] + (", now" if view["urgent"] else ""),
        "change": _to(view),
        "because": [reason["words"] for reason in view["reasons"]],
        "mind": view["remarks"],
        "usd a month": f"{view['monthly_usd'] or 'unknown'} → {view['monthly_usd_after'] or 'unknown'}"
        f" ({view['delta_usd'] or 'unknown'})",
        "risk": f"{view['risk']}: {view['risk_words']}" if view["risk_words"] else view["risk"],
        "outage": view["outage"],
        "way back": view["revert"],
        "status": view["status"],
        "operation": view["operation"],
        "outcome": " ".join(filter(None, [view["outcome"], view["outcome_words"]])),
        "seen": f"{view['seen_count']} times, last {layouts.moment(view['last_seen_at'])}",
        "next": view["next_command"],
    }
    storage = (view.get("evidence") or {}).get("storage") or {}
    shown = fields(
        {name: value for name, value in lines.items() if value} | {"storage": storage.get("words")}
    )
    return f"{shown}\n\n{_figures((view.get('evidence') or {}).get('metrics') or {})}".rstrip()


def _figures(metrics: Mapping[str, View]) -> str:
    rows = [[name, *(cell(found.get(f)) for f in _FIGURES)] for name, found in metrics.items()]
    return plain_table(("metric", *_FIGURES), rows, [False, *[True] * len(_FIGURES)]) if rows else ""


_SCAN = [
    option("look_back_days", int | None, "--look-back-days", help="14 unless said.", default=None),
    option("selector", str, "--selector", "-l", help="As in stage=poc,team=a.", default=""),
    option("urgent_only", bool, "--urgent", help="Only who is overloaded right now.", default=False),
]


@command(group, "scan", changes=True, parameters=_SCAN)
def scan(here: Here, **values: Any) -> int:
    """Look at the metrics of the fleet, and bring the inbox up to date."""
    found = here.client.send_care("recommendations/scans", verbs.body(values), here.manner)
    here.out.one(found, "id", _scanned)
    return ExitCode.DONE


def _scanned(view: View) -> str:
    head = {"looked at": view["looked_at"], "findings": view["findings"], "inbox": view["inbox"]}
    problems = view["problems"]
    if not problems:
        return fields(head)
    table = plain_table(
        [c.title for c in _PROBLEMS], [[c.of(p) for c in _PROBLEMS] for p in problems], [False] * 2
    )
    return f"{fields(head | {'problems': view['problem_count']})}\n\n{table}"


_LIST = [
    option("status", str, "--status", help="open, proposed, applied, dismissed or ended.", default=""),
    option("tenant", str, "--tenant", default=""),
    *paging(),
]


@command(group, "list", parameters=_LIST)
def list_(here: Here, **query: Any) -> None:
    """List what is proposed, the newest first."""
    here.out.page(here.client.care("recommendations", verbs.body(query)), COLUMNS, "id")


@command(group, "show")
def show(here: Here, id_: Id) -> None:
    """Show one with its evidence."""
    here.out.one(here.client.care(f"recommendations/{id_}", {}), "id", _layout)


@command(group, "metrics")
def metrics(
    here: Here, slug: Annotated[str, typer.Argument(show_default=False, autocompletion=slugs)]
) -> None:
    """A tenant's metrics as they are now, and what the advisor says of them."""
    here.out.one(here.client.care(f"tenants/{slug}/metrics", {}), "tenant", _metrics)


def _metrics(view: View) -> str:
    names = ("tenant", "identifier", "size", "finding", "target_size", "storage", "surplus_usd", "remarks")
    lines = {name: view[name] for name in names} | {
        "because": [signal["words"] for signal in view["reasons"]],
        "against": [signal["words"] for signal in view["blocked"]],
        "problems": view["problems"],
    }
    names_of_alarm = ("metric", "side", "threshold", "minutes", "state")
    alarms = [[cell(a.get(name)) for name in names_of_alarm] for a in view["thresholds"]]
    table = plain_table(("alarm", *names_of_alarm[1:]), alarms, [False, False, True, True, False])
    return f"{fields(lines)}\n\n{_figures(view['metrics'])}\n\n{table}"


@command(group, "propose", changes=True)
def propose(here: Here, id_: Id) -> int:
    """Make the operation that does it, with plan, policy and approval."""
    return follow.finish(here, here.client.send_care(f"recommendations/{id_}/propose", {}, here.manner))


@command(group, "apply", changes=True)
def apply(here: Here, id_: Id) -> int:
    """Propose it and approve it, where policy lets you."""
    return follow.finish(here, here.client.send_care(f"recommendations/{id_}/apply", {}, here.manner))


@command(group, "dismiss", changes=True)
def dismiss(
    here: Here,
    id_: Id,
    days: Annotated[int | None, typer.Option(min=1, max=365, help="How long; 30 at first.")] = None,
) -> None:
    """Not now: it is not proposed again for a while, and for longer each time."""
    body = {} if days is None else {"days": days}
    found = here.client.send_care(f"recommendations/{id_}/dismiss", body, here.manner)
    here.out.one(
        found, "id", lambda view: f"{view['id']}: silent until {layouts.moment(view['silent_until'])}"
    )

"""`controlplane cost …` and `tenant cost SLUG`"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from controlplane.domain.cost.report.focus import as_cells
from controlplane.domain.errors import FieldError, Invalid
from controlplane.domain.tenant import Environment, Size, Stage
from controlplane.terminal import verbs
from controlplane.terminal.client import Answer
from controlplane.terminal.commands import cost_layouts as layouts
from controlplane.terminal.commands import tenants
from controlplane.terminal.completion import slugs
from controlplane.terminal.options import Here, command, option
from controlplane.terminal.output import Column, Form

group = typer.Typer(help="What the fleet costs: before, after, and as billed.", no_args_is_help=True)

Chart = Annotated[Path | None, typer.Option("--chart", metavar="FILE.svg", help="Draw a picture too.")]
Split = Annotated[str, typer.Option(help="Shared cost: even, weight or usage.")]
Focus = Annotated[bool, typer.Option("--focus", help="Rows in the shape of FOCUS.")]


def _say(
    here: Here,
    view: Answer,
    layout: Callable[[Any], str],
    listed: tuple[Sequence[Column], Sequence[Any]],
    name: str = "monthly_usd",
) -> None:
    """The whole for people and programs; `listed` is what a spreadsheet gets."""
    if here.out.form is Form.CSV:
        columns, rows = listed
        here.out.csv([c.title for c in columns], [[c.raw(row) for c in columns] for row in rows])
        return
    if name not in view:
        name = next(iter(view))
    here.out.one(view, name, layout)


def _focus(here: Here, rows: Sequence[dict[str, Any]]) -> None:
    """As CSV, or as a list in every other form."""
    if here.out.form is Form.CSV:
        titles = list(rows[0]) if rows else []
        here.out.csv(titles, [list(as_cells(row).values()) for row in rows])
        return
    here.out.text(json.dumps({"items": list(rows)}, indent=2, ensure_ascii=False))


def _draw(here: Here, view: Answer, file: Path | None) -> None:
    """Write the picture that came with the answer: whole, or not at all."""
    picture = view.pop("chart", None)
    if file is None or picture is None:
        return
    partial = file.with_name(f".{file.name}.partial")
    try:
        partial.write_text(str(picture), encoding="utf-8")
        partial.replace(file)
    except OSError as error:
        message = f"writing {file}: {error.strerror}"
        raise Invalid(message, errors=[FieldError("chart", message)]) from error
    here.out.note(f"the picture is in {file}")


def _warn_of_unknown(here: Here, view: Answer) -> None:
    if view.get("unknown"):
        here.out.warn(f"no price is known for {', '.join(view['unknown'])}: the total is unknown")


# --- estimates --------------------------------------------------------------------------------------

_ESTIMATE = [
    option("tenant", str | None, "--tenant", help="One that is there.", default=None),
    option("plan", Path | None, "--plan", help="A plan, as `terraform show -json` writes it.", default=None),
    option("blueprint", str | None, "--blueprint", help="A whole platform at a scale.", default=None),
    option("environment", Environment | None, "--environment", help="Of the blueprint.", default=None),
    option("tenants", int | None, "--tenants", help="Of the blueprint.", default=None),
    option("mix", str | None, "--mix", help="Percent by size, as 60/30/10.", default=None),
    option("options", list[str], "--option", help="As nat_gateway; may be repeated.", default=[]),
    option("high", bool | None, "--high/--low", help="Which end of a range.", default=None),
    option("stage", Stage | None, "--stage", default=None),
    option("size", Size | None, "--size", help="From stage, locations and users unless said.", default=None),
    option("instance_class", str | None, "--class", help="A class instead of a size.", default=None),
    option("locations", int | None, "--locations", default=None),
    option("users", int | None, "--users", default=None),
    option("region", str | None, "--region", default=None),
    option("storage_gb", int | None, "--storage-gb", default=None),
    option("multi_az", bool | None, "--multi-az/--single-az", help="As its stage unless said.", default=None),
    option("running", bool | None, "--running/--stopped", default=None),
    option("backup_gb", str | None, "--backup-gb", help="Measured.", default=None),
    option("snapshot_gb", str | None, "--snapshot-gb", help="Kept.", default=None),
    option("log_gb", str | None, "--log-gb", help="A month.", default=None),
    option("log_months", str | None, "--log-months", help="Kept.", default=None),
    option("insights_days", int | None, "--insights-days", default=None),
    option("alarms", int | None, "--alarms", default=None),
    option("secrets", int | None, "--secrets", default=None),
    option("proxy", bool | None, "--proxy/--no-proxy", default=None),
    option("replicas", int | None, "--replicas", default=None),
    option("currency", str | None, "--currency", help="USD.", default=None),
    option("focus", bool | None, "--focus", help="Rows in the shape of FOCUS.", default=None),
]


@command(group, "estimate", parameters=_ESTIMATE)
def estimate(here: Here, plan: Path | None, **values: Any) -> None:
    """Estimate a tenant, a description of one, a plan or a whole blueprint; nothing is changed."""
    body = verbs.body(values) | ({} if plan is None else {"plan": _read_plan(plan)})
    say_estimate(here, body)


def say_estimate(here: Here, body: dict[str, Any]) -> None:
    view = here.client.send_costs("estimate", body, here.manner)
    if body.get("focus") and "focus" in view:
        return _focus(here, view["focus"])
    _say(here, view, layouts.estimate, (layouts.LINES, view["lines"]))
    return _warn_of_unknown(here, view)


def _read_plan(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        message = f"reading the plan {file}: {getattr(error, 'strerror', None) or 'it is no JSON'}"
        raise Invalid(message, errors=[FieldError("plan", message)]) from error
    if not isinstance(found, dict):
        raise Invalid(f"reading the plan {file}: it is no object", errors=[FieldError("plan", "no object")])
    return found


@command(tenants.group, "cost")
def tenant_cost(
    here: Here,
    slug: Annotated[str, typer.Argument(show_default=False, autocompletion=slugs)],
    split: Split = "even",
    days: Annotated[int, typer.Option(min=0, help="Of history.")] = 30,
) -> None:
    """What it costs now, after its open plan, with its part of what is shared, and as billed."""
    view = here.client.tenant_cost(slug, {"split": split, "days": days})
    _say(here, view, layouts.tenant, (layouts.LINES, view["now"]["lines"]), "with_shared_usd")
    _warn_of_unknown(here, view["now"])


# --- the fleet --------------------------------------------------------------------------------------


@command(group, "fleet", changes=True)
def fleet(
    here: Here,
    by: Annotated[
        str, typer.Option(help="stage, size, region, cell, blueprint, tier or label:KEY.")
    ] = "stage",
    days: Annotated[int, typer.Option(min=0, help="Of history.")] = 90,
    chart: Chart = None,
    record: Annotated[bool, typer.Option("--record", help="Write today's cost down first.")] = False,
) -> None:
    """The fleet in all, by group, and day by day."""
    if record:
        done = here.client.send_costs("fleet/record", None, here.manner)
        here.out.note(f"recorded {done['day']}: {layouts.usd(done['monthly_usd'])} USD a month")
    query = {"by": by, "days": days} | ({"chart": True} if chart else {})
    view = here.client.costs("fleet", query)
    _draw(here, view, chart)
    _say(here, view, layouts.fleet, (layouts.GROUPS, view["groups"]), "with_shared_usd")


_FORECAST = [
    option("tenants", int, "--tenants", help="So many, or where the growth ends."),
    option("start", int | None, "--from", help="So many to begin with.", default=None),
    option("growth", str, "--growth", help="A month: 10 (tenants), 5% or both as 10+5%.", default=""),
    option("months", int | None, "--months", help="At most; 36 unless said.", default=None),
    option("mix", str, "--mix", help="Percent by size, as 60/30/10.", default=""),
    option("stage", Stage | None, "--stage", help="production unless said.", default=None),
    option("blueprint", str | None, "--blueprint", default=None),
    option("region", str, "--region", default=""),
    option("option", list[str], "--option", help="As nat_gateway; may be repeated.", default=[]),
    option("high", bool | None, "--high/--low", help="Which end of a range.", default=None),
    option("chart", Path | None, "--chart", help="Draw a picture into FILE.svg.", default=None),
]


@command(group, "forecast", parameters=_FORECAST)
def forecast(here: Here, chart: Path | None, **values: Any) -> None:
    """What so many tenants would cost, and from when on something must change."""
    query = verbs.body(values) | ({"chart": True} if chart else {})
    view = here.client.costs("forecast", query)
    _draw(here, view, chart)
    listed = (layouts.MONTHS, view["months"]) if view["months"] else (layouts.SCALE, view["scale"])
    if here.out.form is Form.NAME:
        return here.out.text(layouts.usd(view["estimate"]["monthly_usd"]))
    _say(here, view, layouts.forecast, listed)
    return _warn_of_unknown(here, view["estimate"])


@command(group, "tables")
def tables(here: Here, table: Annotated[str, typer.Option(help="One table by its id.")] = "") -> None:
    """The reference tables, computed again: stated, computed, difference, and why."""
    view = here.client.costs("tables", {"table": table})
    if here.out.form is Form.NAME:
        return here.out.text("\n".join(one["id"] for one in view["items"]))
    return _say(here, view, layouts.tables, (layouts.TABLES_IN_FULL, layouts.table_rows(view)))


@command(group, "commitments")
def commitments(here: Here) -> None:
    """Reserved instances from what ran all the time: advice, never bought here."""
    view = here.client.costs("commitments", {})
    _say(here, view, layouts.commitments, (layouts.OFFERS, view["items"]), "level")


# --- bills and budgets ------------------------------------------------------------------------------


@command(group, "actuals", changes=True)
def actuals(
    here: Here,
    days: Annotated[int, typer.Option(min=1, max=30)] = 30,
    ask: Annotated[bool, typer.Option("--ask", help="Ask AWS first; each query is paid, one a day.")] = False,
    focus: Focus = False,
) -> None:
    """What was billed by tenant, against the estimates."""
    if ask:
        done = here.client.send_costs("actuals/refresh", None, here.manner)
        here.out.note(
            f"asked for {done['from']} to {done['until']}: pages {done['requests']}, "
            f"{layouts.usd(done['cost_usd'])} USD"
        )
    view = here.client.costs("actuals", {"days": days} | ({"focus": True} if focus else {}))
    if focus:
        return _focus(here, view["focus"])
    here.out.page(view, layouts.ACTUALS, "tenant")
    if not view["known"]:
        return here.out.warn("nothing was billed yet, or nobody asked: what was spent is unknown")
    untagged = layouts.usd(view["untagged_usd"] or "0.00")
    return here.out.note(f"{view['total_usd']} USD in all, {untagged} of it without a tenant's tag")


@command(group, "budget", changes=True)
def budget(
    here: Here,
    amount: Annotated[str, typer.Option("--set", help="USD a month.", show_default=False)] = "",
    scope: Annotated[str, typer.Option(help="fleet, poc or production.")] = "fleet",
    remove: Annotated[bool, typer.Option("--remove", help="Take it away.")] = False,
) -> None:
    """Budgets with their alarms, spikes and worries; `--set` sets one that plans have to keep."""
    if amount and remove:
        raise Invalid("a budget is set or removed, not both", errors=[FieldError("set", "excludes --remove")])
    if amount or remove:
        body = {"scope": scope, "monthly_usd": None if remove else amount}
        saved = here.client.send_costs("budget", body, here.manner)
        here.out.note(f"budget of {saved['scope']}: {saved['monthly_usd'] or 'none'}")
    view = here.client.costs("budget", {})
    if here.out.form is Form.NAME:
        return here.out.text("\n".join(item["scope"] for item in view["items"]))
    return _say(here, view, layouts.budget, (layouts.BUDGETS, view["items"]))


# --- prices -----------------------------------------------------------------------------------------

_PRICES = [
    option(
        "refresh", bool, "--refresh", help="Ask AWS for a new book, and show what differs.", default=False
    ),
    option("accept", bool, "--accept", help="Take it.", default=False),
    option("digest", str, "--digest", help="Take the very book that was shown.", default=""),
    option("regions", list[str], "--region", help="Of these only; may be repeated.", default=[]),
    option("q", str, "--query", help="What the key begins with.", default=""),
]


@command(group, "prices", changes=True, parameters=_PRICES)
def prices(here: Here, *, refresh: bool, accept: bool, digest: str, regions: list[str], q: str) -> None:
    """The price book in force; `--refresh` fetches a newer one, `--accept` takes it."""
    if refresh or accept or digest:
        body = {"accept": accept, "digest": digest, "regions": regions}
        return _refreshed(here, here.client.send_costs("prices/refresh", body, here.manner))
    view = here.client.costs("prices", {"region": regions[0] if regions else "", "q": q})
    here.out.page(view, layouts.PRICES, "key")
    where = view["taken"] or "the one that ships"
    return here.out.note(f"book of {view['book']['dated']} ({where}); {view['unknown']} prices are unknown")


def _refreshed(here: Here, view: Answer) -> None:
    _say(here, view, layouts.refreshed, (layouts.PRICE_CHANGES, view["changes"]), "digest")
    if not view["taken"]:
        here.out.note(f"to take it: controlplane cost prices --accept --digest {view['digest']}")

"""How cost looks to people: figures to the right, unknown as a word, reasons below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from controlplane.terminal.output import Column
from controlplane.terminal.tables import cell, fields, plain_table

View = Mapping[str, Any]
UNKNOWN = "unknown"


def usd(amount: Any) -> str:
    return UNKNOWN if amount is None else str(amount)


def money(name: str) -> Any:
    """Of a row, for people and for CSV: unknown is a word, never nothing."""
    return lambda row: usd(row.get(name))


LINES = (
    Column("component", "component"),
    Column("of", "subject"),
    Column("quantity", "quantity", right=True),
    Column("unit", "unit"),
    Column("unit price", money("unit_price"), right=True),
    Column("usd/month", money("monthly_usd"), right=True),
    Column("rule", "rule"),
)
GROUPS = (
    Column("name", "name"),
    Column("tenants", "tenants", right=True),
    Column("usd/month", money("monthly_usd"), right=True),
    Column("usd/year", money("yearly_usd"), right=True),
    Column("known", "known_usd", right=True),
    Column("of unknown cost", "unknown_tenants", right=True),
)
HISTORY = (
    Column("day", "day"),
    Column("usd/month", money("monthly_usd"), right=True),
    Column("shared", money("shared_usd"), right=True),
)
SCALE = (
    Column("tenants", "tenants", right=True),
    Column("usd/month", money("monthly_usd"), right=True),
    Column("each", money("per_tenant_usd"), right=True),
)
MONTHS = (Column("month", "month", right=True), *SCALE)
TURNING = (
    Column("tenants", "tenants", right=True),
    Column("kind", "kind"),
    Column("what", "what"),
    Column("do", "action"),
)
TABLES = (
    Column("table", "table"),
    Column("row", "name"),
    Column("stated", "stated", right=True),
    Column("computed", "computed", right=True),
    Column("difference", "difference", right=True),
    Column("basis", "basis"),
    Column("exception", "exception"),
)
TABLES_IN_FULL = (*TABLES, Column("reason", "reason"))
ACTUALS = (
    Column("tenant", "tenant"),
    Column("billed", money("billed_usd"), right=True),
    Column("days", "days", right=True),
    Column("estimate/month", money("estimated_monthly_usd"), right=True),
    Column("expected", money("expected_usd"), right=True),
    Column("drift", money("drift_usd"), right=True),
    Column("%", "drift_percent", right=True),
    Column("off", "off"),
)
OFFERS = (
    Column("what", "what"),
    Column("count", "count", right=True),
    Column("years", "years", right=True),
    Column("upfront", "upfront"),
    Column("on demand", money("on_demand_usd"), right=True),
    Column("committed", money("committed_usd"), right=True),
    Column("saves/month", money("saving_usd"), right=True),
    Column("pays off after", lambda o: f"{o['break_even_months']} months"),
    Column("owed", money("bound_usd"), right=True),
)
BUDGETS = (
    Column("budget", "scope"),
    Column("usd/month", money("monthly_usd"), right=True),
    Column("estimated", money("estimated_usd"), right=True),
    Column("left", money("left_usd"), right=True),
    Column("billed", money("billed_this_month_usd"), right=True),
    Column("by month's end", money("month_end_usd"), right=True),
    Column("alarms", lambda b: [_alarm(a) for a in b["alerts"]]),
    Column("set by", "set_by"),
)
PRICES = (
    Column("key", "key"),
    Column("region", "region"),
    Column("usd", money("usd"), right=True),
    Column("unit", "unit"),
    Column("kind", "kind"),
    Column("since", "valid_from"),
    Column("source", "source"),
)
PRICE_CHANGES = (
    Column("key", "key"),
    Column("region", "region"),
    Column("what", "what"),
    Column("before", money("before"), right=True),
    Column("after", money("after"), right=True),
    Column("%", "percent", right=True),
)


def _alarm(alert: View) -> str:
    state = {None: UNKNOWN, True: "REACHED", False: "below"}[alert["reached"]]
    return f"{alert['percent']}% at {alert['at_usd']}: {state}"


def table(columns: Sequence[Column], rows: Sequence[View]) -> str:
    """A table with its title line, or nothing at all."""
    if not rows:
        return ""
    cells = [[column.of(row) for column in columns] for row in rows]
    return plain_table([c.title for c in columns], cells, [c.right for c in columns])


def together(*parts: str) -> str:
    return "\n\n".join(part for part in parts if part)


def _titled(title: str, text: str) -> str:
    return f"{title}\n{text}" if text else ""


# --- whole views ------------------------------------------------------------------------------------


def estimate(view: View) -> str:
    head: dict[str, Any] = {
        name: view[name] for name in ("what", "subject", "stage", "size") if view.get(name)
    }
    head |= _total(view)
    if view.get("tenants"):
        head |= {"tenants": view["tenants"], "each": usd(view["per_tenant_usd"])}
    if "tier" in view:
        head["cost tier"] = _tier(view["tier"])
    head["note"] = view.get("note")
    change = view.get("change")
    changed = _titled(_delta(change), table(_CHANGED, change["lines"])) if change else ""
    return together(fields({k: v for k, v in head.items() if v}), table(LINES, view["lines"]), changed)


_CHANGED = (
    Column("component", "component"),
    Column("before", money("before"), right=True),
    Column("after", money("after"), right=True),
    Column("change", money("delta"), right=True),
)


def _delta(change: View) -> str:
    before, after = usd(change["before"]["monthly_usd"]), usd(change["after"]["monthly_usd"])
    percent = f", {change['percent']} %" if change["percent"] is not None else ""
    by_month, by_year = usd(change["delta_monthly_usd"]), usd(change["delta_yearly_usd"])
    return f"{before} → {after} a month ({by_month} a month, {by_year} a year{percent})"


def _total(view: View) -> dict[str, Any]:
    found = {"region": view["region"], "usd a month": usd(view["monthly_usd"])}
    if view["monthly_usd"] is None:
        return found | {"of it known": view["known_usd"], "unknown": view["unknown"]}
    return found | {"usd a year": view["yearly_usd"]}


def _tier(tier: View) -> str:
    words = f"{tier['name']} ({tier['floor_usd']} to {tier['ceiling_usd']})"
    if tier["holds"] is False:
        return f"{words}; outside of it, fitting: {cell(tier['fitting'])}"
    return words


def tenant(view: View) -> str:
    now, after = view["now"], view["after_plan"]
    head: dict[str, Any] = {"tenant": view["tenant"], **_total(now), "cost tier": _tier(view["tier"])}
    head["shared part"] = f"{usd(view['shared_usd'])} ({view['shared_rule']['rule']})"
    head["with it"] = usd(view["with_shared_usd"])
    if after:
        change = f"{usd(after['monthly_usd'])} (now {usd(after['before_usd'])})"
        head["after the open plan"] = f"{change}, {after['kind']} {after['operation']}, {after['status']}"
    head |= _billed(view)
    head["note"] = view["note"]
    shown = fields({k: v for k, v in head.items() if v})
    return together(shown, table(LINES, now["lines"]), table(HISTORY, view["history"]))


def _billed(view: View) -> dict[str, str]:
    if not view["billed_days"]:
        return {"billed": UNKNOWN}
    expected = f"{view['billed_days']} days, expected {usd(view['expected_usd'])}"
    return {
        "billed": f"{usd(view['billed_usd'])} in {expected}",
        "drift": f"{usd(view['drift_usd'])} ({view['drift_percent'] or UNKNOWN} %)",
    }


def fleet(view: View) -> str:
    whole = view["total"]
    head = {
        "tenants": whole["tenants"],
        "usd a month": usd(whole["monthly_usd"]),
        "usd a year": usd(whole["yearly_usd"]),
        "known": whole["known_usd"] if whole["unknown_tenants"] else None,
        "of unknown cost": whole["unknown"] or None,
        "shared": usd(view["shared"]["monthly_usd"]),
        "with shared": usd(view["with_shared_usd"]),
        "price book": view["price_book"]["dated"],
    }
    chosen = {view["by"]: view["groups"]}
    groups = [
        _titled(f"by {name}", table(GROUPS, rows)) for name, rows in (chosen | view["breakdown"]).items()
    ]
    shown = fields({k: v for k, v in head.items() if v is not None})
    return together(shown, *groups, _titled("day by day", table(HISTORY, view["history"])))


def forecast(view: View) -> str:
    whole = view["estimate"]
    head: dict[str, Any] = {
        "tenants": view["tenants"],
        "blueprint": view["blueprint"],
        "stage": view["stage"],
    }
    head |= {"mix": view["mix"], "options": view["options"], **_total(whole)}
    head["each"] = usd(view["per_tenant_usd"])
    less = view["against_one_size"]
    if less:
        head["mix saves"] = f"{usd(less['saving_monthly_usd'])} a month against all on one size"
    head["with operations"] = f"{usd(view['ownership']['total_usd'])} a month, people included"
    head["note"] = whole["note"]
    return together(
        fields({k: v for k, v in head.items() if v}),
        table(LINES, whole["lines"]),
        table(MONTHS, view["months"]) or table(SCALE, view["scale"]),
        _titled("turning points", table(TURNING, view["turning_points"])),
    )


def table_rows(view: View) -> list[dict[str, Any]]:
    """The rows of all reference tables, each with its table's id."""
    return [{"table": one["id"], **row} for one in view["items"] for row in one["rows"]]


def tables(view: View) -> str:
    rows = table_rows(view)
    reasons = {row["exception"]: row["reason"] for row in rows if row["exception"]}
    counts = {name.replace("_", " "): count for name, count in view["summary"].items()}
    return together(table(TABLES, rows), _titled("exceptions", fields(reasons)), fields(counts))


def commitments(view: View) -> str:
    base = [
        f"{b['count']} × {b['instance_class']}{' Multi-AZ' if b['multi_az'] else ''}"
        for b in view["steady_base"]
    ]
    head = {
        "advice": view["level"],
        "reason": view["reason"],
        "steady base": base,
        "days of history": view["days_of_history"],
        "bought by": view["bought_by"],
    }
    risks = dict.fromkeys(offer["risk"] for offer in view["items"])
    proposed = _titled("proposed", table(OFFERS, view["proposed"]))
    every = _titled("every term", table(OFFERS, view["items"]))
    return together(fields(head), proposed, every, _titled("risk", "\n".join(risks)))


def budget(view: View) -> str:
    head: dict[str, Any] = {}
    suggested = view["suggested"]
    if suggested:
        phase = suggested["phase"]
        band = f"{phase['low_usd']} to {phase['high_usd']}"
        head["usual"] = f"{band} a month for {phase['users']} users ({phase['name']})"
    head["new services"] = view["new_services"]
    listed = table(BUDGETS, view["items"]) or "no budget is set: controlplane cost budget --set USD"
    return together(listed, fields({k: v for k, v in head.items() if v}), _spikes(view), _worries(view))


def _spikes(view: View) -> str:
    found = [
        f"- {s['service']}: {s['today_usd']} a day, usually {s['usual_usd']}\n"
        f"  likely: {cell(s['culprits'])}\n  at once: {cell(s['fixes'])}"
        for s in view["spikes"]
    ]
    return _titled(f"spikes (look first at: {view['on_a_spike']['first']})", "\n".join(found))


def _worries(view: View) -> str:
    return _titled("to worry about", "\n".join(f"- {w['message']}" for w in view["worries"]))


def refreshed(view: View) -> str:
    head = {
        "book": f"{view['before']['dated']} → {view['after']['dated']}",
        "digest": view["digest"],
        "answered": view["answered"],
        "flat estimates kept": len(view["kept"]),
        "not answered": view["unanswered"],
        "taken": view["taken"],
    }
    return together(fields(head), table(PRICE_CHANGES, view["changes"]) or "no price differs")

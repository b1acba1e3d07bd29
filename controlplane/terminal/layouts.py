"""How one thing looks to people: which of its facts, in which order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from controlplane.terminal.output import Column
from controlplane.terminal.tables import cell, fields, plain_table, printable

View = Mapping[str, Any]

TENANTS = (
    Column("slug", "slug"),
    Column("stage", "stage"),
    Column("size", "size"),
    Column("phase", lambda t: t["phase"] + (" (unverified)" if t.get("unverified") else "")),
    Column("region", "region"),
    Column("usd/month", "monthly_usd", right=True),
    Column("endpoint", "endpoint"),
)
OPERATIONS = (
    Column("id", "id"),
    Column("kind", "kind"),
    Column("tenant", lambda o: o["tenant"] or o["workspace"]),
    Column("status", "status"),
    Column("by", "requested_by"),
    Column("created", lambda o: moment(o["created_at"])),
    Column("waits for", lambda o: o["metadata"]["waiting_for"]),
)
HISTORY = (
    Column("at", lambda e: moment(e["at"])),
    Column("actor", "actor"),
    Column("what", "what"),
    Column("before", "before"),
    Column("after", "after"),
    Column("operation", "operation"),
)
AUDIT = (
    Column("no", "seq", right=True),
    Column("at", lambda e: moment(e["at"])),
    Column("actor", "actor"),
    Column("action", "action"),
    Column("subject", "subject"),
    Column("reason", "reason"),
    Column("origin", "origin"),
)
TOKENS = (
    Column("id", "id"),
    Column("name", "name"),
    Column("role", "role"),
    Column("tenants", "tenants"),
    Column("expires", lambda t: moment(t["expires_at"])),
    Column("last used", lambda t: moment(t["last_used_at"])),
    Column("state", "state"),
)
USERS = (Column("id", "id"), Column("name", "name"), Column("role", "role"), Column("tenants", "tenants"))
WINDOWS = (
    Column("id", "id"),
    Column("name", "name"),
    Column("effect", "effect"),
    Column("cron", "cron"),
    Column("minutes", "minutes", right=True),
    Column("zone", "zone"),
    Column("selector", "selector"),
)
WAVES = (
    Column("id", "id"),
    Column("kind", "kind"),
    Column("selector", "selector"),
    Column("status", "status"),
    Column("by", "requested_by"),
    Column("created", lambda w: moment(w["created_at"])),
    Column("note", "note"),
)
BLUEPRINTS = (
    Column("name", "name"),
    Column("title", "title"),
    Column("version", "template_version"),
    Column("environments", "environments"),
    Column("verbs", "verbs"),
)
CHECKS = (Column("check", "name"), Column("state", "state"), Column("found", "found"), Column("next", "hint"))
EVENTS = (
    Column("at", lambda e: moment(e["at"])),
    Column("type", "type"),
    Column("text", "text"),
    Column("state", lambda e: e["data"].get("state")),
)


def moment(text: str | None) -> str:
    """A time to the second."""
    return (text or "")[:19].replace("T", " ")


_TENANT = (
    "slug",
    "uid",
    "display_name",
    "phase",
    "phase_reason",
    "unverified",
    "stage",
    "size",
    "customer_class",
    "cost_tier",
    "monthly_usd",
    "region",
    "cell",
    "environment",
    "blueprint",
    "storage_gb",
    "locations",
    "users",
    "labels",
    "migration_state",
    "endpoint",
    "port",
    "epoch",
    "generation",
    "observed_generation",
    "template_version",
    "revision",
    "spec_commit",
    "open_operation",
    "created_at",
    "ready_at",
    "torn_down_at",
)


def tenant(view: View) -> str:
    slots = view.get("slots") or []
    columns = ("epoch", "identifier", "size", "storage_gb", "status", "final_snapshot")
    table = plain_table(columns, [[cell(s.get(c)) for c in columns] for s in slots], [False] * len(columns))
    return fields(view, _TENANT) + (f"\n\n{table}" if slots else "")


def operation(view: View) -> str:
    """The operation, its plan and its money, and above all what comes next."""
    about = view["metadata"]
    subject = view["tenant"] or view["workspace"]
    lines: dict[str, Any] = {
        "operation": view["id"],
        "what": f"{view['kind']} {subject}",
        "status": view["status"],
        "by": view["requested_by"] + (f": {view['reason']}" if view["reason"] else ""),
    }
    plan = view.get("plan")
    if plan:
        lines["plan"] = _counts(plan)
        lines["digest"] = str(plan["meaning"])[:12]
        lines["forecast"] = _forecast(plan.get("forecast") or {})
    if view["cost_after"] is not None:
        lines["usd a month"] = f"{view['cost_before'] or '0.00'} → {view['cost_after']}"
    if view["policy"]:
        rules = Counter(_rule(rule) for rule in view["policy"])
        lines["policy"] = [name if count == 1 else f"{name} ×{count}" for name, count in rules.items()]
    lines |= _outcome(view, about)
    head = fields({name: value for name, value in lines.items() if value not in (None, "", {})})
    listed = (plan or {}).get("changes") if not view["done"] else None
    return f"{head}\n\n{changes(listed)}" if listed else head


def _forecast(found: Any) -> str:
    if not isinstance(found, Mapping):
        return cell(found)
    words = [
        f"{d.get('attribute')}: {d.get('words')}"
        for d in found.get("databases", [])
        if isinstance(d, Mapping)
    ]
    return "; ".join(filter(None, [str(found.get("outage", "")), *words]))


def shortened(text: str, most: int = 200) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def planned(view: View) -> str:
    """The plan and its money in one line; empty while there is none."""
    plan = view.get("plan")
    if not plan:
        return ""
    counts = ", ".join(f"{count} to {action}" for action, count in _counts(plan).items() if action != "no-op")
    cost = (
        ""
        if view["cost_after"] is None
        else f"; {view['cost_before'] or '0.00'} → {view['cost_after']} USD/month"
    )
    return f"plan: {counts or 'nothing'}{cost}"


def _rule(rule: Any) -> str:
    return str(rule.get("text") or rule.get("rule") or rule) if isinstance(rule, Mapping) else str(rule)


def _outcome(view: View, about: View) -> dict[str, Any]:
    problem = view.get("error") or about.get("problem") or {}
    rehearsed = view.get("rehearsal") or {}
    found = {
        "problem": problem.get("detail"),
        "hint": problem.get("hint"),
        "it would": ": ".join(filter(None, [rehearsed.get("would"), rehearsed.get("why")])),
        "dry run": rehearsed.get("note"),
        "waits for": shortened(about["waiting_for"]),
        "queue": about["queue_position"],
        "next": about["next_command"],
    }
    return {name: value for name, value in found.items() if value}


def workspace(view: View) -> str:
    """Every file under its name, as `tail` shows many."""
    head = fields(view, ("workspace", "folder"))
    return head + "".join(f"\n\n==> {f['path']} <==\n{printable(f['text']).rstrip()}" for f in view["files"])


def explanation(view: View) -> str:
    head = fields(
        {**view, "cause": shortened(view["cause"])}, ("slug", "phase", "cause", "who_may_act", "next_command")
    )
    evidence = "\n".join(f"  - {shortened(cell(item))}" for item in view["evidence"])
    return f"{head}\nevidence:\n{evidence}" if evidence else head


def plan(view: View) -> str:
    head = fields({"plan": view["id"], "meaning": view["meaning"], "counts": _counts(view)})
    return f"{head}\n\n{changes(view['changes'])}" if view["changes"] else head


def changes(rows: Sequence[View]) -> str:
    """One line a resource; of an update also which attributes it touches."""
    columns = ("action", "address", "attributes")
    cells = [[cell(row.get("action")), cell(row.get("address")), _attributes(row)] for row in rows]
    return plain_table(columns, cells, [False] * 3)


def _counts(plan: View) -> dict[str, int]:
    return {name: count for name, count in (plan.get("counts") or {}).items() if count}


def _attributes(change: View) -> str:
    if change.get("action") not in ("update", "replace"):
        return ""
    before, after = change.get("before") or {}, change.get("after") or {}
    names = change.get("changed") or sorted(n for n in {*before, *after} if before.get(n) != after.get(n))
    return cell(list(names))


WAVE_RESULT = ("position", "tenant", "status", "operation", "detail")  # a row for each of its tenants


def wave(view: View) -> str:
    """The wave, and below it how each of its tenants fared."""
    names = ("id", "kind", "selector", "status", "note", "requested_by", "reason", "size", "canary", "counts")
    rows = [[cell(item.get(name)) for name in WAVE_RESULT] for item in view["items"]]
    return fields(view, names) + "\n\n" + plain_table(WAVE_RESULT, rows, [True, False, False, False, False])

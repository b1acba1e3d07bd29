"""What an approval is bound to (a plan's meaning) and what one apply is bound to (its binding).

The meaning survives a re-plan: it has no serial, no timestamp, nothing that AWS computes. It is taken from
the masked plan, so the stored one gives the same meaning as the one in memory; a hidden value counts as
changed or not changed, and what it is does not count.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from controlplane.domain.plan.masking import CHANGED, mask
from controlplane.domain.plan.summary import DATABASES, Action, parse, read_change, resource_changes
from controlplane.domain.plan.values import mapping, prune
from controlplane.domain.redaction import MASK

# Computed by AWS or moving by themselves: nobody approves them.
VOLATILE = frozenset(
    {
        "arn",
        "create_date",
        "created_date",
        "id",
        "last_modified",
        "last_modified_date",
        "last_updated",
        "last_updated_date",
        "latest_restorable_time",
        "owner_id",
        "timestamp",
        "unique_id",
        "version_id",
    }
)
_OF_DATABASES = frozenset(
    {
        "address",
        "endpoint",
        "engine_version_actual",
        "hosted_zone_id",
        "listener_endpoint",
        "master_user_secret",
        "replicas",
        "resource_id",
        "status",
    }
)
# Not stored by AWS, so an imported database always seems to gain them.
ADOPTED_DIFFERENTLY = frozenset(
    {
        "apply_immediately",
        "delete_automated_backups",
        "final_snapshot_identifier",
        "skip_final_snapshot",
        "password_wo_version",
    }
)

Normal = Mapping[str, Any]  # one resource change in normal form, JSON-friendly


def meaning(plan: Mapping[str, Any], render_digest: str, module_version: str) -> str:
    """The digest that an approval names. Equal for two plans that would do the same."""
    masked = _masked(plan)
    return _digest(
        {
            "changes": _normal_changes(masked),
            "outputs": _normal_outputs(masked),
            "render": render_digest,
            "module": module_version,
        }
    )


def binding(plan_sha256: str, state_serial: int | None, state_lineage: str, lock_sha256: str) -> str:
    """The digest that one apply uses up: this plan file, on this state, with these providers."""
    return _digest(
        {"plan": plan_sha256, "serial": state_serial, "lineage": state_lineage, "lock": lock_sha256}
    )


def _digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def normal_changes(plan: Mapping[str, Any]) -> tuple[dict[str, Any], ...]:
    """The changes of a plan in normal form, masked, in the order of their addresses: stored with the plan,
    and compared after a crash."""
    return tuple(_normal_changes(_masked(plan)))


def _masked(plan: Mapping[str, Any]) -> dict[str, Any]:
    parse(plan)  # refuses what is no finished plan
    return mask(plan)


def _normal_changes(masked: Mapping[str, Any]) -> list[dict[str, Any]]:
    normal = [_normal(entry) for entry in resource_changes(masked)]
    return sorted((n for n in normal if n), key=lambda n: (n["address"], n["deposed"]))


def _normal(entry: Mapping[str, Any]) -> dict[str, Any]:
    """One change without what moves by itself; empty where nothing of ours happens."""
    read = read_change(entry)
    if not read.does_something or read.action is Action.READ:
        return {}
    change = entry["change"]
    return {
        "address": read.address,
        "type": read.type,
        "deposed": read.deposed,
        "action": read.action.value,
        "actions": list(read.actions),
        "reason": read.reason,
        "imported_id": read.imported_id,
        "moved_from": read.moved_from,
        "replace_paths": list(read.replace_paths),
        "before": _lasting(read.type, change.get("before")),
        "after": _lasting(read.type, change.get("after")),
        "unknown": _lasting(read.type, change.get("after_unknown")),
    }


def is_volatile(resource_type: str, attribute: str) -> bool:
    """Whether AWS computes the attribute or it moves by itself."""
    return attribute in VOLATILE or (resource_type in DATABASES and attribute in _OF_DATABASES)


def _lasting(resource_type: str, side: Any) -> dict[str, Any]:
    kept = {n: prune(value) for n, value in mapping(side).items() if not is_volatile(resource_type, n)}
    return {name: value for name, value in kept.items() if value is not None}


def _normal_outputs(masked: Mapping[str, Any]) -> dict[str, Any]:
    changed = {}
    for name, change in mapping(masked.get("output_changes")).items():
        if change.get("actions") != ["no-op"]:
            parts = {part: prune(change.get(part)) for part in ("before", "after", "after_unknown")}
            changed[name] = {"actions": change.get("actions"), **parts}
    return changed


# --- after a crash --------------------------------------------------------------------------------------

# Approved action → what may be left to do of it. A create that AWS has done already is imported (no-op)
# or completed (update); a replacement may have its first half behind it.
_REMAINDERS = {
    Action.CREATE: {Action.CREATE, Action.UPDATE, Action.NO_OP},
    Action.UPDATE: {Action.UPDATE, Action.NO_OP},
    Action.REPLACE: {Action.REPLACE, Action.CREATE},
    Action.DELETE: {Action.DELETE},
    Action.FORGET: {Action.FORGET},
    Action.NO_OP: {Action.NO_OP},
}


def is_same_or_remainder(approved: Sequence[Normal], new: Sequence[Normal]) -> bool:
    """Whether an approval of the first plan's changes covers the second's."""
    return not departures(approved, new)


def departures(approved: Sequence[Normal], new: Sequence[Normal]) -> tuple[str, ...]:
    """Why the new plan is more than what is left of the approved one; empty if the approval still holds."""
    by_place = {(n["address"], n["deposed"]): n for n in approved}
    found: list[str] = []
    for change in new:
        origin = by_place.get((change["address"], change["deposed"]))
        if origin is None and change["deposed"]:
            origin = _replaced_first(by_place.get((change["address"], "")))
        found += _departs(origin, change)
    return tuple(found)


def _replaced_first(origin: Normal | None) -> Normal | None:
    """The deletion that a create-before-destroy replacement has left to do."""
    replaced = origin is not None and origin["action"] == Action.REPLACE.value
    return {**origin, "action": Action.DELETE.value} if origin and replaced else None


def _departs(origin: Normal | None, change: Normal) -> list[str]:
    address = change["address"]
    if origin is None:
        return [f"{address}: {change['action']} was not approved"]
    if Action(change["action"]) not in _REMAINDERS[Action(origin["action"])]:
        return [f"{address}: {origin['action']} was approved, now it is {change['action']}"]
    if change["reason"] == "replace_because_tainted" != origin["reason"]:
        return [f"{address}: it is tainted and would be replaced"]
    if change["action"] == Action.DELETE.value:
        return []
    return [f"{address}: {said}" for said in (*_other_values(origin, change), *_additions(origin, change))]


def _other_values(origin: Normal, change: Normal) -> list[str]:
    """Attributes that would not become what was approved."""
    said = []
    names = set(origin["after"]) | set(change["after"])
    for name in sorted(names - set(origin["unknown"])):
        approved, new = origin["after"].get(name), change["after"].get(name)
        if name in change["unknown"]:
            said.append(f"{name} is no longer known before apply")
        elif not _equal_enough(approved, new) and not _adopted(change, name):
            said.append(f"{name} would become another value than approved")
    return said


def _additions(origin: Normal, change: Normal) -> list[str]:
    """Attributes that would change now and were not to change then."""
    then = set(origin["after"]) | set(origin["unknown"])
    if origin["action"] == Action.UPDATE.value:
        then = _changing(origin) | set(origin["unknown"])
    if change["action"] != Action.UPDATE.value:
        return []
    now = _changing(change) | set(change["unknown"])
    extra = {n for n in now - then if not _adopted(change, n)}
    return [f"{name} would change too" for name in sorted(extra)]


def _changing(change: Normal) -> set[str]:
    names = set(change["before"]) | set(change["after"])
    return {n for n in names if change["before"].get(n) != change["after"].get(n)}


def _adopted(change: Normal, name: str) -> bool:
    return bool(change["imported_id"]) and name in ADOPTED_DIFFERENTLY


def _equal_enough(approved: Any, new: Any) -> bool:
    """Equal, where a hidden value that was to change may have changed already."""
    if isinstance(approved, dict) and isinstance(new, dict):
        return approved.keys() == new.keys() and all(_equal_enough(approved[k], new[k]) for k in approved)
    if isinstance(approved, list) and isinstance(new, list):
        return len(approved) == len(new) and all(map(_equal_enough, approved, new))
    return bool(approved == new) or (approved == CHANGED and new == MASK)

"""`terraform show -json` of a plan, parsed into counts and changes that the rest of the program reads.

What Terraform calls drift (`resource_drift`) is left out: a default tag or a moving timestamp lists every
resource there, and what matters of it is a change as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from controlplane.domain.errors import Broken
from controlplane.domain.plan.values import mapping, same

DATABASES = frozenset(
    {"aws_db_instance", "aws_rds_cluster", "aws_rds_cluster_instance", "aws_dynamodb_table"}
)
_READ_AGAIN = "plan the operation again; if it stays, compare the Terraform version of worker and workspace"


class Action(StrEnum):
    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"
    NO_OP = "no-op"
    READ = "read"
    FORGET = "forget"


_ACTIONS = {
    ("create",): Action.CREATE,
    ("update",): Action.UPDATE,
    ("delete",): Action.DELETE,
    ("no-op",): Action.NO_OP,
    ("read",): Action.READ,
    ("forget",): Action.FORGET,
    ("delete", "create"): Action.REPLACE,
    ("create", "delete"): Action.REPLACE,
    ("forget", "create"): Action.REPLACE,
    ("create", "forget"): Action.REPLACE,
}
REMOVING = frozenset({Action.DELETE, Action.REPLACE})


@dataclass(frozen=True)
class ResourceChange:
    """What happens to one resource. Values stay in the plan; here are names only, so nothing is secret."""

    address: str
    type: str
    name: str
    action: Action
    module: str = ""  # module.database["e1"]
    slot: str = ""  # e1: the key of the innermost module instance
    actions: tuple[str, ...] = ()
    reason: str = ""  # Terraform's action_reason
    replace_paths: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()  # top-level attributes of an update or a replacement
    imported_id: str = ""
    deposed: str = ""
    moved_from: str = ""

    @property
    def is_database(self) -> bool:
        return self.type in DATABASES

    @property
    def removes(self) -> bool:
        return self.action in REMOVING

    @property
    def does_something(self) -> bool:
        return self.action is not Action.NO_OP or bool(self.imported_id) or bool(self.moved_from)

    def to_json(self) -> dict[str, Any]:
        """Only what is set, in a fixed order."""
        whole: dict[str, Any] = {
            "address": self.address,
            "type": self.type,
            "name": self.name,
            "module": self.module,
            "slot": self.slot,
            "action": self.action.value,
            "actions": list(self.actions),
            "reason": self.reason,
            "replace_paths": list(self.replace_paths),
            "changed": list(self.changed),
            "imported_id": self.imported_id,
            "deposed": self.deposed,
            "moved_from": self.moved_from,
        }
        return {key: value for key, value in whole.items() if value}


@dataclass(frozen=True)
class PlanSummary:
    """A plan in short. `changes` leaves out what stays as it is; `counts` has it."""

    terraform_version: str
    changes: tuple[ResourceChange, ...]
    unchanged: int
    outputs_changed: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        """Applying it would do nothing and record nothing."""
        return not self.changes and not self.outputs_changed

    @property
    def removals(self) -> tuple[ResourceChange, ...]:
        return tuple(change for change in self.changes if change.removes)

    @property
    def counts(self) -> dict[str, int]:
        tally = {action.value: 0 for action in Action}
        tally["no-op"] = self.unchanged
        tally["import"] = 0
        for change in self.changes:
            tally[change.action.value] += 1 if change.action is not Action.NO_OP else 0
            tally["import"] += bool(change.imported_id)
        return tally

    def words(self) -> str:
        """`1 to create, 2 to update`, or `no changes`."""
        said = [f"{n} to {word}" for word, n in self.counts.items() if n and word != "no-op"]
        if self.outputs_changed:
            said.append(f"{len(self.outputs_changed)} outputs changed")
        return ", ".join(said) or "no changes"

    def to_json(self) -> dict[str, Any]:
        """The stable form that is stored and answered; it carries names, never values."""
        return {
            "terraform_version": self.terraform_version,
            "counts": self.counts,
            "changes": [change.to_json() for change in self.changes],
            "outputs_changed": list(self.outputs_changed),
            "empty": self.is_empty,
            "words": self.words(),
        }


def parse(document: Any) -> PlanSummary:
    """The plan in short; a document that is no finished plan is refused, never taken for an empty one."""
    _check(document)
    entries = sorted(resource_changes(document), key=lambda e: (e["address"], e.get("deposed") or ""))
    changes = [read_change(entry) for entry in entries]
    outputs = document.get("output_changes") or {}
    return PlanSummary(
        terraform_version=str(document.get("terraform_version", "")),
        changes=tuple(change for change in changes if change.does_something),
        unchanged=sum(not change.does_something for change in changes),
        outputs_changed=tuple(
            sorted(n for n, change in outputs.items() if (change.get("actions") or ["no-op"]) != ["no-op"])
        ),
    )


def _broken(why: str) -> Broken:
    return Broken(f"reading a plan: {why}", hint=_READ_AGAIN)


def _check(document: Any) -> None:
    if not isinstance(document, Mapping):
        raise _broken("it is not a JSON object")
    version = str(document.get("format_version", ""))
    if not version.startswith("1."):
        raise _broken(f"format version {version or 'missing'!r} is not one that we know")
    if "values" in document and "planned_values" not in document:
        raise _broken("this is a state, not a plan")
    if document.get("errored"):
        raise _broken("Terraform says that planning ended in an error")
    if not isinstance(document.get("output_changes") or {}, Mapping):
        raise _broken("its output changes are not an object")


def resource_changes(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The plan's resource changes, each checked to have the parts that we read."""
    entries = document.get("resource_changes", [])
    if not isinstance(entries, list):
        raise _broken("its resource changes are not a list")
    for entry in entries:
        whole = (
            isinstance(entry, Mapping)
            and all(isinstance(entry.get(part), str) for part in ("address", "type", "name"))
            and isinstance(entry.get("change"), Mapping)
            and isinstance(entry["change"].get("actions"), list)
        )
        if not whole:
            raise _broken("a resource change has no address, type or actions")
    return entries


def read_change(entry: Mapping[str, Any]) -> ResourceChange:
    change = entry["change"]
    action = _action(entry["address"], change["actions"])
    module = str(entry.get("module_address") or "")
    return ResourceChange(
        address=entry["address"],
        type=entry["type"],
        name=entry["name"],
        action=action,
        module=module,
        slot=_slot(module),
        actions=tuple(change["actions"]),
        reason=str(entry.get("action_reason") or ""),
        replace_paths=tuple(sorted(_path(p) for p in change.get("replace_paths") or [])),
        changed=changed_attributes(change) if action in (Action.UPDATE, Action.REPLACE) else (),
        imported_id=_imported(change.get("importing")),
        deposed=str(entry.get("deposed") or ""),
        moved_from=str(entry.get("previous_address") or ""),
    )


def _action(address: str, actions: Sequence[Any]) -> Action:
    known = _ACTIONS.get(tuple(str(a) for a in actions))
    if known is None:
        raise _broken(f"{address} has actions {list(actions)} that we do not know")
    return known


def _slot(module: str) -> str:
    """`e1` of `module.database["e1"]`."""
    return module.rsplit('["', 1)[1].rstrip('"]') if module.endswith('"]') else ""


def _path(path: Any) -> str:
    return ".".join(str(step) for step in path) if isinstance(path, list) else str(path)


def _imported(importing: Any) -> str:
    """An import whose id is not known yet still is an import."""
    if not isinstance(importing, Mapping):
        return ""
    return str(importing.get("id") or "(known after apply)")


def changed_attributes(change: Mapping[str, Any]) -> tuple[str, ...]:
    """Top-level attributes whose value differs or is only known after apply."""
    before, after = mapping(change.get("before")), mapping(change.get("after"))
    unknown = mapping(change.get("after_unknown"))
    differing = {n for n in set(before) | set(after) if not same(before.get(n), after.get(n))}
    return tuple(sorted(differing | {n for n in unknown if is_unknown(unknown, n)}))


def is_unknown(unknown: Any, name: str) -> bool:
    """Whether any part of the attribute is known only after apply."""
    return _any_true(mapping(unknown).get(name))


def _any_true(mark: Any) -> bool:
    if isinstance(mark, Mapping):
        return any(_any_true(part) for part in mark.values())
    if isinstance(mark, list):
        return any(_any_true(part) for part in mark)
    return mark is True

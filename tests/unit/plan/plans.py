"""Plan documents for tests: recorded ones from the real Terraform, and small ones built by hand."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

RECORDED = Path(__file__).with_name("recorded")
DATABASE = 'module.database["e1"].aws_db_instance.this'


def recorded(name: str) -> dict[str, Any]:
    return json.loads((RECORDED / f"{name}.json").read_text())


def entry(
    address: str,
    actions: str,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    unknown: dict[str, Any] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """One resource change; `actions` as in "delete create"; `more` goes into the entry or the change."""
    module, _, rest = address.rpartition("].")
    kind, name = rest.split("[")[0].split(".")[-2:]
    change_keys = ("replace_paths", "importing", "before_sensitive", "after_sensitive")
    change = {
        "actions": actions.split(),
        "before": before,
        "after": after,
        "after_unknown": unknown or {},
        "before_sensitive": {},
        "after_sensitive": {},
        **{k: v for k, v in more.items() if k in change_keys},
    }
    whole = {"address": address, "mode": "managed", "type": kind, "name": name, "change": change}
    if module:
        whole["module_address"] = f"{module}]"
    return whole | {k: v for k, v in more.items() if k not in change_keys}


def plan(*entries: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"format_version": "1.2", "terraform_version": "1.11.4", "resource_changes": list(entries), **more}


def update(address: str, before: dict[str, Any], **changed: Any) -> dict[str, Any]:
    return entry(address, "update", before, {**before, **changed})


def changed(document: dict[str, Any], address: str, side: str, **values: Any) -> dict[str, Any]:
    """A copy with other values on one side of one resource."""
    other = copy.deepcopy(document)
    for found in other["resource_changes"]:
        if found["address"] == address:
            found["change"][side].update(values)
    return other

"""A Terraform that reads the rendered tfvars, keeps a state file and changes the fake cloud.

It stands behind the Runner port where the subject of a test is our own workflow. A run goes on while its
worker is dead: it advances one resource for each look, and its whole world is a file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from controlplane.domain.errors import Locked, Missing
from controlplane.domain.names import RunId, WorkspaceId
from controlplane.ports import RunLine, RunOrder, RunReport, RunStatus, RunVerb
from tests.fakes.cloud import FakeCloud
from tests.fakes.database import FakeDatabase
from tests.fakes.world import World

DATABASE, ALARM, ROUTE = "aws_db_instance", "aws_cloudwatch_metric_alarm", "aws_ssm_parameter"
ROUTE_ADDRESS = "module.route.aws_ssm_parameter.this"
RULE = "aws_lb_listener_rule"
_EXISTS = "DBInstanceAlreadyExists: DB instance already exists"


class TerraformDouble:
    """Implements Runner. `applies` tells how often something was really applied, plan by plan."""

    def __init__(self, path: Path, cloud: FakeCloud) -> None:
        self.cloud = cloud
        self.after_create: Callable[[], object] | None = None  # what happens just behind it
        self.database: FakeDatabase | None = None  # whose servers get what an apply does to passwords
        self.world = World(
            path, lambda: {"runs": {}, "states": {}, "applied": [], "faults": [], "overlaps": []}
        )

    # --- what tests arrange and ask -----------------------------------------------------------------

    def lose_next_apply(self, *, after_effect: bool) -> None:
        """The next apply dies: its database is made (or not), and the state knows nothing of it."""
        with self.world.open() as state:
            state["faults"].append("lose_after" if after_effect else "lose_before")

    def lose_plans(self, count: int) -> None:
        """So many of the next plans die."""
        with self.world.open() as state:
            state["lost_plans"] = count

    def fail_next_apply(self, words: str) -> None:
        with self.world.open() as state:
            state["faults"].append(f"fail:{words}")

    def refuse_next_update(self, words: str) -> None:
        """AWS refuses it; the state has what was planned all the same, as the AWS provider leaves it."""
        with self.world.open() as state:
            state["faults"].append(f"refuse:{words}")

    def drift(self, attribute: str, value: Any) -> None:
        """Somebody changed every database by hand, and Terraform's next look sees it."""
        with self.world.open() as state:
            for kept in state["states"].values():
                for resource in kept["resources"].values():
                    if resource["type"] == DATABASE:
                        resource["values"][attribute] = value
                        self.cloud.change_database(resource["values"]["identifier"], **{attribute: value})

    def applied(self) -> list[str]:
        with self.world.open() as state:
            return list(state["applied"])

    def overlaps(self) -> list[str]:
        """Runs that were started while another one of the same workspace was going on."""
        with self.world.open() as state:
            return list(state["overlaps"])

    def resources(self, workspace: str) -> dict[str, Any]:
        with self.world.open() as state:
            return dict(state["states"].get(workspace, {}).get("resources", {}))

    def taint_next_apply(self) -> None:
        """The next apply is interrupted while it makes the database, as a person may insist on."""
        with self.world.open() as state:
            state["faults"].append("taint")

    def lose_state(self, workspace: str, *, only_the_database: bool = False) -> None:
        """Of a database that is gone, a refresh finds out: then the rest of the state stays."""
        with self.world.open() as state:
            kept = state["states"][workspace]["resources"]
            if not only_the_database:
                del state["states"][workspace]
            for address in [a for a, r in kept.items() if r["type"] == DATABASE]:
                del kept[address]

    def lock_by_hand(self, workspace: str, *, looks: int) -> None:
        """A person holds the state's lock until somebody was refused so often."""
        with self.world.open() as state:
            state.setdefault("locked", {})[workspace] = looks

    # --- Runner -------------------------------------------------------------------------------------

    def start(self, order: RunOrder) -> RunReport:
        with self.world.open() as state:
            left = state.get("locked", {}).get(order.workspace, 0)
            if left:
                state["locked"][order.workspace] = left - 1
                raise Locked(f"the state of {order.workspace} is locked by person:ann")
            if order.run_id not in state["runs"]:
                state["runs"][order.run_id] = self._order(state, order)
        return self.look(order.run_id)

    def _order(self, state: dict[str, Any], order: RunOrder) -> dict[str, Any]:
        run = {
            "verb": order.verb.value,
            "workspace": order.workspace,
            "status": "running",
            "touches": order.touches_database,
            "timeout_seconds": order.timeout_seconds,
            "interrupted": False,
            "tail": [],
        }
        same = (r for r in state["runs"].values() if r["workspace"] == order.workspace)
        if any(r["status"] == "running" for r in same):
            state["overlaps"].append(order.run_id)
        kept = state["states"].setdefault(order.workspace, {"serial": 0, "resources": {}})
        if order.verb is RunVerb.PLAN:
            wanted = {} if order.destroy else _wanted(Path(order.folder))
            plan = [self._as_found(change) for change in _plan(kept, wanted, Path(order.folder))]
            run |= {"plan": plan, "serial": kept["serial"]}
            if state.get("lost_plans", 0):
                state["lost_plans"] -= 1
                run["status"] = "lost"
            return run
        planned = state["runs"][order.plan_run]
        run |= {"todo": planned["plan"], "serial": planned["serial"], "plan_run": order.plan_run}
        run["fault"] = state["faults"].pop(0) if state["faults"] else ""
        if planned["serial"] != kept["serial"]:
            run |= {"status": "ended", "exit_code": 1, "tail": ["Saved plan is stale"]}
        else:
            state["applied"].append(order.plan_run)
        return run

    def _as_found(self, change: dict[str, Any]) -> dict[str, Any]:
        """An import starts from what the cloud has."""
        found = self.cloud.database(change["import"]) if change["import"] else None
        if change["type"] != DATABASE or found is None:
            return change
        after = {**change["after"], "storage_encrypted": found.encrypted}  # which the module ignores
        before = {
            **after,
            "instance_class": found.instance_class,
            "allocated_storage": found.storage_gb,
            "multi_az": found.multi_az,
            "deletion_protection": found.deletion_protection,
            "password_wo_version": None,
            "tags": dict(found.tags),
        }
        action = "no-op" if before == after else "update"
        return {**change, "before": before, "after": after, "action": action}

    def look(self, run_id: RunId) -> RunReport:
        with self.world.open() as state:
            run = state["runs"].get(run_id)
            if run is None:
                return RunReport(run_id, RunStatus.NEVER_STARTED)
            if run["status"] == "running":
                self._advance(state, run)
            return RunReport(
                run_id,
                RunStatus(run["status"]),
                exit_code=run.get("exit_code"),
                interrupted=run["interrupted"],
                tail=tuple(run["tail"]),
            )

    def _advance(self, state: dict[str, Any], run: dict[str, Any]) -> None:
        if run["verb"] == "plan":
            run |= {"status": "ended", "exit_code": 2 if run["plan"] else 0}
            return
        fault = run["fault"]
        if fault.startswith("fail:"):
            run |= {"status": "ended", "exit_code": 1, "tail": [fault[5:]]}
            return
        kept = state["states"][run["workspace"]]
        if not run["todo"] or run["interrupted"]:
            code = 1 if run["interrupted"] else 0
            run |= {"status": "ended", "exit_code": code}
            return
        change = run["todo"][0]
        is_database = change["type"] == DATABASE and change["action"] == "create"
        if fault == "lose_before" and is_database:
            run["status"] = "lost"
            return
        problem = _refused(kept, change, fault) or self._do(change)
        if is_database and fault in ("lose_after", "taint"):
            run |= _broken_off(kept, change, fault)
            return
        if problem:
            run |= {"status": "ended", "exit_code": 1, "tail": [problem]}
            return
        run["todo"].pop(0)
        kept["serial"] += 1
        if change["action"] == "delete":
            kept["resources"].pop(change["address"], None)
        else:
            kept["resources"][change["address"]] = self._kept(change)

    def _kept(self, change: dict[str, Any]) -> dict[str, Any]:
        """As the AWS provider keeps it: a database is meant by its resource id."""
        made = {"type": change["type"], "values": change["after"]}
        if change["type"] != DATABASE:
            return made
        found = self.cloud.database(change["after"]["identifier"])
        return {**made, "resource_id": found.resource_id if found else ""}

    def _do(self, change: dict[str, Any]) -> str:
        """The effect in the cloud; what AWS would refuse is answered."""
        values, action = change["after"] or change["before"], change["action"]
        if change["type"] == ROUTE and action == "create":
            self.cloud.write_parameter(values["name"], "{}")
        if change["type"] != DATABASE:
            return ""
        identifier = values["identifier"]
        found = self.cloud.database(identifier)
        if action == "create":
            return _EXISTS if found is not None else self._create(identifier, values)
        if action == "update":
            if found is not None and found.status == "stopped":
                return "InvalidDBInstanceState: Instance is stopped"
            self.cloud.change_database(identifier, tags=values["tags"], **_facts(values))
            self._set_master(change)
        elif found is not None and found.deletion_protection:
            return "InvalidParameterCombination: Cannot delete protected DB Instance"
        else:
            self.cloud.remove_database(identifier)
        return ""

    def _create(self, identifier: str, values: dict[str, Any]) -> str:
        problem = self._make(identifier, values)
        if not problem and self.after_create is not None:
            self.after_create()
        return problem

    def _make(self, identifier: str, values: dict[str, Any]) -> str:
        """From nothing, or from a snapshot with all that was in the database."""
        wanted = values["snapshot_identifier"] or ""
        snapshot = self.cloud.snapshot(wanted)
        if wanted and snapshot is None:
            return f"DBSnapshotNotFound: there is no snapshot {wanted}"
        backups = self.cloud.backup_window(values["backup_source"] or "")
        if values["backup_source"] and backups is None:
            return f"DBInstanceAutomatedBackupNotFound: {values['backup_source']}"
        made = self.cloud.add_database(identifier, values["tags"], **_facts(values))
        source = snapshot.database if snapshot else backups.identifier if backups else ""
        if source and self.database is not None:
            self.database.copy_host(made.endpoint.replace(identifier, source), made.endpoint)
        self._set_master({"before": None, "after": values})
        return ""

    def _set_master(self, change: dict[str, Any]) -> None:
        """What `password_wo` does when its version changes."""
        before, after = change["before"] or {}, change["after"]
        version = after["password_wo_version"]
        if self.database is None or version is None or version == before.get("password_wo_version"):
            return
        with self.cloud.world.open() as state:
            password = state["secrets"][after["master_user_secret"]]["value"]
        self.database.reset_master(self.cloud.database(after["identifier"]).endpoint, password)

    def interrupt(self, run_id: RunId, *, insist: bool = False) -> bool:
        with self.world.open() as state:
            run = state["runs"][run_id]
            if run["status"] != "running" or (run["verb"] == "apply" and run["touches"] and not insist):
                return False
            run["interrupted"] = True
            return True

    def lines(self, run_id: RunId, after: int = 0, limit: int = 500) -> list[RunLine]:
        with self.world.open() as state:
            tail: Sequence[str] = state["runs"][run_id]["tail"]
        return [RunLine(n, datetime.now(UTC), "terraform", t) for n, t in enumerate(tail, 1)][after:limit]

    def plan_json(self, run_id: RunId) -> dict[str, Any]:
        with self.world.open() as state:
            plan = state["runs"][run_id]["plan"]
        entries = [_entry(change) for change in plan]
        return {"format_version": "1.2", "terraform_version": "1.11.4", "resource_changes": entries}

    def binding(self, run_id: RunId) -> str:
        with self.world.open() as state:
            if run_id not in state["runs"]:
                raise Missing(f"no run {run_id}")
            run = state["runs"][run_id]
            serial = state["states"][run["workspace"]]["serial"]
        return hashlib.sha256(f"{run_id}:{serial}".encode()).hexdigest()

    def state(self, workspace: WorkspaceId) -> dict[str, Any] | None:
        with self.world.open() as state:
            kept = state["states"].get(workspace)
        if kept is None:
            return None
        resources = [_resource(address, r) for address, r in kept["resources"].items()]
        outputs = {"vpc_id": {"value": "vpc-0a1"}} if workspace.startswith("platform") else {}
        return {
            "version": 4,
            "serial": kept["serial"],
            "lineage": workspace,
            "outputs": outputs,
            "resources": resources,
        }

    def forget(self, workspace: WorkspaceId, addresses: Sequence[str]) -> None:
        with self.world.open() as state:
            kept = state["states"][workspace]
            for address in addresses:
                if kept["resources"].pop(address, None) is not None:
                    kept["serial"] += 1

    def version(self) -> str:
        return "1.11.4"


def _refused(kept: dict[str, Any], change: dict[str, Any], fault: str) -> str:
    """Of an update that AWS refuses the state claims the success."""
    if not fault.startswith("refuse:") or (change["type"], change["action"]) != (DATABASE, "update"):
        return ""
    kept["resources"][change["address"]] = {"type": DATABASE, "values": change["after"]}
    kept["serial"] += 1
    return fault.removeprefix("refuse:")


def _broken_off(kept: dict[str, Any], change: dict[str, Any], fault: str) -> dict[str, Any]:
    """How a run ends whose database was made just now."""
    if fault == "lose_after":
        return {"status": "lost"}
    kept["resources"][change["address"]] = {
        "type": change["type"],
        "values": change["after"],
        "tainted": True,
    }
    kept["serial"] += 1
    return {"status": "ended", "exit_code": 1, "tail": ["Error: execution halted"]}


def _wanted(folder: Path) -> dict[str, dict[str, Any]]:
    """Addresses and values that the rendered workspace asks for."""
    if not (folder / "tenant.auto.tfvars.json").exists():
        return {"module.network.aws_vpc.this": {"type": "aws_vpc", "values": {"cidr_block": "10.0.0.0/16"}}}
    tfvars = json.loads((folder / "tenant.auto.tfvars.json").read_text())
    tags = tfvars["tags"]
    wanted = {ROUTE_ADDRESS: {"type": ROUTE, "values": {"name": tfvars["route_parameter"]}}}
    for environment, way_in in tfvars.get("access", {}).items():
        values = {"name": way_in["name"], "priority": way_in["priority"]}
        wanted[f'module.access["{environment}"].{RULE}.this'] = {"type": RULE, "values": values}
    for key, slot in tfvars["slots"].items():
        inside = f'module.database["{key}"]'
        values = {
            "identifier": slot["identifier"],
            "instance_class": slot["instance_class"],
            "allocated_storage": slot["storage_gb"],
            "multi_az": slot["multi_az"],
            "backup_retention_period": slot["backup_days"],
            "deletion_protection": slot["protected"],
            "storage_encrypted": True,
            "publicly_accessible": False,
            "skip_final_snapshot": False,
            "final_snapshot_identifier": slot["final_snapshot_identifier"],
        }
        values |= {
            "tags": {**tags, "epoch": str(slot["epoch"])},
            "password_wo_version": None if slot["adopted"] else slot["credential_version"],
            "master_user_secret": slot["master_secret"],
            "snapshot_identifier": slot["snapshot_identifier"],
            "backup_source": slot["backup_source"],
        }
        wanted[f"{inside}.{DATABASE}.this"] = {"type": DATABASE, "values": values}
        for name in slot["alarms"]:
            alarm = {
                "alarm_name": f"{slot['identifier']}-{name}",
                "threshold": slot["alarms"][name]["threshold"],
            }
            wanted[f'{inside}.{ALARM}.this["{name}"]'] = {"type": ALARM, "values": alarm}
    return wanted


def _plan(kept: dict[str, Any], wanted: dict[str, Any], folder: Path) -> list[dict[str, Any]]:
    imports = _imports(folder)
    have = kept["resources"]
    plan = []
    for address in sorted(set(have) | set(wanted)):
        before = have[address]["values"] if address in have else None
        after = wanted[address]["values"] if address in wanted else None
        tainted = address in have and have[address].get("tainted", False)
        if before == after and not tainted:
            continue
        action = "create" if before is None else "delete" if after is None else "update"
        action = "replace" if tainted else action
        imported = imports.get(address, "") if action == "create" else ""
        if imported:
            action, before = "update", {**(after or {}), "password_wo_version": None}
        type_ = (wanted.get(address) or have[address])["type"]
        plan.append(
            {
                "address": address,
                "type": type_,
                "action": action,
                "before": before,
                "after": after,
                "import": imported,
            }
        )
    return plan


def _imports(folder: Path) -> dict[str, str]:
    file = folder / "imports.tf"
    if not file.exists():
        return {}
    lines = [line.strip() for line in file.read_text().splitlines()]
    targets = [line.split("=", 1)[1].strip() for line in lines if line.startswith("to ")]
    ids = [line.split("=", 1)[1].strip().strip('"') for line in lines if line.startswith("id ")]
    return dict(zip(targets, ids, strict=True))


def _entry(change: dict[str, Any]) -> dict[str, Any]:
    address = change["address"]
    entry = {
        "address": address,
        "type": change["type"],
        "name": "this",
        "module_address": address.rsplit(f".{change['type']}", 1)[0],
        "change": {
            "actions": ["delete", "create"] if change["action"] == "replace" else [change["action"]],
            "before": change["before"],
            "after": change["after"],
            "after_unknown": {},
        },
    }
    if change["action"] == "replace":
        entry["action_reason"] = "replace_because_tainted"
    if change["import"]:
        entry["change"]["importing"] = {"id": change["import"]}
    return entry


def _resource(address: str, resource: dict[str, Any]) -> dict[str, Any]:
    module, _, rest = address.rpartition(f".{resource['type']}.")
    name, _, key = rest.partition("[")
    instance = {"attributes": {**resource["values"], "resource_id": resource.get("resource_id")}}
    if resource.get("tainted"):
        instance["status"] = "tainted"
    if key:
        instance["index_key"] = key.rstrip("]").strip('"')
    return {
        "mode": "managed",
        "module": module,
        "type": resource["type"],
        "name": name,
        "instances": [instance],
    }


def _facts(values: dict[str, Any]) -> dict[str, Any]:
    return {
        "instance_class": values["instance_class"],
        "storage_gb": values["allocated_storage"],
        "multi_az": values["multi_az"],
        "deletion_protection": values["deletion_protection"],
        "status": "available",
    }

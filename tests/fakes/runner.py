"""A `Runner` in memory or in a file, with the real one's promises. Time passes by one second a look.

A test says what Terraform would find with `expect`; what it did not say is an ordinary create: a plan with
one resource where there is no state, an empty plan where there is one, an apply that succeeds.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from controlplane.domain.errors import Invalid, Missing
from controlplane.domain.names import OperationId, RunId, WorkspaceId
from controlplane.domain.redaction import Redactor
from controlplane.ports import RunLine, RunOrder, RunReport, RunStatus, RunVerb
from tests.fakes.world import World

BIRTH = datetime(2026, 1, 1, tzinfo=UTC)
STALE = "Error: Saved plan is stale"
_OUTCOME: dict[str, Any] = {
    "exit_code": None,  # None: 2 or 0 for a plan that is not empty or is, 0 for an apply
    "seconds": 0,  # how long it takes; every look is a second
    "plan": None,  # plan JSON
    "state": None,  # what the apply leaves, without serial and lineage; None: from the plan
    "outputs": None,  # of the state
    "lines": [],
    "lost": "",  # `before` or `after` its effect: nobody sees the end
}


class FakeRunner:
    """Give `path` where a worker may be killed: its successor opens the same world."""

    def __init__(self, path: Path | None = None) -> None:
        self.world = World(path, lambda: {"runs": {}, "states": {}, "expected": {}, "applied": {}})

    # --- making the world

    def expect(self, workspace: str, verb: RunVerb, *, always: bool = False, **outcome: Any) -> None:
        """What the next run (or every one) of this verb on this workspace does; see `_OUTCOME`."""
        unknown = set(outcome) - set(_OUTCOME)
        if unknown:
            raise ValueError(f"an outcome has no {unknown}")
        with self.world.open() as world:
            queue = world["expected"].setdefault(f"{workspace}/{verb}", [])
            queue.append({**_OUTCOME, **outcome, "always": always})

    def set_state(self, workspace: str, resources: Sequence[Mapping[str, Any]], **outputs: Any) -> None:
        """As if somebody had applied by hand."""
        with self.world.open() as world:
            _write_state(world, workspace, {"resources": list(resources), "outputs": _outputs(outputs)})

    def drop_state(self, workspace: str) -> None:
        with self.world.open() as world:
            world["states"].pop(workspace, None)

    def end(self, run_id: str, *, lost: str = "") -> None:
        """Let a run end now, or be lost `before` or `after` its effect."""
        with self.world.open() as world:
            run = world["runs"][run_id]
            if run["status"] == RunStatus.RUNNING:
                run["outcome"]["lost"] = lost or run["outcome"]["lost"]
                _complete(world, run)

    # --- looking at the world

    def applies(self, plan_run: str) -> int:
        """How often the plan of this run was applied."""
        with self.world.open() as world:
            return int(world["applied"].get(plan_run, 0))

    def orders(self, verb: RunVerb | None = None) -> list[RunOrder]:
        """Every run that was started, in order."""
        with self.world.open() as world:
            orders = [_order(run["order"]) for run in world["runs"].values()]
        return [order for order in orders if verb is None or order.verb is verb]

    # --- the port

    def start(self, order: RunOrder) -> RunReport:
        if (order.verb is RunVerb.APPLY) != (order.plan_run is not None):
            raise Invalid(f"run {order.run_id}: an apply, and only an apply, names the run of its plan")
        with self.world.call("start", order.run_id) as world:
            if order.run_id not in world["runs"]:
                world["runs"][order.run_id] = run = _new_run(world, order)
                run["status"] = RunStatus.RUNNING.value
                run["lines"] += [["note", order.origin]] if order.origin else []
                if run["outcome"]["seconds"] == 0:
                    _complete(world, run)
            return _report(world["runs"][order.run_id])

    def look(self, run_id: RunId) -> RunReport:
        with self.world.call("look", run_id) as world:
            run = world["runs"].get(run_id)
            if run is None:
                return RunReport(run_id, RunStatus.NEVER_STARTED)
            if run["status"] == RunStatus.RUNNING:
                _pass_a_second(world, run)
            return _report(run)

    def interrupt(self, run_id: RunId, *, insist: bool = False) -> bool:
        with self.world.call("interrupt", run_id) as world:
            run = _run(world, run_id)
            protected = run["order"]["verb"] == RunVerb.APPLY and run["order"]["touches_database"]
            if run["status"] != RunStatus.RUNNING or (protected and not insist):
                return False
            run["interrupted"] = True
            return True

    def lines(self, run_id: RunId, after: int = 0, limit: int = 500) -> list[RunLine]:
        with self.world.call("lines", run_id) as world:
            texts = world["runs"].get(run_id, {}).get("lines", [])
        every = [RunLine(n, BIRTH + timedelta(seconds=n), s, t) for n, (s, t) in enumerate(texts, 1)]
        return [line for line in every if line.offset > after][:limit]

    def plan_json(self, run_id: RunId) -> dict[str, Any]:
        with self.world.call("plan_json", run_id) as world:
            plan = _run(world, run_id)["plan"]
        if plan is None:
            raise Missing(f"run {run_id} left no plan.json")
        return deepcopy(plan)

    def binding(self, run_id: RunId) -> str:
        with self.world.call("binding", run_id) as world:
            run = _run(world, run_id)
            bound = [run["plan"], _head(world, run["order"]["workspace"])]
        return hashlib.sha256(json.dumps(bound, sort_keys=True).encode()).hexdigest()

    def state(self, workspace: WorkspaceId) -> dict[str, Any] | None:
        with self.world.call("state", workspace) as world:
            return deepcopy(world["states"].get(workspace))

    def forget(self, workspace: WorkspaceId, addresses: Sequence[str]) -> None:
        with self.world.call("forget", workspace) as world:
            state = world["states"].get(workspace, {"resources": []})
            left = [r for r in state["resources"] if r["address"] not in addresses]
            if len(left) < len(state["resources"]):
                _write_state(world, workspace, {"resources": left})

    def version(self) -> str:
        return "terraform 1.11.4"


def plan_of(*changes: Mapping[str, Any]) -> dict[str, Any]:
    """Plan JSON with these `resource_changes`."""
    return {"format_version": "1.2", "resource_changes": list(changes), "output_changes": {}}


def create(address: str, **after: Any) -> dict[str, Any]:
    """A change that creates one resource."""
    change = {"actions": ["create"], "before": None, "after": after, "after_unknown": {}}
    kind, _, name = address.split(".")[-2:][0], "", address.rpartition(".")[2]
    return {"address": address, "mode": "managed", "type": kind, "name": name, "change": change}


# --- how a run goes


def _new_run(world: dict[str, Any], order: RunOrder) -> dict[str, Any]:
    queue = world["expected"].get(f"{order.workspace}/{order.verb}", [])
    outcome = dict(_OUTCOME)
    if queue:
        outcome = dict(queue[0]) if queue[0]["always"] else queue.pop(0)
    run: dict[str, Any] = {
        "order": asdict(order),
        "outcome": outcome,
        "seconds": 0,
        "lines": [],
        "plan": None,
        "interrupted": False,
        "timed_out": False,
        "exit_code": None,
        "bound": None,
        "serial": None,
    }
    if order.verb is RunVerb.APPLY:
        run["plan"] = _run(world, str(order.plan_run))["plan"]
    return run


def _pass_a_second(world: dict[str, Any], run: dict[str, Any]) -> None:
    run["seconds"] += 1
    order, protected = run["order"], run["order"]["touches_database"] and not run["interrupted"]
    if run["seconds"] > order["timeout_seconds"]:
        run["timed_out"] = True
    if run["interrupted"] or (run["timed_out"] and not protected):
        _say(run, "supervisor", "SIGINT sent to Terraform")
        _end(run, 1)
    elif run["seconds"] >= run["outcome"]["seconds"]:
        _complete(world, run)


def _complete(world: dict[str, Any], run: dict[str, Any]) -> None:
    outcome = run["outcome"]
    if outcome["lost"] != "before":
        exit_code = _plan(world, run) if run["order"]["verb"] == RunVerb.PLAN else _apply(world, run)
        for line in outcome["lines"]:
            _say(run, "terraform", line)
        _end(run, exit_code)
    if outcome["lost"]:
        run.update(status=RunStatus.LOST.value, exit_code=None)


def _plan(world: dict[str, Any], run: dict[str, Any]) -> int:
    order, outcome = run["order"], run["outcome"]
    run["bound"] = _head(world, order["workspace"])
    run["plan"] = outcome["plan"] or _ordinary_plan(world, order)
    actions = [change["change"]["actions"] for change in run["plan"]["resource_changes"]]
    changed = any(action not in (["no-op"], ["read"]) for action in actions)
    _say(run, "terraform", f"Plan: {len(actions)} changes.")
    return outcome["exit_code"] if outcome["exit_code"] is not None else 2 if changed else 0


def _apply(world: dict[str, Any], run: dict[str, Any]) -> int:
    order, outcome = run["order"], run["outcome"]
    planned = _run(world, order["plan_run"])
    if planned["bound"] != _head(world, order["workspace"]):
        _say(run, "error", STALE)
        return 1
    world["applied"][order["plan_run"]] = world["applied"].get(order["plan_run"], 0) + 1
    exit_code = outcome["exit_code"] or 0
    if exit_code == 0 or outcome["state"] is not None:
        state = outcome["state"] or {"resources": _applied(world, order["workspace"], planned["plan"])}
        if outcome["outputs"] is not None:
            state = {**state, "outputs": _outputs(outcome["outputs"])}
        run["serial"] = _write_state(world, order["workspace"], state)
    _say(run, "terraform" if exit_code == 0 else "error", "Apply complete!" if exit_code == 0 else "Error")
    return int(exit_code)


def _ordinary_plan(world: dict[str, Any], order: Mapping[str, Any]) -> dict[str, Any]:
    state = world["states"].get(order["workspace"])
    there = [r["address"] for r in state["resources"]] if state else []
    if order["destroy"]:
        gone = {"actions": ["delete"], "before": {}, "after": None}
        return plan_of(*({**create(address), "change": gone} for address in there))
    return plan_of() if there else plan_of(create("terraform_data.one"))


def _applied(world: dict[str, Any], workspace: str, plan: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Resources after the plan's changes, each with its address and values."""
    found = {r["address"]: r for r in world["states"].get(workspace, {"resources": []})["resources"]}
    for change in plan["resource_changes"]:
        if change["change"]["actions"] == ["delete"]:
            found.pop(change["address"], None)
        else:
            values = {**change["change"]["after"]}
            found[change["address"]] = {"address": change["address"], "values": values}
    return list(found.values())


def _write_state(world: dict[str, Any], workspace: str, state: Mapping[str, Any]) -> int:
    before = world["states"].get(workspace, {"serial": 0, "lineage": f"lineage-of-{workspace}"})
    serial = int(before["serial"]) + 1
    world["states"][workspace] = {
        "version": 4,
        "outputs": before.get("outputs", {}),
        "resources": [],
        **state,
        "serial": serial,
        "lineage": before["lineage"],
    }
    return serial


def _outputs(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: {"value": value} for name, value in values.items()}


def _head(world: dict[str, Any], workspace: str) -> list[Any] | None:
    state = world["states"].get(workspace)
    return [state["lineage"], state["serial"]] if state else None


def _say(run: dict[str, Any], stream: str, text: str) -> None:
    run["lines"].append([stream, Redactor().text(text)])


def _end(run: dict[str, Any], exit_code: int) -> None:
    run.update(status=RunStatus.ENDED.value, exit_code=exit_code)


def _run(world: dict[str, Any], run_id: str) -> dict[str, Any]:
    if run_id not in world["runs"]:
        raise Missing(f"there is no run {run_id!r}")
    found: dict[str, Any] = world["runs"][run_id]
    return found


def _order(stored: Mapping[str, Any]) -> RunOrder:
    plan_run = stored["plan_run"]
    return RunOrder(
        **{
            **stored,
            "run_id": RunId(stored["run_id"]),
            "workspace": WorkspaceId(stored["workspace"]),
            "operation": OperationId(stored["operation"]),
            "verb": RunVerb(stored["verb"]),
            "plan_run": RunId(plan_run) if plan_run else None,
        }
    )


def _report(run: Mapping[str, Any]) -> RunReport:
    over = run["status"] in (RunStatus.ENDED, RunStatus.LOST)
    return RunReport(
        run_id=RunId(run["order"]["run_id"]),
        status=RunStatus(run["status"]),
        exit_code=run["exit_code"],
        started_at=BIRTH,
        ended_at=BIRTH + timedelta(seconds=run["seconds"]) if over else None,
        timed_out=run["timed_out"],
        interrupted=run["interrupted"],
        state_serial=run["serial"],
        tail=tuple(text for _, text in run["lines"]) if over else (),
    )

"""What became of a run that nobody saw end: decided from its plan, the state and AWS, never guessed.

An apply is never repeated blindly. What exists in AWS under our names and tags and is missing in the state
is adopted first; then a new plan says what is left, and the approval holds if that is a remainder.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from controlplane.domain.plan.digest import Normal
from controlplane.domain.plan.summary import DATABASES, Action
from controlplane.domain.plan.values import mapping, same
from controlplane.domain.workspace import Import


class RunEnd(StrEnum):
    """How a run ended, in the words of the runner's reports."""

    NEVER_STARTED = "never_started"
    RUNNING = "running"
    ENDED = "ended"
    LOST = "lost"


class Outcome(StrEnum):
    STILL_RUNNING = "still_running"
    NOT_STARTED = "not_started"
    APPLIED = "applied"
    PARTIALLY_APPLIED = "partially_applied"
    ADOPT = "adopt"
    NEEDS_OPERATOR = "needs_operator"


@dataclass(frozen=True)
class StateObject:
    """One instance in the state. Its attributes are in clear: they are compared and forgotten."""

    address: str
    type: str
    attributes: Mapping[str, Any] = field(default_factory=dict, repr=False)
    tainted: bool = False
    deposed: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Presence:
    """What AWS has under the deterministic name of a planned resource."""

    id: str  # what `terraform import` takes
    ours: bool  # it carries our ownership tags
    available: bool = True  # a database that is still being made cannot be imported yet


@dataclass(frozen=True)
class Evidence:
    run: RunEnd
    exit_code: int | None
    planned: Sequence[Normal]  # of the plan that was being applied
    state: Mapping[str, StateObject]
    aws: Mapping[str, Presence]  # by address, of the names from `probe_names`; absent: AWS has none


@dataclass(frozen=True)
class Verdict:
    outcome: Outcome
    reason: str
    next_step: str
    done: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    imports: tuple[Import, ...] = ()
    wait_for: tuple[str, ...] = ()  # ids that are not available yet
    unproven: tuple[str, ...] = ()  # updates that the state claims, of a run that did not end well

    def to_json(self) -> dict[str, Any]:
        return {
            "outcome": self.outcome.value,
            "reason": self.reason,
            "next_step": self.next_step,
            "done": list(self.done),
            "left": list(self.left),
            "imports": [{"address": i.address, "id": i.id} for i in self.imports],
            "wait_for": list(self.wait_for),
        }


# Type → the planned attribute under which AWS is asked. The value of a secret is not among them: an imported
# secret version is replaced, with another master password.
NAMED_BY = {
    "aws_db_instance": "identifier",
    "aws_secretsmanager_secret": "name",
    "aws_ssm_parameter": "name",
    "aws_cloudwatch_metric_alarm": "alarm_name",
    "aws_cloudwatch_log_group": "name",
    "aws_db_parameter_group": "name",
    "aws_db_subnet_group": "name",
    "aws_iam_policy": "name",
    "aws_lb_listener_rule": "listener_arn",  # a tenant has one on each listener
}


def probe_names(planned: Sequence[Normal]) -> dict[str, tuple[str, str]]:
    """Address → (type, name) of everything in a plan that AWS can be asked for by its name."""
    found = {}
    for change in planned:
        name = change["after"].get(NAMED_BY.get(change["type"], ""))
        if name and not change["deposed"]:
            found[change["address"]] = (change["type"], str(name))
    return found


def is_named(type_: str, name: str, arn: str) -> bool:
    """Whether this ARN is of what `NAMED_BY` gives this name."""
    if type_ == "aws_lb_listener_rule":
        return arn.startswith(name.replace(":listener/", ":listener-rule/") + "/")
    if type_ == "aws_iam_policy":
        return ":policy/" in arn and arn.endswith(f"/{name}")
    return arn.endswith((f":{name}", f":{name}:*"))


def settle(evidence: Evidence) -> Verdict:
    """The one way on from here. Whatever a person must decide comes before whatever we may do."""
    if evidence.run is RunEnd.RUNNING:
        return Verdict(Outcome.STILL_RUNNING, "the run still goes on", "follow it: `operation log -f`")
    return _for_a_person(evidence) or _adoption(evidence) or _account(evidence)


def _for_a_person(evidence: Evidence) -> Verdict | None:
    tainted = sorted(o.address for o in evidence.state.values() if o.tainted and o.type in DATABASES)
    if tainted:
        return _needs_operator(
            f"{', '.join(tainted)} is tainted: the next apply would delete it and make an empty one",
            "look whether the database is whole; `operation settle` then takes it over as it is and sets its"
            " master password again; or give it up: `operation settle --outcome failed`, `tenant destroy`",
        )
    foreign = sorted(
        f"{p.id} ({address})"
        for address, p in evidence.aws.items()
        if not p.ours and address not in evidence.state
    )
    if foreign:
        return _needs_operator(
            f"AWS has {', '.join(foreign)} without our ownership tags",
            "find out whose it is; `tenant adopt` takes it over, otherwise it must be renamed or removed",
        )
    replaced = [c["address"] for c in evidence.planned if _replaces_database(c)]
    if replaced and evidence.run is not RunEnd.NEVER_STARTED and not _ended_well(evidence):
        return _needs_operator(
            f"the replacement of {', '.join(replaced)} was interrupted",
            "look which database has the data, then `operation settle`",
        )
    return None


def _needs_operator(reason: str, next_step: str) -> Verdict:
    return Verdict(Outcome.NEEDS_OPERATOR, reason, next_step)


def _replaces_database(change: Normal) -> bool:
    return change["type"] in DATABASES and change["action"] == Action.REPLACE.value


def _ended_well(evidence: Evidence) -> bool:
    return evidence.run is RunEnd.ENDED and evidence.exit_code == 0


def _adoption(evidence: Evidence) -> Verdict | None:
    """What AWS has of the plan and the state has not, whether this run made it or an earlier one."""
    wanted = {c["address"] for c in evidence.planned if c["action"] != Action.DELETE.value}
    found = {a: p for a, p in sorted(evidence.aws.items()) if a in wanted and a not in evidence.state}
    if not found:
        return None
    done, left = _done_and_left(evidence)
    return Verdict(
        Outcome.ADOPT,
        f"AWS has {len(found)} resources of ours that the state does not know",
        "import them, plan again, and go on if that plan is empty or a remainder of the approved one",
        done=done,
        left=tuple(address for address in left if address not in found),
        imports=tuple(Import(address, presence.id) for address, presence in found.items()),
        wait_for=tuple(p.id for p in found.values() if not p.available),
    )


def _account(evidence: Evidence) -> Verdict:
    done, left = _done_and_left(evidence)
    unproven = tuple(c["address"] for c in evidence.planned if _is_claimed(c, evidence.state))
    if _ended_well(evidence) or (evidence.planned and not left):
        every = tuple(c["address"] for c in evidence.planned)
        return Verdict(Outcome.APPLIED, "everything planned is there", "verify it", done=every)
    if done or unproven:
        reason = f"{len(done)} of {len(done) + len(left)} planned changes are there"
        again = "plan again: an empty plan or a remainder goes on, anything else asks for approval"
        return Verdict(Outcome.PARTIALLY_APPLIED, reason, again, done=done, left=left, unproven=unproven)
    return Verdict(Outcome.NOT_STARTED, "nothing of the plan is there", "plan again and apply", left=left)


def _done_and_left(evidence: Evidence) -> tuple[tuple[str, ...], tuple[str, ...]]:
    done = [c["address"] for c in evidence.planned if _is_done(c, evidence.state.get(c["address"]))]
    left = [c["address"] for c in evidence.planned if not _is_done(c, evidence.state.get(c["address"]))]
    return tuple(done), tuple(left)


def _is_done(change: Normal, found: StateObject | None) -> bool:
    action = Action(change["action"])
    if change["deposed"]:
        return found is None or change["deposed"] not in found.deposed
    if action in (Action.DELETE, Action.FORGET):
        return found is None
    if found is None or found.tainted or found.deposed:
        return False
    return action in (Action.CREATE, Action.NO_OP)


def _is_claimed(change: Normal, state: Mapping[str, StateObject]) -> bool:
    """Providers write what was planned into the state even when AWS refused the update: it proves nothing."""
    found = state.get(change["address"])
    return change["action"] == Action.UPDATE.value and found is not None and _has_values(change, found)


def _has_values(change: Normal, found: StateObject) -> bool:
    """Whether the state has every value that the change was to bring; of a hidden one it cannot be told."""
    names = {n for n in change["after"] if not same(change["before"].get(n), change["after"][n])}
    names |= {n for n in change["before"] if n not in change["after"] and n not in change["unknown"]}
    return bool(names) and all(_has_value(change["after"].get(n), found.attributes.get(n)) for n in names)


def _has_value(planned: Any, found: Any) -> bool:
    if isinstance(planned, dict):
        return all(_has_value(part, mapping(found).get(key)) for key, part in planned.items())
    return same(planned, found)  # a mask equals no value


# --- the state file ---------------------------------------------------------------------------------------


def read_state(state: Mapping[str, Any] | None) -> dict[str, StateObject]:
    """Address → object, from a state file (version 4); none where there is no state."""
    found: dict[str, StateObject] = {}
    for resource in mapping(state).get("resources") or []:
        if resource.get("mode") == "managed":
            for instance in resource.get("instances") or []:
                read = _read_instance(resource, instance)
                found[read.address] = _merged(found.get(read.address), read)
    return found


def _read_instance(resource: Mapping[str, Any], instance: Mapping[str, Any]) -> StateObject:
    module = f"{resource['module']}." if resource.get("module") else ""
    deposed = instance.get("deposed")
    return StateObject(
        address=f"{module}{resource['type']}.{resource['name']}{_key(instance.get('index_key'))}",
        type=str(resource["type"]),
        attributes={} if deposed else mapping(instance.get("attributes")),
        tainted=instance.get("status") == "tainted" and not deposed,
        deposed=frozenset({str(deposed)} if deposed else ()),
    )


def _key(key: Any) -> str:
    return "" if key is None else f"[{key}]" if isinstance(key, int) else f'["{key}"]'


def _merged(one: StateObject | None, other: StateObject) -> StateObject:
    """An address may hold one current object and several deposed ones."""
    if one is None:
        return other
    return StateObject(
        address=one.address,
        type=one.type,
        attributes=one.attributes or other.attributes,
        tainted=one.tainted or other.tainted,
        deposed=one.deposed | other.deposed,
    )


def without(state: Mapping[str, Any], addresses: Sequence[str]) -> dict[str, Any]:
    """The state file without these objects, under the next serial; the same one when none is there.
    What is deposed there stays: it is another object of that address."""
    kept, found = [], False
    for resource in state.get("resources") or []:
        instances = resource.get("instances") or []
        left = [
            i for i in instances if i.get("deposed") or _read_instance(resource, i).address not in addresses
        ]
        found = found or len(left) < len(instances)
        kept += [{**resource, "instances": left}] if left or not instances else []
    return {**state, "resources": kept, "serial": state["serial"] + 1} if found else dict(state)

"""Faults that the sandbox injects, what tenants go through meanwhile, and what AWS holds of them then."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from controlplane.sandbox import lifecycle
from tests.e2e.machine import Machine
from tests.e2e.team import INSPECTOR, SECONDS, ask, begin, client, ended

FAULTS = ("throttle", "error", "timeout_after_effect", "stale")
_MOST_COMMANDS = 4
_OPERATION = re.compile(r"\bop-[0-9a-z]{16}\b")
_STRUCK = re.compile(r"injecting (\w+) into \S+?:(\w+)")
# By verb: how it is asked for, and what a tenant is once it has happened.
_VERBS: dict[str, tuple[tuple[str, ...], dict[str, str]]] = {
    "create": ((), {"phase": "ready"}),
    "resize": (("--size", "small"), {"phase": "ready", "size": "small"}),
    "destroy": (("--confirm", "{slug}"), {"phase": "torn_down"}),
}


def rule(action: str, fault: str, identifier: str = "", **more: int) -> dict[str, Any]:
    return {"action": action, "fault": fault, "identifier": identifier, **more}


def inject(machine: Machine, rules: Iterable[dict[str, Any]]) -> None:
    """From now on, counted anew."""
    file = _sandbox(machine) / "faults.json"
    beside = file.with_suffix(".new")
    beside.write_text(json.dumps({"rules": list(rules)}))
    beside.replace(file)


def calm(machine: Machine) -> None:
    (_sandbox(machine) / "faults.json").unlink(missing_ok=True)


def struck(machine: Machine) -> set[tuple[str, str]]:
    """Which action met which fault, as the sandbox's log says."""
    log = (_sandbox(machine) / "sandbox.log").read_text(encoding="utf-8", errors="replace")
    return {(action, fault) for fault, action in _STRUCK.findall(log)}


def _sandbox(machine: Machine) -> Path:
    return machine.folder / ".controlplane" / "sandbox"


def inventory(machine: Machine, slug: str) -> list[str]:
    """Everything in AWS that carries the tenant's name, written as if all tenants and operations were called
    `*`."""
    uid = ask(machine, "tenant", "show", slug)["uid"]
    found = [name for name in _everything(machine) if uid in name]
    return sorted(_OPERATION.sub("*", name.replace(f"{slug}-{uid}", "*")) for name in found)


def _everything(machine: Machine) -> Iterator[str]:
    def pages(service: str, verb: str, what: str, **asked: bool) -> list[dict[str, Any]]:
        """All of them: what was destroyed leaves names behind, and soon fills a first page."""
        found = client(machine, service).get_paginator(verb).paginate(**asked)
        return [one for page in found for one in page[what]]

    for one in pages("rds", "describe_db_instances", "DBInstances"):
        yield f"instance {one['DBInstanceIdentifier']} {one['DBInstanceStatus']} {one['DBInstanceClass']}"
    for one in pages("rds", "describe_db_snapshots", "DBSnapshots"):
        yield f"snapshot {one['DBSnapshotIdentifier']} {one['Status']}"
    for one in pages("secretsmanager", "list_secrets", "SecretList", IncludePlannedDeletion=True):
        yield f"secret {one['Name']}" + (" leaving" if one.get("DeletedDate") else "")
    for one in pages("ssm", "describe_parameters", "Parameters"):
        yield f"parameter {one['Name']}"
    for one in pages("cloudwatch", "describe_alarms", "MetricAlarms"):
        yield f"alarm {one['AlarmName']}"
    for one in pages("logs", "describe_log_groups", "logGroups"):
        yield f"log {one['logGroupName']}"


def planned_again(machine: Machine, slug: str) -> str:
    """How a change that wants nothing new ends: `no_changes`, where everything is as it is wanted."""
    return str(ask(machine, "tenant", "reconcile", slug, "--auto-approve")["status"])


def brought_to(machine: Machine, slug: str, **wanted: str) -> list[str]:
    """Do what `tenant explain` says, word for word, until the tenant shows that; what had to be done."""
    done: list[str] = []
    while not wanted.items() <= ask(machine, "tenant", "show", slug).items():
        explained = ask(machine, "tenant", "explain", slug)
        assert len(done) < _MOST_COMMANDS, (slug, done, explained)
        done.append(str(explained["next_command"]))
        machine.run(*done[-1].split()[1:], seconds=SECONDS)
    return done


def asked_of_all(machine: Machine, slugs: tuple[str, ...], verb: str) -> dict[str, str]:
    """Ask for the same change of all of them; the operation of each."""
    words, _ = _VERBS[verb]
    return {slug: begin(machine, verb, slug, *(word.format(slug=slug) for word in words)) for slug in slugs}


def lived(machine: Machine, asked: dict[str, str], verb: str) -> dict[str, list[str]]:
    """What each has in AWS once it is where the change was to bring it, by itself or by what it says."""
    for operation in asked.values():
        ended(machine, operation)
    calm(machine)
    for slug in asked:
        brought_to(machine, slug, **_VERBS[verb][1])
    return {slug: inventory(machine, slug) for slug in asked}


def live(
    machine: Machine, slugs: tuple[str, ...], rules: list[dict[str, Any]], verb: str
) -> dict[str, list[str]]:
    """Change all of them at once under these faults."""
    inject(machine, rules)
    return lived(machine, asked_of_all(machine, slugs, verb), verb)


def calls(machine: Machine) -> Counter[str]:
    """How often each AWS action was called so far, but for who takes the inventory."""
    info = lifecycle.status(_sandbox(machine)).info
    assert info is not None
    counted: Counter[str] = Counter()
    for who, actions in lifecycle.recorded_actions(info).items():
        if who != INSPECTOR:
            counted.update({name.partition(":")[2]: count for name, count in actions.items()})
    return counted

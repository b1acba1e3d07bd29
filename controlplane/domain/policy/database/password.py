"""No password stands in the configuration, in a variable or in the state."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from controlplane.domain.cost.gate import Level
from controlplane.domain.plan.values import mapping
from controlplane.domain.policy.values import Breach, PolicyInput, Rule

_STATED = frozenset({"password", "master_password"})  # whatever is set here is kept in the state
_LITERAL = _STATED | {"password_wo", "master_password_wo", "secret_string", "secret_string_wo"}
_DATABASES = frozenset({"aws_db_instance", "aws_rds_cluster"})
_CONTAINERS, _FUNCTIONS = frozenset({"aws_ecs_task_definition"}), frozenset({"aws_lambda_function"})
_NAME = re.compile(r"(?:^|[_-])(?:password|passwd|pgpassword|secret_string)$", re.I)
_WAY = "keep it in Secrets Manager and hand it over write-only, or by its ARN"


def _check(asked: PolicyInput) -> Iterator[Breach]:
    for planned in asked.coming(_DATABASES):
        for attribute in sorted(_STATED):
            if planned.value(attribute):
                yield Breach(f"{attribute} would stand in the state", planned.address, _WAY)
    root = mapping(mapping(asked.plan.get("configuration")).get("root_module"))
    for address, attribute in _literals(root, ""):
        yield Breach(f"{attribute} is a literal in the configuration", address, _WAY)
    for name, variable in mapping(asked.plan.get("variables")).items():
        if _NAME.search(name) and mapping(variable).get("value"):
            yield Breach("a password is given as a variable", f"var.{name}", _WAY)
    yield from _environments(asked)


def _literals(module: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    """(address, attribute) of passwords that are written out in the configuration."""
    for resource in module.get("resources") or []:
        for attribute, expression in mapping(resource.get("expressions")).items():
            if attribute in _LITERAL and mapping(expression).get("constant_value"):
                yield f"{prefix}{resource.get('address')}", attribute
    for name, call in mapping(module.get("module_calls")).items():
        for argument, expression in mapping(call.get("expressions")).items():
            if _NAME.search(argument) and mapping(expression).get("constant_value"):
                yield f"{prefix}module.{name}", argument
        yield from _literals(mapping(call.get("module")), f"{prefix}module.{name}.")


def _environments(asked: PolicyInput) -> Iterator[Breach]:
    for planned in asked.coming(_CONTAINERS | _FUNCTIONS):
        for name in _plain_secrets(planned.after):
            way = "name the secret's ARN under `secrets`, or read it at run time"
            yield Breach(f"{name} stands in its environment in clear", planned.address, way)


def _plain_secrets(after: Mapping[str, Any]) -> Iterator[str]:
    try:
        containers = json.loads(after.get("container_definitions") or "[]")
    except ValueError:
        containers = []
    for container in containers:
        for variable in mapping(container).get("environment") or []:
            if _NAME.search(str(mapping(variable).get("name"))) and mapping(variable).get("value"):
                yield str(variable["name"])
    for block in after.get("environment") or []:
        for name, value in mapping(mapping(block).get("variables")).items():
            if _NAME.search(name) and value:
                yield name


RULE = Rule("database.password", Level.FORBID, "whoever reads code, plan or state could log in", _check)

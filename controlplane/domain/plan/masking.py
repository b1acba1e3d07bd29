"""Plans and states without their secrets: masked by their own marks before they are kept or shown.

Two passes. First every value under a sensitive mark is replaced, on both sides of a change if either side
is marked. Then whatever was replaced is searched in all remaining text, in every spelling of it: a secret
that is marked in one place is often repeated unmarked in another.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from controlplane.domain.plan.values import mapping
from controlplane.domain.redaction import MASK, known_pattern

CHANGED = "(sensitive value, changed)"  # the after side of a change of a sensitive value
_MASKS = frozenset({MASK, CHANGED})
# Shorter texts ("true", "5432") stand everywhere; under their mark they are replaced all the same.
SHORTEST_SEARCHED = 8
# Attributes that are secret whatever the marks say: older states carry no marks of the schema.
ALWAYS = frozenset(
    {
        "password",
        "password_wo",
        "master_password",
        "secret_string",
        "secret_binary",
        "secret_string_wo",
        "value_wo",
    }
)
# How a resource is named in plan and state. No secret is part of it: Terraform refuses it as a key.
_NAMES = frozenset({"address", "module_address", "module", "type", "name", "provider_name", "provider"})


def mask(document: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of plan JSON, state JSON or a state file without secrets. Masking it again changes nothing."""
    secrets: set[str] = set()
    masked = _walk(document, secrets)
    _mask_variables(masked, secrets)
    _mask_literals(masked, secrets)
    scrubbed: dict[str, Any] = _scrub(masked, _pattern(secrets))
    return scrubbed


def secret_values(document: Mapping[str, Any]) -> frozenset[str]:
    """The texts under sensitive marks: known secrets for the redaction of logs. Never stored."""
    secrets: set[str] = set()
    masked = _walk(document, secrets)
    _mask_variables(masked, secrets)
    _mask_literals(masked, secrets)
    return frozenset(secrets)


# --- first pass: by marks -----------------------------------------------------------------------------


def _walk(node: Any, secrets: set[str]) -> Any:
    if isinstance(node, list):
        return [_walk(part, secrets) for part in node]
    return _walk_object(node, secrets) if isinstance(node, Mapping) else node


def _walk_object(node: Mapping[str, Any], secrets: set[str]) -> dict[str, Any]:
    copy = dict(node)
    if "before_sensitive" in node or "after_sensitive" in node:
        _mask_change(copy, secrets)
    if "sensitive_values" in node and "values" in node:
        copy["values"] = _by_mark(node["values"], node["sensitive_values"], secrets)
    if "sensitive_attributes" in node:
        _mask_instance(copy, secrets)
    if node.get("sensitive") is True:
        copy |= {part: _replace(node[part], secrets) for part in ("value", "default") if part in node}
    return {key: _named(key, part, secrets) for key, part in copy.items()}


def _named(key: str, part: Any, secrets: set[str]) -> Any:
    """Children, with the attributes that are always secret replaced where they hold a plain text."""
    if key in ALWAYS and isinstance(part, str):
        return _replace(part, secrets)
    return _walk(part, secrets)


def _mask_change(change: dict[str, Any], secrets: set[str]) -> None:
    """Both sides by the marks of both: a mark that is new on one side hides the other side's copy too."""
    before, after = change.get("before"), change.get("after")
    for mark in (change.get("before_sensitive"), change.get("after_sensitive")):
        change["before"] = _by_mark(change.get("before"), mark, secrets)
        change["after"] = _by_mark(change.get("after"), mark, secrets)
    change["after"] = _show_changed(before, after, change["after"])


def _show_changed(before: Any, after: Any, masked: Any) -> Any:
    """The masked after side, saying where a hidden value is another than before."""
    if masked == MASK:
        return MASK if after in (MASK, before) else CHANGED
    if isinstance(masked, dict) and isinstance(after, Mapping):
        old = mapping(before)
        return {key: _show_changed(old.get(key), after.get(key), part) for key, part in masked.items()}
    if isinstance(masked, list) and isinstance(after, list):
        olds = before if isinstance(before, list) else []
        olds = [*olds, *[None] * len(masked)]
        return [_show_changed(old, new, part) for old, new, part in zip(olds, after, masked, strict=False)]
    return masked


def _by_mark(value: Any, mark: Any, secrets: set[str]) -> Any:
    if mark is True:
        return _replace(value, secrets)
    if isinstance(mark, Mapping) and isinstance(value, Mapping):
        return {key: _by_mark(part, mark.get(key), secrets) for key, part in value.items()}
    if isinstance(mark, list) and isinstance(value, list):
        marks = [*mark, *[None] * len(value)]
        return [_by_mark(part, m, secrets) for part, m in zip(value, marks, strict=False)]
    return value


def _mask_instance(instance: dict[str, Any], secrets: set[str]) -> None:
    """An instance of a state file: its marks are paths of steps."""
    attributes = instance.get("attributes")
    for path in instance.get("sensitive_attributes") or []:
        steps = [
            mapping(mapping(step).get("value")).get("value", mapping(step).get("value")) for step in path
        ]
        attributes = _at_path(attributes, steps, secrets)
    instance["attributes"] = attributes
    instance.pop("private", None)  # the provider's own, base64: nobody reads it, nothing marks it


def _step(value: Any) -> Any:
    """An attribute's name stands plain; an index is wrapped with its type."""
    return mapping(value).get("value") if isinstance(value, Mapping) else value


def _at_path(value: Any, steps: list[Any], secrets: set[str]) -> Any:
    if not steps:
        return _replace(value, secrets)
    step, rest = steps[0], steps[1:]
    if isinstance(value, Mapping) and step in value:
        return {**value, step: _at_path(value[step], rest, secrets)}
    if isinstance(value, list):
        # An index, or the element of a set that has no index: then every element is hidden.
        return [
            _at_path(part, rest, secrets) if not isinstance(step, int) or i == step else part
            for i, part in enumerate(value)
        ]
    return value


def _replace(value: Any, secrets: set[str]) -> Any:
    """The mask instead of the value; null stays null, since "is not set" is no secret."""
    if value is None or value in (MASK, CHANGED):
        return value
    secrets.update(_texts(value))
    return MASK


def _texts(value: Any) -> Iterable[str]:
    """All texts in a value, also those inside a text that is JSON itself."""
    if isinstance(value, Mapping):
        for part in value.values():
            yield from _texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part)
    elif isinstance(value, str) and value not in _MASKS:
        yield value
        if value[:1] in "{[":
            yield from _texts(_parsed(value))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield str(value)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


# --- sensitive variables and literals -------------------------------------------------------------------


def _mask_variables(document: dict[str, Any], secrets: set[str]) -> None:
    """The plan's own variables carry no marks: the configuration has them."""
    declared = mapping(mapping(mapping(document.get("configuration")).get("root_module")).get("variables"))
    given = document.get("variables")
    if isinstance(given, dict):
        for name, variable in given.items():
            if mapping(declared.get(name)).get("sensitive") and isinstance(variable, dict):
                variable["value"] = _replace(variable.get("value"), secrets)


def _mask_literals(document: dict[str, Any], secrets: set[str]) -> None:
    """Literals in the configuration that feed a sensitive attribute or a module's sensitive variable."""
    root = mapping(mapping(document.get("configuration")).get("root_module"))
    if root:
        _mask_module(root, _sensitive_attributes(document), secrets)


def _mask_module(module: Mapping[str, Any], marked: set[tuple[str, str]], secrets: set[str]) -> None:
    for resource in module.get("resources") or []:
        for attribute, expression in mapping(resource.get("expressions")).items():
            if (str(resource.get("type")), attribute) in marked or attribute in ALWAYS:
                _mask_expression(expression, secrets)
    for call in mapping(module.get("module_calls")).values():
        child = mapping(call.get("module"))
        for name, expression in mapping(call.get("expressions")).items():
            if mapping(mapping(child.get("variables")).get(name)).get("sensitive"):
                _mask_expression(expression, secrets)
        _mask_module(child, marked, secrets)


def _mask_expression(expression: Any, secrets: set[str]) -> None:
    if isinstance(expression, list):
        for part in expression:
            _mask_expression(part, secrets)
    elif isinstance(expression, dict):
        if "constant_value" in expression:
            expression["constant_value"] = _replace(expression["constant_value"], secrets)
        else:
            for part in expression.values():
                _mask_expression(part, secrets)


def _sensitive_attributes(document: Mapping[str, Any]) -> set[tuple[str, str]]:
    """(type, attribute) of everything that any planned change marks."""
    marked: set[tuple[str, str]] = set()
    for entry in document.get("resource_changes") or []:
        change = mapping(mapping(entry).get("change"))
        for side in ("before_sensitive", "after_sensitive"):
            found = mapping(change.get(side))
            marked |= {(str(entry.get("type")), name) for name, mark in found.items() if _marks(mark)}
    return marked


def _marks(mark: Any) -> bool:
    if isinstance(mark, Mapping):
        return any(_marks(part) for part in mark.values())
    return any(_marks(part) for part in mark) if isinstance(mark, list) else mark is True


# --- second pass: by text -----------------------------------------------------------------------------


def _pattern(secrets: Iterable[str]) -> re.Pattern[str] | None:
    return known_pattern(s for s in secrets if len(s) >= SHORTEST_SEARCHED and s not in CHANGED)


def _scrub(node: Any, pattern: re.Pattern[str] | None) -> Any:
    if pattern is None:
        return node
    if isinstance(node, Mapping):
        kept = _NAMES if node.get("mode") in ("managed", "data") and "type" in node else frozenset()
        return {
            pattern.sub(MASK, key): part if key in kept else _scrub(part, pattern)
            for key, part in node.items()
        }
    if isinstance(node, list):
        return [_scrub(part, pattern) for part in node]
    return pattern.sub(MASK, node) if isinstance(node, str) else node

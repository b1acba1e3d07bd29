"""A host's description of its API, as OpenAPI says it: what a request may be, what an answer is."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from openapi_schema_validator import OAS30Validator

_TEXTS = {"uri": "https://example.test/", "date-time": "2026-01-31T12:00:00Z", "email": "a@example.test"}


@dataclass(frozen=True)
class Operation:
    method: str
    template: str
    values: Mapping[str, str]  # of the path
    said: Mapping[str, Any]


@cache
def document(file: Path) -> dict[str, Any]:
    whole = json.loads(file.read_text(encoding="utf-8"))
    whole["paths"] = _inlined(whole["paths"], whole)
    return dict(whole)


def _inlined(node: Any, whole: Mapping[str, Any]) -> Any:
    if isinstance(node, list):
        return [_inlined(one, whole) for one in node]
    if not isinstance(node, dict):
        return node
    if isinstance(node.get("$ref"), str):
        _, _, kind, name = node["$ref"].split("/")
        return _inlined(whole["components"][kind][name], whole)
    return {key: _inlined(value, whole) for key, value in node.items()}


def find(file: Path, method: str, path: str) -> Operation | None:
    """The most literal template that fits; a reference and a file's path may hold slashes."""
    fitting = []
    for template, item in document(file)["paths"].items():
        pattern = re.sub(r"\{(ref|path|basehead)\}", r"(?P<\1>.+)", template)
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", pattern)
        found = re.fullmatch(pattern, path)
        if found and method.lower() in item:
            values = {name: unquote(value) for name, value in found.groupdict().items()}
            fitting.append(Operation(method, template, values, item[method.lower()]))
    return min(fitting, key=lambda one: one.template.count("{"), default=None)


def complaints(operation: Operation, query: Mapping[str, str], body: Any) -> list[str]:
    """What is wrong with a request."""
    found = []
    known = {one["name"]: one for one in operation.said.get("parameters", []) if one["in"] == "query"}
    for name, value in query.items():
        if name not in known:
            found.append(f"{operation.template}: no such parameter {name}")
            continue
        schema = known[name]["schema"]
        typed = int(value) if schema.get("type") == "integer" and value.isdecimal() else value
        found += [f"{name}: {error.message}" for error in OAS30Validator(schema).iter_errors(typed)]
    schema = _content(operation.said.get("requestBody", {}))
    if schema is None:
        return found + (["no body is taken"] if body is not None else [])
    if body is None:
        return [*found, "a body is missing"]
    found += [f"{error.json_path}: {error.message}" for error in OAS30Validator(schema).iter_errors(body)]
    return found + [f"no such field {name}" for name in body if name not in schema.get("properties", body)]


def _content(part: Mapping[str, Any]) -> Any:
    return part.get("content", {}).get("application/json", {}).get("schema")


def answer(operation: Operation, status: int, told: Any) -> Any:
    """What is told, with everything else that such an answer always has."""
    responses = operation.said["responses"]
    if str(status) not in responses:
        raise AssertionError(f"{operation.method} {operation.template} never answers {status}")
    schema = _content(responses[str(status)])
    if schema is None:
        return None
    whole = filled(schema, told)
    wrong = [f"{error.json_path}: {error.message}" for error in OAS30Validator(schema).iter_errors(whole)]
    assert not wrong, (operation.template, status, wrong[:5])
    return whole


def filled(schema: Mapping[str, Any], told: Any) -> Any:
    """What is told of a thing, and the least that has to be said besides."""
    if isinstance(told, list):
        return [filled(schema.get("items", {}), one) for one in told]
    if not isinstance(told, dict):
        return told
    inner = _properties(schema)
    whole = sample(schema)
    below = whole if isinstance(whole, dict) else {}
    if whole is None:
        below = {name: sample(inner[name]) for name in _required(schema)}
    return {**below, **{name: filled(inner.get(name, {}), value) for name, value in told.items()}}


def _properties(schema: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(schema.get("properties", {}))
    for way in ("allOf", "anyOf", "oneOf"):
        for one in schema.get(way, ())[: None if way == "allOf" else 1]:
            found |= _properties(one)
    return found


def _required(schema: Mapping[str, Any]) -> list[str]:
    found = list(schema.get("required", ()))
    for one in (*schema.get("allOf", ()), *schema.get("anyOf", ())[:1]):
        found += _required(one)
    return found


def sample(schema: Mapping[str, Any]) -> Any:
    """The least that a schema takes."""
    if "allOf" in schema:
        parts = [sample(one) for one in schema["allOf"]]
        return {key: value for part in parts for key, value in part.items()}
    for way in ("oneOf", "anyOf"):
        if way in schema:
            return sample(schema[way][0])
    if schema.get("nullable"):
        return None
    kind = schema.get("type", "object" if "properties" in schema else "string")
    if kind == "object":
        return {name: sample(schema["properties"][name]) for name in schema.get("required", ())}
    if kind == "string":
        return schema["enum"][0] if "enum" in schema else _TEXTS.get(schema.get("format", ""), "x")
    return {"integer": 1, "number": 1, "boolean": False, "array": []}[kind]

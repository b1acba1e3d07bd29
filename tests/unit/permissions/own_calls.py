"""Which operations of AWS our own code calls, and as which role, read from its syntax: no run shows them all.

A client is asked for in one place (`clients.get("rds", Role.PLAN)`) and used in another, such as
`snapshots.create(…)`: from whoever asks, every function and class is followed that may be given the client.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import botocore.session
from botocore import xform_name

ROOT = Path(__file__).resolve().parents[3]
ASKING = (
    "controlplane/adapters/aws/cloud.py",
    "controlplane/checkup.py",
    "controlplane/sources.py",
    "controlplane/telling.py",
    "controlplane/terraforms.py",
    "controlplane/wiring.py",
)
# Where a service is named by an argument: who is told of events names its topic or bus.
BY_ARGUMENT = {"controlplane/telling.py": ("events", "sns")}
# Methods of boto3 that are several operations.
SEVERAL = {"upload_file": ("PutObject", "AbortMultipartUpload")}


@dataclass(frozen=True)
class Place:
    """A function or a class, in its file."""

    file: str
    name: str


@cache
def operations(service: str) -> dict[str, str]:
    """By the name that boto3 gives them."""
    model = botocore.session.get_session().get_service_model(service)
    return {xform_name(name): name for name in model.operation_names}


@cache
def calls() -> dict[tuple[str, str, str], set[Place]]:
    """{(role, service, operation): where it is called}."""
    found: dict[tuple[str, str, str], set[Place]] = defaultdict(set)
    for file in ASKING:
        for asker in _askers(file):
            clients = set(_clients(file, asker))
            here = (Place(file, asker.name), asker)
            reached = [here, *((place, _node(place)) for place in _reached(file, asker))]
            for service, role in clients:
                for place, node in reached:
                    for operation in _called(node, service):
                        found[role, service, operation].add(place)
    return dict(found)


def _askers(file: str) -> Iterator[ast.FunctionDef]:
    """Functions; of the class that offers all of AWS, its methods."""
    for node in _tree(file).body:
        if isinstance(node, ast.FunctionDef):
            yield node
        elif isinstance(node, ast.ClassDef):
            yield from (method for method in node.body if isinstance(method, ast.FunctionDef))


def _clients(file: str, node: ast.AST) -> Iterator[tuple[str, str]]:
    """(service, role) of every client that is asked for here."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Attribute) and inner.attr in ("_secrets", "_parameters"):
            yield {"_secrets": "secretsmanager", "_parameters": "ssm"}[inner.attr], "data"
        elif isinstance(inner, ast.Call) and isinstance(inner.func, ast.Attribute):
            if inner.func.attr == "_rds":
                yield "rds", _role(inner.args)
            elif inner.func.attr == "get" and "clients" in ast.unparse(inner.func.value).lower():
                for service in _services(file, inner.args[0]):
                    yield service, _role(inner.args[1:])


def _role(given: list[ast.expr]) -> str:
    return given[0].attr.lower() if given and isinstance(given[0], ast.Attribute) else "data"


def _services(file: str, said: ast.expr) -> tuple[str, ...]:
    if isinstance(said, ast.Constant):
        return (str(said.value),)
    if isinstance(said, ast.Name):
        return BY_ARGUMENT[file]
    assert isinstance(said, ast.Attribute), ast.unparse(said)
    assert isinstance(said.value, ast.Name)
    where = _imports(file)[said.value.id]
    (value,) = (
        node.value.value
        for node in _tree(where).body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        if ast.unparse(node.targets[0]) == said.attr
    )
    return (str(value),)


def _reached(file: str, start: ast.AST) -> set[Place]:
    """What is called from here, in our adapters."""
    reached: set[Place] = set()
    open_ends = [(file, start)]
    while open_ends:
        where, node = open_ends.pop()
        for place in _calls_of_ours(where, node):
            if place not in reached:
                reached.add(place)
                open_ends.append((place.file, _node(place)))
    return reached


def _calls_of_ours(file: str, node: ast.AST) -> Iterator[Place]:
    own, imported = _definitions(file), _imports(file)
    for inner in ast.walk(node):
        if not isinstance(inner, ast.Call):
            continue
        match inner.func:
            case ast.Name(id=name) if name in own and "adapters" in file:
                yield Place(file, name)
            case ast.Name(id=name) if name in _definitions(imported.get(name, "")):
                yield Place(imported[name], name)
            case ast.Attribute(value=ast.Name(id=module), attr=name) if name in _definitions(
                imported.get(module, "")
            ):
                yield Place(imported[module], name)


def _called(node: ast.AST, service: str) -> Iterator[str]:
    known = operations(service)
    for inner in ast.walk(node):
        if isinstance(inner, ast.Attribute):  # called, or handed on to be
            yield from SEVERAL.get(inner.attr, [known[inner.attr]] if inner.attr in known else [])
        elif isinstance(inner, ast.Call) and ast.unparse(inner.func).endswith("get_paginator"):
            assert isinstance(inner.args[0], ast.Constant)
            yield known[str(inner.args[0].value)]


@cache
def _tree(file: str) -> ast.Module:
    return ast.parse((ROOT / file).read_text(encoding="utf-8"))


@cache
def _definitions(file: str) -> dict[str, ast.AST]:
    if not file:
        return {}
    kinds = ast.FunctionDef | ast.ClassDef
    return {node.name: node for node in _tree(file).body if isinstance(node, kinds)}


def _node(place: Place) -> ast.AST:
    return _definitions(place.file)[place.name]


@cache
def _imports(file: str) -> dict[str, str]:
    """{name: file of our adapters that it stands in, or that it is}."""
    found = {}
    for node in ast.walk(_tree(file)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("controlplane.adapters"):
            for alias in node.names:
                found[alias.asname or alias.name] = _home(f"{node.module}.{alias.name}")
    return found


def _home(name: str) -> str:
    """The file of a module, or of what is imported from one, through packages that pass it on."""
    package, _, last = name.rpartition(".")
    for module in (name, package):
        path = module.replace(".", "/")
        if (ROOT / f"{path}.py").is_file():
            return f"{path}.py"
        if (ROOT / path / "__init__.py").is_file():
            inside = f"{path}/__init__.py"
            return _imports(inside).get(last, inside)
    return ""


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))

"""Changing verbs made from the request models of operations: a field is an option, a new field a new one.

What a verb is called and says in help stands here, so that `--help` need not import the operations; a test
holds this list and what is offered together.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Mapping
from enum import Enum
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from controlplane.domain.errors import FieldError, Invalid
from controlplane.terminal.options import option

# kind → summary, for verbs on one tenant
TENANT_VERBS: Mapping[str, str] = {
    "resize": "Change its size or its storage.",
    "upgrade": "Take it to production, with its data.",
    "suspend": "Stop its database.",
    "resume": "Start its database again.",
    "rotate": "Give its application another password.",
    "reconcile": "Bring what is there to what is wanted.",
    "restore": "Bring back what it was at a time, or what was destroyed.",
    "drill": "Restore its newest backup beside it, verify it, and remove the copy.",
    "adopt": "Take over a database that exists.",
    "destroy": "Take a final snapshot, prove it, and remove the database.",
}
_RENAMED = {"labels": "label"}
_PAIRS = frozenset(_RENAMED)


def options(model: type[Any], without: frozenset[str] = frozenset()) -> list[inspect.Parameter]:
    """A parameter for every field of a pydantic model."""
    return [_parameter(name, field) for name, field in model.model_fields.items() if name not in without]


def _parameter(name: str, field: Any) -> inspect.Parameter:
    hint, is_pairs = _simple(field.annotation)
    flag = "--" + _RENAMED.get(name, name).rstrip("_").replace("_", "-")
    if is_pairs:
        return option(name, list[str], flag, help="As key=value; may be repeated.", default=[])
    if field.is_required():
        return option(name, hint, flag, help=_words(name))
    if hint is bool:
        flag = f"{flag}/--no-{flag[2:]}"
    return option(name, hint | None, flag, help=_words(name), default=None)


def _words(name: str) -> str:
    return name.rstrip("_").replace("_", " ").replace(" gb", " in GB").capitalize() + "."


def _simple(hint: Any) -> tuple[Any, bool]:
    """The type that a command line can carry, and whether it is a mapping given as pairs."""
    origin = get_origin(hint)
    if origin is Annotated:
        return _simple(get_args(hint)[0])
    if origin in (Union, types.UnionType):
        return _simple(next(a for a in get_args(hint) if a is not type(None)))
    if origin in (dict, Mapping) or hint is dict:
        return str, True
    if origin in (list, tuple):
        return list[str], False
    if origin is Literal or hint in (int, bool, float) or (isinstance(hint, type) and issubclass(hint, Enum)):
        return hint, False
    return str, False


def body(values: Mapping[str, Any]) -> dict[str, Any]:
    """What was said, as a request's body; what was left out is derived by the service."""
    said = {name: _plain(value) for name, value in values.items() if value not in (None, "", [])}
    return said | {name: pairs(said[name]) for name in _PAIRS & said.keys()}


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, Enum) else value


def pairs(given: list[str]) -> dict[str, str]:
    """`key=value` texts as a mapping."""
    found: dict[str, str] = {}
    for text in given:
        key, equals, value = text.partition("=")
        if not equals or not key:
            message = f"{text!r} is no label: say key=value"
            raise Invalid(message, errors=[FieldError("label", message)])
        found[key] = value
    return found

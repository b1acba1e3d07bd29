"""Shapes of tfvars: one description from which values are checked and root variables are declared.

Terraform drops attributes that it does not know and turns "20" into 20; so whatever goes into a tfvars file
passes here first.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from controlplane.domain.errors import FieldError, Invalid

Shape = Any  # str, int, bool, MapOf, ListOf, Maybe, or a dict of shapes


@dataclass(frozen=True)
class MapOf:
    of: Shape


@dataclass(frozen=True)
class ListOf:
    of: Shape


@dataclass(frozen=True)
class Maybe:
    of: Shape


@dataclass(frozen=True, eq=False)
class Variable:
    """A root variable. Compared by identity: what is declared once is rendered once."""

    name: str
    description: str
    shape: Shape

    @property
    def type(self) -> str:
        return hcl_type(self.shape)


_CONTAINERS: dict[type, Any] = {dict: Mapping, MapOf: Mapping, ListOf: (list, tuple)}
_SCALARS = {str: "string", int: "number", bool: "bool"}


def hcl_type(shape: Shape, indent: str = "  ") -> str:
    """The shape as a type constraint, laid out as `terraform fmt` wants it."""
    if isinstance(shape, Maybe):
        return hcl_type(shape.of, indent)
    if isinstance(shape, MapOf):
        return f"map({hcl_type(shape.of, indent)})"
    if isinstance(shape, ListOf):
        return f"list({hcl_type(shape.of, indent)})"
    if not isinstance(shape, dict):
        return _SCALARS[shape]
    types = {key: hcl_type(inner, indent + "  ") for key, inner in shape.items()}
    width = max(len(key) for key, text in types.items() if "\n" not in text)
    lines = [
        f"{indent}  {key if chr(10) in text else key.ljust(width)} = {text}" for key, text in types.items()
    ]
    return "object({\n" + "\n".join(lines) + f"\n{indent}}})"


def checked(what: str, variables: tuple[Variable, ...], values: Mapping[str, Any]) -> dict[str, Any]:
    """The values, with text in Unicode's composed form as Terraform keeps it; raises naming every misfit."""
    errors: list[FieldError] = []
    result: dict[str, Any] = _fit({v.name: v.shape for v in variables}, values, "", errors)
    if errors:
        named = "; ".join(f"{error.field} {error.message}" for error in errors[:5])
        raise Invalid(f"rendering {what}: {named}", errors=errors)
    return result


def text_problem(text: str) -> str:
    """Why Terraform, JSON or AWS could not carry this text; empty when they can."""
    if "\0" in text:
        return "holds a NUL character"
    if any("\ud800" <= character <= "\udfff" for character in text):
        return "holds half of a surrogate pair, which is no character"
    return ""


def _fit(shape: Shape, value: Any, path: str, errors: list[FieldError]) -> Any:
    if type(value) is shape:  # a scalar, as most are
        return _fit_text(value, path, errors) if shape is str else value
    if isinstance(shape, Maybe):
        return None if value is None else _fit(shape.of, value, path, errors)
    if isinstance(shape, type) or not isinstance(value, _CONTAINERS[type(shape)]):
        errors.append(FieldError(path, f"is {_kind(value)}, wanted {_wanted(shape)}"))
        return None
    if isinstance(shape, dict):
        return _fit_object(shape, value, path, errors)
    if isinstance(shape, ListOf):
        return [_fit(shape.of, inner, f"{path}[{i}]", errors) for i, inner in enumerate(value)]
    return {
        _fit(str, key, f"{path}[key]", errors): _fit(shape.of, inner, f"{path}[{key!r}]", errors)
        for key, inner in value.items()
    }


def _fit_object(
    shape: Mapping[str, Shape], value: Mapping[str, Any], path: str, errors: list[FieldError]
) -> dict[str, Any]:
    dot = f"{path}." if path else ""
    if value.keys() != shape.keys():
        errors += _misfits(shape, value, dot)
    return {
        key: _fit(inner, value[key], f"{dot}{key}", errors) for key, inner in shape.items() if key in value
    }


def _misfits(shape: Mapping[str, Shape], value: Mapping[str, Any], dot: str) -> Iterator[FieldError]:
    allowed = ", ".join(sorted(shape))
    for key in value:
        if key not in shape:
            yield FieldError(f"{dot}{key}", f"is no attribute here; allowed: {allowed}")
    for key in shape:
        if key not in value:
            yield FieldError(f"{dot}{key}", "is missing")


def _fit_text(text: str, path: str, errors: list[FieldError]) -> str:
    if text.isascii() and "\0" not in text:
        return text
    problem = text_problem(text)
    if problem:
        errors.append(FieldError(path, problem))
        return ""
    return unicodedata.normalize("NFC", text)


def _kind(value: Any) -> str:
    return "null" if value is None else f"of type {type(value).__name__}"


def _wanted(shape: Shape) -> str:
    if isinstance(shape, dict):
        return "an object"
    if isinstance(shape, MapOf):
        return "a map"
    return "a list" if isinstance(shape, ListOf) else _SCALARS[shape]

"""Formulas of the reference tables: arithmetic over prices, rules and other rows, and nothing else.

A formula is read with Python's own grammar and walked here: numbers, text, names of earlier rows, + - * /
and calls of the given functions. Whatever else it holds is refused.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from controlplane.domain.errors import FieldError, Invalid

Value = Decimal | str
Function = Callable[..., Decimal]

_OPERATORS: Mapping[type[ast.operator], Callable[[Decimal, Decimal], Decimal]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
}


def evaluate(formula: str, rows: Mapping[str, Decimal | None], functions: Mapping[str, Function]) -> Decimal:
    """The value of a formula; decimal all the way."""
    try:
        tree = ast.parse(formula, mode="eval")
    except SyntaxError as error:
        raise _refused(formula, error.msg) from error
    value = _walk(tree.body, _Scope(formula, rows, functions))
    if isinstance(value, str):
        raise _refused(formula, "is text, not a number")
    return value


class _Scope:
    def __init__(
        self, formula: str, rows: Mapping[str, Decimal | None], functions: Mapping[str, Function]
    ) -> None:
        self.formula, self.rows, self.functions = formula, rows, functions


def _walk(node: ast.expr, scope: _Scope) -> Value:
    if isinstance(node, ast.Constant):
        return _constant(node, scope)
    if isinstance(node, ast.Name):
        return _row(node.id, scope)
    if isinstance(node, ast.Call):
        return _call(node, scope)
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        return _OPERATORS[type(node.op)](_number(node.left, scope), _number(node.right, scope))
    raise _refused(scope.formula, f"{type(node).__name__} is not part of a formula")


def _constant(node: ast.Constant, scope: _Scope) -> Value:
    if isinstance(node.value, str):
        return node.value
    if isinstance(node.value, bool) or not isinstance(node.value, int | float):
        raise _refused(scope.formula, f"{node.value!r} is no number")
    return Decimal(str(node.value))  # the shortest text of a literal is the literal


def _row(name: str, scope: _Scope) -> Decimal:
    value = scope.rows.get(name)
    if value is None:
        raise _refused(scope.formula, f"there is no computed row {name!r} before it")
    return value


def _call(node: ast.Call, scope: _Scope) -> Decimal:
    if not isinstance(node.func, ast.Name) or node.keywords or node.func.id not in scope.functions:
        raise _refused(scope.formula, "calls something that is no function of formulas")
    arguments: list[Any] = [_walk(argument, scope) for argument in node.args]
    return scope.functions[node.func.id](*arguments)


def _number(node: ast.expr, scope: _Scope) -> Decimal:
    value = _walk(node, scope)
    if isinstance(value, str):
        raise _refused(scope.formula, f"{value!r} is text, not a number")
    return value


def _refused(formula: str, why: str) -> Invalid:
    return Invalid(f"the formula {formula!r} cannot be computed: {why}", errors=[FieldError("formula", why)])

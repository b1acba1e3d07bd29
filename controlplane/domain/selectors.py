"""Selectors: which tenants a bulk change, a list or a window is about, as `stage=poc,tier in (small,medium)`.

Kubernetes' grammar: k=v, k==v, k!=v, k in (a,b), k notin (a,b), k, !k, joined by commas: all must hold.
A key is one of the tenant's own fields or a label; a tenant without the key is matched by != and notin.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from controlplane.domain.errors import FieldError, Invalid

# The tenant's own fields; a label of the same name never hides one.
FIELDS = ("slug", "stage", "size", "phase", "region", "cell", "environment", "blueprint", "cost_tier")

_KEY = r"[A-Za-z0-9](?:[A-Za-z0-9._/-]*[A-Za-z0-9])?"
_VALUE = r"[A-Za-z0-9](?:[A-Za-z0-9._:/@+-]*[A-Za-z0-9])?"
_EQUALS = re.compile(rf"({_KEY})\s*(==|=|!=)\s*({_VALUE})?")
_IN = re.compile(rf"({_KEY})\s+(in|notin)\s*\(([^()]*)\)")
_EXISTS = re.compile(rf"(!?)\s*({_KEY})")
_SPLIT = re.compile(r",(?![^(]*\))")  # a comma inside parentheses separates values
_GRAMMAR = "k=v, k!=v, k in (a,b), k notin (a,b), k or !k, joined by commas"


class Operator(StrEnum):
    IN = "in"
    NOT_IN = "notin"
    EXISTS = "exists"
    MISSING = "missing"


@dataclass(frozen=True)
class Term:
    """One condition. `=` and `!=` are `in` and `notin` of one value."""

    key: str
    operator: Operator
    values: frozenset[str] = frozenset()

    @property
    def is_field(self) -> bool:
        return self.key in FIELDS

    def matches(self, subject: Mapping[str, str]) -> bool:
        if self.operator is Operator.EXISTS:
            return self.key in subject
        if self.operator is Operator.MISSING:
            return self.key not in subject
        return (subject.get(self.key) in self.values) == (self.operator is Operator.IN)


@dataclass(frozen=True)
class Selector:
    terms: tuple[Term, ...] = ()

    def matches(self, subject: Mapping[str, str]) -> bool:
        """Without terms it matches everything."""
        return all(term.matches(subject) for term in self.terms)


def parse_selector(text: str) -> Selector:
    if not text.strip():
        return Selector()
    return Selector(tuple(_term(part.strip(), text) for part in _SPLIT.split(text)))


def subject_of(fields: Mapping[str, str], labels: Mapping[str, str]) -> dict[str, str]:
    """What a selector looks at: a tenant's labels, and its own fields over them."""
    return {**labels, **{key: str(value) for key, value in fields.items() if key in FIELDS}}


def _term(part: str, whole: str) -> Term:
    if found := _EQUALS.fullmatch(part):
        operator = Operator.NOT_IN if found[2] == "!=" else Operator.IN
        return Term(found[1], operator, frozenset({found[3] or ""}))
    if found := _IN.fullmatch(part):
        values = frozenset(value.strip() for value in found[3].split(","))
        if all(re.fullmatch(_VALUE, value) for value in values):
            return Term(found[1], Operator(found[2]), values)
    if found := _EXISTS.fullmatch(part):
        return Term(found[2], Operator.MISSING if found[1] else Operator.EXISTS)
    raise Invalid(
        f"the selector {whole!r} cannot be read at {part!r}",
        hint=f"write {_GRAMMAR}",
        errors=[FieldError("selector", f"{part!r} is none of: {_GRAMMAR}")],
    )

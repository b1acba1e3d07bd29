"""What an operation is made of: its request, its rounds, and the phase in which it leaves its tenant."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import BaseModel, ConfigDict

from controlplane.domain.errors import FieldError, Invalid
from controlplane.domain.operation import Kind
from controlplane.domain.tenant import Phase

StepCall = Callable[[str], Any]


class Request(BaseModel):
    """A request's body: unknown fields are refused, so that a typing error never passes as a default."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True)
class Round:
    """One plan and its apply, with the effects before and after it."""

    name: str
    prepare: tuple[StepCall, ...] = ()
    before: tuple[StepCall, ...] = ()  # once it may be applied: approved, and its window open
    complete: tuple[StepCall, ...] = ()
    destroys: bool = False
    plans: bool = True  # False: Terraform has no part in it, all is done by `complete`
    applies: bool = True  # False: it ends with the plan
    by_steps: bool = False  # what was planned is what `before` brings about; Terraform takes it over later
    phase: Phase | None = None  # of the tenant while it is applied


@dataclass(frozen=True)
class OperationType:
    """One kind of operation; everything that a door needs to offer it."""

    kind: Kind
    summary: str
    request: type[Request]
    rounds: tuple[Round, ...]
    done_phase: Phase | None = None
    from_phases: frozenset[Phase] = frozenset()  # of the tenant, to be accepted
    destructive: bool = False
    # Rounds of their own by the payload's `variant`, where one verb does quite different things.
    variants: Mapping[str, tuple[Round, ...]] = field(default_factory=dict)
    # The round that is done whatever failed before it, so that nothing of what was begun stays.
    tidies: int | None = None
    # What takes back what was begun, where that can be done; called before an end that was not wanted.
    unwind: StepCall | None = None

    def varied(self, variant: str) -> OperationType:
        """The same with the rounds of this variant."""
        return replace(self, rounds=self.variants.get(variant, self.rounds))


_types: dict[Kind, OperationType] = {}


def offer(of: OperationType) -> OperationType:
    """Make a kind known to the workflow and to every door."""
    if of.kind in _types:
        raise ValueError(f"two operation types of kind {of.kind}")
    _types[of.kind] = of
    return of


def operation_type(kind: Kind) -> OperationType:
    found = _types.get(kind)
    if found is None:
        offered_kinds = ", ".join(of.kind.value for of in offered())
        message = f"there is no operation {kind.value!r} here; one of: {offered_kinds}"
        raise Invalid(message, errors=[FieldError("kind", message)])
    return found


def offered() -> list[OperationType]:
    return [_types[kind] for kind in Kind if kind in _types]

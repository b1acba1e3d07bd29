"""The life itself, in the program's own commands, and the way back, which is taken whatever happens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

BLUEPRINT, ENVIRONMENT = "fargate_db_per_tenant", "development"
AUTO = ("--auto-approve", "--timeout", "2h", "--reason", "a smoke test of this account")
Run = Callable[[Sequence[str]], int]

PRICED = (
    ("blueprint", "cost", BLUEPRINT, "--environment", ENVIRONMENT, "--tenants", "1"),
    ("cost", "estimate", "--stage", "poc", "--size", "micro"),
)


def life(slug: str) -> list[tuple[str, ...]]:
    """From nothing to a tenant that was changed, rested and looked after."""
    return [
        ("db", "migrate"),
        ("doctor",),
        ("blueprint", "apply", BLUEPRINT, "--environment", ENVIRONMENT, *AUTO),
        ("tenant", "create", slug, "--dry-run"),
        ("tenant", "create", slug, *AUTO),
        ("tenant", "show", slug),
        ("drift", "scan", "--full"),
        ("tenant", "resize", slug, "--size", "small", *AUTO),
        ("tenant", "rotate", slug, *AUTO),
        ("tenant", "suspend", slug, *AUTO),
        ("tenant", "resume", slug, *AUTO),
        ("tenant", "reconcile", slug, *AUTO),
    ]


def way_back(slug: str) -> list[tuple[str, ...]]:
    return [
        ("tenant", "destroy", slug, "--confirm", slug, *AUTO),
        ("blueprint", "destroy", BLUEPRINT, "--environment", ENVIRONMENT, "--confirm", BLUEPRINT, *AUTO),
    ]


@dataclass(frozen=True)
class Outcome:
    broken: str  # where the life ended early; empty: it did not
    left: Sequence[Sequence[str]]  # of the way back, what did not work: that a person has to do

    @property
    def is_good(self) -> bool:
        return not self.broken and not self.left


def live(run: Run, slug: str) -> Outcome:
    """The way back is that of what was begun, in the other order."""
    begun: list[tuple[str, ...]] = []

    def lived(command: tuple[str, ...]) -> bool:
        begun.append(command)
        return run(command) == 0

    try:
        broken = next((" ".join(command) for command in life(slug) if not lived(command)), "")
    except KeyboardInterrupt:
        broken = "interrupted by a person"
    made = [any(command[0] == back[0] and AUTO[0] in command for command in begun) for back in way_back(slug)]
    return Outcome(broken, [c for c, there in zip(way_back(slug), made, strict=True) if there and run(c)])

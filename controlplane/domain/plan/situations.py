"""The three-way look: what the catalog records, what Terraform's state records, what AWS has.

Each of the eight combinations has a name and one safe next step. None of them deletes anything by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Situation:
    name: str
    meaning: str
    next_step: str
    is_fine: bool = False
    for_a_person: bool = False  # nothing may be planned before somebody has looked


# (in the catalog, in the state, in AWS)
SITUATIONS: Mapping[tuple[bool, bool, bool], Situation] = {
    (True, True, True): Situation(
        "managed", "everybody knows it", "nothing to do; `drift scan` compares the values", is_fine=True
    ),
    (False, False, False): Situation("absent", "nobody has it", "nothing to do", is_fine=True),
    (True, False, False): Situation(
        "wanted",
        "it is recorded and was never made, or both state and database are gone",
        "`tenant reconcile` makes it; if it was ready before, `tenant restore` from its last snapshot",
    ),
    (True, True, False): Situation(
        "vanished",
        "it was deleted outside: the next apply would make an empty database in its place",
        "do not apply; `tenant restore` from its last snapshot",
        for_a_person=True,
    ),
    (True, False, True): Situation(
        "unrecorded",
        "it was made and the state does not know it: an interrupted create, or a lost state",
        "`operation settle` imports it after a look at its ownership tags; a plan before that would fail",
    ),
    (False, True, True): Situation(
        "uncatalogued",
        "it is managed and the catalog has lost it",
        "`catalog rebuild` records it from the state and its tags",
        for_a_person=True,
    ),
    (False, True, False): Situation(
        "ghost",
        "only the state remembers it",
        "look once more in AWS and in the other regions, then remove it from the state",
        for_a_person=True,
    ),
    (False, False, True): Situation(
        "orphan",
        "only AWS has it, and it costs",
        "`catalog orphans` lists it; `tenant adopt` takes it over, a person removes it",
        for_a_person=True,
    ),
}  # fmt: skip


# Recorded as standing beside what Terraform knows, and not in AWS.
LEFT_GONE = Situation(
    "left_gone",
    "the side that a switchover left was deleted outside: there is nothing to go back to",
    "`migration finalize` ends its migration",
    for_a_person=True,
)


def find_situation(*, in_catalog: bool, in_state: bool, in_aws: bool, ours: bool = True) -> Situation:
    """The situation of one resource; what AWS has without our tags is nobody's to import."""
    situation = SITUATIONS[in_catalog, in_state, in_aws]
    if not in_aws or ours or in_state:
        return situation
    return Situation(
        "foreign",
        "AWS has something of this name without our ownership tags",
        "find out whose it is; `tenant adopt` takes it over",
        for_a_person=True,
    )


def find_situations(
    catalog: Iterable[str], state: Iterable[str], aws: Mapping[str, bool]
) -> dict[str, Situation]:
    """Identifier → situation, for everything that anybody knows; `aws` says whether it carries our tags."""
    recorded, stated = set(catalog), set(state)
    return {
        name: find_situation(
            in_catalog=name in recorded, in_state=name in stated, in_aws=name in aws, ours=aws.get(name, True)
        )
        for name in sorted(recorded | stated | set(aws))
    }

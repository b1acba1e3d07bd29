"""What has to be true before a tenant goes to production: what a machine can check it checks, for the rest
a named person answers."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from controlplane.domain.errors import FieldError, Refused


class Item(StrEnum):
    ERROR_HANDLING = "error_handling"
    SCHEMA_STABLE = "schema_stable"
    SECURITY_REVIEW = "security_review"
    LOAD_TEST = "load_test"
    RECOVERY_TESTED = "recovery_tested"
    ALARMS = "alarms"
    ON_CALL = "on_call"
    BACKUP_TESTED = "backup_tested"
    WORKFLOWS_DOCUMENTED = "workflows_documented"
    CUSTOMER_TOLD = "customer_told"
    STAYS_IN_NETWORK = "stays_in_network"


WORDS: Mapping[Item, str] = {
    Item.ERROR_HANDLING: "the application's error handling is ready for production",
    Item.SCHEMA_STABLE: "the schema is stable",
    Item.SECURITY_REVIEW: "IAM, encryption and network isolation were reviewed",
    Item.LOAD_TEST: "a load test was done",
    Item.RECOVERY_TESTED: "recovery is documented and was tested",
    Item.ALARMS: "alarms are set and somebody gets them",
    Item.ON_CALL: "there is an on-call rotation",
    Item.BACKUP_TESTED: "a backup was restored as a test",
    Item.WORKFLOWS_DOCUMENTED: "onboarding and offboarding are documented",
    Item.CUSTOMER_TOLD: "the customer knows of the window",
    Item.STAYS_IN_NETWORK: "the database stays in the network and under the key that it has now",
}
EVERY_UPGRADE = tuple(item for item in Item if item is not Item.STAYS_IN_NETWORK)


@dataclass(frozen=True)
class Answer:
    item: Item
    met: bool
    by: str = ""  # "machine", or a person
    evidence: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "item": self.item.value,
            "words": WORDS[self.item],
            "met": self.met,
            "by": self.by,
            "evidence": self.evidence,
        }


def answers(
    wanted: Collection[Item], found: Mapping[Item, str], acknowledged: Mapping[Item, str], person: str
) -> list[Answer]:
    """`found`: what the machine saw. `acknowledged`: what a person said before, or says now (`person`)."""
    return [
        Answer(item, True, "machine", found[item])
        if item in found
        else Answer(item, True, acknowledged[item] or person, "acknowledged")
        if item in acknowledged
        else Answer(item, False)
        for item in wanted
    ]


def require(slug: str, given: Collection[Answer]) -> None:
    """Raise naming everything that nobody has answered for."""
    missing = [answer.item for answer in given if not answer.met]
    if not missing:
        return
    named = "; ".join(f"{item}: {WORDS[item]}" for item in missing)
    options = " ".join(f"--acknowledge {item}" for item in missing)
    raise Refused(
        f"upgrading {slug}: nobody has answered for {len(missing)} prerequisites: {named}",
        hint=f"who answers for them adds: {options}",
        errors=[FieldError("acknowledge", f"{item} is missing") for item in missing],
        details={"checklist": [answer.to_json() for answer in given]},
    )

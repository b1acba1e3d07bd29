"""What has to be true before a platform carries production: proven by its rendering, or answered for."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from controlplane.domain.errors import FieldError, Invalid, Refused


@dataclass(frozen=True)
class LaunchItem:
    name: str
    words: str
    list: str  # launch, security
    day: int = 0  # of the week before a launch; 0: of no day
    proven_by: tuple[str, ...] = ()  # modules, all of them; "a|b" is one of two


@dataclass(frozen=True)
class Acknowledgement:
    """A person's word for an item."""

    by: str
    at: str


@dataclass(frozen=True)
class LaunchAnswer:
    item: LaunchItem
    by: str = ""  # rendering, or a person; empty: nobody yet
    evidence: str = ""
    at: str = ""

    @property
    def is_met(self) -> bool:
        return bool(self.by)

    def to_json(self) -> dict[str, Any]:
        return {
            "item": self.item.name,
            "words": self.item.words,
            "list": self.item.list,
            "day": self.item.day,
            "met": self.is_met,
            "by": self.by,
            "at": self.at,
            "evidence": self.evidence,
            "needs": "" if self.is_met else _need(self.item),
        }


RENDERING = "rendering"


def answers(
    items: Sequence[LaunchItem],
    wired: Mapping[str, Collection[str]],
    said: Mapping[str, Acknowledgement],
) -> list[LaunchAnswer]:
    """`wired`: the calls of each module in the rendering. A proof counts for more than a word."""
    return [_answer(item, wired, said.get(item.name)) for item in items]


def check_known(items: Sequence[LaunchItem], names: Collection[str]) -> None:
    known = [item.name for item in items]
    for name in names:
        if name not in known:
            message = f"there is no item {name!r}; known: {', '.join(known)}"
            raise Invalid(f"acknowledge: {message}", errors=[FieldError("acknowledge", message)])


def require(subject: str, given: Sequence[LaunchAnswer], command: str) -> None:
    """Raise naming everything that is neither proven nor answered for."""
    missing = [answer.item for answer in given if not answer.is_met]
    if not missing:
        return
    named = "; ".join(f"{item.name}: {item.words}" for item in missing)
    raise Refused(
        f"{subject}: {len(missing)} items of the launch checklist are open: {named}",
        hint=f"who answers for them: {command} " + " ".join(f"--acknowledge {item.name}" for item in missing),
        errors=[FieldError("acknowledge", f"{item.name} is open") for item in missing],
        details={"checklist": [answer.to_json() for answer in given]},
    )


def _answer(
    item: LaunchItem, wired: Mapping[str, Collection[str]], said: Acknowledgement | None
) -> LaunchAnswer:
    calls = [_call(choice, wired) for choice in item.proven_by]
    if calls and all(calls):
        return LaunchAnswer(item, RENDERING, ", ".join(calls))
    if said:
        return LaunchAnswer(item, said.by, "acknowledged", said.at)
    return LaunchAnswer(item)


def _call(choice: str, wired: Mapping[str, Collection[str]]) -> str:
    """The first call of one of these modules, as it stands in the rendering."""
    for name in choice.split("|"):
        for call in wired.get(name, ()):
            return f"module.{call} ({name})"
    return ""


def _need(item: LaunchItem) -> str:
    if not item.proven_by:
        return "a person's word, with a date"
    modules = " and ".join(choice.replace("|", " or ") for choice in item.proven_by)
    return f"the module {modules} in the blueprint, or a person's word, with a date"

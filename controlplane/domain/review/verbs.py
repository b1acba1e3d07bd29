"""What people may say to a review on its host's page, and who they are here."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Verb(StrEnum):
    PLAN = "plan"
    APPLY = "apply"
    CANCEL = "cancel"
    UNLOCK = "unlock"
    APPROVE_POLICIES = "approve_policies"
    EXPLAIN = "explain"
    HELP = "help"


MEANINGS: Mapping[Verb, str] = {
    Verb.PLAN: "plan again what `tenant.yaml` on this branch says; hand edits of other files are discarded",
    Verb.APPLY: "merge, and apply what was planned",
    Verb.CANCEL: "stop what is being done, as far as it can be stopped",
    Verb.UNLOCK: "give this change up: the review is closed, and the tenant is free",
    Verb.APPROVE_POLICIES: "say yes to this very commit, where policy wants another person",
    Verb.EXPLAIN: "what it waits for, and who may act",
    Verb.HELP: "this",
}


@dataclass(frozen=True)
class Said:
    """`verb` is None for a word that is none."""

    verb: Verb | None
    word: str


@dataclass(frozen=True)
class Person:
    """Who a host's login is here; `role` and `tenants` as everywhere."""

    name: str
    role: str
    tenants: tuple[str, ...] = ()


@dataclass(frozen=True)
class HostRules:
    """The server's own word about its host; nothing of it is ever read from a repository."""

    kind: str = ""  # github; empty: the embedded repository
    verb: str = "controlplane"  # what a comment for us begins with
    people: Mapping[str, Person] = field(default_factory=dict)  # by login, in lower case
    webhook_secret: Callable[[], str] = field(default=lambda: "", repr=False)  # read when it is needed

    def person(self, login: str) -> Person | None:
        return self.people.get(login.lower())


def parse(text: str, name: str) -> Said | None:
    """The first line that begins with our name says what is wanted; None: it is not said to us."""
    pattern = re.compile(rf"/?{re.escape(name)}(?:[ \t]+(\S+))?(?=\s|$)", re.IGNORECASE)
    for line in text[:10_000].splitlines():
        found = pattern.match(line.strip())
        if found is None:
            continue
        word = (found[1] or Verb.HELP).lower()[:40]
        return Said(Verb(word) if word in tuple(Verb) else None, word)
    return None


def usage(name: str, word: str = "") -> str:
    """Help, and for a word that we do not know that we do not."""
    head = f"`{_plain(word)}` is not known here. " if word else ""
    rows = "\n".join(f"| `{name} {verb}` | {meaning} |" for verb, meaning in MEANINGS.items())
    return f"{head}What can be said:\n\n| | |\n|---|---|\n{rows}\n"


def _plain(word: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]", "", word)[:40]

"""What is asked of the place where reviews live. A port: the adapter is chosen by wiring.

Nothing of a repository is ever checked out or run: it is read as data, and written as whole folders.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from controlplane.domain.review.layout import Change


@dataclass(frozen=True)
class Look:
    """A branch as it stands: its newest commit, where it left the base, and what differs since."""

    head: str
    base: str
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True)
class Signature:
    """Who made a commit, and when; the committer is always us."""

    author: str
    at: datetime


@dataclass(frozen=True)
class Proposal:
    """One folder as it shall be, on a branch. `seen`: the head that the branch must still have."""

    branch: str
    folder: str
    files: Mapping[str, str]  # relative to the folder; none: the folder goes
    message: str
    signature: Signature
    seen: str = ""


@dataclass(frozen=True)
class Merge:
    """Take one folder of a branch into the base. Refused when either moved since it was looked at."""

    branch: str
    folder: str
    head: str
    base: str
    message: str
    signature: Signature


@dataclass(frozen=True)
class Publication:
    """What the base shall hold by our own word: whole folders, and single files."""

    message: str
    signature: Signature
    folders: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Check:
    name: str
    state: str  # success, failure, pending
    text: str = ""


@dataclass(frozen=True)
class Case:
    """A review as its host shall show it: one sticky comment in parts, checks on its commit."""

    review: str
    branch: str
    head: str
    title: str
    parts: tuple[str, ...]
    checks: tuple[Check, ...]
    is_over: bool = False


@dataclass(frozen=True)
class Vote:
    """An approval by a host's login, of one commit."""

    login: str
    commit: str


@dataclass(frozen=True)
class Standing:
    """What the host says of a branch's review. Logins are the host's; who they are is ours to say."""

    number: int
    url: str
    head: str
    author: str = ""
    is_open: bool = True
    is_foreign: bool = False  # it comes from a fork
    is_draft: bool = False  # its author asks for nothing yet
    merged_commit: str = ""  # empty: it is not merged
    merged_by: str = ""
    approvals: tuple[Vote, ...] = ()


@dataclass(frozen=True)
class Comment:
    id: str
    login: str
    text: str
    at: datetime


class Forge(Protocol):
    @property
    def talks(self) -> bool:
        """Whether people review, comment and merge there; else they do it through our own doors."""
        ...

    def show(self, case: Case) -> Standing:
        """Its page, its text and its checks become as they are said; said again, nothing changes."""
        ...

    def standing(self, branch: str) -> Standing | None:
        """None: nothing was shown of this branch yet."""
        ...

    def comments(self, number: int, since: datetime) -> Sequence[Comment]:
        """What others than we wrote since, the oldest first."""
        ...

    def answer(self, number: int, key: str, text: str) -> None:
        """A comment of ours, once for each key."""
        ...

    def base(self) -> str:
        """The base's newest commit; made with a first one where there is none."""
        ...

    def branches(self) -> Mapping[str, str]:
        """Every branch but the base, with its head."""
        ...

    def look(self, branch: str) -> Look: ...

    def changed(self, first: str, second: str) -> tuple[Change, ...]:
        """What differs between two commits."""
        ...

    def read(self, commit: str, path: str) -> str | None:
        """A small regular text file; None: it is not there. A link, a large or a binary one is refused."""
        ...

    def same(self, first: str, second: str, folder: str) -> bool:
        """Whether a folder is the same, byte by byte, in two commits."""
        ...

    def propose(self, proposal: Proposal) -> Look:
        """Commit the folder on the branch. Done already, it does nothing."""
        ...

    def merge(self, merge: Merge) -> str:
        """The commit that brought it into the base; the same one when it was merged before."""
        ...

    def publish(self, publication: Publication) -> str | None:
        """Commit on the base; None: everything is there as it shall be."""
        ...

    def drop(self, branches: Sequence[str]) -> None:
        """Take branches away; gone already is fine."""
        ...

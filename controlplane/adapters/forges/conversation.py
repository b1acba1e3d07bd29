"""A review's page on a host: one text in parts, its checks, and one answer to each question.

What is the same on every host; what a host calls its pages, comments and checks is its own class's to say.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from controlplane.adapters.forges.marks import collapsed, mark_of, marked
from controlplane.domain.review.forge import Case, Comment, Merge, Standing

TEXT, ANSWER = "review", "answer"
BODY = "The plan and what is asked of you stand in the first comment; the control plane writes `{branch}`."
Page = Mapping[str, Any]


class Conversation(ABC):
    _login: str  # who we are there
    longest_check: int

    def show(self, case: Case) -> Standing:
        number = self._newest(case.branch)
        if number is None and not case.is_over:
            number = self.number(case.branch, case.title)
        if number is None:
            return Standing(0, "", case.head, is_open=False)
        page = self._page(number)
        self._say(number, case)
        if case.head and (not case.is_over or self._head(page) == case.head):
            self._check(case)
        wanted = self._wanted(page, case)
        if wanted:
            self._change(number, wanted)
        return self._standing(self._page(number))

    def standing(self, branch: str) -> Standing | None:
        number = self._newest(branch)
        return None if number is None else self._standing(self._page(number))

    def answer(self, number: int, key: str, text: str) -> None:
        if all(mark_of(one.text) != (ANSWER, key) for one in self._ours(number)):
            self._post(number, self._spelled(marked(ANSWER, key, text)))

    def comments(self, number: int, since: datetime) -> Sequence[Comment]:
        others = [one for one in self._written(number, since) if not self._is_ours(one)]
        return sorted(others, key=lambda comment: comment.at)

    @abstractmethod
    def number(self, branch: str, title: str) -> int:
        """Of the open page; made where there is none."""

    @abstractmethod
    def merge(self, merge: Merge) -> str:
        """By the host's own button, so that its rules for the base branch hold; the commit."""

    @abstractmethod
    def merged_as(self, head: str) -> str | None:
        """The commit by which a head came into the base."""

    # --- what we say --------------------------------------------------------------------------------

    def _ours(self, number: int) -> list[Comment]:
        return [one for one in self._written(number) if self._is_ours(one)]

    def _is_ours(self, comment: Comment) -> bool:
        """Anybody can write our mark; nobody can write it in our name."""
        return comment.login.lower() == self._login.lower()

    def _say(self, number: int, case: Case) -> None:
        """Each part in its own comment; the parts of an older text, and of an older review, fold away."""
        wanted = {f"{case.review}.{n}": text for n, text in enumerate(case.parts, 1)}
        for comment in self._ours(number):
            what, key = mark_of(comment.text) or ("", "")
            if what != TEXT:
                continue
            text = wanted.pop(key, None)
            body = collapsed(comment.text) if text is None else self._spelled(marked(TEXT, key, text))
            if body != comment.text:
                self._rewrite(number, comment.id, body)
        for key, text in wanted.items():
            self._post(number, self._spelled(marked(TEXT, key, text)))

    def _spelled(self, text: str) -> str:
        """As the host has to be told it."""
        return text

    def _check(self, case: Case) -> None:
        there = self._checks(case)
        for check in case.checks:
            told = check.text[: self.longest_check]
            if there.get(check.name) != (check.state, told):
                self._tell(case, check.name, check.state, told)

    # --- what each host has its own words for -------------------------------------------------------

    @abstractmethod
    def _newest(self, branch: str) -> int | None:
        """The open page of a branch, else the last that there was."""

    @abstractmethod
    def _page(self, number: int) -> Page: ...

    @abstractmethod
    def _head(self, page: Page) -> str: ...

    @abstractmethod
    def _wanted(self, page: Page, case: Case) -> dict[str, Any]:
        """What of the page is not yet as the case says."""

    @abstractmethod
    def _change(self, number: int, wanted: Mapping[str, Any]) -> None: ...

    @abstractmethod
    def _standing(self, page: Page) -> Standing: ...

    @abstractmethod
    def _written(self, number: int, since: datetime | None = None) -> Iterable[Comment]:
        """Everybody's comments; what is older than `since` may be among them only by a second's part."""

    @abstractmethod
    def _post(self, number: int, body: str) -> None: ...

    @abstractmethod
    def _rewrite(self, number: int, comment: str, body: str) -> None: ...

    @abstractmethod
    def _checks(self, case: Case) -> Mapping[str, tuple[str, str]]:
        """State and text of each check that stands on the commit, in our words."""

    @abstractmethod
    def _tell(self, case: Case, name: str, state: str, text: str) -> None: ...

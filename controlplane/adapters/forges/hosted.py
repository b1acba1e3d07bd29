"""What every host of repositories has in common: people review, comment and merge there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from controlplane.adapters.forges.conversation import Conversation
from controlplane.adapters.git.flow import Flow
from controlplane.domain.review.forge import Case, Comment, Merge, Standing
from controlplane.domain.review.layout import parse_branch


class Hosted(Flow):
    _talk: Conversation

    @property
    def talks(self) -> bool:
        return True

    def show(self, case: Case) -> Standing:
        return self._talk.show(case)

    def standing(self, branch: str) -> Standing | None:
        return self._talk.standing(parse_branch(branch))

    def comments(self, number: int, since: datetime) -> Sequence[Comment]:
        return self._talk.comments(number, since)

    def answer(self, number: int, key: str, text: str) -> None:
        self._talk.answer(number, key, text)

    def merge(self, merge: Merge) -> str:
        return self._merged_before(merge, self.base()) or self._talk.merge(merge)

    def _merged(self, head: str, base: str) -> str | None:
        del base
        return self._talk.merged_as(head)

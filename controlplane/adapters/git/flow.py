"""How a branch is looked at, proposed, merged and published, whoever keeps the repository.

Every commit of ours moves one branch from the value that was seen to the new one: who comes second is told
so and loses nothing. Keepers say how a commit is made and a branch is moved.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from controlplane.adapters.git.commits import Commit, checked
from controlplane.domain.errors import Conflict, Invalid, Missing
from controlplane.domain.review.forge import Look, Merge, Proposal, Publication
from controlplane.domain.review.layout import BASE, Change, parse_branch

FILE_MODES = ("100644", "100755")


def decoded(path: str, content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise Invalid(f"{path}:{line}: not UTF-8") from error


class Flow(ABC):
    @abstractmethod
    def base(self) -> str: ...

    @abstractmethod
    def changed(self, first: str, second: str) -> tuple[Change, ...]: ...

    @abstractmethod
    def _resolve(self, branch: str) -> str | None:
        """Its newest commit."""

    @abstractmethod
    def _left(self, branch: str, base: str, head: str) -> str:
        """Where it left the base."""

    @abstractmethod
    def _entry(self, commit: str, path: str) -> tuple[str, str] | None:
        """Mode and object of a path."""

    @abstractmethod
    def _tree(self, commit: str) -> str: ...

    @abstractmethod
    def _commit(self, commit: Commit) -> str:
        """Make a commit that no branch holds yet."""

    @abstractmethod
    def _move(self, branch: str, new: str, seen: str | None) -> None:
        """From what was seen to what is new; somebody else's move in between is told, not undone."""

    @abstractmethod
    def _remove(self, branch: str) -> None: ...

    @abstractmethod
    def _merged(self, head: str, base: str) -> str | None:
        """The commit on the base by which a head came in; None: it did not."""

    def look(self, branch: str) -> Look:
        base, head = self.base(), self._resolve(parse_branch(branch))
        if head is None:
            raise Missing(f"there is no branch {branch!r}", hint="push it to the repository of reviews first")
        left = self._left(branch, base, head)
        return Look(head, left, self.changed(left, head))

    def same(self, first: str, second: str, folder: str) -> bool:
        return self._entry(first, checked(folder)) == self._entry(second, folder)

    def propose(self, proposal: Proposal) -> Look:
        base = self.base()
        there = self._resolve(parse_branch(proposal.branch))
        commit = Commit(
            parents=[
                base,
                *([there] if there else []),
            ],  # the base's tree: of the branch, only the folder stays
            message=proposal.message,
            signature=proposal.signature,
            gone=[proposal.folder],
            files={f"{proposal.folder}/{name}": text for name, text in proposal.files.items()},
        )
        made = self._commit(commit)
        if there and self._is_done(proposal, made, there, base):
            return self.look(proposal.branch)
        if (there or "") != proposal.seen:
            raise Conflict(f"the branch {proposal.branch} was moved by somebody else; look at it again")
        self._move(proposal.branch, made, there)
        return self.look(proposal.branch)

    def _is_done(self, proposal: Proposal, made: str, head: str, base: str) -> bool:
        """The branch holds that folder already, on what the base holds now: an earlier life of ours."""
        left = self.look(proposal.branch).base
        return self.same(made, head, proposal.folder) and self.same(left, base, proposal.folder)

    def merge(self, merge: Merge) -> str:
        base = self.base()
        done = self._merged_before(merge, base)
        if done:
            return done
        entry = self._entry(merge.head, checked(merge.folder))
        commit = Commit(
            parents=[base, merge.head],
            message=merge.message,
            signature=merge.signature,
            gone=[merge.folder],
            trees={merge.folder: entry[1]} if entry else {},
        )
        made = self._commit(commit)
        self._move(BASE, made, base)
        return made

    def _merged_before(self, merge: Merge, base: str) -> str | None:
        """The commit of an earlier life of ours; None: it may be merged now, since nothing moved."""
        head = self._resolve(parse_branch(merge.branch))
        done = self._merged(merge.head, base)
        if done:
            return done
        if head != merge.head:
            raise Conflict(f"the branch {merge.branch} is not what was reviewed: it was pushed to since")
        if not self.same(merge.base, base, merge.folder):
            raise Conflict(
                f"{merge.folder} changed on {BASE} since the branch {merge.branch} left it",
                hint="plan it again from where it is now",
            )
        return None

    def publish(self, publication: Publication) -> str | None:
        base = self.base()
        commit = Commit(
            parents=[base],
            message=publication.message,
            signature=publication.signature,
            gone=list(publication.folders),
            files={
                **{f"{f}/{n}": text for f, files in publication.folders.items() for n, text in files.items()},
                **publication.files,
            },
        )
        made = self._commit(commit)
        if self._tree(made) == self._tree(base):
            return None
        self._move(BASE, made, base)
        return made

    def drop(self, branches: Sequence[str]) -> None:
        for branch in branches:
            if self._resolve(parse_branch(branch)):
                self._remove(branch)

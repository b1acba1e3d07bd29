"""The embedded forge: a bare repository in the data folder. People clone it, push branches to it, fetch.

Every commit of ours moves one reference from the value that was seen to the new one: who comes second
is told so and loses nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from controlplane.adapters.git.commits import Commit, checked, stream
from controlplane.adapters.git.process import GitFailed, run
from controlplane.domain.errors import Conflict, Invalid, Missing, Unavailable
from controlplane.domain.review import fleet, layout
from controlplane.domain.review.forge import Look, Merge, Proposal, Publication, Signature
from controlplane.domain.review.layout import BASE, LARGEST_REQUEST_BYTES, Change, parse_branch

_BRANCHES = "refs/heads/"
_PARTS = "refs/controlplane/"  # ours, while a commit is made
_MOST_CHANGES = 5_000
_NONE = "0" * 40
_FILE_MODES = ("100644", "100755")


class Repository:
    """Implements Forge."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    # --- reading ------------------------------------------------------------------------------------

    def base(self) -> str:
        if not (self._folder / "HEAD").is_file():
            self._make()
        found = self._resolve(_BRANCHES + BASE)
        return found or self._first_commit()

    def branches(self) -> Mapping[str, str]:
        self.base()
        answer = self._git(
            ["for-each-ref", "--format=%(refname) %(objectname)", _BRANCHES], "listing branches"
        )
        pairs = (line.rsplit(" ", 1) for line in answer.decode(errors="replace").splitlines())
        heads = {name.removeprefix(_BRANCHES): head for name, head in pairs}
        heads.pop(BASE, None)
        return heads

    def look(self, branch: str) -> Look:
        base, head = self.base(), self._resolve(_BRANCHES + parse_branch(branch))
        if head is None:
            raise Missing(f"there is no branch {branch!r}", hint="push it to the repository of reviews first")
        try:
            left = self._git(["merge-base", base, head], f"looking at {branch}").decode().strip()
        except GitFailed as error:
            raise Invalid(f"the branch {branch} has nothing in common with {BASE}") from error
        return Look(head, left, self.changed(left, head))

    def changed(self, first: str, second: str) -> tuple[Change, ...]:
        words = ["diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-ext-diff", first, second]
        answer = self._git(words, f"comparing {first[:12]} with {second[:12]}")
        fields = answer.decode(errors="replace").split("\0")
        found = [
            Change(path, "" if (mode := entry.split()[1]) == "000000" else mode)
            for entry, path in zip(fields[::2], fields[1::2], strict=False)
        ]
        if len(found) > _MOST_CHANGES:
            raise Invalid(f"{len(found)} files differ; a review is about one tenant")
        return tuple(found)

    def read(self, commit: str, path: str) -> str | None:
        entry = self._entry(commit, checked(path))
        if entry is None:
            return None
        mode, blob = entry
        if mode not in _FILE_MODES:
            raise Invalid(f"{path}: not a regular file")
        size = int(self._git(["cat-file", "-s", blob], f"reading {path}"))
        if size > LARGEST_REQUEST_BYTES:
            raise Invalid(f"{path}: {size} bytes; at most {LARGEST_REQUEST_BYTES} are read")
        content = self._git(["cat-file", "blob", blob], f"reading {path}")
        try:
            return content.decode("utf-8")
        except UnicodeDecodeError as error:
            line = content[: error.start].count(b"\n") + 1
            raise Invalid(f"{path}:{line}: not UTF-8") from error

    def same(self, first: str, second: str, folder: str) -> bool:
        return self._entry(first, checked(folder)) == self._entry(second, folder)

    def _entry(self, commit: str, path: str) -> tuple[str, str] | None:
        """Mode and object of a path."""
        answer = self._git(["ls-tree", "-z", commit, "--", path], f"reading {path}").decode(errors="replace")
        if not answer:
            return None
        mode, _, rest = answer.partition(" ")
        return mode, rest.split("\t")[0].split(" ")[1]

    # --- writing ------------------------------------------------------------------------------------

    def propose(self, proposal: Proposal) -> Look:
        ref, base = _BRANCHES + parse_branch(proposal.branch), self.base()
        there = self._resolve(ref)
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
        self._move(ref, made, there)
        return self.look(proposal.branch)

    def _is_done(self, proposal: Proposal, made: str, head: str, base: str) -> bool:
        """The branch holds that folder already, on what the base holds now: an earlier life of ours."""
        left = self.look(proposal.branch).base
        return self.same(made, head, proposal.folder) and self.same(left, base, proposal.folder)

    def merge(self, merge: Merge) -> str:
        base = self.base()
        head = self._resolve(_BRANCHES + parse_branch(merge.branch))
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
        entry = self._entry(merge.head, checked(merge.folder))
        commit = Commit(
            parents=[base, merge.head],
            message=merge.message,
            signature=merge.signature,
            gone=[merge.folder],
            trees={merge.folder: entry[1]} if entry else {},
        )
        made = self._commit(commit)
        self._move(_BRANCHES + BASE, made, base)
        return made

    def _merged(self, head: str, base: str) -> str | None:
        """The commit on the base by which a head came in; None: it did not."""
        words = ["rev-list", "--first-parent", "--merges", "--parents", "--max-count=2000", base]
        for line in self._git(words, "looking for a merge").decode().splitlines():
            commit, *parents = line.split()
            if head in parents[1:]:
                return commit
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
        self._move(_BRANCHES + BASE, made, base)
        return made

    def drop(self, branches: Sequence[str]) -> None:
        for branch in branches:
            if self._resolve(_BRANCHES + parse_branch(branch)):
                self._git(["update-ref", "-d", _BRANCHES + branch], f"removing {branch}")

    # --- git ----------------------------------------------------------------------------------------

    def _make(self) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            what = f"making the repository of reviews in {self._folder}: {error.strerror}"
            raise Unavailable(what, hint="CONTROLPLANE_DATA_DIR has to be writable") from error
        words = ["init", "--quiet", "--bare", "--template=", f"--initial-branch={BASE}", str(self._folder)]
        run(self._folder, words, doing="making the repository of reviews")

    def _first_commit(self) -> str:
        """The same bytes whoever makes it: two processes at once make one commit."""
        start = Signature("controlplane", datetime(2000, 1, 1, tzinfo=UTC))
        files = {layout.README: fleet.readme([]), layout.OWNERS: fleet.OWNERS_AT_FIRST}
        made = self._commit(Commit((), "An empty fleet\n", start, files=files))
        try:
            self._move(_BRANCHES + BASE, made, None)
        except Unavailable:
            return self._resolve(_BRANCHES + BASE) or made
        return made

    def _commit(self, commit: Commit) -> str:
        """Make a commit that no branch holds yet."""
        ref = _PARTS + secrets.token_hex(8)
        words = ["fast-import", "--quiet", "--done", "--date-format=raw"]
        self._git(words, "writing a commit", stream(commit, ref))
        made = self._resolve(ref)
        self._git(["update-ref", "-d", ref], "writing a commit")
        if made is None:
            raise Unavailable("writing a commit: git kept nothing of it")
        return made

    def _move(self, ref: str, new: str, seen: str | None) -> None:
        """From what was seen to what is new; somebody else's move in between is told, not undone."""
        try:
            self._git(["update-ref", ref, new, seen or _NONE], f"moving {ref}")
        except GitFailed as error:
            raise Unavailable(f"{ref.removeprefix(_BRANCHES)} moved meanwhile: {error.message}") from error

    def _tree(self, commit: str) -> str:
        return self._git(["rev-parse", f"{commit}^{{tree}}"], "reading a commit").decode().strip()

    def _resolve(self, ref: str) -> str | None:
        words = ["for-each-ref", "--format=%(objectname) %(objecttype) %(refname)", ref]
        for line in self._git(words, f"reading {ref}").decode(errors="replace").splitlines():
            found, kind, name = line.split(" ", 2)
            if name == ref and kind == "commit":
                return found
        return None

    def _git(self, words: Sequence[str], doing: str, given: bytes = b"") -> bytes:
        return run(self._folder, words, given, doing)

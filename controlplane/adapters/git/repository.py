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
from controlplane.adapters.git.flow import FILE_MODES, Flow, decoded
from controlplane.adapters.git.process import GitFailed, run
from controlplane.domain.errors import Invalid, Unavailable
from controlplane.domain.review import fleet, layout
from controlplane.domain.review.forge import Case, Comment, Signature, Standing
from controlplane.domain.review.layout import BASE, LARGEST_REQUEST_BYTES, Change, parse_branch

_BRANCHES = "refs/heads/"
_PARTS = "refs/controlplane/"  # ours, while a commit is made
_MOST_CHANGES = 5_000
_NONE = "0" * 40


class Repository(Flow):
    """Implements Forge."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    # --- what people say stands in the catalog ------------------------------------------------------

    @property
    def talks(self) -> bool:
        return False

    def show(self, case: Case) -> Standing:
        """Our own doors make text and checks from the catalog, so that they are always the newest."""
        return Standing(0, "", case.head, is_open=not case.is_over)

    def standing(self, branch: str) -> Standing | None:
        head = self._resolve(parse_branch(branch))
        if head is None:
            return None
        return Standing(0, "", head, merged_commit=self._merged(head, self.base()) or "")

    def comments(self, number: int, since: datetime) -> Sequence[Comment]:
        del number, since  # people speak through our doors
        return ()

    def answer(self, number: int, key: str, text: str) -> None:
        del number, key, text  # nobody asked

    # --- reading ------------------------------------------------------------------------------------

    def base(self) -> str:
        self._make()
        return self._resolve(BASE) or self._first_commit()

    def branches(self) -> Mapping[str, str]:
        self.base()
        answer = self._git(
            ["for-each-ref", "--format=%(refname) %(objectname)", _BRANCHES], "listing branches"
        )
        pairs = (line.rsplit(" ", 1) for line in answer.decode(errors="replace").splitlines())
        heads = {name.removeprefix(_BRANCHES): head for name, head in pairs}
        heads.pop(BASE, None)
        return heads

    def _left(self, branch: str, base: str, head: str) -> str:
        try:
            return self._git(["merge-base", base, head], f"looking at {branch}").decode().strip()
        except GitFailed as error:
            raise Invalid(f"the branch {branch} has nothing in common with {BASE}") from error

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
        if mode not in FILE_MODES:
            raise Invalid(f"{path}: not a regular file")
        size = int(self._git(["cat-file", "-s", blob], f"reading {path}"))
        if size > LARGEST_REQUEST_BYTES:
            raise Invalid(f"{path}: {size} bytes; at most {LARGEST_REQUEST_BYTES} are read")
        content = self._git(["cat-file", "blob", blob], f"reading {path}")
        return decoded(path, content)

    def _entry(self, commit: str, path: str) -> tuple[str, str] | None:
        """Mode and object of a path."""
        answer = self._git(["ls-tree", "-z", commit, "--", path], f"reading {path}").decode(errors="replace")
        if not answer:
            return None
        mode, _, rest = answer.partition(" ")
        return mode, rest.split("\t")[0].split(" ")[1]

    # --- writing ------------------------------------------------------------------------------------

    def _merged(self, head: str, base: str) -> str | None:
        """The commit on the base by which a head came in; None: it did not."""
        words = ["rev-list", "--first-parent", "--merges", "--parents", "--max-count=2000", base]
        for line in self._git(words, "looking for a merge").decode().splitlines():
            commit, *parents = line.split()
            if head in parents[1:]:
                return commit
        return None

    # --- git ----------------------------------------------------------------------------------------

    def _make(self) -> None:
        if (self._folder / "HEAD").is_file():
            return
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
            self._move(BASE, made, None)
        except Unavailable:
            found = self._resolve(BASE)
            if found is None:
                raise
            return found
        return made

    def _commit(self, commit: Commit) -> str:
        """Make a commit that no branch holds yet."""
        ref = _PARTS + secrets.token_hex(8)
        words = ["fast-import", "--quiet", "--done", "--date-format=raw"]
        self._git(words, "writing a commit", stream(commit, ref))
        made = self._at(ref)
        self._git(["update-ref", "-d", ref], "writing a commit")
        if made is None:
            raise Unavailable("writing a commit: git kept nothing of it")
        return made

    def _move(self, branch: str, new: str, seen: str | None) -> None:
        try:
            self._git(["update-ref", _BRANCHES + branch, new, seen or _NONE], f"moving {branch}")
        except GitFailed as error:
            raise Unavailable(f"{branch} moved meanwhile: {error.message}") from error

    def _remove(self, branch: str) -> None:
        self._git(["update-ref", "-d", _BRANCHES + branch], f"removing {branch}")

    def _tree(self, commit: str) -> str:
        return self._git(["rev-parse", f"{commit}^{{tree}}"], "reading a commit").decode().strip()

    def _resolve(self, branch: str) -> str | None:
        return self._at(_BRANCHES + branch)

    def _at(self, ref: str) -> str | None:
        words = ["for-each-ref", "--format=%(objectname) %(objecttype) %(refname)", ref]
        for line in self._git(words, f"reading {ref}").decode(errors="replace").splitlines():
            found, kind, name = line.split(" ", 2)
            if name == ref and kind == "commit":
                return found
        return None

    def _git(self, words: Sequence[str], doing: str, given: bytes = b"") -> bytes:
        return run(self._folder, words, given, doing)

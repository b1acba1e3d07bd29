"""GitHub: branches and commits by its Git database, so that nothing is cloned and nothing is run here."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import UTC
from typing import Any
from urllib.parse import quote

from controlplane.adapters.forges.hosted import Hosted
from controlplane.adapters.forges.line import HostRefused, Line
from controlplane.adapters.forges.pull_requests import PullRequests
from controlplane.adapters.forges.trees import Trees
from controlplane.adapters.git.commits import COMMITTER, Commit, checked, person
from controlplane.adapters.git.flow import FILE_MODES, decoded
from controlplane.domain.errors import Invalid, Missing, Unavailable
from controlplane.domain.review import fleet, layout
from controlplane.domain.review.layout import BASE, LARGEST_REQUEST_BYTES, Change

_HEADS = "refs/heads/"
_MOST_CHANGES = 5_000


def connect(url: str, token: str) -> Line:
    headers = {
        "authorization": f"Bearer {token}",
        "accept": "application/vnd.github+json",
        "x-github-api-version": "2022-11-28",
        "user-agent": "controlplane",
    }
    if not url.startswith(("https://", "http://127.0.0.1:", "http://localhost:")):
        raise Invalid("speaking to GitHub: its API is not https://…", hint="CONTROLPLANE_FORGE_URL")
    return Line("GitHub", url.rstrip("/"), headers)


class GitHub(Hosted):
    """Implements Forge. `login` is who the token is: whose comments are ours."""

    def __init__(self, line: Line, repository: str, login: str) -> None:
        self._line = line
        self._repo = f"/repos/{repository}"
        self._talk = PullRequests(line, repository, login)
        self._trees = Trees(self._level)
        self._commits: dict[str, Mapping[str, Any]] = {}

    # --- reading ------------------------------------------------------------------------------------

    def base(self) -> str:
        return self._resolve(BASE) or self._first_commit()

    def branches(self) -> Mapping[str, str]:
        found = self._line.ask("GET", f"{self._repo}/git/matching-refs/heads/", "listing branches")
        heads = {one["ref"].removeprefix(_HEADS): str(one["object"]["sha"]) for one in found}
        heads.pop(BASE, None)
        return heads

    def changed(self, first: str, second: str) -> tuple[Change, ...]:
        found = []
        for change in self._trees.changed(self._tree(first), self._tree(second)):
            found.append(change)
            if len(found) > _MOST_CHANGES:
                raise Invalid(f"more than {_MOST_CHANGES} files differ; a review is about one tenant")
        return tuple(sorted(found, key=lambda change: change.path))

    def read(self, commit: str, path: str) -> str | None:
        entry = self._entry(commit, checked(path))
        if entry is None:
            return None
        mode, blob = entry
        if mode not in FILE_MODES:
            raise Invalid(f"{path}: not a regular file")
        size = self._size(commit, path)
        if size > LARGEST_REQUEST_BYTES:
            raise Invalid(f"{path}: {size} bytes; at most {LARGEST_REQUEST_BYTES} are read")
        found = self._line.ask("GET", f"{self._repo}/git/blobs/{blob}", f"reading {path}")
        return decoded(path, base64.b64decode(found["content"]))

    def _size(self, commit: str, path: str) -> int:
        """Told by the folder's listing, so that what is too large is never sent."""
        folder, _, name = path.rpartition("/")
        tree = self._trees.entry(self._tree(commit), folder) if folder else ("", self._tree(commit))
        listing = self._listing(tree[1] if tree else "", f"reading {path}")
        return int(next(one for one in listing if one["path"] == name).get("size", 0))

    def _left(self, branch: str, base: str, head: str) -> str:
        path = f"{self._repo}/compare/{base}...{head}"
        found = self._line.find(path, f"looking at {branch}", {"per_page": 1})
        if found is None:
            raise Invalid(f"the branch {branch} has nothing in common with {BASE}")
        return str(found["merge_base_commit"]["sha"])

    def _entry(self, commit: str, path: str) -> tuple[str, str] | None:
        return self._trees.entry(self._tree(commit), path)

    def _tree(self, commit: str) -> str:
        return str(self._read_commit(commit)["tree"]["sha"])

    def _read_commit(self, commit: str) -> Mapping[str, Any]:
        if commit not in self._commits:
            path = f"{self._repo}/git/commits/{commit}"
            self._commits[commit] = self._line.ask("GET", path, "reading a commit")
        return self._commits[commit]

    def _level(self, tree: str) -> dict[str, tuple[str, str]]:
        listing = self._listing(tree, "reading a folder")
        return {one["path"]: (one["mode"], one["sha"]) for one in listing}

    def _listing(self, tree: str, doing: str) -> list[dict[str, Any]]:
        found = self._line.ask("GET", f"{self._repo}/git/trees/{tree}", doing)
        if found["truncated"]:
            raise Invalid(f"{doing}: more files in one folder than GitHub lists")
        return list(found["tree"])

    def _resolve(self, branch: str) -> str | None:
        path = f"{self._repo}/git/ref/heads/{quote(branch)}"
        try:
            found = self._line.find(path, f"reading {branch}")
        except HostRefused as error:
            if error.details["status"] == 409:  # a repository without any commit
                return None
            raise
        return None if found is None else str(found["object"]["sha"])

    # --- writing ------------------------------------------------------------------------------------

    def _first_commit(self) -> str:
        """A repository without commits takes files, and nothing else."""
        for path, text in ((layout.README, fleet.readme([])), (layout.OWNERS, fleet.OWNERS_AT_FIRST)):
            body = {
                "message": "An empty fleet",
                "content": base64.b64encode(text.encode()).decode(),
                "branch": BASE,
            }
            self._line.ask("PUT", f"{self._repo}/contents/{path}", "beginning the repository", body)
        made = self._resolve(BASE)
        if made is None:
            raise Missing(f"beginning the repository: it has no branch {BASE}", hint="make that branch there")
        return made

    def _commit(self, commit: Commit) -> str:
        tree = self._make_tree(commit)
        when = commit.signature.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        body = {
            "message": commit.message,
            "tree": tree,
            "parents": list(commit.parents),
            "author": _signed(person(commit.signature.author), when),
            "committer": _signed(COMMITTER, when),
        }
        made = self._line.ask("POST", f"{self._repo}/git/commits", "writing a commit", body)
        return str(made["sha"])

    def _make_tree(self, commit: Commit) -> str:
        base = self._tree(commit.parents[0])
        entries: dict[str, dict[str, Any]] = {}
        for folder in commit.gone:
            there = self._trees.entry(base, checked(folder))
            for name in self._trees.files(there[1]) if there and there[0] == "040000" else ():
                entries[f"{folder}/{name}"] = {"sha": None}
        entries |= {checked(path): {"content": text} for path, text in commit.files.items()}
        if not entries:
            return base
        items = [{"path": path, "mode": "100644", "type": "blob", **what} for path, what in entries.items()]
        body = {"base_tree": base, "tree": items}
        return str(self._line.ask("POST", f"{self._repo}/git/trees", "writing a tree", body)["sha"])

    def _move(self, branch: str, new: str, seen: str | None) -> None:
        """A branch is made, or goes on from where it was; never back, so that nobody's commit is lost."""
        doing = f"moving {branch}"
        try:
            if seen is None:
                self._line.ask("POST", f"{self._repo}/git/refs", doing, {"ref": _HEADS + branch, "sha": new})
            else:
                path = f"{self._repo}/git/refs/heads/{quote(branch)}"
                self._line.ask("PATCH", path, doing, {"sha": new, "force": False})
        except HostRefused as error:
            raise Unavailable(f"{branch} moved meanwhile: {error.message}") from error

    def _remove(self, branch: str) -> None:
        try:
            self._line.ask("DELETE", f"{self._repo}/git/refs/heads/{quote(branch)}", f"removing {branch}")
        except HostRefused as error:
            if error.details["status"] != 422:  # gone already
                raise


def _signed(who: tuple[str, str], when: str) -> dict[str, str]:
    return {"name": who[0], "email": who[1], "date": when}

"""GitLab: its pages by REST, its branches by Git itself.

Its REST commits onto a branch as it is found, not as it was seen, and cannot make a commit of two parents:
neither keeps what every keeper of reviews promises. A push with a lease does (ADR 9). Objects lie in a
folder of ours; nothing is checked out and nothing is run.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from controlplane.adapters.forges.hosted import Hosted
from controlplane.adapters.forges.line import Clock, Line
from controlplane.adapters.forges.merge_requests import MergeRequests
from controlplane.adapters.forges.wire import Wire
from controlplane.adapters.git.repository import Repository
from controlplane.domain.errors import Invalid
from controlplane.domain.review.layout import BASE, Change

_API = "/api/v4"


def connect(
    url: str, token: str, project: str, folder: Path, clock: Clock | None = None
) -> tuple[Line, Wire]:
    """Both ways to a project, with one token."""
    if not url.startswith(("https://", "http://127.0.0.1:", "http://localhost:")) or _API not in url:
        raise Invalid(f"speaking to GitLab: its API is not https://…{_API}", hint="CONTROLPLANE_FORGE_URL")
    place = url.rstrip("/")
    headers = {"private-token": token, "accept": "application/json", "user-agent": "controlplane"}
    line = Line("GitLab", place, headers, clock=clock or Clock())
    wire = Wire("GitLab", folder, f"{place.removesuffix(_API)}/{project}.git", token, clock=line.clock)
    return line, wire


class GitLab(Hosted, Repository):
    """Implements Forge. `login` is who the token is: whose notes are ours."""

    def __init__(self, line: Line, wire: Wire, project: str, login: str) -> None:
        Repository.__init__(self, wire.folder)
        self._line = line
        self._wire = wire
        self._project = f"/projects/{quote(project, safe='')}"
        self._talk = MergeRequests(line, project, login)
        self._here: set[str] = set()

    # --- reading: the host says which commit, Git brings it -----------------------------------------

    def branches(self) -> Mapping[str, str]:
        path = f"{self._project}/repository/branches"
        found = self._line.pages(path, "listing branches", {"pagination": "keyset"})
        heads = {str(one["name"]): str(one["commit"]["id"]) for one in found}
        heads.pop(BASE, None)
        return heads

    def changed(self, first: str, second: str) -> tuple[Change, ...]:
        self._bring(first)
        self._bring(second)
        return super().changed(first, second)

    def _resolve(self, branch: str) -> str | None:
        path = f"{self._project}/repository/branches/{quote(branch, safe='')}"
        found = self._line.find(path, f"reading {branch}")
        if found is None:
            return None
        head = str(found["commit"]["id"])
        self._bring(head, branch)
        return head

    def _entry(self, commit: str, path: str) -> tuple[str, str] | None:
        self._bring(commit)
        return super()._entry(commit, path)

    def _tree(self, commit: str) -> str:
        self._bring(commit)
        return super()._tree(commit)

    def _bring(self, commit: str, branch: str = "") -> None:
        if commit not in self._here:
            self._make()
            self._wire.fetch(commit, branch)
            self._here.add(commit)

    # --- writing ------------------------------------------------------------------------------------

    def _move(self, branch: str, new: str, seen: str | None) -> None:
        self._wire.push(branch, new, seen)

    def _remove(self, branch: str) -> None:
        """As it is seen now: who pushes meanwhile keeps it."""
        seen = self._resolve(branch)
        if seen:
            self._wire.push(branch, "", seen)

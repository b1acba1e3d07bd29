"""A GitLab of one project: what its documentation says, over a bare repository of this machine.

`openapi.json` was written by hand from GitLab's public REST documentation, in OpenAPI's form: the operations
that are used, with their parameters, what they answer and how they refuse. It is no copy of what GitLab
publishes (that is CC BY-SA), so that a parameter which is misread there is misread here as well.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from controlplane.adapters.forges.gitlab import GitLab, connect
from controlplane.adapters.forges.line import Clock
from tests.contract.hosts.bare import Bare, GitSaysNo
from tests.contract.hosts.server import NAME, US, Asked, Fault, Host, Kind, No

OURS, FORK = 15, 77  # ids of projects
_TRANSITION = "Cannot transition status via :enqueue from :pending"


@dataclass
class GitLabDouble:
    bare: Bare
    pulls: dict[int, dict[str, Any]] = field(default_factory=dict)
    notes: dict[int, dict[str, Any]] = field(default_factory=dict)
    statuses: list[dict[str, Any]] = field(default_factory=list)
    approvals: dict[int, dict[str, datetime]] = field(default_factory=dict)
    protected: bool = False  # merges want something that is not there
    looks_still: bool = False  # a merge is asked for before GitLab looked at the push
    dates_approvals: bool = True  # older ones do not
    _now: datetime = datetime(2026, 1, 31, 12, tzinfo=UTC)
    _ids: Any = field(default_factory=lambda: itertools.count(1))

    def clock(self) -> datetime:
        """Nothing happens at the same moment as anything else."""
        self._now += timedelta(seconds=1)
        return self._now

    # --- what people do on its pages ----------------------------------------------------------------

    def say(self, number: int, login: str, text: str) -> int:
        return int(self._note(number, login, text)["id"])

    def approve(self, number: int, login: str, state: str = "APPROVED") -> None:
        self._see()
        given = self.approvals.setdefault(number, {})
        if state == "APPROVED":
            given[login] = self.clock()
            self._note(number, login, "approved this merge request", is_system=True)
        elif state == "DISMISSED":
            given.pop(login, None)

    def press_merge(self, number: int, login: str) -> str:
        self._see()
        return self._merge(self.pulls[number], "Merge", login)

    def open_by(self, login: str, branch: str, title: str = "") -> int:
        number = self._open(branch, title or branch, login)
        return int(number["iid"])

    def open_draft(self, login: str, branch: str) -> int:
        return self.open_by(login, branch, f"Draft: {branch}")

    def press_ready(self, number: int) -> None:
        self.pulls[number]["title"] = str(self.pulls[number]["title"]).removeprefix("Draft: ")

    def open_from_fork(self, login: str, branch: str) -> int:
        page = self._open(branch, branch, login)
        page["from"] = FORK
        return int(page["iid"])

    def press_close(self, number: int) -> None:
        self.pulls[number]["state"] = "closed"

    def texts(self, number: int) -> list[str]:
        return [one["body"] for one in self.notes.values() if one["on"] == number and not one["system"]]

    # --- operations, by what the description calls them ---------------------------------------------

    def answer(self, method: str, template: str, asked: Asked) -> tuple[int, Any]:
        where = template.removeprefix("/projects/{id}")
        if asked.values["id"] != NAME:
            raise No(404, "404 Project Not Found")
        act: Callable[[Asked], tuple[int, Any]] = getattr(self, _ACTS[method, where])
        self._see()
        try:
            return act(asked)
        except GitSaysNo as error:
            raise No(404, str(error)) from error

    def list_branches(self, _: Asked) -> tuple[int, Any]:
        return 200, [
            self._branch(one["ref"].removeprefix("refs/heads/"), one["object"]["sha"])
            for one in self.bare.refs("heads/")
        ]

    def read_branch(self, asked: Asked) -> tuple[int, Any]:
        found = self.bare.ref(f"heads/{asked.values['branch']}")
        if found is None:
            raise No(404, "404 Branch Not Found")
        return 200, self._branch(asked.values["branch"], found)

    def _branch(self, name: str, head: str) -> dict[str, Any]:
        return {"name": name, "commit": {"id": head}}

    def list_pages(self, asked: Asked) -> tuple[int, Any]:
        wanted, state = asked.query.get("source_branch"), asked.query.get("state", "all")
        found = [
            self._told(one)
            for one in self.pulls.values()
            if wanted in (None, one["branch"]) and state in ("all", one["state"])
        ]
        return 200, found[::-1]

    def open_page(self, asked: Asked) -> tuple[int, Any]:
        branch = asked.body["source_branch"]
        if any(
            p["branch"] == branch and p["state"] == "opened" and p["from"] == OURS
            for p in self.pulls.values()
        ):
            raise No(409, "Another open merge request already exists for this source branch")
        return 201, self._told(self._open(branch, asked.body["title"], US))

    def _open(self, branch: str, title: str, author: str) -> dict[str, Any]:
        number = next(self._ids)
        self.pulls[number] = {
            "iid": number,
            "branch": branch,
            "title": title,
            "author": author,
            "state": "opened",
            "from": OURS,
            "merged": "",
            "merged_by": "",
            "head": "",
            "versions": [],
        }
        self._see()
        return self.pulls[number]

    def read_page(self, asked: Asked) -> tuple[int, Any]:
        return 200, self._told(self._pull(asked))

    def change_page(self, asked: Asked) -> tuple[int, Any]:
        page = self._pull(asked)
        page["title"] = asked.body.get("title", page["title"])
        if asked.body.get("state_event") == "close":
            page["state"] = "closed"
        return 200, self._told(page)

    def merge_page(self, asked: Asked) -> tuple[int, Any]:
        page = self._pull(asked)
        if self.looks_still or self.protected or page["state"] != "opened" or _is_draft(page):
            raise No(405, "405 Method Not Allowed")
        if self._head(page) != asked.body["sha"]:
            raise No(409, "SHA does not match HEAD of source branch")
        self._merge(page, asked.body["merge_commit_message"], US)
        return 200, self._told(page)

    def _merge(self, page: dict[str, Any], message: str, login: str) -> str:
        base, head = self.bare.ref("heads/main") or "", self._head(page)
        try:
            made = self.bare.merge(base, head, message)
        except GitSaysNo as error:
            raise No(422, "Branch cannot be merged") from error
        self.bare.move("heads/main", made, base)
        page.update(state="merged", merged=made, merged_by=login, head=head)
        return made

    def approvals_of(self, asked: Asked) -> tuple[int, Any]:
        page = self._pull(asked)
        given = self.approvals.get(page["iid"], {})
        when = {who: {"approved_at": _said(at)} if self.dates_approvals else {} for who, at in given.items()}
        return 200, {"approved_by": [{"user": {"username": who}, **at} for who, at in when.items()]}

    def versions_of(self, asked: Asked) -> tuple[int, Any]:
        made = enumerate(self._pull(asked)["versions"], 1)
        told = [{"id": n, "head_commit_sha": head, "created_at": _said(at)} for n, (head, at) in made]
        return 200, told[::-1]

    def pages_of_commit(self, asked: Asked) -> tuple[int, Any]:
        return 200, [self._told(p) for p in self.pulls.values() if self._head(p) == asked.values["sha"]]

    def _pull(self, asked: Asked) -> dict[str, Any]:
        number = int(asked.values["merge_request_iid"])
        if number not in self.pulls:
            raise No(404, "404 Not found")
        return self.pulls[number]

    def _head(self, page: dict[str, Any]) -> str:
        return str(page["head"] or self.bare.ref(f"heads/{page['branch']}") or "")

    def _see(self) -> None:
        """What its own workers do after a push: a version for each head, merges that came by themselves."""
        base = self.bare.ref("heads/main") or ""
        for page in self.pulls.values():
            head = self._head(page)
            if head and (not page["versions"] or page["versions"][-1][0] != head):
                page["versions"].append((head, self.clock()))
            if page["state"] == "opened" and head and head != base and self.bare.holds(base, head):
                page.update(state="merged", merged=base, merged_by=US, head=head)
            if page["state"] == "opened" and not head:
                page.update(state="closed", head=page["versions"][-1][0] if page["versions"] else "")

    def _told(self, page: dict[str, Any]) -> dict[str, Any]:
        why = "checking" if self.looks_still else "not_approved" if self.protected else "mergeable"
        number = page["iid"]
        return {
            "iid": number,
            "web_url": f"https://gitlab.example/{NAME}/-/merge_requests/{number}",
            "title": page["title"],
            "state": page["state"],
            "draft": _is_draft(page),
            "sha": self._head(page) or None,
            "author": {"username": page["author"]},
            "source_branch": page["branch"],
            "target_branch": "main",
            "source_project_id": page["from"],
            "target_project_id": OURS,
            "merge_commit_sha": page["merged"] or None,
            "squash_commit_sha": None,
            "merge_user": {"username": page["merged_by"]} if page["merged_by"] else None,
            "detailed_merge_status": "draft_status" if _is_draft(page) else why,
        }

    # --- notes and checks ---------------------------------------------------------------------------

    def list_notes(self, asked: Asked) -> tuple[int, Any]:
        number = self._pull(asked)["iid"]
        found = [_shown(one) for one in self.notes.values() if one["on"] == number]
        return 200, found if asked.query.get("sort") == "asc" else found[::-1]

    def post_note(self, asked: Asked) -> tuple[int, Any]:
        return 201, _shown(self._note(self._pull(asked)["iid"], US, asked.body["body"]))

    def change_note(self, asked: Asked) -> tuple[int, Any]:
        note = self.notes[int(asked.values["note_id"])]
        note["body"] = asked.body["body"]
        return 200, _shown(note)

    def _note(self, number: int, login: str, text: str, *, is_system: bool = False) -> dict[str, Any]:
        made = next(self._ids)
        note = {"id": made, "on": number, "login": login, "body": text, "system": is_system}
        self.notes[made] = {**note, "at": datetime.now(UTC) if not is_system else self.clock()}
        return self.notes[made]

    def list_statuses(self, asked: Asked) -> tuple[int, Any]:
        """The last of each name."""
        of_commit = [one for one in self.statuses if one["sha"] == asked.values["sha"]]
        last = {one["name"]: one for one in of_commit}
        return 200, [{name: one[name] for name in ("name", "status", "description")} for one in last.values()]

    def post_status(self, asked: Asked) -> tuple[int, Any]:
        body, sha = asked.body, asked.values["sha"]
        if self.bare.ref(f"heads/{body['ref']}") is None:
            raise No(404, "404 References for commit Not Found")
        last = [s["status"] for s in self.statuses if (s["sha"], s["name"]) == (sha, body["name"])][-1:]
        if body["state"] == "pending" and last == ["pending"]:
            raise No(400, _TRANSITION)
        told = {"name": body["name"], "status": body["state"], "description": body["description"]}
        ours = {"failed": "failure"}.get(body["state"], body["state"])
        self.statuses.append({**told, "sha": sha, "context": body["name"], "state": ours})
        return 201, told


def _is_draft(page: dict[str, Any]) -> bool:
    return str(page["title"]).startswith("Draft: ")


def _said(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _shown(note: dict[str, Any]) -> dict[str, Any]:
    told = {"id": note["id"], "body": note["body"], "author": {"username": note["login"]}}
    return {**told, "system": note["system"], "created_at": _said(note["at"])}


_PAGE = "/merge_requests/{merge_request_iid}"
_ACTS = {
    ("GET", "/repository/branches"): "list_branches",
    ("GET", "/repository/branches/{branch}"): "read_branch",
    ("GET", "/merge_requests"): "list_pages",
    ("POST", "/merge_requests"): "open_page",
    ("GET", _PAGE): "read_page",
    ("PUT", _PAGE): "change_page",
    ("PUT", f"{_PAGE}/merge"): "merge_page",
    ("GET", f"{_PAGE}/approvals"): "approvals_of",
    ("GET", f"{_PAGE}/versions"): "versions_of",
    ("GET", f"{_PAGE}/notes"): "list_notes",
    ("POST", f"{_PAGE}/notes"): "post_note",
    ("PUT", f"{_PAGE}/notes/{{note_id}}"): "change_note",
    ("GET", "/repository/commits/{sha}/merge_requests"): "pages_of_commit",
    ("GET", "/repository/commits/{sha}/statuses"): "list_statuses",
    ("POST", "/statuses/{sha}"): "post_status",
}


def _forge(host: Host, token: str, clock: Clock) -> GitLab:
    folder = host.double.bare.folder.parent / "fetched.git"
    return GitLab(*connect(f"{host.url}/api/v4", token, NAME, folder, clock), NAME, US)


def _until(at: float) -> Fault:
    return Fault(429, {"ratelimit-remaining": "0", "ratelimit-reset": str(int(at) + 300)})


GITLAB = Kind(
    name="GitLab",
    description=Path(__file__).parent / "openapi.json",
    api="/api/v4",
    token="glpat-notarealtoken0123",
    header=lambda token: ("private-token", token),
    refusal="401 Unauthorized",
    double=GitLabDouble,
    forge=_forge,
    limits=(
        (_until, 300),
        (lambda _: Fault(429, {"retry-after": "30"}), 30),
        (lambda _: Fault(429, {}, {"message": "429 Too Many Requests"}), 60),
    ),
)

"""A GitHub of one repository: what its description says, over a bare repository of this machine.

`openapi.json` is a trimmed copy of the npm package @octokit/openapi (MIT, `LICENSE` beside it).
"""

from __future__ import annotations

import base64
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from controlplane.adapters.forges.github import GitHub
from controlplane.adapters.forges.line import Clock, Line
from tests.contract.hosts.bare import Bare, GitSaysNo
from tests.contract.hosts.server import NAME, US, Asked, Fault, Host, Kind, No


@dataclass
class GitHubDouble:
    bare: Bare
    pulls: dict[int, dict[str, Any]] = field(default_factory=dict)
    comments: dict[int, dict[str, Any]] = field(default_factory=dict)
    statuses: list[dict[str, Any]] = field(default_factory=list)
    reviews: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    protected: bool = False  # merges want something that is not there
    _ids: Any = field(default_factory=lambda: itertools.count(1))

    # --- what people do on its pages ----------------------------------------------------------------

    def say(self, number: int, login: str, text: str) -> int:
        return int(self._comment(number, login, text)["id"])

    def approve(self, number: int, login: str, state: str = "APPROVED") -> None:
        commit = self._head(self.pulls[number])
        told = {"user": {"login": login}, "state": state, "commit_id": commit}
        self.reviews.setdefault(number, []).append(told)

    def press_merge(self, number: int, login: str) -> str:
        return str(self._merge(self.pulls[number], "Merge", login))

    def open_by(self, login: str, branch: str) -> int:
        body = {"head": branch, "title": branch, "body": ""}
        _, told = self.open_pull(Asked({}, {}, body))
        self.pulls[told["number"]]["author"] = login
        return int(told["number"])

    def open_draft(self, login: str, branch: str) -> int:
        number = self.open_by(login, branch)
        self.pulls[number]["draft"] = True
        return number

    def press_ready(self, number: int) -> None:
        self.pulls[number]["draft"] = False

    def open_from_fork(self, login: str, branch: str) -> int:
        number = self.open_by(login, branch)
        self.pulls[number]["from"] = f"{login}/fork"
        return number

    def press_close(self, number: int) -> None:
        self.pulls[number]["state"] = "closed"

    def texts(self, number: int) -> list[str]:
        return [one["body"] for one in self.comments.values() if one["on"] == number]

    # --- operations, by what the description calls them ---------------------------------------------

    def answer(self, method: str, template: str, asked: Asked) -> tuple[int, Any]:
        where = template.removeprefix("/repos/{owner}/{repo}")
        act: Callable[[Asked], tuple[int, Any]] = getattr(self, _ACTS[method, where])
        try:
            return act(asked)
        except GitSaysNo as error:
            raise No(404 if method == "GET" else 422, str(error)) from error

    def read_ref(self, asked: Asked) -> tuple[int, Any]:
        if not self.bare.git("for-each-ref"):
            raise No(409, "Git Repository is empty.")
        found = self.bare.ref(asked.values["ref"])
        if found is None:
            raise No(404, "Not Found")
        return 200, {"ref": f"refs/{asked.values['ref']}", "object": {"type": "commit", "sha": found}}

    def matching_refs(self, asked: Asked) -> tuple[int, Any]:
        return 200, self.bare.refs(asked.values["ref"])

    def make_ref(self, asked: Asked) -> tuple[int, Any]:
        name = asked.body["ref"].removeprefix("refs/")
        if self.bare.ref(name):
            raise No(422, "Reference already exists")
        self.bare.git("update-ref", f"refs/{name}", asked.body["sha"])
        return 201, {"ref": asked.body["ref"], "object": {"type": "commit", "sha": asked.body["sha"]}}

    def move_ref(self, asked: Asked) -> tuple[int, Any]:
        name, new = asked.values["ref"], asked.body["sha"]
        there = self.bare.ref(name)
        if there is None or not (asked.body.get("force") or self.bare.holds(new, there)):
            raise No(422, "Update is not a fast forward")
        self.bare.move(name, new, there)
        self._see_merges()
        return 200, {"ref": f"refs/{name}", "object": {"type": "commit", "sha": new}}

    def drop_ref(self, asked: Asked) -> tuple[int, Any]:
        if self.bare.ref(asked.values["ref"]) is None:
            raise No(422, "Reference does not exist")
        branch = asked.values["ref"].removeprefix("heads/")
        for pull in self.pulls.values():
            if pull["branch"] == branch:
                pull["head"] = self._head(pull)
                pull["state"] = "closed"
        self.bare.git("update-ref", "-d", f"refs/{asked.values['ref']}")
        return 204, None

    def read_tree(self, asked: Asked) -> tuple[int, Any]:
        tree = asked.values["tree_sha"]
        return 200, {"sha": tree, "truncated": False, "tree": self.bare.tree(tree)}

    def make_tree(self, asked: Asked) -> tuple[int, Any]:
        index = self.bare.folder / f"index-{next(self._ids)}"
        made = self.bare.write_tree(asked.body["base_tree"], asked.body["tree"], index)
        return 201, {"sha": made, "truncated": False, "tree": []}

    def read_commit(self, asked: Asked) -> tuple[int, Any]:
        return 200, self.bare.facts(asked.values["commit_sha"])

    def make_commit(self, asked: Asked) -> tuple[int, Any]:
        who = {"AUTHOR": asked.body["author"], "COMMITTER": asked.body["committer"]}
        made = self.bare.commit(asked.body["tree"], asked.body["parents"], asked.body["message"], who)
        return 201, self.bare.facts(made)

    def read_blob(self, asked: Asked) -> tuple[int, Any]:
        sha = asked.values["file_sha"]
        content = self.bare.raw("cat-file", "blob", sha)
        told = {"sha": sha, "size": len(content), "encoding": "base64"}
        return 200, {**told, "content": base64.encodebytes(content).decode()}

    def compare(self, asked: Asked) -> tuple[int, Any]:
        base, _, head = asked.values["basehead"].partition("...")
        return 200, {"merge_base_commit": {"sha": self.bare.left(base, head)}, "commits": [], "files": []}

    def put_file(self, asked: Asked) -> tuple[int, Any]:
        who = {"name": "host", "email": "h@example.test", "date": "1770000000 +0000"}
        there = self.bare.ref("heads/main")
        base = there or self.bare.git("hash-object", "-w", "-t", "tree", "--stdin")
        content = base64.b64decode(asked.body["content"]).decode()
        item = {"path": asked.values["path"], "mode": "100644", "content": content}
        tree = self.bare.write_tree(base, [item], self.bare.folder / "first-index")
        parents = [there] if there else []
        made = self.bare.commit(tree, parents, asked.body["message"], {"AUTHOR": who, "COMMITTER": who})
        self.bare.git("update-ref", "refs/heads/main", made)
        return 201, {"content": {}, "commit": {"sha": made}}

    # --- pull requests ------------------------------------------------------------------------------

    def list_pulls(self, asked: Asked) -> tuple[int, Any]:
        owner, _, branch = asked.query.get("head", ":").partition(":")
        state = asked.query.get("state", "open")
        found = [
            self._told(one, whole=False)
            for one in self.pulls.values()
            if branch in ("", one["branch"]) and owner in ("", NAME.split("/", maxsplit=1)[0])
            if state in ("all", one["state"])
        ]
        return 200, found[::-1]

    def open_pull(self, asked: Asked) -> tuple[int, Any]:
        branch = asked.body["head"]
        head, base = self.bare.ref(f"heads/{branch}"), self.bare.ref("heads/main")
        if head is None or base is None or self.bare.holds(base, head):
            raise No(422, "Validation Failed")
        if any(p["branch"] == branch and p["state"] == "open" for p in self.pulls.values()):
            raise No(422, "A pull request already exists")
        number = next(self._ids)
        texts = {"title": asked.body["title"], "body": asked.body["body"]}
        pull = {
            "number": number,
            "branch": branch,
            "state": "open",
            "merged": "",
            "merged_by": "",
            "head": "",
        }
        self.pulls[number] = {**pull, **texts, "author": US, "from": NAME}
        return 201, self._told(self.pulls[number])

    def read_pull(self, asked: Asked) -> tuple[int, Any]:
        return 200, self._told(self._pull(asked))

    def change_pull(self, asked: Asked) -> tuple[int, Any]:
        pull = self._pull(asked)
        pull.update(asked.body)
        return 200, self._told(pull)

    def merge_pull(self, asked: Asked) -> tuple[int, Any]:
        pull = self._pull(asked)
        if self.protected or pull["state"] != "open":
            raise No(405, "Pull Request is not mergeable")
        if self._head(pull) != asked.body["sha"]:
            raise No(409, "Head branch was modified. Review and try the merge again.")
        message = f"{asked.body['commit_title']}\n\n{asked.body['commit_message']}\n"
        return 200, {"sha": self._merge(pull, message, US), "merged": True, "message": "merged"}

    def _merge(self, pull: dict[str, Any], message: str, login: str) -> str:
        base = self.bare.ref("heads/main") or ""
        try:
            made = self.bare.merge(base, self._head(pull), message)
        except GitSaysNo as error:
            raise No(405, "Pull Request is not mergeable") from error
        self.bare.move("heads/main", made, base)
        pull.update(state="closed", merged=made, merged_by=login, head=self._head(pull))
        return made

    def _see_merges(self) -> None:
        """A head that comes into the base by itself counts as merged."""
        base = self.bare.ref("heads/main") or ""
        for pull in self.pulls.values():
            if pull["state"] == "open" and self.bare.holds(base, self._head(pull)):
                pull.update(state="closed", merged=base, merged_by=US, head=self._head(pull))

    def reviews_of(self, asked: Asked) -> tuple[int, Any]:
        return 200, self.reviews.get(self._pull(asked)["number"], [])

    def pulls_of_commit(self, asked: Asked) -> tuple[int, Any]:
        sha = asked.values["commit_sha"]
        return 200, [self._told(p, whole=False) for p in self.pulls.values() if self._head(p) == sha]

    def _pull(self, asked: Asked) -> dict[str, Any]:
        number = int(asked.values["pull_number"])
        if number not in self.pulls:
            raise No(404, "Not Found")
        return self.pulls[number]

    def _head(self, pull: dict[str, Any]) -> str:
        return str(pull["head"] or self.bare.ref(f"heads/{pull['branch']}") or "0" * 40)

    def _told(self, pull: dict[str, Any], *, whole: bool = True) -> dict[str, Any]:
        told = {name: pull[name] for name in ("number", "state", "title", "body")}
        told |= {
            "draft": pull.get("draft", False),
            "html_url": f"https://github.example/{NAME}/pull/{pull['number']}",
            "user": {"login": pull["author"]},
            "head": {"ref": pull["branch"], "sha": self._head(pull), "repo": {"full_name": pull["from"]}},
            "base": {"ref": "main"},
            "merge_commit_sha": pull["merged"] or None,
            "merged_at": "2026-01-31T12:00:00Z" if pull["merged"] else None,
        }
        by = {"login": pull["merged_by"]} if pull["merged_by"] else None
        return told | ({"merged": bool(pull["merged"]), "merged_by": by} if whole else {})

    # --- comments and checks ------------------------------------------------------------------------

    def list_comments(self, asked: Asked) -> tuple[int, Any]:
        number = int(asked.values["issue_number"])
        return 200, [_shown(one) for one in self.comments.values() if one["on"] == number]

    def post_comment(self, asked: Asked) -> tuple[int, Any]:
        return 201, _shown(self._comment(int(asked.values["issue_number"]), US, asked.body["body"]))

    def change_comment(self, asked: Asked) -> tuple[int, Any]:
        comment = self.comments[int(asked.values["comment_id"])]
        comment["body"] = asked.body["body"]
        return 200, _shown(comment)

    def _comment(self, number: int, login: str, text: str) -> dict[str, Any]:
        made, at = next(self._ids), datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        self.comments[made] = {"id": made, "on": number, "login": login, "body": text, "at": at}
        return self.comments[made]

    def list_statuses(self, asked: Asked) -> tuple[int, Any]:
        return 200, [one for one in reversed(self.statuses) if one["sha"] == asked.values["ref"]]

    def post_status(self, asked: Asked) -> tuple[int, Any]:
        self.statuses.append({**asked.body, "sha": asked.values["sha"]})
        return 201, asked.body


def _shown(comment: dict[str, Any]) -> dict[str, Any]:
    told = {"id": comment["id"], "body": comment["body"], "user": {"login": comment["login"]}}
    return {**told, "created_at": comment["at"], "updated_at": comment["at"]}


_ACTS = {
    ("GET", "/git/ref/{ref}"): "read_ref",
    ("GET", "/git/matching-refs/{ref}"): "matching_refs",
    ("POST", "/git/refs"): "make_ref",
    ("PATCH", "/git/refs/{ref}"): "move_ref",
    ("DELETE", "/git/refs/{ref}"): "drop_ref",
    ("GET", "/git/trees/{tree_sha}"): "read_tree",
    ("POST", "/git/trees"): "make_tree",
    ("GET", "/git/commits/{commit_sha}"): "read_commit",
    ("POST", "/git/commits"): "make_commit",
    ("GET", "/git/blobs/{file_sha}"): "read_blob",
    ("GET", "/compare/{basehead}"): "compare",
    ("PUT", "/contents/{path}"): "put_file",
    ("GET", "/pulls"): "list_pulls",
    ("POST", "/pulls"): "open_pull",
    ("GET", "/pulls/{pull_number}"): "read_pull",
    ("PATCH", "/pulls/{pull_number}"): "change_pull",
    ("PUT", "/pulls/{pull_number}/merge"): "merge_pull",
    ("GET", "/pulls/{pull_number}/reviews"): "reviews_of",
    ("GET", "/commits/{commit_sha}/pulls"): "pulls_of_commit",
    ("GET", "/issues/{issue_number}/comments"): "list_comments",
    ("POST", "/issues/{issue_number}/comments"): "post_comment",
    ("PATCH", "/issues/comments/{comment_id}"): "change_comment",
    ("GET", "/commits/{ref}/statuses"): "list_statuses",
    ("POST", "/statuses/{sha}"): "post_status",
}


def _forge(host: Host, token: str, clock: Clock) -> GitHub:
    headers = {"authorization": f"Bearer {token}", "accept": "application/vnd.github+json"}
    return GitHub(Line("GitHub", host.url, headers, clock=clock), NAME, US)


def _until(at: float) -> Fault:
    return Fault(403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(at) + 300)})


GITHUB = Kind(
    name="GitHub",
    description=Path(__file__).parent / "openapi.json",
    api="",
    token="ghp_notarealtoken0123456789",
    header=lambda token: ("authorization", f"Bearer {token}"),
    refusal="Bad credentials",
    double=GitHubDouble,
    forge=_forge,
    limits=(
        (_until, 300),
        (lambda _: Fault(429, {"retry-after": "30"}), 30),
        (lambda _: Fault(403, {}, {"message": "You have exceeded a secondary rate limit"}), 60),
    ),
)

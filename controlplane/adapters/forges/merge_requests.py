"""Merge requests of GitLab: their text, their checks, and what people say there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from controlplane.adapters.forges.conversation import BODY, Conversation, Page
from controlplane.adapters.forges.line import HostRefused, Line
from controlplane.domain.errors import Conflict, Missing, Unavailable
from controlplane.domain.review.forge import Case, Comment, Merge, Standing, Vote
from controlplane.domain.review.layout import BASE

_LONGEST_TITLE = 240  # GitLab's is 255; `Draft: ` may stand before it
_OPEN = ("opened", "locked")  # locked: it is being merged right now
_NOT_MERGED = (405, 406, 409, 422)
_SOON = ("preparing", "unchecked", "checking", "approvals_syncing")  # GitLab looks at it still
_STATES = {"failure": "failed"}
_OURS = {"failed": "failure", "canceled": "failure", "running": "pending", "created": "pending"}
_COMMAND = re.compile(r"^([ \t]*)/(?=[A-Za-z])", re.MULTILINE)
_APPROVED = "approved this merge request"


class MergeRequests(Conversation):
    longest_check = 255

    def __init__(self, line: Line, project: str, login: str) -> None:
        self._line = line
        self._project = f"/projects/{quote(project, safe='')}"
        self._login = login

    # --- pages --------------------------------------------------------------------------------------

    def number(self, branch: str, title: str) -> int:
        found = self._of(branch, "opened")
        if found:
            return int(found[0]["iid"])
        wanted = {
            "source_branch": branch,
            "target_branch": BASE,
            "title": title[:_LONGEST_TITLE],
            "description": BODY.format(branch=branch),
            "remove_source_branch": False,
            "squash": False,
        }
        path = f"{self._project}/merge_requests"
        try:
            made = self._line.ask("POST", path, f"opening a merge request of {branch}", wanted)
        except HostRefused:
            found = self._of(branch, "opened")  # somebody was faster
            if not found:
                raise
            return int(found[0]["iid"])
        return int(made["iid"])

    def _newest(self, branch: str) -> int | None:
        found = self._of(branch, "all")
        opened = [one for one in found if one["state"] in _OPEN]
        return max((int(one["iid"]) for one in opened or found), default=None)

    def _of(self, branch: str, state: str) -> list[dict[str, Any]]:
        """Of this project's own branch: a fork's may have the same name."""
        query = {"source_branch": branch, "target_branch": BASE, "state": state}
        path = f"{self._project}/merge_requests"
        found = self._line.pages(path, f"looking for {branch}", query)
        return [one for one in found if not _is_foreign(one) and one["source_branch"] == branch]

    def _page(self, number: int) -> Page:
        path = f"{self._project}/merge_requests/{number}"
        found: Page = self._line.ask("GET", path, f"reading !{number}")
        return found

    def _head(self, page: Page) -> str:
        return str(page["sha"] or "")

    def _wanted(self, page: Page, case: Case) -> dict[str, Any]:
        """A person's draft stays one: its title is what makes it so."""
        title = ("Draft: " if page["draft"] else "") + case.title[:_LONGEST_TITLE]
        wanted = {"title": title} if page["title"] != title else {}
        if case.is_over and page["state"] == "opened":
            wanted["state_event"] = "close"
        return wanted

    def _change(self, number: int, wanted: Mapping[str, Any]) -> None:
        path = f"{self._project}/merge_requests/{number}"
        self._line.ask("PUT", path, f"updating !{number}", dict(wanted))

    def _standing(self, page: Page) -> Standing:
        merger = page.get("merge_user") or page.get("merged_by")
        return Standing(
            number=int(page["iid"]),
            url=str(page["web_url"]),
            head=self._head(page),
            author=str(page["author"]["username"]),
            is_open=page["state"] in _OPEN,
            is_foreign=_is_foreign(page),
            is_draft=bool(page["draft"]),
            merged_commit=_commit_of(page) if page["state"] == "merged" else "",
            merged_by=str(merger["username"]) if merger else "",
            approvals=tuple(self._approvals(int(page["iid"]))),
        )

    # --- approvals: GitLab says who and when, its versions say of what ------------------------------

    def _approvals(self, number: int) -> Iterable[Vote]:
        """An approval is of the newest version that there was when it was given; undated, it is of none."""
        path = f"{self._project}/merge_requests/{number}"
        given = self._line.ask("GET", f"{path}/approvals", f"reading !{number}")["approved_by"]
        if not given:
            return []
        versions = list(self._line.pages(f"{path}/versions", f"reading !{number}", {}))
        noted = {} if all(one.get("approved_at") for one in given) else self._noted(number)
        votes = []
        for one in given:
            login = str(one["user"]["username"])
            at = _moment(one["approved_at"]) if one.get("approved_at") else noted.get(login)
            commit = _version_at(versions, at) if at else ""
            votes.append(Vote(login, commit))
        return [vote for vote in votes if vote.commit]

    def _noted(self, number: int) -> dict[str, datetime]:
        """When each approved last, where the list of approvals does not say it: GitLab's own notes do."""
        found: dict[str, datetime] = {}
        for one in self._notes(number):
            if one["system"] and one["body"].startswith(_APPROVED):
                found.setdefault(str(one["author"]["username"]), _moment(one["created_at"]))
        return found

    # --- the merge ----------------------------------------------------------------------------------

    def merge(self, merge: Merge) -> str:
        number = self.number(merge.branch, merge.message.partition("\n")[0])
        doing = f"merging {merge.branch}"
        body = {
            "sha": merge.head,
            "merge_commit_message": merge.message,
            "squash": False,
            "should_remove_source_branch": False,
        }
        try:
            found = self._line.ask("PUT", f"{self._project}/merge_requests/{number}/merge", doing, body)
        except HostRefused as error:
            if error.details["status"] not in _NOT_MERGED:
                raise
            raise self._why(number, merge.head, error) from error
        if found["state"] != "merged":
            raise Unavailable(f"{doing}: GitLab will merge it later ({found['state']})")
        return _commit_of(found)

    def _why(self, number: int, head: str, error: HostRefused) -> Unavailable | Conflict:
        """What GitLab has not looked at yet is merged later; everything else is a no."""
        page = self._page(number)
        status = str(page.get("detailed_merge_status") or "")
        if page["sha"] != head or status in _SOON:
            return Unavailable(f"{error.message}: GitLab looks at it still ({status or 'a push'})")
        told = f"{error.message} ({status})" if status else error.message
        return Conflict(told, hint="look at what GitLab asks for before a merge")

    def merged_as(self, head: str) -> str | None:
        path = f"{self._project}/repository/commits/{head}/merge_requests"
        for page in self._line.pages(path, "looking for a merge", {}):
            if page["state"] == "merged" and page["target_branch"] == BASE and page["sha"] == head:
                return _commit_of(page)
        return None

    # --- comments -----------------------------------------------------------------------------------

    def _notes(self, number: int, since: datetime | None = None) -> Iterable[Mapping[str, Any]]:
        """The newest first, so that old ones are not read again."""
        path = f"{self._project}/merge_requests/{number}/notes"
        query = {"order_by": "created_at", "sort": "desc"}
        for one in self._line.pages(path, f"reading notes of !{number}", query):
            if since is not None and _moment(one["created_at"]) < since.replace(microsecond=0):
                return
            yield one

    def _written(self, number: int, since: datetime | None = None) -> Iterable[Comment]:
        found = [one for one in self._notes(number, since) if not one["system"]]
        return [
            Comment(str(one["id"]), str(one["author"]["username"]), one["body"], _moment(one["created_at"]))
            for one in reversed(found)
        ]

    def _spelled(self, text: str) -> str:
        """A line that begins with a slash is a command to GitLab, in the name of whoever wrote it."""
        return _COMMAND.sub(r"\1\\/", text)

    def _post(self, number: int, body: str) -> None:
        path = f"{self._project}/merge_requests/{number}/notes"
        self._line.ask("POST", path, f"answering !{number}", {"body": body})

    def _rewrite(self, number: int, comment: str, body: str) -> None:
        path = f"{self._project}/merge_requests/{number}/notes/{comment}"
        self._line.ask("PUT", path, f"updating a note of !{number}", {"body": body})

    # --- checks -------------------------------------------------------------------------------------

    def _checks(self, case: Case) -> Mapping[str, tuple[str, str]]:
        path = f"{self._project}/repository/commits/{case.head}/statuses"
        found = self._line.pages(path, f"telling the checks of {case.branch}", {"ref": case.branch})
        return {
            one["name"]: (_OURS.get(one["status"], one["status"]), one["description"] or "") for one in found
        }

    def _tell(self, case: Case, name: str, state: str, text: str) -> None:
        body = {"state": _STATES.get(state, state), "name": name, "ref": case.branch, "description": text}
        doing = f"telling the checks of {case.branch}"
        try:
            self._line.ask("POST", f"{self._project}/statuses/{case.head}", doing, body)
        except HostRefused as error:
            # From pending to pending is no step that GitLab knows: it stands there already.
            if error.details["status"] != 400 or "Cannot transition status" not in error.message:
                raise
        except Missing:
            if not case.is_over:  # its branch is gone with it
                raise


def _is_foreign(page: Page) -> bool:
    return bool(page["source_project_id"] != page["target_project_id"])


def _commit_of(page: Page) -> str:
    """Of a merge; where a project squashes or only moves forward, of what came in."""
    return str(page.get("merge_commit_sha") or page.get("squash_commit_sha") or page["sha"])


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _version_at(versions: Iterable[Mapping[str, Any]], at: datetime) -> str:
    """The newest first."""
    return next((str(one["head_commit_sha"]) for one in versions if _moment(one["created_at"]) <= at), "")

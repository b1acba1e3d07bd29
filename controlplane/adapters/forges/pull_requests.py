"""Pull requests of GitHub: their text, their checks, and what people say there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from controlplane.adapters.forges.conversation import BODY, Conversation, Page
from controlplane.adapters.forges.line import HostRefused, Line
from controlplane.domain.errors import Conflict
from controlplane.domain.review.forge import Case, Comment, Merge, Standing, Vote
from controlplane.domain.review.layout import BASE

_LONGEST_TITLE = 250
_DECIDED = ("APPROVED", "CHANGES_REQUESTED", "DISMISSED")


class PullRequests(Conversation):
    longest_check = 140

    def __init__(self, line: Line, repository: str, login: str) -> None:
        self._line = line
        self._name = repository
        self._repo = f"/repos/{repository}"
        self._login = login

    def number(self, branch: str, title: str) -> int:
        found = self._of(branch, "open")
        if found:
            return int(found[0]["number"])
        wanted = {
            "title": title[:_LONGEST_TITLE],
            "head": branch,
            "base": BASE,
            "body": BODY.format(branch=branch),
        }
        try:
            made = self._line.ask(
                "POST", f"{self._repo}/pulls", f"opening a pull request of {branch}", wanted
            )
        except HostRefused:
            found = self._of(branch, "open")  # somebody was faster
            if not found:
                raise
            return int(found[0]["number"])
        return int(made["number"])

    def merge(self, merge: Merge) -> str:
        title, _, text = merge.message.partition("\n")
        number = self.number(merge.branch, title)
        body = {
            "sha": merge.head,
            "merge_method": "merge",
            "commit_title": title,
            "commit_message": text.strip(),
        }
        path = f"{self._repo}/pulls/{number}/merge"
        try:
            found = self._line.ask("PUT", path, f"merging {merge.branch}", body)
        except HostRefused as error:
            if error.details["status"] in (405, 409):
                raise Conflict(error.message, hint="look at what GitHub asks for before a merge") from error
            raise
        return str(found["sha"])

    def merged_as(self, head: str) -> str | None:
        for pull in self._line.pages(f"{self._repo}/commits/{head}/pulls", "looking for a merge", {}):
            if pull["merged_at"] and pull["base"]["ref"] == BASE and pull["head"]["sha"] == head:
                return str(pull["merge_commit_sha"])
        return None

    def _newest(self, branch: str) -> int | None:
        found = self._of(branch, "all")
        opened = [one for one in found if one["state"] == "open"]
        numbers = [int(one["number"]) for one in opened or found]
        return max(numbers, default=None)

    def _of(self, branch: str, state: str) -> list[dict[str, Any]]:
        owner = self._name.partition("/")[0]
        query = {"head": f"{owner}:{branch}", "base": BASE, "state": state}
        found = self._line.pages(f"{self._repo}/pulls", f"looking for {branch}", query)
        return [one for one in found if one["head"]["ref"] == branch]

    def _page(self, number: int) -> dict[str, Any]:
        found: dict[str, Any] = self._line.ask("GET", f"{self._repo}/pulls/{number}", f"reading #{number}")
        return found

    def _standing(self, pull: Page) -> Standing:
        source = pull["head"]["repo"]
        return Standing(
            number=int(pull["number"]),
            url=str(pull["html_url"]),
            head=str(pull["head"]["sha"]),
            author=str(pull["user"]["login"]),
            is_open=pull["state"] == "open",
            is_foreign=source is None or source["full_name"].lower() != self._name.lower(),
            is_draft=bool(pull.get("draft")),
            merged_commit=str(pull["merge_commit_sha"] or "") if pull["merged"] else "",
            merged_by=str(pull["merged_by"]["login"]) if pull["merged_by"] else "",
            approvals=tuple(self._approvals(int(pull["number"]))),
        )

    def _approvals(self, number: int) -> Iterable[Vote]:
        """Each person's last word, of the commit that it was said about."""
        last: dict[str, dict[str, Any]] = {}
        for one in self._line.pages(f"{self._repo}/pulls/{number}/reviews", f"reading #{number}", {}):
            if one["state"] in _DECIDED and one["user"]:
                last[one["user"]["login"]] = one
        return [Vote(who, str(one["commit_id"])) for who, one in last.items() if one["state"] == "APPROVED"]

    def _head(self, page: Page) -> str:
        return str(page["head"]["sha"])

    def _wanted(self, page: Page, case: Case) -> dict[str, Any]:
        wanted = {"title": case.title[:_LONGEST_TITLE]}
        if case.is_over and page["state"] == "open":
            wanted["state"] = "closed"
        return wanted if any(page[name] != value for name, value in wanted.items()) else {}

    def _change(self, number: int, wanted: Mapping[str, Any]) -> None:
        self._line.ask("PATCH", f"{self._repo}/pulls/{number}", f"updating #{number}", dict(wanted))

    # --- comments and checks ------------------------------------------------------------------------

    def _written(self, number: int, since: datetime | None = None) -> Iterable[Comment]:
        query = {"since": since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")} if since else {}
        path = f"{self._repo}/issues/{number}/comments"
        for one in self._line.pages(path, f"reading comments of #{number}", query):
            if one["user"]:
                at = datetime.fromisoformat(one["created_at"])
                yield Comment(str(one["id"]), one["user"]["login"], one["body"], at)

    def _post(self, number: int, body: str) -> None:
        path = f"{self._repo}/issues/{number}/comments"
        self._line.ask("POST", path, f"answering #{number}", {"body": body})

    def _rewrite(self, number: int, comment: str, body: str) -> None:
        path = f"{self._repo}/issues/comments/{comment}"
        self._line.ask("PATCH", path, f"updating a comment of #{number}", {"body": body})

    def _checks(self, case: Case) -> Mapping[str, tuple[str, str]]:
        path = f"{self._repo}/commits/{case.head}/statuses"
        there: dict[str, tuple[str, str]] = {}
        for one in self._line.pages(path, _telling(case), {}):  # the newest first
            there.setdefault(one["context"], (one["state"], one["description"] or ""))
        return there

    def _tell(self, case: Case, name: str, state: str, text: str) -> None:
        body = {"state": state, "context": name, "description": text}
        self._line.ask("POST", f"{self._repo}/statuses/{case.head}", _telling(case), body)


def _telling(case: Case) -> str:
    return f"telling the checks of {case.branch}"

"""Pull requests of GitHub: their text, their checks, and what people say there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from controlplane.adapters.forges.line import HostRefused, Line
from controlplane.adapters.forges.marks import collapsed, mark_of, marked
from controlplane.domain.review.forge import Case, Comment, Standing, Vote
from controlplane.domain.review.layout import BASE

_LONGEST_TITLE, _LONGEST_CHECK = 250, 140
_BODY = "The plan and what is asked of you stand in the first comment; the control plane writes `{branch}`."
_DECIDED = ("APPROVED", "CHANGES_REQUESTED", "DISMISSED")
_TEXT, _ANSWER = "review", "answer"


class GitHubConversation:
    def __init__(self, line: Line, repository: str, login: str) -> None:
        self._line = line
        self._name = repository
        self._repo = f"/repos/{repository}"
        self._login = login

    def show(self, case: Case) -> Standing:
        number = self._newest(case.branch)
        if number is None and not case.is_over:
            number = self.number(case.branch, case.title)
        if number is None:
            return Standing(0, "", case.head, is_open=False)
        pull = self._pull(number)
        self._say(number, case)
        if case.head and (not case.is_over or pull["head"]["sha"] == case.head):
            self._check(case)
        wanted = {"title": case.title[:_LONGEST_TITLE]}
        if case.is_over and pull["state"] == "open":
            wanted["state"] = "closed"
        if any(pull[name] != value for name, value in wanted.items()):
            self._line.ask("PATCH", f"{self._repo}/pulls/{number}", f"updating #{number}", wanted)
        return self._standing(self._pull(number))

    def standing(self, branch: str) -> Standing | None:
        number = self._newest(branch)
        return None if number is None else self._standing(self._pull(number))

    def number(self, branch: str, title: str) -> int:
        """Of the open pull request; made where there is none."""
        found = self._of(branch, "open")
        if found:
            return int(found[0]["number"])
        wanted = {
            "title": title[:_LONGEST_TITLE],
            "head": branch,
            "base": BASE,
            "body": _BODY.format(branch=branch),
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

    def merged_as(self, head: str) -> str | None:
        """The commit by which a head came into the base."""
        for pull in self._line.pages(f"{self._repo}/commits/{head}/pulls", "looking for a merge", {}):
            if pull["merged_at"] and pull["base"]["ref"] == BASE and pull["head"]["sha"] == head:
                return str(pull["merge_commit_sha"])
        return None

    def _newest(self, branch: str) -> int | None:
        """The open one, else the last that there was."""
        found = self._of(branch, "all")
        opened = [one for one in found if one["state"] == "open"]
        numbers = [int(one["number"]) for one in opened or found]
        return max(numbers, default=None)

    def _of(self, branch: str, state: str) -> list[dict[str, Any]]:
        owner = self._name.partition("/")[0]
        query = {"head": f"{owner}:{branch}", "base": BASE, "state": state}
        found = self._line.pages(f"{self._repo}/pulls", f"looking for {branch}", query)
        return [one for one in found if one["head"]["ref"] == branch]

    def _pull(self, number: int) -> dict[str, Any]:
        found: dict[str, Any] = self._line.ask("GET", f"{self._repo}/pulls/{number}", f"reading #{number}")
        return found

    def _standing(self, pull: dict[str, Any]) -> Standing:
        source = pull["head"]["repo"]
        return Standing(
            number=int(pull["number"]),
            url=str(pull["html_url"]),
            head=str(pull["head"]["sha"]),
            author=str(pull["user"]["login"]),
            is_open=pull["state"] == "open",
            is_foreign=source is None or source["full_name"].lower() != self._name.lower(),
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

    # --- what we say --------------------------------------------------------------------------------

    def _comments(self, number: int, query: dict[str, str]) -> list[dict[str, Any]]:
        path = f"{self._repo}/issues/{number}/comments"
        return list(self._line.pages(path, f"reading comments of #{number}", query))

    def _ours(self, number: int) -> list[dict[str, Any]]:
        return [one for one in self._comments(number, {}) if self._is_ours(one)]

    def _is_ours(self, comment: dict[str, Any]) -> bool:
        """Anybody can write our mark; nobody can write it in our name."""
        return bool(comment["user"]) and comment["user"]["login"].lower() == self._login.lower()

    def _say(self, number: int, case: Case) -> None:
        """Each part in its own comment; the parts of an older text, and of an older review, fold away."""
        wanted = {f"{case.review}.{n}": text for n, text in enumerate(case.parts, 1)}
        for comment in self._ours(number):
            what, key = mark_of(comment["body"]) or ("", "")
            if what != _TEXT:
                continue
            text = wanted.pop(key, None)
            body = collapsed(comment["body"]) if text is None else marked(_TEXT, key, text)
            if body != comment["body"]:
                path = f"{self._repo}/issues/comments/{comment['id']}"
                self._line.ask("PATCH", path, f"updating a comment of #{number}", {"body": body})
        for key, text in wanted.items():
            self._post(number, marked(_TEXT, key, text))

    def _post(self, number: int, body: str) -> None:
        self._line.ask(
            "POST", f"{self._repo}/issues/{number}/comments", f"answering #{number}", {"body": body}
        )

    def answer(self, number: int, key: str, text: str) -> None:
        if all(mark_of(one["body"]) != (_ANSWER, key) for one in self._ours(number)):
            self._post(number, marked(_ANSWER, key, text))

    def comments(self, number: int, since: datetime) -> Sequence[Comment]:
        found = self._comments(number, {"since": since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")})
        told = [
            Comment(
                str(one["id"]), one["user"]["login"], one["body"], datetime.fromisoformat(one["created_at"])
            )
            for one in found
            if one["user"] and not self._is_ours(one)
        ]
        return sorted(told, key=lambda comment: comment.at)

    def _check(self, case: Case) -> None:
        doing = f"telling the checks of {case.branch}"
        path = f"{self._repo}/commits/{case.head}/statuses"
        there: dict[str, tuple[str, str]] = {}
        for one in self._line.pages(path, doing, {}):  # the newest first
            there.setdefault(one["context"], (one["state"], one["description"] or ""))
        for check in case.checks:
            told = check.text[:_LONGEST_CHECK]
            if there.get(check.name) != (check.state, told):
                body = {"state": check.state, "context": check.name, "description": told}
                self._line.ask("POST", f"{self._repo}/statuses/{case.head}", doing, body)

"""Git's own line to a host: commits that are not here are fetched, branches move from what was seen.

The folder holds objects and nothing else: which branch is where is the host's to say. The token travels in
git's environment; it stands in no address, no list of processes and no file.
"""

from __future__ import annotations

import base64
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from controlplane.adapters.forges.line import PAUSES_SECONDS, Clock, HostRefused
from controlplane.adapters.git.process import GitFailed, run
from controlplane.domain.errors import Missing, Unavailable

_HEADS = "refs/heads/"
_KEPT = "refs/fetched/"  # what a fetch may say that it has already
_MOVED = ("[rejected]", "stale info", "cannot lock ref", "reference already exists")
_UNKNOWN = ("not our ref", "couldn't find remote ref", "no such remote ref")
_TOKEN = ("Authentication failed", "could not read Username", "error: 401", "error: 403", "error: 404")


@dataclass
class Wire:
    name: str  # of the host, in errors
    folder: Path
    url: str
    token: str = field(repr=False)
    pauses: tuple[float, ...] = PAUSES_SECONDS
    clock: Clock = field(default_factory=Clock)

    def has(self, commit: str) -> bool:
        try:
            run(self.folder, ["cat-file", "-e", f"{commit}^{{commit}}"], doing="looking for a commit")
        except GitFailed:
            return False
        return True

    def fetch(self, commit: str, kept_as: str = "") -> None:
        """One that the host has, with all that it needs; done already, nothing is asked."""
        if self.has(commit):
            return
        doing = f"fetching {commit[:12]}"
        words = ["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules"]
        for pause in (*self.pauses, None):
            try:
                self._ask([*words, self.url, commit], doing)
                break
            except GitFailed as error:
                said = str(error.details["said"])
                if any(words in said for words in _UNKNOWN):
                    raise Missing(f"{doing}: {self.name} has no such commit") from error
                if pause is None or any(words in said for words in _TOKEN):
                    raise self._silent(doing, error) from error
            self.clock.sleep(pause * random.uniform(0.8, 1.2))  # noqa: S311 - no secret
        self._keep(commit, kept_as)

    def push(self, branch: str, new: str, seen: str | None) -> None:
        """Only from what was seen (none: only where no such branch is); the host compares and swaps."""
        doing = f"moving {branch}"
        ref = _HEADS + branch
        words = ["push", "--quiet", "--no-verify", f"--force-with-lease={ref}:{seen or ''}"]
        try:
            self._ask([*words, self.url, f"{new}:{ref}"], doing)
        except GitFailed as error:
            said = str(error.details["said"])
            if any(words in said for words in _MOVED):
                raise Unavailable(f"{branch} moved meanwhile: {error.message}") from error
            if "[remote rejected]" in said:
                raise HostRefused(
                    f"{doing}: {self.name} refuses: {_words_of(said)}",
                    hint="let the token's login push there (docs/gitops.md)",
                    details={"status": 403},
                ) from error
            raise self._silent(doing, error) from error

    def _silent(self, doing: str, error: GitFailed) -> Unavailable:
        told = f"{doing}: {self.name} did not answer git ({error.details['answer']})"
        is_token = any(words in str(error.details["said"]) for words in _TOKEN)
        hint = "look at the token's rights and its expiry (docs/gitops.md)" if is_token else ""
        return Unavailable(told, hint=hint or "it is tried again by itself")

    def _keep(self, commit: str, name: str) -> None:
        """So that the next fetch brings only what is new. Another process may be doing the same."""
        if not name:
            return
        try:
            run(self.folder, ["update-ref", _KEPT + name, commit], doing="keeping a commit")
        except GitFailed:
            return  # the commit is here; only the next fetch is larger

    def _ask(self, words: Sequence[str], doing: str) -> None:
        run(self.folder, words, doing=doing, quietly=self._settings())

    def _settings(self) -> Mapping[str, str]:
        scheme = self.url.partition(":")[0]
        login = base64.b64encode(f"oauth2:{self.token}".encode()).decode()
        return {
            f"protocol.{scheme}.allow": "always",
            "http.extraHeader": f"Authorization: Basic {login}",
            "http.followRedirects": "false",  # the token goes nowhere else
            "http.lowSpeedLimit": "1000",
            "http.lowSpeedTime": "30",
            "credential.helper": "",
            # Whole packs: a kill half-way leaves no commit without its files.
            "fetch.unpackLimit": "1",
        }


def _words_of(said: str) -> str:
    """What the host itself had to say about it, one line."""
    told = [line.removeprefix("remote:").strip() for line in said.splitlines() if line.startswith("remote:")]
    return " ".join(word for word in told if word)[:300] or "[remote rejected]"

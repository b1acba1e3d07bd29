"""The line to a host of repositories: REST with a token, patient with faults, polite about limits.

What is only read, or may be said twice, is tried again at once and briefly; what makes something new is not:
the next look finds out what became of it. Where a host names a time before which it wants to hear nothing,
nothing is sent until then, and whoever asks is told so.
"""

from __future__ import annotations

import random
import ssl
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from controlplane.domain.errors import Broken, Missing, Unavailable

PAUSES_SECONDS = (0.3, 1.0)
_AGAIN = frozenset({500, 502, 503, 504})
_TWICE = frozenset({"GET", "PUT", "PATCH", "DELETE"})
_QUIET_SECONDS = 60.0  # where a host asks for quiet and says not how long
_LONGEST_QUIET_SECONDS = 3600.0
_MOST_PAGES = 200
_REMEMBERED = 2_000


class HostRefused(Broken):
    """The host said no; `details["status"]` is how."""

    code = "host_refused"


@dataclass(frozen=True)
class Clock:
    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep


@dataclass
class Line:
    name: str  # of the host, in errors
    url: str
    headers: Mapping[str, str] = field(repr=False)  # with the token
    pauses: tuple[float, ...] = PAUSES_SECONDS
    clock: Clock = field(default_factory=Clock)
    timeout_seconds: float = 15.0
    _trust: ssl.SSLContext = field(default_factory=httpx.create_ssl_context, init=False, repr=False)
    _quiet_until: float = field(default=0.0, init=False)
    _seen: OrderedDict[str, tuple[str, httpx.Response]] = field(default_factory=OrderedDict, init=False)

    def ask(self, method: str, path: str, doing: str, body: Any = None, query: Any = None) -> Any:
        """The answer's JSON; None where it has none. A no is HostRefused, or Missing for 404."""
        answer = self._answer(method, path, doing, body, query)
        return answer.json() if answer.content else None

    def find(self, path: str, doing: str, query: Any = None) -> Any:
        """What is there; None where nothing is."""
        try:
            return self.ask("GET", path, doing, query=query)
        except Missing:
            return None

    def pages(self, path: str, doing: str, query: Mapping[str, Any]) -> Iterator[Any]:
        """Every item of a list, page by page, as the answers link them."""
        where: str = path
        wanted: Mapping[str, Any] | None = {"per_page": 100, **query}
        for _ in range(_MOST_PAGES):
            answer = self._answer("GET", where, doing, None, wanted)
            yield from answer.json()
            following = answer.links.get("next", {}).get("url")
            if not following:
                return
            where, wanted = self._own(following, doing), None
        raise Broken(f"{doing}: {self.name} answered more than {_MOST_PAGES} pages")

    def _own(self, link: str, doing: str) -> str:
        """A token is never sent where a link would lead it."""
        if not link.startswith(f"{self.url}/"):
            raise Broken(f"{doing}: {self.name} links its next page to another place")
        return link.removeprefix(self.url)

    def _answer(self, method: str, path: str, doing: str, body: Any, query: Any) -> httpx.Response:
        self._require_no_quiet(doing)
        pauses = self.pauses if method in _TWICE else ()
        for pause in (*pauses, None):
            answer, why = self._send(method, path, body, query)
            if answer is not None and answer.status_code not in _AGAIN:
                return self._judged(answer, doing)
            if pause is not None:
                self.clock.sleep(pause * random.uniform(0.8, 1.2))  # noqa: S311 - no secret
        raise Unavailable(f"{doing}: {self.name} did not answer ({why})", hint="it is tried again by itself")

    def _send(self, method: str, path: str, body: Any, query: Any) -> tuple[httpx.Response | None, str]:
        headers = dict(self.headers)
        key = f"{path}?{query}"
        known = self._seen.get(key) if method == "GET" else None
        if known:
            headers["if-none-match"] = known[0]
        try:
            with httpx.Client(timeout=self.timeout_seconds, verify=self._trust) as client:
                answer = client.request(method, self.url + path, json=body, params=query, headers=headers)
        except httpx.HTTPError as error:
            return None, type(error).__name__
        if known and answer.status_code == httpx.codes.NOT_MODIFIED:
            return known[1], ""
        self._remember(method, key, answer)
        return answer, f"HTTP {answer.status_code}"

    def _remember(self, method: str, key: str, answer: httpx.Response) -> None:
        """What did not change costs nothing of a host's limit."""
        if method == "GET" and answer.is_success and "etag" in answer.headers:
            self._seen[key] = (answer.headers["etag"], answer)
            while len(self._seen) > _REMEMBERED:
                self._seen.popitem(last=False)

    # --- what a host says no to ---------------------------------------------------------------------

    def _judged(self, answer: httpx.Response, doing: str) -> httpx.Response:
        if answer.is_success:
            return answer
        quiet = self._asks_for_quiet(answer)
        if quiet is not None:
            self._quiet_until = self.clock.now() + quiet
            self._require_no_quiet(doing)
        if answer.status_code == httpx.codes.NOT_FOUND:
            raise Missing(f"{doing}: {self.name} knows nothing of it, or shows it not to this token")
        if answer.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            hint = "look at the token's rights and its expiry (docs/gitops.md)"
            raise Unavailable(f"{doing}: {self.name} does not let this token: {_said(answer)}", hint=hint)
        details = {"status": answer.status_code}
        raise HostRefused(f"{doing}: {self.name} refuses: {_said(answer)}", details=details)

    def _asks_for_quiet(self, answer: httpx.Response) -> float | None:
        """Seconds; None: this is another no. Both GitHub's and GitLab's ways to say it."""
        if answer.status_code not in (httpx.codes.FORBIDDEN, httpx.codes.TOO_MANY_REQUESTS):
            return None
        after = answer.headers.get("retry-after", "")
        if after.isdecimal():
            return min(float(after), _LONGEST_QUIET_SECONDS)
        left = answer.headers.get("x-ratelimit-remaining", answer.headers.get("ratelimit-remaining", ""))
        reset = answer.headers.get("x-ratelimit-reset", answer.headers.get("ratelimit-reset", ""))
        if left == "0" and reset.isdecimal():
            return min(max(1.0, float(reset) - self.clock.now()), _LONGEST_QUIET_SECONDS)
        if answer.status_code == httpx.codes.TOO_MANY_REQUESTS or "rate limit" in _said(answer).lower():
            return _QUIET_SECONDS
        return None

    def _require_no_quiet(self, doing: str) -> None:
        left = self._quiet_until - self.clock.now()
        if left > 0:
            what = f"{doing}: {self.name} wants to hear nothing for {left:.0f} s"
            raise Unavailable(
                what, hint="it is tried again by itself", details={"retry_after": int(left) + 1}
            )


def _said(answer: httpx.Response) -> str:
    """The host's own words, one line of them."""
    try:
        found = answer.json()
    except ValueError:
        return f"HTTP {answer.status_code}"
    words = found.get("message") or found.get("error") if isinstance(found, dict) else None
    told = f": {' '.join(str(words).split())[:200]}" if words else ""
    return f"HTTP {answer.status_code}{told}"

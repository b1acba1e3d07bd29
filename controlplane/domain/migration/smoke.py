"""Checks of a blueprint's own after a switch: what is asked, and whether the answer will do."""

from __future__ import annotations

from dataclasses import dataclass, field

from controlplane.domain.migration.evidence import Page

SLUG = "{slug}"  # in an URL: whose application is meant


@dataclass(frozen=True)
class SqlCheck:
    """Asked of the new database before anybody is let in."""

    name: str
    statements: str = field(repr=False)
    seconds: int


@dataclass(frozen=True)
class UrlCheck:
    """Asked of the application once it is let in, again and again until it answers well or time is up."""

    name: str
    url: str
    status: int
    contains: str
    seconds: int

    def url_of(self, slug: str) -> str:
        return self.url.replace(SLUG, slug)

    def problem(self, page: Page) -> str:
        """What is wrong with an answer; empty: nothing is."""
        if page.status is None:
            return page.problem
        if page.status != self.status:
            return f"it answers {page.status} instead of {self.status}"
        return "" if self.contains in page.text else f"its page does not contain {self.contains!r}"


@dataclass(frozen=True)
class SmokeChecks:
    sql: tuple[SqlCheck, ...] = ()
    urls: tuple[UrlCheck, ...] = ()


NO_CHECKS = SmokeChecks()

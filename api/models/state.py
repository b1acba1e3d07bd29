"""Terraform states as an admin sees them: which are kept, and what was put back."""

from __future__ import annotations

from api.models import Page, View


class StateVersion(View):
    serial: int
    at: str
    written_by: str
    run: str | None
    sha256: str


class StateVersionPage(Page):
    items: list[StateVersion]


class RestoredState(View):
    workspace: str
    serial: int
    of: int
    dry_run: bool = False

"""What routes of templates answer, for the OpenAPI document."""

from __future__ import annotations

from pydantic import Field

from api.models import Json, Page, View, WaveInFull


class Outdated(View):
    """`newest` is null where the blueprint is no longer in the catalog."""

    tenant: str
    blueprint: str
    template_version: str
    digest: str
    newest: str | None
    newest_digest: str | None


class TemplateDifference(View):
    """What all who are behind in the same way would get; `note` says why where that is not known."""

    blueprint: str
    from_: str = Field(alias="from")
    to: str
    from_digest: str
    to_digest: str
    modules: list[Json]
    files: list[Json]
    diff: str
    note: str


class OutdatedPage(Page):
    items: list[Outdated]
    differences: list[TemplateDifference]


class RolloutWave(WaveInFull):
    """`to`: the digest of the template. In a dry run those who would go first carry their `rehearsal`."""

    to: str

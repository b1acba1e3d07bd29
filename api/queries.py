"""What a list can be asked, as models: a parameter that nobody knows is refused, not ignored."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from controlplane.domain.operation import Kind, Status
from controlplane.domain.review.progress import ReviewStatus
from controlplane.domain.tenant import Phase, Size, Stage
from controlplane.services import audit, fleet

Word = Annotated[str, Field(max_length=100)]


class Paged(BaseModel):
    model_config = ConfigDict(extra="forbid")

    page_size: Annotated[int, Field(ge=1, le=200)] = 50
    page_token: Annotated[str, Field(max_length=1000)] = ""


class Tenants(Paged):
    stage: Stage | None = None
    size: Size | None = None
    phase: Phase | None = None
    region: Word | None = None
    label: Annotated[str, Field(max_length=1000, description="A selector: `team=a,tier in (x,y)`.")] = ""
    selector: Annotated[str, Field(max_length=1000, description="The same as `label`.")] = ""
    q: Annotated[Word, Field(description="What the slug begins with.")] = ""
    sort: Annotated[Word, Field(description="slug, created_at or monthly_usd; ` desc` turns it round.")] = (
        "slug"
    )

    def listing(self) -> fleet.Listing:
        both = ",".join(text for text in (self.label, self.selector) if text)
        paging = {"sort": self.sort, "page_size": self.page_size, "page_token": self.page_token}
        return fleet.Listing(self.stage, self.size, self.phase, self.region, both, self.q, **paging)  # type: ignore[arg-type]


class Operations(Paged):
    tenant: Word | None = None
    status: Status | None = None
    kind: Kind | None = None
    wave: Word | None = None

    def queue(self) -> fleet.Queue:
        return fleet.Queue(**self.model_dump())


class Reviews(Paged):
    status: ReviewStatus | None = None


class Audit(Paged):
    actor: Word | None = None
    action: Word | None = None
    subject: Word | None = None
    since: Annotated[Word, Field(description="As 2026-01-31T12:00:00+00:00.")] = ""

    def search(self) -> audit.Search:
        return audit.Search(**self.model_dump())


class History(BaseModel):
    model_config = ConfigDict(extra="forbid")

    after: Annotated[int, Field(ge=0, lt=2**62)] = 0
    limit: Annotated[int, Field(ge=1, le=1000)] = 200

"""What doors may ask about drift."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from controlplane.operations.types import Request

Status = Literal["", "open", "proposed", "accepted", "written_back", "ended"]
Severity = Literal["", "benign", "real", "dangerous"]


class Scanning(Request):
    selector: Annotated[str, Field(max_length=200, description="Which tenants; all unless said.")] = ""
    full: Annotated[bool, Field(description="Also plan: where something was seen, by age and by chance.")] = (
        False
    )
    every: Annotated[bool, Field(description="Plan all that are selected, with `full`.")] = False
    most: Annotated[int, Field(ge=1, le=10_000, description="Plans in one look.")] = 20


class Listing(Request):
    status: Annotated[Status, Field(description="What lives unless said.")] = ""
    severity: Severity = ""
    page_size: Annotated[int, Field(ge=1, le=200)] = 50
    page_token: Annotated[str, Field(max_length=1000)] = ""

"""What doors may ask of right-sizing."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from controlplane.operations.types import Request

Status = Literal["", "open", "proposed", "dismissed", "applied", "ended"]


class Scanning(Request):
    look_back_days: Annotated[int | None, Field(ge=1, le=60, description="14 unless said.")] = None
    selector: Annotated[str, Field(max_length=200, description="Which tenants; all unless said.")] = ""
    urgent_only: Annotated[bool, Field(description="Only what is overloaded right now.")] = False


class Inbox(Request):
    status: Annotated[Status, Field(description="What lives unless said.")] = ""
    tenant: Annotated[str, Field(max_length=40)] = ""
    page_size: Annotated[int, Field(ge=1, le=200)] = 50
    page_token: Annotated[str, Field(max_length=1000)] = ""


class Dismissal(Request):
    days: Annotated[int | None, Field(ge=1, le=365, description="How long it is not proposed again.")] = None

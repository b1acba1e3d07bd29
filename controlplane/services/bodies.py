"""What doors may send besides an operation's own request; unknown fields are refused."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field, ValidationError

from controlplane.domain.errors import FieldError, Invalid
from controlplane.domain.events.shapes import Form
from controlplane.domain.operation import Kind
from controlplane.operations.types import Request
from controlplane.services.actor import Role

B = TypeVar("B", bound=Request)

Name = Annotated[str, Field(pattern=r"^[\w.@:-]+( [\w.@:-]+)*$", min_length=1, max_length=100)]
Pattern = Annotated[str, Field(pattern=r"^[a-z0-9*?-]+$", min_length=1, max_length=60)]
EventPattern = Annotated[str, Field(pattern=r"^[a-z_.*]+$", min_length=1, max_length=60)]
Scope = Annotated[list[Pattern], Field(max_length=100)]


class Nothing(Request):
    """No body is needed."""


class Approval(Request):
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]*$", max_length=64)] = ""


class Cancellation(Request):
    insist: bool = False


class Settlement(Request):
    outcome: Literal["retry", "succeeded", "partially_applied", "failed", "cancelled", "lost"] = "retry"


class Rows(Request):
    """Tenants to create. A row is looked at when its turn comes: a bad one refuses itself only."""

    items: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=1000)]


class NewToken(Request):
    name: Name
    role: Role = Role.VIEWER
    tenants: Scope = Field(default_factory=list)
    days: Annotated[int, Field(ge=1, le=3650)] = 90


class NewUser(Request):
    name: Name
    role: Role = Role.VIEWER
    tenants: Scope = Field(default_factory=list)


class NewWindow(Request):
    name: Name
    effect: Literal["allow", "deny", "sleep"]
    cron: Annotated[str, Field(min_length=9, max_length=100)]
    minutes: Annotated[int, Field(ge=1, le=10080)]
    zone: Annotated[str, Field(max_length=64)] = "UTC"
    selector: Annotated[str, Field(max_length=200)] = ""


class NewWebhook(Request):
    """Who hears events. `url`: https://…, or the ARN of a topic or an event bus."""

    url: Annotated[str, Field(min_length=8, max_length=2000)]
    form: Form = Form.STANDARD
    events: Annotated[list[EventPattern], Field(min_length=1, max_length=50)] = Field(
        default_factory=lambda: ["*"]
    )
    tenants: Scope = Field(default_factory=list)
    note: Annotated[str, Field(max_length=200)] = ""


class Replay(Request):
    """Nothing said: what failed. Else one event, everything since a time, or a test."""

    event: Annotated[str, Field(max_length=60)] = ""
    since: Annotated[str, Field(max_length=60)] = ""
    test: bool = False


class NewWave(Request):
    """A change of many tenants. `body` is what one of them would be asked with."""

    kind: Kind
    selector: Annotated[str, Field(min_length=1, max_length=500)]
    body: dict[str, Any] = Field(default_factory=dict, max_length=50)
    size: Annotated[int, Field(ge=1, le=1000)] = 5
    canary: Annotated[int, Field(ge=0, le=1000)] = 0
    abort_after_percent: Annotated[float | None, Field(ge=0, le=100)] = None


def parse(model: type[B], data: Any) -> B:
    """A body from plain data; what is wrong with it stands in our words, field by field."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise refused(error.errors()) from error


def refused(found: Any) -> Invalid:
    """pydantic's complaints as ours. The values themselves are left out: one may be a secret."""
    errors = [
        FieldError("body" if one["type"] == "json_invalid" else _path(one["loc"]), str(one["msg"]))
        for one in found
    ]
    words = "; ".join(f"{e.field}: {e.message}" if e.field else e.message for e in errors[:5])
    return Invalid(f"the request is not right: {words}", errors=errors)


def _path(location: Any) -> str:
    return ".".join(str(part) for part in location if part not in ("body", "query", "path", "header"))

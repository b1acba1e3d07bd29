"""What tests of a tenant's life ask, in few words."""

from __future__ import annotations

import json
from typing import Any

from controlplane.domain import names
from controlplane.domain.operation import Kind
from controlplane.operations import Create, Destroy, Request
from controlplane.ports import Login
from controlplane.services import operations as asking
from controlplane.services import tenants
from controlplane.services.control import Ask
from tests.operations.house import ADMIN, ASK, House


def create(house: House, slug: str = "acme", ask: Ask = ASK, **fields: object) -> str:
    return str(tenants.create(house.control, ADMIN, Create(slug=slug, **fields), ask)["id"])


def change(house: House, kind: Kind, body: Request, slug: str = "acme", ask: Ask = ASK) -> str:
    return str(tenants.change(house.control, ADMIN, kind, slug, body, ask)["id"])


def destroy(house: House, slug: str = "acme", **fields: int) -> str:
    return change(house, Kind.DESTROY, Destroy(confirm=slug, **fields), slug)


def shown(house: House, operation_id: str) -> dict[str, Any]:
    return asking.show(house.control, ADMIN, operation_id)


def tenant(house: House, slug: str = "acme") -> dict[str, Any]:
    return tenants.show(house.control, ADMIN, slug)


def done(house: House, operation_id: str, status: str = "succeeded") -> dict[str, Any]:
    """The operation, which has ended well."""
    seen = shown(house, operation_id)
    assert seen["status"] == status, (seen["metadata"], seen.get("error"))
    return seen


def application(house: House, slug: str = "acme") -> Login:
    """How the tenant's application logs in: what its secret says, and nothing else."""
    name = names.route_secret(names.Slug(slug), names.TenantUid(tenant(house, slug)["uid"]))
    said = json.loads(house.cloud.read_secret(name))
    keys = ("host", "port", "database", "username", "password")
    return Login(**{key: said[key] for key in keys}, tls="verify-full")


def warnings(house: House, operation_id: str) -> list[str]:
    return [e["text"] for e in asking.events(house.control, ADMIN, operation_id) if e["type"] == "warning"]

"""The authorisation table: what each route asks of a caller. A test holds it and the routes together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from fastapi import APIRouter
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from api.deps import May
from controlplane.services.actor import Action as A

OPEN = None  # for whoever reaches it

TABLE: Mapping[tuple[str, str], A | None] = {
    ("GET", "/healthz"): OPEN,
    ("GET", "/readyz"): OPEN,
    ("GET", "/metrics"): OPEN,
    ("GET", "/version"): OPEN,
    ("GET", "/v1/tenants"): A.READ_TENANT,
    ("POST", "/v1/tenants"): A.CREATE_TENANT,
    ("POST", "/v1/tenants/batch"): A.CREATE_TENANT,
    ("GET", "/v1/tenants/{slug}"): A.READ_TENANT,
    ("PATCH", "/v1/tenants/{slug}"): A.CHANGE_TENANT,
    ("GET", "/v1/tenants/{slug}/explain"): A.READ_TENANT,
    ("GET", "/v1/tenants/{slug}/history"): A.READ_TENANT,
    ("POST", "/v1/tenants/{slug}/resize"): A.CHANGE_TENANT,
    ("POST", "/v1/tenants/{slug}/upgrade"): A.CHANGE_TENANT,
    ("POST", "/v1/tenants/{slug}/suspend"): A.CHANGE_TENANT,
    ("POST", "/v1/tenants/{slug}/resume"): A.CHANGE_TENANT,
    ("POST", "/v1/tenants/{slug}/rotate"): A.CHANGE_TENANT,
    ("POST", "/v1/tenants/{slug}/restore"): A.CHANGE_TENANT,
    ("POST", "/v1/tenants/{slug}/reconcile"): A.CHANGE_TENANT,
    ("POST", "/v1/tenants/{slug}/adopt"): A.CHANGE_TENANT,
    ("POST", "/v1/tenants/{slug}/destroy"): A.DESTROY_TENANT,
    ("GET", "/v1/operations"): A.READ_OPERATION,
    ("GET", "/v1/operations/{operation_id}"): A.READ_OPERATION,
    ("GET", "/v1/operations/{operation_id}/plan"): A.READ_OPERATION,
    ("GET", "/v1/operations/{operation_id}/log"): A.READ_OPERATION,
    ("GET", "/v1/operations/{operation_id}/events"): A.READ_OPERATION,
    ("POST", "/v1/operations/{operation_id}/approve"): A.APPROVE,
    ("POST", "/v1/operations/{operation_id}/reject"): A.APPROVE,
    ("POST", "/v1/operations/{operation_id}/cancel"): A.STEER,
    ("POST", "/v1/operations/{operation_id}/retry"): A.STEER,
    ("POST", "/v1/operations/{operation_id}/settle"): A.SETTLE,
    ("GET", "/v1/blueprints"): A.READ_FLEET,
    ("GET", "/v1/blueprints/{name}"): A.READ_FLEET,
    ("POST", "/v1/blueprints/{name}/apply"): A.CHANGE_PLATFORM,
    ("GET", "/v1/windows"): A.READ_FLEET,
    ("POST", "/v1/windows"): A.CHANGE_FLEET,
    ("DELETE", "/v1/windows/{window_id}"): A.CHANGE_FLEET,
    ("GET", "/v1/doctor"): A.READ_FLEET,
    ("GET", "/v1/tenants/{slug}/cost"): A.READ_TENANT,
    ("GET", "/v1/costs/fleet"): A.READ_FLEET,
    ("GET", "/v1/costs/forecast"): A.READ_FLEET,
    ("GET", "/v1/costs/tables"): A.READ_FLEET,
    ("GET", "/v1/costs/actuals"): A.READ_FLEET,
    ("GET", "/v1/costs/commitments"): A.READ_FLEET,
    ("GET", "/v1/costs/budget"): A.READ_FLEET,
    ("GET", "/v1/costs/prices"): A.READ_FLEET,
    ("POST", "/v1/costs/estimate"): A.READ_FLEET,
    ("POST", "/v1/costs/budget"): A.CHANGE_FLEET,
    ("POST", "/v1/costs/prices/refresh"): A.CHANGE_FLEET,
    ("POST", "/v1/costs/actuals/refresh"): A.CHANGE_FLEET,
    ("POST", "/v1/costs/fleet/record"): A.CHANGE_FLEET,
    ("GET", "/v1/audit"): A.READ_AUDIT,
    ("GET", "/v1/audit/verification"): A.READ_AUDIT,
    ("GET", "/v1/audit/export"): A.READ_AUDIT,
    ("GET", "/v1/tokens"): A.ADMINISTER,
    ("POST", "/v1/tokens"): A.ADMINISTER,
    ("DELETE", "/v1/tokens/{token_id}"): A.ADMINISTER,
    ("GET", "/v1/users"): A.ADMINISTER,
    ("POST", "/v1/users"): A.ADMINISTER,
    ("DELETE", "/v1/users/{user_id}"): A.ADMINISTER,
    ("GET", "/v1/workspaces/{workspace_id}/state"): A.READ_STATE,
    ("POST", "/v1/workspaces/{workspace_id}/state"): A.WRITE_STATE,
    ("LOCK", "/v1/workspaces/{workspace_id}/state"): A.WRITE_STATE,
    ("UNLOCK", "/v1/workspaces/{workspace_id}/state"): A.WRITE_STATE,
}


def asked(routers: Iterable[APIRouter]) -> dict[tuple[str, str], A | None]:
    """What the routes ask in fact: the permission in each one's signature."""
    routes = [route for router in routers for route in router.routes if isinstance(route, APIRoute)]
    return {
        (method, route.path): _permission(route.dependant)
        for route in routes
        for method in (route.methods or set()) - {"HEAD"}
    }


def _permission(dependant: Dependant) -> A | None:
    for dependency in dependant.dependencies:
        if isinstance(dependency.call, May):
            return dependency.call.action
    return None

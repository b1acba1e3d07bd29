"""The authorisation table: what each route asks of a caller. A test holds it and the routes together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from fastapi import APIRouter
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from api.deps import May
from controlplane.services.actor import Action

OPEN = None  # for whoever reaches it

TABLE: Mapping[tuple[str, str], Action | None] = {
    ("GET", "/healthz"): OPEN,
    ("GET", "/readyz"): OPEN,
    ("GET", "/metrics"): OPEN,
    ("GET", "/version"): OPEN,
    ("GET", "/v1/tenants"): Action.READ_TENANT,
    ("POST", "/v1/tenants"): Action.CREATE_TENANT,
    ("POST", "/v1/tenants/batch"): Action.CREATE_TENANT,
    ("GET", "/v1/tenants/{slug}"): Action.READ_TENANT,
    ("PATCH", "/v1/tenants/{slug}"): Action.CHANGE_TENANT,
    ("GET", "/v1/tenants/{slug}/explain"): Action.READ_TENANT,
    ("GET", "/v1/tenants/{slug}/history"): Action.READ_TENANT,
    ("GET", "/v1/tenants/{slug}/workspace"): Action.READ_TENANT,
    ("POST", "/v1/tenants/{slug}/resize"): Action.CHANGE_TENANT,
    ("POST", "/v1/tenants/{slug}/upgrade"): Action.CHANGE_TENANT,
    ("POST", "/v1/tenants/{slug}/suspend"): Action.CHANGE_TENANT,
    ("POST", "/v1/tenants/{slug}/resume"): Action.CHANGE_TENANT,
    ("POST", "/v1/tenants/{slug}/rotate"): Action.CHANGE_TENANT,
    ("POST", "/v1/tenants/{slug}/restore"): Action.CHANGE_TENANT,
    ("POST", "/v1/tenants/{slug}/reconcile"): Action.CHANGE_TENANT,
    ("POST", "/v1/tenants/{slug}/drill"): Action.CHANGE_TENANT,
    ("GET", "/v1/drills"): Action.READ_FLEET,
    ("POST", "/v1/tenants/{slug}/adopt"): Action.CHANGE_TENANT,
    ("POST", "/v1/tenants/{slug}/destroy"): Action.DESTROY_TENANT,
    ("GET", "/v1/operations"): Action.READ_OPERATION,
    ("GET", "/v1/operations/{operation_id}"): Action.READ_OPERATION,
    ("GET", "/v1/operations/{operation_id}/plan"): Action.READ_OPERATION,
    ("GET", "/v1/operations/{operation_id}/log"): Action.READ_OPERATION,
    ("GET", "/v1/operations/{operation_id}/events"): Action.READ_OPERATION,
    ("POST", "/v1/operations/{operation_id}/approve"): Action.APPROVE,
    ("POST", "/v1/operations/{operation_id}/reject"): Action.APPROVE,
    ("POST", "/v1/operations/{operation_id}/cancel"): Action.STEER,
    ("POST", "/v1/operations/{operation_id}/retry"): Action.STEER,
    ("POST", "/v1/operations/{operation_id}/settle"): Action.SETTLE,
    ("GET", "/v1/blueprints"): Action.READ_FLEET,
    ("GET", "/v1/blueprints/{name}"): Action.READ_FLEET,
    ("POST", "/v1/blueprints/{name}/apply"): Action.CHANGE_PLATFORM,
    ("POST", "/v1/blueprints/{name}/plan"): Action.CHANGE_PLATFORM,
    ("POST", "/v1/blueprints/{name}/destroy"): Action.CHANGE_PLATFORM,
    ("GET", "/v1/blueprints/{name}/checklist"): Action.READ_FLEET,
    ("GET", "/v1/templates/outdated"): Action.READ_TENANT,
    ("POST", "/v1/templates/rollout"): Action.CHANGE_TENANT,
    ("GET", "/v1/windows"): Action.READ_FLEET,
    ("POST", "/v1/windows"): Action.CHANGE_FLEET,
    ("DELETE", "/v1/windows/{window_id}"): Action.CHANGE_FLEET,
    ("GET", "/v1/doctor"): Action.READ_FLEET,
    ("GET", "/v1/waves"): Action.READ_FLEET,
    ("POST", "/v1/waves"): Action.CHANGE_TENANT,
    ("GET", "/v1/waves/{wave_id}"): Action.READ_FLEET,
    ("POST", "/v1/waves/{wave_id}/pause"): Action.CHANGE_FLEET,
    ("POST", "/v1/waves/{wave_id}/continue"): Action.CHANGE_FLEET,
    ("POST", "/v1/waves/{wave_id}/abort"): Action.CHANGE_FLEET,
    ("GET", "/v1/tenants/{slug}/migration"): Action.READ_TENANT,
    ("POST", "/v1/tenants/{slug}/migration/advance"): Action.DESTROY_TENANT,
    ("POST", "/v1/tenants/{slug}/migration/rollback"): Action.DESTROY_TENANT,
    ("POST", "/v1/tenants/{slug}/migration/finalize"): Action.DESTROY_TENANT,
    ("GET", "/v1/reviews"): Action.READ_OPERATION,
    ("POST", "/v1/reviews"): Action.CHANGE_TENANT,
    ("POST", "/v1/reviews/sync"): Action.CHANGE_TENANT,
    ("GET", "/v1/reviews/{review_id}"): Action.READ_OPERATION,
    ("POST", "/v1/reviews/{review_id}/approve"): Action.APPROVE,
    ("POST", "/v1/reviews/{review_id}/merge"): Action.APPROVE,
    ("POST", "/v1/hooks/{forge}"): OPEN,  # each delivery is signed
    ("GET", "/v1/tenants/{slug}/cost"): Action.READ_TENANT,
    ("GET", "/v1/costs/fleet"): Action.READ_FLEET,
    ("GET", "/v1/costs/forecast"): Action.READ_FLEET,
    ("GET", "/v1/costs/tables"): Action.READ_FLEET,
    ("GET", "/v1/costs/actuals"): Action.READ_FLEET,
    ("GET", "/v1/costs/commitments"): Action.READ_FLEET,
    ("GET", "/v1/costs/budget"): Action.READ_FLEET,
    ("GET", "/v1/costs/prices"): Action.READ_FLEET,
    ("POST", "/v1/costs/estimate"): Action.READ_FLEET,
    ("POST", "/v1/costs/budget"): Action.CHANGE_FLEET,
    ("POST", "/v1/costs/prices/refresh"): Action.CHANGE_FLEET,
    ("POST", "/v1/costs/actuals/refresh"): Action.CHANGE_FLEET,
    ("POST", "/v1/costs/fleet/record"): Action.CHANGE_FLEET,
    ("GET", "/v1/recommendations"): Action.READ_FLEET,
    ("POST", "/v1/recommendations/scans"): Action.CHANGE_FLEET,
    ("GET", "/v1/recommendations/{recommendation_id}"): Action.READ_TENANT,
    ("POST", "/v1/recommendations/{recommendation_id}/propose"): Action.CHANGE_TENANT,
    ("POST", "/v1/recommendations/{recommendation_id}/apply"): Action.CHANGE_TENANT,
    ("POST", "/v1/recommendations/{recommendation_id}/dismiss"): Action.CHANGE_TENANT,
    ("GET", "/v1/tenants/{slug}/metrics"): Action.READ_TENANT,
    ("GET", "/v1/drift"): Action.READ_FLEET,
    ("POST", "/v1/drift/scans"): Action.CHANGE_FLEET,
    ("GET", "/v1/drift/{difference_id}"): Action.READ_TENANT,
    ("POST", "/v1/drift/{difference_id}/accept"): Action.CHANGE_TENANT,
    ("POST", "/v1/drift/{difference_id}/reconcile"): Action.CHANGE_TENANT,
    ("GET", "/v1/catalog/orphans"): Action.READ_FLEET,
    ("GET", "/v1/catalog/unmanaged"): Action.READ_FLEET,
    ("GET", "/v1/quotas"): Action.READ_FLEET,
    ("GET", "/v1/cells"): Action.READ_FLEET,
    ("GET", "/v1/cells/{name}"): Action.READ_FLEET,
    ("POST", "/v1/quotas/refresh"): Action.CHANGE_FLEET,
    ("GET", "/v1/schedules"): Action.READ_FLEET,
    ("POST", "/v1/schedules/{name}/run"): Action.CHANGE_FLEET,
    ("PATCH", "/v1/schedules/{name}"): Action.CHANGE_FLEET,
    ("GET", "/v1/audit"): Action.READ_AUDIT,
    ("GET", "/v1/audit/verification"): Action.READ_AUDIT,
    ("GET", "/v1/audit/export"): Action.READ_AUDIT,
    ("GET", "/v1/tokens"): Action.ADMINISTER,
    ("POST", "/v1/tokens"): Action.ADMINISTER,
    ("DELETE", "/v1/tokens/{token_id}"): Action.ADMINISTER,
    ("GET", "/v1/users"): Action.ADMINISTER,
    ("POST", "/v1/users"): Action.ADMINISTER,
    ("DELETE", "/v1/users/{user_id}"): Action.ADMINISTER,
    ("GET", "/v1/webhooks"): Action.ADMINISTER,
    ("POST", "/v1/webhooks"): Action.ADMINISTER,
    ("DELETE", "/v1/webhooks/{webhook_id}"): Action.ADMINISTER,
    ("POST", "/v1/webhooks/{webhook_id}/replay"): Action.ADMINISTER,
    ("GET", "/v1/workspaces/{workspace_id}/state"): Action.READ_STATE,
    ("POST", "/v1/workspaces/{workspace_id}/state"): Action.WRITE_STATE,
    ("GET", "/v1/workspaces/{workspace_id}/state/versions"): Action.READ_STATE,
    ("POST", "/v1/workspaces/{workspace_id}/state/versions/{serial}/restore"): Action.WRITE_STATE,
    ("LOCK", "/v1/workspaces/{workspace_id}/state"): Action.WRITE_STATE,
    ("UNLOCK", "/v1/workspaces/{workspace_id}/state"): Action.WRITE_STATE,
}

# The console's pages, which ask the same of a visitor; behind `/console`.
PAGES: Mapping[tuple[str, str], Action | None] = {
    ("GET", "/console.css"): OPEN,
    ("GET", "/icon.svg"): OPEN,
    ("GET", "/"): OPEN,
    ("GET", "/login"): OPEN,
    ("POST", "/login"): OPEN,
    ("POST", "/logout"): Action.READ_TENANT,
    ("GET", "/tenants"): Action.READ_TENANT,
    ("GET", "/tenants/{slug}"): Action.READ_TENANT,
    ("GET", "/tenants/{slug}/migration"): Action.READ_TENANT,
    ("POST", "/tenants/{slug}/{verb}"): Action.CHANGE_TENANT,
    ("GET", "/operations"): Action.READ_OPERATION,
    ("GET", "/operations/{operation_id}"): Action.READ_OPERATION,
    ("POST", "/operations/{operation_id}/approve"): Action.APPROVE,
    ("POST", "/operations/{operation_id}/reject"): Action.APPROVE,
    ("POST", "/operations/{operation_id}/cancel"): Action.STEER,
    ("GET", "/costs"): Action.READ_FLEET,
    ("GET", "/costs/chart.svg"): Action.READ_FLEET,
    ("GET", "/reviews"): Action.READ_OPERATION,
    ("POST", "/reviews/{review_id}/approve"): Action.APPROVE,
    ("POST", "/reviews/{review_id}/merge"): Action.APPROVE,
}


def asked(routers: Iterable[APIRouter]) -> dict[tuple[str, str], Action | None]:
    """What the routes ask in fact: the permission in each one's signature."""
    routes = [route for router in routers for route in router.routes if isinstance(route, APIRoute)]
    return {
        (method, route.path): _permission(route.dependant)
        for route in routes
        for method in (route.methods or set()) - {"HEAD"}
    }


def _permission(dependant: Dependant) -> Action | None:
    for dependency in dependant.dependencies:
        if isinstance(dependency.call, May):
            return dependency.call.action
    return None

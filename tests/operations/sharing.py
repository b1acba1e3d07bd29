"""A platform whose tenants are schemas of its one database, as it stands after its apply."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from controlplane.catalog import load as load_catalog
from controlplane.domain.names import TenantUid
from controlplane.domain.schema import Space
from controlplane.domain.tenant import Environment
from controlplane.domain.workspace import DATABASE_NAME, MASTER_USERNAME, PlatformWorkspace
from controlplane.ports import Login
from controlplane.rendering import shared_secrets
from controlplane.store import platforms
from tests.fakes.schemas import FakeSchemas
from tests.operations.house import House
from tests.operations.ordinary import tenant

SHARED = "serverless_shared_db"
IDENTIFIER, BUCKET = "shared-e1", "platform-receipts-123456789012"
OUTPUTS: dict[str, Any] = {"database_identifier": IDENTIFIER, "export_bucket": BUCKET}


def add_shared_platform(
    house: House, name: str = SHARED, environment: str = "development", **outputs: Any
) -> Login:
    """As whom its tenants are made."""
    workspace, now = f"platform-{name}-{environment}-default", datetime.now(UTC)
    where = {"blueprint": name, "environment": environment, "cell": "default", "region": "us-east-1"}
    with house.db.write() as session:
        platforms.ensure(session, workspace, **where, options={}, now=now)
        platforms.record_outputs(session, workspace, {**OUTPUTS, **outputs}, "ready", now)
    home = PlatformWorkspace(
        workspace=workspace,
        blueprint=name,
        environment=Environment(environment),
        region="us-east-1",
        cell="default",
        options={},
    )
    options = load_catalog().blueprint(name).option_values(home.environment, {})
    for role, secret in shared_secrets(home, options).items():
        house.cloud.ensure_secret(secret, f"password-of-{role}", {"managed-by": "controlplane"}, secret)
    made = house.cloud.add_database(IDENTIFIER, master_username=MASTER_USERNAME)
    assert made.endpoint
    master = Login(made.endpoint, 5432, DATABASE_NAME, MASTER_USERNAME, "password-of-master", "verify-full")
    roles = {role: f"password-of-{role}" for role in ("cp_control", "app_a", "app_b")}
    house.database.set_up_roles(master, roles)
    return master


def space(house: House, slug: str = "acme") -> Space:
    return Space(TenantUid(tenant(house, slug)["uid"]))


def schemas(house: House) -> FakeSchemas:
    return FakeSchemas(house.database)

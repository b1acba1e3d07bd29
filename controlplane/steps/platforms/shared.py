"""The one database of a platform whose tenants are schemas: its secrets before the plan, its roles after."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from controlplane.domain.errors import Conflict
from controlplane.domain.workspace import DATABASE_NAME, MASTER_USERNAME
from controlplane.ports import Login
from controlplane.rendering import shared_secrets
from controlplane.steps import subject
from controlplane.steps.credentials import LOGIN_ROLES, new_password
from controlplane.steps.story import effect, say
from controlplane.steps.world import world

APPLICATION = "app_a"  # as whom the application and its functions log in


@effect("ensure_shared_secrets", "making the shared database's secrets")
def ensure_secrets(operation_id: str) -> None:
    """Before the plan, which reads the master's and looks for the application's. What is there stays."""
    found = subject.load(operation_id)
    secrets = _secrets(found)
    for role in secrets:
        if role != "application":
            _ensure(found, secrets[role], new_password())
    if secrets:
        password = world().ports.cloud.read_secret(secrets[APPLICATION])
        text = json.dumps({"username": APPLICATION, "password": password}, sort_keys=True)
        _ensure(found, secrets["application"], text)


@effect("set_up_shared_roles", "making the login roles of the shared database")
def set_up_roles(operation_id: str) -> dict[str, Any]:
    """Safe to repeat: the roles are brought to their secrets."""
    found = subject.load(operation_id)
    secrets = _secrets(found)
    if not secrets:
        return {}
    cloud = world().ports.cloud
    passwords = {role: cloud.read_secret(secrets[role]) for role in LOGIN_ROLES}
    master = login(found, secrets, "master")
    answer = world().ports.database.probe(master)
    if not answer.reachable:
        say(operation_id, "warning", f"the shared database does not answer from this cell: {answer.detail}")
        return {"reachable": False}
    world().ports.database.set_up_roles(master, passwords)
    return {"reachable": True}


@effect("forget_shared_secrets", "scheduling the deletion of the shared database's secrets")
def forget(operation_id: str) -> None:
    for name in _secrets(subject.load(operation_id)).values():
        world().ports.cloud.delete_secret(name)


def master(found: subject.Subject) -> Login:
    """As whom tenants' schemas are made and taken away."""
    return login(found, _secrets(found), "master")


def login(found: subject.Subject, secrets: Mapping[str, str], role: str) -> Login:
    outputs = found.platform.outputs if found.platform else {}
    identifier = str(outputs.get("database_identifier", ""))
    instance = world().ports.cloud.database(identifier)
    if instance is None or not instance.endpoint or not instance.port:
        raise Conflict(
            f"the shared database {identifier or 'of the platform'} has no endpoint",
            hint="controlplane blueprint apply NAME",
        )
    return Login(
        host=instance.endpoint,
        port=instance.port,
        database=DATABASE_NAME,
        username=MASTER_USERNAME if role == "master" else role,
        password=world().ports.cloud.read_secret(secrets[role]),
        tls=world().tls,
    )


def _secrets(found: subject.Subject) -> dict[str, str]:
    """Names by role; none where tenants have databases of their own."""
    workspace = subject.platform_workspace(found)
    blueprint = world().catalog.blueprint(workspace.blueprint)
    if not blueprint.is_shared:
        return {}
    return shared_secrets(workspace, blueprint.option_values(workspace.environment, workspace.options))


def _ensure(found: subject.Subject, name: str, value: str) -> None:
    payload = found.payload
    tags = {
        "blueprint": payload["blueprint"],
        "environment": payload["environment"],
        "cell": payload["cell"],
        "managed-by": "controlplane",
    }
    world().ports.cloud.ensure_secret(name, value, tags, name)

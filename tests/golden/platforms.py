"""Platforms beside the one that most tests live on, in every environment."""

from __future__ import annotations

import json
from typing import Any

from controlplane.catalog import load
from controlplane.catalog.values import WiredModule
from controlplane.domain.names import platform_workspace
from controlplane.domain.tenant import Environment
from controlplane.domain.workspace import PlatformWorkspace, Rendering
from controlplane.rendering import render_platform

SHARED = sorted(name for name, blueprint in load().blueprints.items() if blueprint.is_shared)
OTHERS = sorted({*SHARED, "rds_per_tenant"})  # beside `fargate_db_per_tenant`
CASES = [(name, environment) for name in OTHERS for environment in Environment]
SHARED_CASES = [(name, environment) for name, environment in CASES if name in SHARED]


def rendered(name: str, environment: Environment = Environment.PRODUCTION, **options: Any) -> Rendering:
    workspace = platform_workspace(name, environment.value, "default")
    return render_platform(
        PlatformWorkspace(workspace, name, environment, "us-east-1", "default", options), load()
    )


def values(name: str, environment: Environment, **options: Any) -> dict[str, Any]:
    text = rendered(name, environment, **options).files["platform.auto.tfvars.json"]
    return dict(json.loads(text))


def wired(name: str, module: str) -> list[WiredModule]:
    return [w for w in load().blueprint(name).platform.modules if w.module == module]


def given(module: WiredModule, key: str) -> Any:
    return dict(module.inputs)[key].value

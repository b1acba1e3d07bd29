"""Workspaces from specs to files on a disk, and once more when nothing changed; on one core."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from bench.rows import Row, cpu_seconds
from controlplane.catalog import Catalog, load
from controlplane.domain.names import Slug, TenantUid, tenant_workspace
from controlplane.domain.tenant import Environment, Size, Stage, TenantSpec
from controlplane.domain.workspace import TenantWorkspace
from controlplane.rendering import render_tenant, slot_for
from controlplane.steps.workspace import write_files

MANY, FEW = 10_000, 1_000
PLATFORM: Mapping[str, Any] = {
    "vpc_id": "vpc-0a1",
    "database_subnet_group": "development-default-databases",
    "database_security_group_id": "sg-0a1b2c3d4e5f60718",
    "database_key_arn": "arn:aws:kms:us-east-1:123456789012:key/0b1c2d3e-0000-4000-8000-000000000001",
    "alarm_topic_arn": "arn:aws:sns:us-east-1:123456789012:development-default-alarms",
    "parameter_groups": {"16": "development-default-postgres16"},
}


def workspaces(
    count: int, catalog: Catalog, platform: Mapping[str, Any] = PLATFORM
) -> Iterator[TenantWorkspace]:
    """No two alike: every third in production, sizes and storage in turn."""
    for number in range(count):
        production = number % 3 == 0
        spec = TenantSpec(
            stage=Stage.PRODUCTION if production else Stage.POC,
            environment=Environment.PRODUCTION if production else Environment.DEVELOPMENT,
            size=(Size.SMALL, Size.MEDIUM)[number % 2] if production else Size.MICRO,
            storage_gb=20 + number % 30,
        )
        yield workspace(f"tenant-{number:05}", f"u{number:07}", spec, catalog, platform)


def workspace(
    slug: str, uid: str, spec: TenantSpec, catalog: Catalog, platform: Mapping[str, Any]
) -> TenantWorkspace:
    names = Slug(slug), TenantUid(uid)
    return TenantWorkspace(
        workspace=tenant_workspace(names[1]),
        slug=names[0],
        uid=names[1],
        stage=spec.stage,
        environment=spec.environment,
        region=spec.region,
        cell=spec.cell,
        blueprint=spec.blueprint,
        route_epoch=1,
        slots=(slot_for(spec, *names, 1, catalog),),
        platform=platform,
    )


def rows() -> list[Row]:
    catalog = load()
    render_tenant(next(workspaces(1, catalog)), catalog)  # templates are compiled once a process
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        memory = cpu_seconds(lambda: [render_tenant(w, catalog) for w in workspaces(FEW, catalog)])
        many = cpu_seconds(lambda: write(MANY, catalog, root / "many"))
        again = cpu_seconds(lambda: write(MANY, catalog, root / "many"))
        # In turns, and the lesser of two: a disk is slow where much was deleted just now.
        rounds = [
            (
                cpu_seconds(partial(write, FEW, catalog, root / f"few-{number}")),
                cpu_seconds(partial(_write_barely, FEW, catalog, root / f"bare-{number}")),
            )
            for number in range(2)
        ]
    few, barely = (min(times) for times in zip(*rounds, strict=True))
    return [
        Row(f"{FEW:,} workspaces rendered, in memory", memory, "CPU s"),
        Row(
            f"{FEW:,} workspaces written; beside: the same bytes, barely",
            few - memory,
            "CPU s",
            barely - memory,
            goal_ratio=1.5,
        ),
        Row(f"{FEW:,} workspaces rendered to disk", few, "CPU s", goal=1),
        Row(f"{MANY:,} workspaces rendered to disk", many, "CPU s", goal=10),
        Row(f"{MANY:,} workspaces rendered, unchanged on disk", again, "CPU s", goal=3),
    ]


def write(count: int, catalog: Catalog, root: Path) -> None:
    """As an operation writes them."""
    for each in workspaces(count, catalog):
        write_files(root / each.workspace, render_tenant(each, catalog).files)


def _write_barely(count: int, catalog: Catalog, root: Path) -> None:
    """What the disk itself asks for so many files."""
    for each in workspaces(count, catalog):
        for name, text in render_tenant(each, catalog).files.items():
            path = root / each.workspace / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

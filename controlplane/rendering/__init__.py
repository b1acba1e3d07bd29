"""Spec + blueprint + catalog -> files and a digest. Pure: the same input gives the same bytes."""

from controlplane.rendering.hcl import hcl_string
from controlplane.rendering.pipelines import Pipeline, render_pipeline
from controlplane.rendering.provenance import (
    PENDING_FILE,
    PROVENANCE_FILE,
    HandEdit,
    check_folder,
    is_as_rendered,
    record_of,
)
from controlplane.rendering.slots import slot_for
from controlplane.rendering.structure import LOCK_FILE, OVERRIDE_FILE, runner_override, whole_template
from controlplane.rendering.workspaces import (
    platform_name,
    render_platform,
    render_tenant,
    shared_secrets,
    tenant_template,
)

__all__ = [
    "LOCK_FILE",
    "OVERRIDE_FILE",
    "PENDING_FILE",
    "PROVENANCE_FILE",
    "HandEdit",
    "Pipeline",
    "check_folder",
    "hcl_string",
    "is_as_rendered",
    "platform_name",
    "record_of",
    "render_pipeline",
    "render_platform",
    "render_tenant",
    "runner_override",
    "shared_secrets",
    "slot_for",
    "tenant_template",
    "whole_template",
]

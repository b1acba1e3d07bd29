"""Both sides of a comparison, and what differs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Severity(StrEnum):
    BENIGN = "benign"
    REAL = "real"
    DANGEROUS = "dangerous"


@dataclass(frozen=True, slots=True)
class Expected:
    """A slot as it is recorded."""

    slug: str
    uid: str
    epoch: int
    identifier: str
    instance_class: str
    storage_gb: int
    max_storage_gb: int
    least_max_storage_gb: int  # what the ceiling was before the storage grew
    multi_az: bool
    backup_days: int
    protected: bool
    engine_version: str  # a major, or a whole version
    suspended: bool = False
    kms_key_id: str | None = None
    parameter_group: str | None = None
    resource_id: str | None = None  # by which AWS knew it first


@dataclass(frozen=True, slots=True)
class Actual:
    """A database as AWS describes it."""

    identifier: str
    resource_id: str
    status: str
    instance_class: str
    engine_version: str
    storage_gb: int
    max_storage_gb: int | None
    multi_az: bool
    public: bool
    encrypted: bool
    deletion_protection: bool
    backup_retention_days: int
    kms_key_id: str | None = None
    parameter_group: str | None = None
    parameter_status: str | None = None
    pending: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Difference:
    attribute: str
    severity: Severity
    expected: str
    found: str
    words: str
    next_step: str = ""
    writes_back: bool = False  # the record follows by itself

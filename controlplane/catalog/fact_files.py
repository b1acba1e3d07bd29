"""Sizes, stages, alarms, quotas and regions from their files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from controlplane.catalog.toml_files import Table, read
from controlplane.catalog.values import (
    AlarmRule,
    DatabaseSize,
    Engine,
    Quota,
    Region,
    StageTier,
    StorageLimits,
)
from controlplane.domain.launch import LaunchItem
from controlplane.domain.tenant import Size, Stage

MOST_RETENTION_DAYS = 35  # of automated backups, by RDS
_COUNTED = ("", "databases", "tenants", "rules", "platforms", "storage_gb")
LOG_RETENTION_DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365)  # what CloudWatch accepts, up to a year


def read_databases(file: Path) -> dict[str, Any]:
    """The part of the catalog that says what a tenant's database can be."""
    table = read(file)
    engine = _read_engine(table.table("engine"))
    majors = tuple(engine.versions)
    storage = table.table("storage")
    least_gb = storage.number("least_gb", 20, 65536)
    facts: dict[str, Any] = {
        "engine": engine,
        "storage": StorageLimits(least_gb, storage.number("most_gb", least_gb, 65536)),
        "sizes": {
            Size(name): _read_size(name, child, majors)
            for name, child in table.table("sizes").children(tuple(Size))
        },
        "stages": {
            Stage(name): _read_stage(name, child)
            for name, child in table.table("stages").children(tuple(Stage))
        },
        "alarms": tuple(_read_alarm(name, child) for name, child in table.table("alarms").children()),
    }
    storage.done()
    table.done()
    for field, wanted in (("sizes", list[str](Size)), ("stages", list[str](Stage))):
        absent = sorted(set(wanted) - set(facts[field]))
        if absent:
            table.fail(f"{field}.{absent[0]}", "is missing")
    return facts


def _read_engine(table: Table) -> Engine:
    versions = table.table("versions")
    by_major = {major: versions.texts(major) for major in versions.values}
    for major, whole in by_major.items():
        if not whole or not all(version.startswith(f"{major}.") for version in whole):
            versions.fail(major, f"holds versions of another major; each starts with {major}.")
    engine = Engine(
        name=table.text("name", ("postgres",)),
        default_major=table.text("default_major", tuple(by_major)),
        port=table.number("port", 1150, 65535),
        versions=by_major,
    )
    table.done()
    return engine


def _read_size(name: str, table: Table, majors: tuple[str, ...]) -> DatabaseSize:
    size = DatabaseSize(
        size=Size(name),
        instance_class=table.text("instance_class"),
        vcpu=table.number("vcpu", 1, 128),
        memory_mb=table.number("memory_mb", 512, 4_194_304),
        engine_majors=table.texts("engine_majors", majors),
    )
    table.done()
    return size


def _read_stage(name: str, table: Table) -> StageTier:
    least = table.number("least_backup_days", 1, MOST_RETENTION_DAYS)
    most = table.number("most_backup_days", least, MOST_RETENTION_DAYS)
    stage = StageTier(
        stage=Stage(name),
        multi_az=table.flag("multi_az"),
        backup_days=table.number("backup_days", least, most),
        least_backup_days=least,
        most_backup_days=most,
        storage_ceiling_gb=table.number("storage_ceiling_gb", 22, 65536),
        log_days=table.number("log_days", 1, 365),
    )
    if stage.log_days not in LOG_RETENTION_DAYS:
        table.fail("log_days", f"is {stage.log_days}; CloudWatch keeps logs for one of {LOG_RETENTION_DAYS}")
    table.done()
    return stage


def _read_alarm(name: str, table: Table) -> AlarmRule:
    alarm = AlarmRule(
        name=name,
        metric=table.text("metric"),
        side=table.text("side", ("above", "below")),
        of=table.text("of", ("percent", "max_connections", "memory", "storage")),
        share=table.number("share", 1, 99),
        minutes=table.number("minutes", 1, 60),
    )
    table.done()
    return alarm


def read_quotas(file: Path) -> dict[str, Quota]:
    quotas = {}
    for name, table in read(file).children():
        quotas[name] = Quota(
            name=name,
            service=table.text("service"),
            limit=table.number("limit", 1, 1_000_000_000),
            per=table.text("per"),
            meaning=table.text("meaning"),
            counted=table.text("counted", _COUNTED, ""),
            each=table.get("each", int, 1),
            reserve=table.get("reserve", int, 0),
            aws=table.text("aws", default=""),
        )
        table.done()
    return quotas


def read_regions(file: Path) -> dict[str, Region]:
    regions = {}
    for name, table in read(file).children():
        zones = table.texts("zones")
        if len(zones) < 2 or not all(zone.startswith(name) for zone in zones):
            table.fail("zones", f"needs at least two zones of {name}")
        regions[name] = Region(name, zones)
        table.done()
    return regions


def read_launch(file: Path) -> tuple[LaunchItem, ...]:
    items = []
    for name, table in read(file).children():
        items.append(
            LaunchItem(
                name=name,
                words=table.text("words"),
                list=table.text("list", ("launch", "security")),
                day=table.get("day", int, 0),
                proven_by=table.texts("proven_by") if "proven_by" in table.values else (),
            )
        )
        table.done()
    return tuple(items)

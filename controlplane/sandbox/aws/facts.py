"""Facts of RDS that the sandbox repeats, from AWS's documentation: classes, versions, storage rules."""

from __future__ import annotations

from dataclasses import dataclass

ENGINE = "postgres"
LICENSE = "postgresql-license"
ENGINE_VERSIONS: dict[int, tuple[str, ...]] = {
    13: ("13.15", "13.16", "13.18", "13.20", "13.21", "13.22"),
    14: ("14.12", "14.13", "14.15", "14.17", "14.18", "14.19"),
    15: ("15.7", "15.8", "15.10", "15.12", "15.13", "15.14"),
    16: ("16.3", "16.4", "16.6", "16.8", "16.9", "16.10"),
    17: ("17.1", "17.2", "17.4", "17.5", "17.6"),
}
DEFAULT_MAJOR = 17
STORAGE_MINIMUM_GB = {"gp3": 20, "gp2": 20, "io1": 100, "io2": 100, "standard": 5}
STORAGE_MAXIMUM_GB = 65536
GP3_TUNABLE_FROM_GB = 400  # below it IOPS and throughput cannot be chosen
RESERVED_USERNAMES = frozenset({"admin", "rdsadmin", "rds_superuser", "rdsrepladmin", "rdstopmgr"})


@dataclass(frozen=True)
class InstanceClass:
    vcpu: int
    memory_gb: float

    @property
    def burstable_credits_maximum(self) -> float:
        """CPU credits that a burstable class can save up: a day's earnings."""
        return {1: 288.0, 2: 576.0, 4: 576.0}.get(int(self.memory_gb), 864.0)


def _family(name: str, ratio: float, *sizes: tuple[str, int]) -> dict[str, InstanceClass]:
    return {f"db.{name}.{size}": InstanceClass(vcpu, vcpu * ratio) for size, vcpu in sizes}


_FIXED = (("large", 2), ("xlarge", 4), ("2xlarge", 8), ("4xlarge", 16))
CLASSES: dict[str, InstanceClass] = {
    **{
        f"db.{family}.{size}": InstanceClass(vcpu, memory)
        for family in ("t3", "t4g")
        for size, vcpu, memory in (
            ("micro", 2, 1),
            ("small", 2, 2),
            ("medium", 2, 4),
            ("large", 2, 8),
            ("xlarge", 4, 16),
            ("2xlarge", 8, 32),
        )
    },
    **_family("m5", 4, *_FIXED),
    **_family("m6g", 4, *_FIXED),
    **_family("m6i", 4, *_FIXED),
    **_family("m7g", 4, *_FIXED),
    **_family("r5", 8, *_FIXED),
    **_family("r6g", 8, *_FIXED),
    **_family("r6i", 8, *_FIXED),
    **_family("r7g", 8, *_FIXED),
}


def versions() -> list[str]:
    return [version for major in ENGINE_VERSIONS.values() for version in major]


def resolve_version(asked: str | None) -> str | None:
    """The full version for `16` or `16.8` or nothing; None when RDS has no such version."""
    if not asked:
        return ENGINE_VERSIONS[DEFAULT_MAJOR][-1]
    if asked.isdigit():
        known = ENGINE_VERSIONS.get(int(asked))
        return known[-1] if known else None
    return asked if asked in versions() else None


def major(version: str) -> int:
    return int(version.split(".", maxsplit=1)[0])


def connection_limit(instance_class: str) -> int:
    """RDS's default for PostgreSQL: LEAST(memory in bytes / 9531392, 5000)."""
    return min(5000, int(CLASSES[instance_class].memory_gb * 2**30 / 9531392))


def orderable(version: str | None = None, instance_class: str | None = None) -> list[dict[str, object]]:
    """Rows of DescribeOrderableDBInstanceOptions."""
    wanted = [v for v in versions() if not version or v == version]
    classes = [c for c in CLASSES if not instance_class or c == instance_class]
    return [
        _option(v, c, storage)
        for v in wanted
        for c in classes
        for storage in ("gp2", "gp3", "io1", "standard")
    ]


def _option(version: str, instance_class: str, storage: str) -> dict[str, object]:
    return {
        "Engine": ENGINE,
        "EngineVersion": version,
        "DBInstanceClass": instance_class,
        "LicenseModel": LICENSE,
        "AvailabilityZones": [{"Name": f"us-east-1{zone}"} for zone in "abc"],
        "MultiAZCapable": True,
        "ReadReplicaCapable": True,
        "Vpc": True,
        "SupportsStorageEncryption": True,
        "StorageType": storage,
        "SupportsIops": storage in ("gp3", "io1"),
        "SupportsEnhancedMonitoring": True,
        "SupportsIAMDatabaseAuthentication": True,
        "SupportsPerformanceInsights": True,
        "MinStorageSize": STORAGE_MINIMUM_GB[storage],
        "MaxStorageSize": 3072 if storage == "standard" else STORAGE_MAXIMUM_GB,
        "SupportsStorageAutoscaling": storage != "standard",
        "SupportedNetworkTypes": ["IPV4"],
    }


def engine_version(version: str) -> dict[str, object]:
    """A row of DescribeDBEngineVersions; upgrades lead to newer minors and newer majors."""
    newer = [v for v in versions() if _key(v) > _key(version)]
    return {
        "Engine": ENGINE,
        "EngineVersion": version,
        "DBParameterGroupFamily": f"postgres{major(version)}",
        "DBEngineDescription": "PostgreSQL",
        "DBEngineVersionDescription": f"PostgreSQL {version}-R1",
        "ValidUpgradeTarget": [
            {
                "Engine": ENGINE,
                "EngineVersion": target,
                "Description": f"PostgreSQL {target}-R1",
                "AutoUpgrade": False,
                "IsMajorVersionUpgrade": major(target) != major(version),
            }
            for target in newer
        ],
        "ExportableLogTypes": ["postgresql", "upgrade"],
        "SupportsLogExportsToCloudwatchLogs": True,
        "SupportsReadReplica": True,
        "Status": "available",
    }


def _key(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def is_newer(version: str, than: str) -> bool:
    return _key(version) > _key(than)

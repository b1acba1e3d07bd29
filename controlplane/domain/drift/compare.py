"""One rule an attribute. What is not recorded is not compared."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from controlplane.domain.drift.values import Actual, Difference, Expected, Severity

BENIGN, REAL, DANGEROUS = Severity.BENIGN, Severity.REAL, Severity.DANGEROUS
Rule = Callable[[Expected, Actual], Iterator[Difference]]

# Statuses that a database passes through while RDS works on it: nothing that anybody has to mend.
_PASSING = (
    "available", "backing-up", "configuring-enhanced-monitoring", "configuring-iam-database-auth",
    "configuring-log-exports", "maintenance", "modifying", "rebooting", "renaming", "starting", "stopping",
    "storage-optimization", "storage-config-upgrade", "storage-initialization", "upgrading", "moving-to-vpc",
    "resetting-master-credentials", "converting-to-vpc", "creating",
)  # fmt: skip


def compare(expected: Expected, actual: Actual) -> list[Difference]:
    """Everything that differs, the worst first."""
    found = [difference for rule in _RULES for difference in rule(expected, actual)]
    order = (DANGEROUS, REAL, BENIGN)
    return sorted(found, key=lambda one: (order.index(one.severity), one.attribute))


# --- dangerous --------------------------------------------------------------------------------------


def _replaced(e: Expected, a: Actual) -> Iterator[Difference]:
    if e.resource_id is not None and a.resource_id != e.resource_id:
        words = "another database stands under this name: its data is not the tenant's"
        step = f"do not apply; compare the data, then `tenant restore {e.slug}` or `drift accept`"
        yield Difference("resource_id", DANGEROUS, e.resource_id, a.resource_id, words, step)


def _public(e: Expected, a: Actual) -> Iterator[Difference]:
    if a.public:
        yield _reconcile("public", DANGEROUS, (False, True), "it can be reached from the internet", e)


def _encryption(e: Expected, a: Actual) -> Iterator[Difference]:
    if not a.encrypted:
        words = "its storage is not encrypted, and can be only by a move to another database"
        step = f"`tenant upgrade {e.slug} --strategy logical_replication`, or restore from an encrypted copy"
        yield Difference("encrypted", DANGEROUS, "yes", "no", words, step)
    elif e.kms_key_id and a.kms_key_id and a.kms_key_id != e.kms_key_id:
        words = "it is encrypted with another key: it was restored or replaced outside"
        step = "do not apply: find out who did it"
        yield Difference("kms_key_id", DANGEROUS, e.kms_key_id, a.kms_key_id, words, step)


def _protection(e: Expected, a: Actual) -> Iterator[Difference]:
    if e.protected and not a.deletion_protection:
        words = "whoever may delete databases can delete it by one call"
        yield _reconcile("deletion_protection", DANGEROUS, (True, False), words, e)


def _backups(e: Expected, a: Actual) -> Iterator[Difference]:
    if a.backup_retention_days == e.backup_days:
        return
    off = a.backup_retention_days == 0
    words = (
        "there are no backups, and no way back to a point in time"
        if off
        else "backups are kept for another time"
    )
    days = (e.backup_days, a.backup_retention_days)
    yield _reconcile("backup_days", DANGEROUS if off else REAL, days, words, e)


def _ownership(e: Expected, a: Actual) -> Iterator[Difference]:
    uid = a.tags.get("uid")
    if uid is not None and uid != e.uid:
        words = "its tags say that it belongs to another tenant"
        yield Difference("owner", DANGEROUS, e.uid, uid, words, "do not apply: find out whose it is")
    elif uid is None or a.tags.get("epoch") != str(e.epoch) or "managed-by" not in a.tags:
        wanted = f"uid={e.uid}, epoch={e.epoch}, managed-by=controlplane"
        tags = ", ".join(f"{k}={v}" for k, v in sorted(a.tags.items()) if k in ("uid", "epoch", "managed-by"))
        yield Difference("tags", REAL, wanted, tags, "tags by which we know it are missing", _way(e))


def _status(e: Expected, a: Actual) -> Iterator[Difference]:
    if e.suspended:
        if a.status in ("available", "starting"):
            words = "RDS starts what is stopped after seven days: it runs, and costs"
            yield Difference("status", REAL, "stopped", a.status, words, f"`tenant suspend {e.slug}` again")
    elif a.status in ("stopped", "stopping"):
        words = "it was stopped outside: nobody reaches it"
        yield Difference(
            "status", REAL, "available", a.status, words, "start it, or `tenant suspend` records it"
        )
    elif a.status not in _PASSING and a.status != "deleting":
        words = "RDS cannot run it"
        yield Difference("status", DANGEROUS, "available", a.status, words, "look at its events in AWS")
    elif a.status == "deleting":
        words = "it is being deleted outside"
        step = f"do not apply; `tenant restore {e.slug}` from its last snapshot"
        yield Difference("status", DANGEROUS, "available", a.status, words, step)


# --- real, or benign while it waits -----------------------------------------------------------------


def _class(e: Expected, a: Actual) -> Iterator[Difference]:
    if a.instance_class == e.instance_class:
        return
    sides = (e.instance_class, a.instance_class)
    if a.pending.get("DBInstanceClass") == e.instance_class:
        yield _waits("instance_class", sides)
    else:
        yield _reconcile("instance_class", REAL, sides, "its class was changed outside", e)


def _storage(e: Expected, a: Actual) -> Iterator[Difference]:
    sides = (e.storage_gb, a.storage_gb)
    if a.storage_gb > e.storage_gb:
        words = "storage grew, which RDS never takes back: recorded as the new floor"
        yield Difference("storage_gb", BENIGN, str(sides[0]), str(sides[1]), words, "", writes_back=True)
    elif a.storage_gb < e.storage_gb:
        if a.pending.get("AllocatedStorage") == e.storage_gb:
            yield _waits("storage_gb", sides)
        else:
            yield _reconcile("storage_gb", REAL, sides, "it has less storage than is recorded", e)


def _ceiling(e: Expected, a: Actual) -> Iterator[Difference]:
    """The ceiling follows grown storage with the next change: until then the one of before is right too."""
    if a.max_storage_gb == e.max_storage_gb:
        return
    sides = (e.max_storage_gb, a.max_storage_gb or 0)
    if a.max_storage_gb and e.least_max_storage_gb <= a.max_storage_gb <= e.max_storage_gb:
        if a.storage_gb > e.storage_gb:
            return
        words = "the ceiling of autoscaling follows with the next change"
        yield Difference("max_storage_gb", BENIGN, str(sides[0]), str(sides[1]), words)
        return
    words = "autoscaling of storage is off" if not a.max_storage_gb else "autoscaling has another ceiling"
    yield _reconcile("max_storage_gb", REAL, sides, words, e)


def _multi_az(e: Expected, a: Actual) -> Iterator[Difference]:
    if a.multi_az == e.multi_az:
        return
    if a.pending.get("MultiAZ") == e.multi_az:
        yield _waits("multi_az", (e.multi_az, a.multi_az))
        return
    words = "it has no standby" if e.multi_az else "it has a standby that nobody asked for, and that costs"
    yield _reconcile("multi_az", REAL, (e.multi_az, a.multi_az), words, e)


def _engine(e: Expected, a: Actual) -> Iterator[Difference]:
    wanted, found = e.engine_version.split("."), a.engine_version.split(".")
    if found[: len(wanted)] == wanted:
        return
    sides = (e.engine_version, a.engine_version)
    if wanted[0] == found[0]:
        words = "RDS raised the minor version in its maintenance window"
        yield Difference("engine_version", BENIGN, *sides, words, "", writes_back=True)
    else:
        words = "its major version was changed outside"
        yield Difference("engine_version", REAL, *sides, words, "`drift accept`: there is no way back down")


def _parameters(e: Expected, a: Actual) -> Iterator[Difference]:
    if e.parameter_group and a.parameter_group and a.parameter_group != e.parameter_group:
        words = "it has another parameter group: TLS and replication may be off"
        yield _reconcile("parameter_group", REAL, (e.parameter_group, a.parameter_group), words, e)
    elif a.parameter_status == "pending-reboot":
        words = "changed parameters wait for a reboot"
        yield Difference("parameter_status", BENIGN, "in-sync", "pending-reboot", words)


def _pending(_: Expected, a: Actual) -> Iterator[Difference]:
    known = {"DBInstanceClass", "AllocatedStorage", "MultiAZ"}
    names = sorted(set(a.pending) - known)
    if names:
        what = "a password is being changed" if names == ["MasterUserPassword"] else "changes wait"
        yield Difference("pending", BENIGN, "", ", ".join(names), f"{what}: RDS is at work")


_RULES: tuple[Rule, ...] = (
    _replaced,
    _public,
    _encryption,
    _protection,
    _backups,
    _ownership,
    _status,
    _class,
    _storage,
    _ceiling,
    _multi_az,
    _engine,
    _parameters,
    _pending,
)


def _text(value: Any) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _way(e: Expected) -> str:
    return f"`drift reconcile`, or `tenant reconcile {e.slug}`"


def _reconcile(
    attribute: str, severity: Severity, sides: tuple[Any, Any], words: str, e: Expected
) -> Difference:
    return Difference(attribute, severity, _text(sides[0]), _text(sides[1]), words, _way(e))


def _waits(attribute: str, sides: tuple[Any, Any]) -> Difference:
    words = "what is recorded waits for the maintenance window"
    return Difference(attribute, BENIGN, _text(sides[0]), _text(sides[1]), words)

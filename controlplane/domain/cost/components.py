"""The line rules: from quantities and rates to lines. One function per component, nothing else knows how."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from controlplane.domain.cost.book import Rates
from controlplane.domain.cost.estimate import HOURS, ZERO, Line, charge, round_to
from controlplane.domain.cost.model import Free
from controlplane.domain.money import cents

_TB = 1024
# Where each price of outgoing data ends, in GB after the free ones.
_TRANSFER_TIERS = (
    ("transfer.out", Decimal(10 * _TB)),
    ("transfer.out.50tb", Decimal(50 * _TB)),
    ("transfer.out.150tb", Decimal(150 * _TB)),
    ("transfer.out.beyond", None),
)


@dataclass(frozen=True, slots=True)
class Database:
    instance_class: str
    multi_az: bool = False
    storage_gb: int = 20
    running: bool = True
    stage: str = "production"


def database(rates: Rates, shape: Database, count: int = 1, subject: str = "") -> list[Line]:
    """Instance hours and storage of `count` equal databases; each is rounded before it is multiplied."""
    zones = "multi" if shape.multi_az else "single"
    hourly = rates[f"rds.instance.{shape.instance_class}.{zones}"]
    per_gb = rates[f"rds.storage.gp3.{zones}"]
    hours = HOURS if shape.running else ZERO
    instance: Decimal | None = ZERO  # a stopped instance costs nothing, known price or not
    if hours:
        instance = None if hourly is None else cents(hours * hourly)
    storage = None if per_gb is None else cents(shape.storage_gb * per_gb)
    what = f"{shape.instance_class} {zones}-AZ" + ("" if shape.running else ", stopped")
    lines = [
        Line("rds", count * hours, "hour", hourly, _times(count, instance), f"{what} × 730 h", subject),
        Line(
            "rds",
            Decimal(count * shape.storage_gb),
            "GB-month",
            per_gb,
            _times(count, storage),
            f"{shape.storage_gb} GB gp3 each",
            subject,
        ),
    ]
    return lines + _database_rounding(rates, shape, count, instance, storage)


def _database_rounding(
    rates: Rates, shape: Database, count: int, instance: Decimal | None, storage: Decimal | None
) -> list[Line]:
    """A calibrated book rounds a whole database; what that adds or takes is a line of its own."""
    if instance is None or storage is None:
        return []
    each = instance + storage
    off = round_to(each, rates.calibration[f"step.database_{shape.stage}"]) - each
    if not off:
        return []
    return [
        Line("rds", Decimal(count), "database", off, count * off, "calibration: a database in whole dollars")
    ]


def _times(count: int, usd: Decimal | None) -> Decimal | None:
    return None if usd is None else count * usd


def task_month(rates: Rates, vcpu: Decimal, memory_gb: Decimal) -> Decimal | None:
    """One Fargate task that runs all month, rounded as the book says."""
    cpu, memory = rates["fargate.vcpu"], rates["fargate.memory"]
    if cpu is None or memory is None:
        return None
    return round_to((vcpu * cpu + memory_gb * memory) * HOURS, rates.calibration["step.fargate_task"])


def fargate(rates: Rates, tasks: int, vcpu: Decimal, memory_gb: Decimal) -> list[Line]:
    each = task_month(rates, vcpu, memory_gb)
    rule = f"tasks × (vCPU {vcpu} + {memory_gb} GB) × 730 h"
    return [charge("fargate", Decimal(tasks), "task-month", each, rule)]


def load_balancer(rates: Rates, count: int, average_lcu: Decimal) -> list[Line]:
    hourly, lcu = rates["alb"], rates["alb.lcu"]
    base = None if hourly is None else cents(hourly * HOURS)
    lcu_month = None if lcu is None else cents(lcu * HOURS)
    return [
        Line("alb", count * HOURS, "hour", hourly, _times(count, base), "load balancers × 730 h"),
        charge("alb", average_lcu, "LCU-month", lcu_month, "average capacity units × 730 h"),
    ]


def bucket(rates: Rates, gb: Decimal, requests: int) -> list[Line]:
    return [
        charge("s3", gb, "GB-month", rates["s3.standard"], "GB in S3 Standard"),
        charge("s3", Decimal(requests) / 1000, "thousand", rates["s3.put"], "requests, all at the PUT rate"),
    ]


def logs(rates: Rates, gb: Decimal) -> list[Line]:
    waived = gb <= rates.calibration["logs.waived_gb"]
    rule = "calibration: free up to this volume" if waived else "GB taken in"
    return [charge("cloudwatch", ZERO if waived else gb, "GB", rates["logs.ingest"], rule)]


def kept_logs(rates: Rates, gb_a_month: Decimal, months_kept: Decimal) -> list[Line]:
    rule = f"GB a month × {months_kept} months kept"
    return [charge("cloudwatch", gb_a_month * months_kept, "GB-month", rates["logs.storage"], rule)]


def watching(rates: Rates, free: Free, metrics: int, alarms: int, dashboards: int) -> list[Line]:
    paid_metrics, paid_alarms = max(0, metrics - free.metrics), max(0, alarms - free.alarms)
    return [
        charge(
            "cloudwatch",
            Decimal(paid_metrics),
            "metric-month",
            rates["cloudwatch.metric"],
            f"custom metrics beyond {free.metrics}",
        ),
        charge(
            "cloudwatch",
            Decimal(paid_alarms),
            "alarm-month",
            rates["cloudwatch.alarm"],
            f"alarms beyond {free.alarms}",
        ),
        charge(
            "cloudwatch", Decimal(dashboards), "dashboard-month", rates["cloudwatch.dashboard"], "dashboards"
        ),
    ]


def secrets(rates: Rates, count: int) -> list[Line]:
    return [charge("secrets_manager", Decimal(count), "secret-month", rates["secrets.secret"], "secrets")]


def dns(rates: Rates, zones: int, queries: int) -> list[Line]:
    millions = Decimal(queries) / 1_000_000
    return [
        charge("route53", Decimal(zones), "zone-month", rates["dns.zone"], "hosted zones"),
        charge("route53", millions, "million", rates["dns.query"], "queries"),
    ]


def backup(rates: Rates, billed_gb: Decimal) -> list[Line]:
    return [charge("rds_backup", billed_gb, "GB-month", rates["rds.backup"], "GB beyond the free allowance")]


def snapshots(rates: Rates, gb: Decimal, hours: Decimal = HOURS) -> list[Line]:
    rule = "kept snapshots" if hours == HOURS else f"snapshot kept for {hours} h"
    return [charge("rds_snapshot", gb * hours / HOURS, "GB-month", rates["rds.snapshot"], rule)]


def transfer(rates: Rates, free: Free, gb: Decimal) -> list[Line]:
    """Outgoing data by tiers; a line for each tier that is reached, at least one."""
    left, start = max(ZERO, gb - free.transfer_gb), ZERO
    lines: list[Line] = []
    for key, end in _TRANSFER_TIERS:
        part = left if end is None else min(left, end - start)
        if part > 0 or not lines:
            rule = f"GB to the internet beyond {free.transfer_gb}, tier from {start} GB"
            lines.append(charge("data_transfer", part, "GB", rates[key], rule))
        left, start = left - part, end or start
    return lines


def proxy(rates: Rates, vcpus: int, databases: int = 1) -> list[Line]:
    hourly = rates["rds.proxy"]
    each = None if hourly is None else cents(hourly * vcpus * HOURS)
    hours = databases * vcpus * HOURS
    rule = "databases × vCPUs × 730 h"
    return [Line("rds_proxy", hours, "vCPU-hour", hourly, _times(databases, each), rule)]


def insights(rates: Rates, free: Free, vcpus: int, days: int) -> list[Line]:
    """Performance Insights costs only beyond its free retention."""
    if days <= free.insights_days:
        return []
    rule = f"{days} days of Performance Insights × vCPUs × 730 h"
    return [charge("rds_insights", vcpus * HOURS, "vCPU-hour", rates["rds.insights"], rule)]


def function(rates: Rates, millions: Decimal, memory_gb: Decimal, seconds: Decimal) -> list[Line]:
    """Lambda: requests and the time that they run."""
    return [
        charge("lambda", millions, "million", rates["lambda.request"], "requests"),
        charge(
            "lambda",
            millions * 1_000_000 * memory_gb * seconds,
            "GB-second",
            rates["lambda.compute"],
            f"requests × {memory_gb} GB × {seconds} s",
        ),
    ]


def nat(rates: Rates, kind: str, zones: int, gb: Decimal) -> list[Line]:
    """`gateway` or `instance`, one per zone, and the data through it."""
    key = {"gateway": "nat.gateway", "instance": "ec2.t4g.nano"}[kind]
    return [
        charge(f"nat_{kind}", Decimal(zones), "month", rates[key], "one per zone"),
        charge(f"nat_{kind}", gb, "GB", rates[f"nat.{kind}.data"], "GB through it"),
    ]

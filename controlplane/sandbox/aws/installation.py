"""Every change that the sandbox makes to moto, in one place.

- RDS, CloudWatch, Budgets, ECS and autoscaling get the sandbox's backends (`backend.py`, `cloudwatch.py`,
  `budgets.py`, `containers.py`), and security groups its rules.
- A certificate is issued as soon as its proof could be seen.
- Actions that moto lacks, and errors inside moto, are answered by `server.py` with 400.
"""

from __future__ import annotations

from moto import settings
from moto.applicationautoscaling.models import applicationautoscaling_backends
from moto.budgets.models import budgets_backends
from moto.cloudwatch.models import cloudwatch_backends
from moto.ecs.models import ecs_backends
from moto.rds.models import rds_backends

from controlplane.sandbox.aws.backend import SandboxRds
from controlplane.sandbox.aws.budgets import SandboxBudgets
from controlplane.sandbox.aws.cloudwatch import SandboxCloudWatch
from controlplane.sandbox.aws.containers import SandboxAutoscaling, SandboxEcs, mend_rules
from controlplane.sandbox.aws.effects import Effects
from controlplane.sandbox.aws.watch import instances
from controlplane.sandbox.aws.work import Works
from controlplane.sandbox.metrics import Metrics


def install(works: Works, metrics: Metrics) -> None:
    """Before the first backend is made."""
    Effects(works)
    SandboxRds.works = works
    SandboxCloudWatch.metrics = metrics
    rds_backends.backend = SandboxRds
    cloudwatch_backends.backend = SandboxCloudWatch
    budgets_backends.backend = SandboxBudgets
    ecs_backends.backend = SandboxEcs
    applicationautoscaling_backends.backend = SandboxAutoscaling
    mend_rules()
    settings.ACM_VALIDATION_WAIT = 0  # a minute, else, in which nothing is proven


def recover(works: Works) -> None:
    """After the state was loaded: start what ran, and go on with what was under way."""
    for _, _, backend in rds_backends.iter_backends():
        for task in list(backend.tasks):
            works.submit(backend.tasks, task)
    for db in instances():
        cluster = works.clusters.instance(db.dbi_resource_id)
        if db.place and db.status not in ("stopped", "deleting") and not cluster.is_running():
            db.place = works.clusters.start(db.dbi_resource_id, db.server_settings(), db.place)

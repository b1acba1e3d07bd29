"""Every change that the sandbox makes to moto, in one place.

- RDS and CloudWatch get the sandbox's backends (`backend.py`, `cloudwatch.py`), and so do the services around
  them (`platform`); buckets and the rules of security groups are the sandbox's.
- A certificate is issued as soon as its proof could be seen.
- Actions that moto lacks, and errors inside moto, are answered by `server.py` with 400.
"""

from __future__ import annotations

from moto import settings
from moto.applicationautoscaling.models import applicationautoscaling_backends
from moto.awslambda.models import lambda_backends
from moto.backup.models import backup_backends
from moto.budgets.models import budgets_backends
from moto.cloudfront.models import cloudfront_backends
from moto.cloudtrail.models import cloudtrail_backends
from moto.cloudwatch.models import cloudwatch_backends
from moto.codedeploy.models import codedeploy_backends
from moto.ecs.models import ecs_backends
from moto.glue.models import glue_backends
from moto.iam.models import iam_backends
from moto.rds.models import rds_backends
from moto.sqs.models import sqs_backends
from moto.xray.models import xray_backends

from controlplane.sandbox.aws.backend import SandboxRds
from controlplane.sandbox.aws.cloudwatch import SandboxCloudWatch
from controlplane.sandbox.aws.effects import Effects, catch_up
from controlplane.sandbox.aws.instance import NOBODY
from controlplane.sandbox.aws.platform.backup import SandboxBackup
from controlplane.sandbox.aws.platform.buckets import mend_buckets
from controlplane.sandbox.aws.platform.budgets import SandboxBudgets
from controlplane.sandbox.aws.platform.cdn import SandboxCloudFront
from controlplane.sandbox.aws.platform.containers import SandboxAutoscaling, SandboxEcs, mend_rules
from controlplane.sandbox.aws.platform.deployments import SandboxCodeDeploy
from controlplane.sandbox.aws.platform.functions import SandboxLambda, mend_functions
from controlplane.sandbox.aws.platform.images import add_dlm
from controlplane.sandbox.aws.platform.queues import SandboxSqs
from controlplane.sandbox.aws.platform.roles import SandboxIam
from controlplane.sandbox.aws.platform.tables import SandboxGlue
from controlplane.sandbox.aws.platform.tracing import SandboxXRay
from controlplane.sandbox.aws.platform.trails import SandboxCloudTrail
from controlplane.sandbox.aws.platform.watching import mend_detectors
from controlplane.sandbox.aws.standby import Standbys
from controlplane.sandbox.aws.watch import instances
from controlplane.sandbox.aws.work import Works
from controlplane.sandbox.metrics import Metrics

_BACKENDS = {
    applicationautoscaling_backends: SandboxAutoscaling,
    backup_backends: SandboxBackup,
    budgets_backends: SandboxBudgets,
    cloudfront_backends: SandboxCloudFront,
    cloudtrail_backends: SandboxCloudTrail,
    cloudwatch_backends: SandboxCloudWatch,
    codedeploy_backends: SandboxCodeDeploy,
    ecs_backends: SandboxEcs,
    glue_backends: SandboxGlue,
    iam_backends: SandboxIam,
    lambda_backends: SandboxLambda,
    rds_backends: SandboxRds,
    sqs_backends: SandboxSqs,
    xray_backends: SandboxXRay,
}


def install(works: Works, metrics: Metrics) -> None:
    """Before the first backend is made."""
    Effects(works)
    SandboxRds.works = works
    SandboxCloudWatch.metrics = metrics
    for of_moto, backend in _BACKENDS.items():
        of_moto.backend = backend
    mend_buckets()
    mend_detectors()
    mend_functions()
    mend_rules()
    add_dlm()
    settings.ACM_VALIDATION_WAIT = 0  # a minute, else, in which nothing is proven


def recover(works: Works) -> None:
    """After the state was loaded: start what ran, and go on with what was under way.
    In this order, as a task may stop what it finds running."""
    for db in instances():
        cluster = works.clusters.instance(db.dbi_resource_id)
        if db.place and db.status not in ("stopped", "deleting") and not cluster.is_running():
            db.place = works.clusters.start(db.dbi_resource_id, db.server_settings(), db.place)
    for db in instances():
        if db.follows not in ("", NOBODY):
            catch_up(Standbys(works.clusters), db)
    for _, _, backend in rds_backends.iter_backends():
        for task in list(backend.tasks):
            works.submit(backend.tasks, task)

"""What can be done, durably: one file per operation; importing this room offers them all."""

from controlplane.operations import change
from controlplane.operations.adopt import ADOPT, Adopt
from controlplane.operations.create import CREATE, Create
from controlplane.operations.destroy import DESTROY, Destroy
from controlplane.operations.drill import DRILL, Drill
from controlplane.operations.finalize import FINALIZE, Finalize
from controlplane.operations.platform import PLATFORM, Platform, PlatformDestruction, PlatformPlan
from controlplane.operations.reconcile import RECONCILE, Reconcile
from controlplane.operations.resize import RESIZE, Resize
from controlplane.operations.restore import RESTORE, Restore
from controlplane.operations.resume import RESUME, Resume
from controlplane.operations.rollback import ROLLBACK, Rollback
from controlplane.operations.rollout import ROLLOUT, Rollout
from controlplane.operations.rotate import ROTATE, Rotate
from controlplane.operations.suspend import SUSPEND, Suspend
from controlplane.operations.types import OperationType, Request, offered, operation_type
from controlplane.operations.upgrade import UPGRADE, Upgrade

__all__ = [
    "ADOPT",
    "CREATE",
    "DESTROY",
    "DRILL",
    "FINALIZE",
    "PLATFORM",
    "RECONCILE",
    "RESIZE",
    "RESTORE",
    "RESUME",
    "ROLLBACK",
    "ROLLOUT",
    "ROTATE",
    "SUSPEND",
    "UPGRADE",
    "Adopt",
    "Create",
    "Destroy",
    "Drill",
    "Finalize",
    "OperationType",
    "Platform",
    "PlatformDestruction",
    "PlatformPlan",
    "Reconcile",
    "Request",
    "Resize",
    "Restore",
    "Resume",
    "Rollback",
    "Rollout",
    "Rotate",
    "Suspend",
    "Upgrade",
    "change",
    "offered",
    "operation_type",
]

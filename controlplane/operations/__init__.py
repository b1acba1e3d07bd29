"""What can be done, durably: one file per operation; importing this room offers them all."""

from controlplane.operations import change
from controlplane.operations.create import CREATE, Create
from controlplane.operations.destroy import DESTROY, Destroy
from controlplane.operations.platform import PLATFORM, Platform
from controlplane.operations.reconcile import RECONCILE, Reconcile
from controlplane.operations.resize import RESIZE, Resize
from controlplane.operations.restore import RESTORE, Restore
from controlplane.operations.resume import RESUME, Resume
from controlplane.operations.rotate import ROTATE, Rotate
from controlplane.operations.suspend import SUSPEND, Suspend
from controlplane.operations.types import OperationType, Request, offered, operation_type

__all__ = [
    "CREATE",
    "DESTROY",
    "PLATFORM",
    "RECONCILE",
    "RESIZE",
    "RESTORE",
    "RESUME",
    "ROTATE",
    "SUSPEND",
    "Create",
    "Destroy",
    "OperationType",
    "Platform",
    "Reconcile",
    "Request",
    "Resize",
    "Restore",
    "Resume",
    "Rotate",
    "Suspend",
    "change",
    "offered",
    "operation_type",
]

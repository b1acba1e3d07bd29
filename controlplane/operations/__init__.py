"""What can be done, durably: one file per operation; importing this room offers them all."""

from controlplane.operations import change
from controlplane.operations.create import CREATE, Create
from controlplane.operations.destroy import DESTROY, Destroy
from controlplane.operations.platform import PLATFORM, Platform
from controlplane.operations.types import OperationType, Request, offered, operation_type

__all__ = [
    "CREATE",
    "DESTROY",
    "PLATFORM",
    "Create",
    "Destroy",
    "OperationType",
    "Platform",
    "Request",
    "change",
    "offered",
    "operation_type",
]

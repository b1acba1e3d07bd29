"""Exit codes: what an error or an operation's end means for a script. The one table."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Any

from controlplane.domain.errors import ControlPlaneError, ErrorKind
from controlplane.domain.operation import Status


class ExitCode(IntEnum):
    DONE = 0
    FAILED = 1  # failed, partially applied or rejected
    CHANGES = 2  # changes present, only with --detailed-exitcode
    WAITS = 3  # for an approval or a window, or policy refused
    CONFLICT = 4  # conflict, locked, or a person is needed
    MISSING = 5
    DENIED = 6
    TIMED_OUT = 7  # the wait ended, the work goes on
    CANCELLED = 8
    USAGE = 64
    INTERRUPTED = 130


_BY_KIND: Mapping[ErrorKind, ExitCode] = {
    ErrorKind.INVALID: ExitCode.USAGE,
    ErrorKind.DENIED: ExitCode.DENIED,
    ErrorKind.UNAUTHENTICATED: ExitCode.DENIED,
    ErrorKind.MISSING: ExitCode.MISSING,
    ErrorKind.CONFLICT: ExitCode.CONFLICT,
    ErrorKind.STALE: ExitCode.CONFLICT,
    ErrorKind.REFUSED: ExitCode.WAITS,
    ErrorKind.THROTTLED: ExitCode.FAILED,
    ErrorKind.UNAVAILABLE: ExitCode.FAILED,
    ErrorKind.BROKEN: ExitCode.FAILED,
}
_BY_STATUS: Mapping[Status, ExitCode] = {
    Status.SUCCEEDED: ExitCode.DONE,
    Status.NO_CHANGES: ExitCode.DONE,
    Status.REJECTED: ExitCode.FAILED,
    Status.FAILED: ExitCode.FAILED,
    Status.PARTIALLY_APPLIED: ExitCode.FAILED,
    Status.CANCELLED: ExitCode.CANCELLED,
    Status.NEEDS_OPERATOR: ExitCode.CONFLICT,
    Status.AWAITING_APPROVAL: ExitCode.WAITS,
    Status.AWAITING_WINDOW: ExitCode.WAITS,
}


def of_error(error: ControlPlaneError) -> ExitCode:
    return _BY_KIND[error.kind]


def of_operation(view: Mapping[str, Any]) -> ExitCode:
    """For an operation that ended or waits; one that is still running counts as timed out."""
    if (view.get("error") or {}).get("code") == "policy_refused":
        return ExitCode.WAITS
    return _BY_STATUS.get(Status(view["status"]), ExitCode.TIMED_OUT)


def of_rehearsal(view: Mapping[str, Any]) -> ExitCode:
    """What policy would refuse is told as if it had."""
    refused = (view.get("rehearsal") or {}).get("would") == "be rejected"
    return ExitCode.WAITS if refused else ExitCode.DONE

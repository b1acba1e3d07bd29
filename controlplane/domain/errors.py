"""Every error that we raise on purpose; a door maps its kind to a status or an exit code, once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar


class ErrorKind(StrEnum):
    INVALID = "invalid"  # the request cannot be right, whoever sends it
    DENIED = "denied"  # this actor may not
    UNAUTHENTICATED = "unauthenticated"  # we do not know who asks
    MISSING = "missing"  # no such thing, or none that this actor may see
    CONFLICT = "conflict"  # right, but not now: somebody holds it
    STALE = "stale"  # the caller's picture is old
    REFUSED = "refused"  # a rule or a policy says no
    THROTTLED = "throttled"  # too many requests
    UNAVAILABLE = "unavailable"  # something outside does not answer; may be tried again
    BROKEN = "broken"  # something of ours is damaged; a person has to look


@dataclass(frozen=True)
class FieldError:
    """One field of a request that cannot be accepted."""

    field: str
    message: str


class ControlPlaneError(Exception):
    """Base of all our errors. `message` is public: it never carries a secret."""

    kind: ClassVar[ErrorKind] = ErrorKind.BROKEN
    code: ClassVar[str] = "internal"
    retryable: ClassVar[bool] = False

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        errors: Sequence[FieldError] = (),
        details: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.errors = tuple(errors)
        self.details = dict(details or {})

    def problem(self) -> dict[str, Any]:
        """The error as plain data: stored with an operation, answered by the API."""
        return {
            "code": self.code,
            "kind": self.kind.value,
            "detail": self.message,
            "hint": self.hint,
            "retryable": self.retryable,
            "errors": [{"field": e.field, "message": e.message} for e in self.errors],
            "details": self.details,
        }


class Invalid(ControlPlaneError):
    kind = ErrorKind.INVALID
    code = "invalid"


class Denied(ControlPlaneError):
    kind = ErrorKind.DENIED
    code = "denied"


class Unauthenticated(ControlPlaneError):
    kind = ErrorKind.UNAUTHENTICATED
    code = "unauthenticated"


class Missing(ControlPlaneError):
    kind = ErrorKind.MISSING
    code = "not_found"


class Conflict(ControlPlaneError):
    kind = ErrorKind.CONFLICT
    code = "conflict"


class AlreadyExists(Conflict):
    code = "already_exists"


class IllegalTransition(Conflict):
    code = "illegal_transition"


class Locked(Conflict):
    code = "locked"


class Stale(ControlPlaneError):
    kind = ErrorKind.STALE
    code = "stale"


class Refused(ControlPlaneError):
    kind = ErrorKind.REFUSED
    code = "refused"


class PolicyRefused(Refused):
    code = "policy_refused"


class Throttled(ControlPlaneError):
    kind = ErrorKind.THROTTLED
    code = "throttled"
    retryable = True


class Unavailable(ControlPlaneError):
    kind = ErrorKind.UNAVAILABLE
    code = "unavailable"
    retryable = True


class TerraformFailed(ControlPlaneError):
    code = "terraform_failed"


class Broken(ControlPlaneError):
    code = "broken"


class CatalogCorrupt(Broken):
    code = "catalog_corrupt"


class CatalogTooNew(Broken):
    code = "catalog_too_new"


class CatalogOutdated(Broken):
    """There is no catalog yet, or one of an older program: it has to be migrated first."""

    code = "catalog_outdated"


class KeyMissing(Broken):
    code = "key_missing"


class Unknown(ControlPlaneError):
    """A value that a decision needs is not known. Unknown is never taken for zero."""

    kind = ErrorKind.REFUSED
    code = "unknown_value"


class StepFailed(ControlPlaneError):
    """A step of an operation ended with this problem; it may come from an earlier life of the worker."""

    def __init__(self, step: str, problem: Mapping[str, Any]) -> None:
        super().__init__(str(problem.get("detail", "")), hint=str(problem.get("hint", "")))
        self.step = step
        self._problem = dict(problem)

    def problem(self) -> dict[str, Any]:
        return {**self._problem, "step": self.step}

"""botocore's errors in our words: what was being done, which permission is missing, what to do next."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore import exceptions as boto

from controlplane.domain.errors import (
    AlreadyExists,
    Conflict,
    ControlPlaneError,
    Denied,
    Invalid,
    Missing,
    Refused,
    Throttled,
    Unavailable,
)

THROTTLED = frozenset(
    {
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "TooManyRequestsException",
        "TooManyUpdates",
        "SlowDown",
        "PriorRequestNotComplete",
    }
)
DENIED = frozenset(
    {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "KMSKeyNotAccessibleFault"}
)
CREDENTIALS = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidClientTokenId",
        "UnrecognizedClientException",
        "SignatureDoesNotMatch",
        "InvalidSignatureException",
        "AuthFailure",
    }
)
_ACTION = re.compile(r"(?:perform|allows the|for action):? ([a-z0-9-]+:[A-Za-z0-9]+)")
# The IAM prefix of an action where it differs from the name that boto3 gives the service.
_IAM_PREFIX = {"resourcegroupstaggingapi": "tag", "cost-explorer": "ce", "tagging": "tag"}
_CREDENTIALS_HINT = "run `aws sts get-caller-identity` with this process's credentials, then `doctor`"


def code_of(error: boto.ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def is_code(error: boto.ClientError, *parts: str) -> bool:
    """Whether the code begins with one of these: RDS says `DBInstanceNotFound`, or with `Fault`."""
    return code_of(error).startswith(parts)


@contextmanager
def calling(doing: str, service: str) -> Iterator[None]:
    """Everything that botocore raises inside becomes one of our errors."""
    try:
        yield
    except boto.ClientError as error:
        raise _from_answer(error, doing, service) from error
    except (boto.NoCredentialsError, boto.PartialCredentialsError, boto.CredentialRetrievalError) as error:
        raise Denied(f"{doing}: this process has no AWS credentials", hint=_CREDENTIALS_HINT) from error
    except (boto.ProfileNotFound, boto.NoRegionError, boto.ParamValidationError) as error:
        raise Invalid(f"{doing}: {_first_line(error)}") from error
    except (boto.ReadTimeoutError, boto.ConnectTimeoutError) as error:
        raise Unavailable(
            f"{doing}: AWS did not answer in time",
            hint="the call may have taken effect; it is safe to run again",
        ) from error
    except (boto.HTTPClientError, boto.BotoCoreError) as error:
        raise Unavailable(
            f"{doing}: AWS cannot be reached ({type(error).__name__})",
            hint="check the network, the region and the endpoint, then run `doctor`",
        ) from error


def _from_answer(error: boto.ClientError, doing: str, service: str) -> ControlPlaneError:
    code = code_of(error)
    action = missing_action(error, service)
    details: dict[str, Any] = {"aws_code": code, "aws_request_id": _request_id(error)}
    if code in DENIED:
        return Denied(
            f"{doing}: AWS denies {action}",
            hint=f"allow {action} to the role that the control plane assumes",
            details={**details, "action": action},
        )
    if code in CREDENTIALS:
        return Denied(
            f"{doing}: AWS does not accept our credentials ({code})", hint=_CREDENTIALS_HINT, details=details
        )
    if code in THROTTLED:
        return Throttled(
            f"{doing}: AWS still throttles {action} after our retries",
            hint="it is safe to run again in a minute",
            details=details,
        )
    kind, hint = _kind(code, error)
    return kind(f"{doing}: {code}: {_message(error)}", hint=hint, details=details)


def _kind(code: str, error: boto.ClientError) -> tuple[type[ControlPlaneError], str]:
    if "AlreadyExists" in code or code == "ResourceExistsException":
        return AlreadyExists, "look at who made it: it does not carry our ownership tags"
    if "NotFound" in code or "NonExistent" in code or code.startswith("NoSuch"):
        return Missing, ""
    if "QuotaExceeded" in code or "LimitExceeded" in code or code == "StorageQuotaExceeded":
        return Refused, "raise the quota in Service Quotas, or free some"
    if re.fullmatch(r"Invalid\w+State(Fault)?", code) or code == "ResourceInUseException":
        return Conflict, "wait until it is available, then run again"
    if _status(error) >= 500:
        return Unavailable, "AWS failed inside; it is safe to run again"
    return Invalid, ""


def missing_action(error: boto.ClientError, service: str) -> str:
    """`rds:CreateDBSnapshot`: as AWS names it, else from the call."""
    named = _ACTION.search(_message(error))
    if named:
        return named.group(1)
    return f"{_IAM_PREFIX.get(service, service)}:{error.operation_name}"


def _message(error: boto.ClientError) -> str:
    return " ".join(str(error.response.get("Error", {}).get("Message", "")).split())[:500]


def _status(error: boto.ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _request_id(error: boto.ClientError) -> str:
    return str(error.response.get("ResponseMetadata", {}).get("RequestId", ""))


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]

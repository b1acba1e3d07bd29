"""Whether it may begin: on AWS, in an account that a person named, and that this process really is in."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from controlplane.domain.errors import ControlPlaneError
from controlplane.settings import Settings

ACCOUNT = "AWS_SMOKE_ACCOUNT"
Identity = Callable[[], Mapping[str, str]]


class NotHere(Exception):
    """Why nothing was begun."""


def require(settings: Settings, environ: Mapping[str, str], identity: Identity) -> str:
    """The account; raises before anything is asked of AWS but who we are."""
    if settings.is_sandbox:
        raise NotHere("CONTROLPLANE_CLOUD is `sandbox`: say `aws`, and expect a bill")
    named = environ.get(ACCOUNT, "")
    if not re.fullmatch(r"\d{12}", named):
        raise NotHere(f"say in {ACCOUNT} which account, by its twelve digits: all of this costs money")
    if not settings.keyring:
        raise NotHere("CONTROLPLANE_KEYRING is not set: say kms:KEY-ARN, or file:PATH")
    try:
        found = identity()
    except ControlPlaneError as error:
        raise NotHere(f"there is no identity in AWS: {error.message}; {error.hint}") from error
    if found["account"] != named:
        raise NotHere(f"this is account {found['account']} ({found['arn']}), not {named}")
    return named


def require_word(account: str, said: str) -> None:
    """What the person typed after seeing what it costs."""
    if said.strip() != account:
        raise NotHere("nothing was begun: the account's number was not typed")

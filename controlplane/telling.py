"""Who takes events and traces outside, and what counts calls to AWS: composition, as `sources` is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any, TypedDict

from controlplane.domain.errors import Invalid
from controlplane.domain.tracing import SILENCE, Tracer

if TYPE_CHECKING:
    from controlplane.adapters.aws.clients import AwsAccount
    from controlplane.domain.events.courier import Courier
    from controlplane.ports import Keyring
    from controlplane.services.control import AwsCalls
    from controlplane.settings import Settings


class Telling(TypedDict):
    """What a `Control` has of it, made when it is first asked."""

    courier: Callable[[], Courier]
    keyring: Callable[[], Keyring]
    aws_calls: Callable[[], AwsCalls]


def outside(settings: Settings, account: Callable[[], AwsAccount], ring: Callable[[], Keyring]) -> Telling:
    made = cache(lambda: courier(account, settings.webhook_networks))
    return {"courier": made, "keyring": cache(ring), "aws_calls": aws_calls}


def courier(account: Callable[[], AwsAccount], allowed: Sequence[str]) -> Courier:
    """`account` is asked when the first event goes through AWS: a webhook over HTTPS needs none."""
    from controlplane.adapters.notify import Couriers
    from controlplane.adapters.web.guard import Guard

    def client(service: str, region: str) -> Any:
        from controlplane.adapters.aws.clients import Clients

        return Clients(replace(account(), region=region)).get(service)

    return Couriers(client, Guard(allowed))


def aws_calls() -> AwsCalls:
    from controlplane.adapters.aws.tally import TALLY

    return TALLY


def tracer(settings: Settings, process: str) -> Tracer:
    """`process`: who of ours tells them."""
    if not settings.traces:
        return SILENCE
    from controlplane.services.about import version

    try:
        from controlplane.adapters.tracing import Traces
    except ImportError as error:
        raise Invalid(
            "CONTROLPLANE_TRACES is set, and OpenTelemetry is not installed",
            hint="pip install 'controlplane[traces]', or unset it",
        ) from error
    return Traces(settings.traces, version()["version"], process)

"""What AWS grants this account: RDS says it by itself, with what is used; Service Quotas says the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from controlplane.adapters.aws.errors import calling
from controlplane.catalog import load
from controlplane.domain.errors import Denied, Missing
from controlplane.ports import QuotaFigure

if TYPE_CHECKING:
    from mypy_boto3_rds import RDSClient
    from mypy_boto3_service_quotas import ServiceQuotasClient

RDS = "rds"


class AwsQuotas:
    """`QuotaSource` on boto3's `rds` and, where there is one, `service-quotas` client."""

    def __init__(
        self,
        rds: RDSClient,
        services: ServiceQuotasClient | None,
        places: Callable[[], Mapping[str, str]] | None = None,
    ) -> None:
        self._rds = rds
        self._services = services
        self._places = places or _places

    def quotas(self) -> Sequence[QuotaFigure]:
        """A permission that is missing for one service leaves that service's defaults."""
        by_service: dict[str, dict[str, str]] = {}
        for name, place in self._places().items():
            service, _, key = place.partition(":")
            by_service.setdefault(service, {})[key] = name
        found = list(self._of_rds(by_service.pop(RDS, {})))
        for service, codes in by_service.items():
            found += self._of_service(service, codes)
        return found

    def _of_rds(self, names: Mapping[str, str]) -> Iterator[QuotaFigure]:
        with calling("asking RDS for the account's quotas", RDS):
            answer = self._rds.describe_account_attributes()
        for quota in answer.get("AccountQuotas", ()):
            name = names.get(quota.get("AccountQuotaName", ""))
            if name and quota.get("Max"):
                yield QuotaFigure(name, int(quota["Max"]), int(quota.get("Used", 0)))

    def _of_service(self, service: str, codes: Mapping[str, str]) -> list[QuotaFigure]:
        if self._services is None:
            return []
        found = []
        for code, name in codes.items():
            try:
                with calling(f"asking for the quota {code} of {service}", "servicequotas"):
                    answer: Any = self._services.get_service_quota(ServiceCode=service, QuotaCode=code)
            except (Denied, Missing):
                continue  # what is granted by default stays what we reckon with
            found.append(QuotaFigure(name, int(answer["Quota"]["Value"])))
        return found


def _places() -> Mapping[str, str]:
    return {name: quota.aws for name, quota in load().quotas.items() if quota.aws}

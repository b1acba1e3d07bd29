"""AWS Compute Optimizer's own findings on databases, where the account has it enabled: a second opinion."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from controlplane.adapters.aws.errors import calling
from controlplane.domain.errors import Unavailable
from controlplane.domain.rightsizing.opinions import Opinion

MOST_PAGES = 200
SERVICE = "compute-optimizer"
_ALL_RIGHT = "Optimized"


class ComputeOptimizer:
    """`OpinionSource` on boto3's `compute-optimizer` client."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def opinions(self) -> Sequence[Opinion]:
        """Of every database that it has looked at; clusters and what it could not judge are left out."""
        return [_opinion(found) for found in self._pages() if found.get("instanceFinding")]

    def _pages(self) -> Iterator[Mapping[str, Any]]:
        request: dict[str, Any] = {}
        for _ in range(MOST_PAGES):
            with calling("asking Compute Optimizer for its findings", SERVICE):
                answer = self._client.get_rds_database_recommendations(**request)
            yield from answer.get("rdsDBRecommendations", ())
            if not answer.get("nextToken"):
                return
            request = {"nextToken": answer["nextToken"]}
        raise Unavailable(f"asking Compute Optimizer for its findings: more than {MOST_PAGES} pages")


def _opinion(found: Mapping[str, Any]) -> Opinion:
    finding = str(found["instanceFinding"])
    return Opinion(
        identifier=str(found.get("resourceArn", "")).rpartition(":")[2],
        finding=finding,
        reasons=tuple(found.get("instanceFindingReasonCodes", ())),
        instance_class="" if finding == _ALL_RIGHT else _best(found.get("instanceRecommendationOptions", ())),
        look_back_days=int(found.get("lookbackPeriodInDays") or 0),
    )


def _best(options: Sequence[Mapping[str, Any]]) -> str:
    """The one that it ranks first."""
    ranked = sorted(options, key=lambda option: option.get("rank", len(options)))
    return str(ranked[0].get("dbInstanceClass", "")) if ranked else ""

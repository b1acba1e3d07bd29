"""Compute Optimizer's answers, in the shape that botocore's model of the service documents. No emulator has
it, and no real account was asked."""

from __future__ import annotations

from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError
from botocore.validate import validate_parameters

from controlplane.adapters.optimizer import ComputeOptimizer
from controlplane.domain.errors import Denied
from controlplane.domain.rightsizing.opinions import Opinion

MODEL = botocore.session.get_session().get_service_model("compute-optimizer")
OPERATION = MODEL.operation_model("GetRDSDatabaseRecommendations")
DATABASE: dict[str, Any] = {
    "resourceArn": "arn:aws:rds:us-east-1:123456789012:db:acme-a1234567-e1",
    "currentDBInstanceClass": "db.t4g.small",
    "instanceFinding": "Overprovisioned",
    "instanceFindingReasonCodes": ["CPUOverprovisioned"],
    "instanceRecommendationOptions": [
        {"dbInstanceClass": "db.t4g.medium", "rank": 2},
        {"dbInstanceClass": "db.t4g.micro", "rank": 1},
    ],
    "lookbackPeriodInDays": 14.0,
}


class Client:
    """Answers page by page; questions and answers must be of the service's own shape."""

    def __init__(self, *pages: list[dict[str, Any]], error: str = "") -> None:
        self.pages, self.error = pages, error
        self.asked: list[str | None] = []

    def get_rds_database_recommendations(self, **request: Any) -> dict[str, Any]:
        validate_parameters(request, OPERATION.input_shape)
        if self.error:
            raise ClientError({"Error": {"Code": self.error, "Message": "no"}}, OPERATION.name)
        self.asked.append(request.get("nextToken"))
        answer: dict[str, Any] = {"rdsDBRecommendations": self.pages[len(self.asked) - 1]}
        if len(self.asked) < len(self.pages):
            answer["nextToken"] = f"page-{len(self.asked)}"
        validate_parameters(answer, OPERATION.output_shape)
        return answer


def test_findings_are_read_page_by_page_with_the_class_that_is_ranked_first() -> None:
    other = {**DATABASE, "resourceArn": "arn:x:db:calm", "instanceFinding": "Optimized"}
    unjudged = {"resourceArn": "arn:x:db:young"}
    client = Client([DATABASE], [other, unjudged])
    first, second = ComputeOptimizer(client).opinions()
    assert first == Opinion(
        "acme-a1234567-e1", "Overprovisioned", ("CPUOverprovisioned",), "db.t4g.micro", look_back_days=14
    )
    assert (second.identifier, second.instance_class) == ("calm", "")
    assert client.asked == [None, "page-1"]


def test_a_permission_that_is_missing_is_said_in_our_words() -> None:
    with pytest.raises(Denied, match="Compute Optimizer"):
        ComputeOptimizer(Client([], error="AccessDeniedException")).opinions()

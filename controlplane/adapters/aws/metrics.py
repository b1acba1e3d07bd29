"""What CloudWatch measured of an instance."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from controlplane.adapters.aws.errors import calling

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient

SERVICE = "cloudwatch"
_POINTS = 1440  # CloudWatch's most in one answer
_HOUR = 3600


def peak(client: CloudWatchClient, identifier: str, metric: str, days: int) -> float | None:
    """The highest value in that time; None where nothing was measured."""
    now = datetime.now(UTC)
    hours = -(-days * 24 // _POINTS)
    with calling(f"asking CloudWatch for {metric} of {identifier}", SERVICE):
        answer = client.get_metric_statistics(
            Namespace="AWS/RDS",
            MetricName=metric,
            Dimensions=[{"Name": "DBInstanceIdentifier", "Value": identifier}],
            StartTime=now - timedelta(days=days),
            EndTime=now,
            Period=hours * _HOUR,
            Statistics=["Maximum"],
        )
    return max((point["Maximum"] for point in answer["Datapoints"]), default=None)

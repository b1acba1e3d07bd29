"""What is recorded of a call is what IAM judges, whatever it is called where it was asked."""

from __future__ import annotations

import io
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest
from botocore.config import Config

from controlplane.sandbox.calls import read_call
from controlplane.sandbox.calls.iam_names import iam_action

BUCKET = {"Bucket": "shelf"}
OBJECT = BUCKET | {"Key": "book"}
API = {"ApiId": "a1"}
FUNCTION = {"FunctionName": "f"}
PERMISSION = {"StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": "sns.amazonaws.com"}
FUNCTION_ARN = "arn:aws:lambda:us-east-1:123456789012:function:f"
# As boto3 asks, and what a policy has to allow for it.
CALLS: list[tuple[str, str, dict[str, Any], str]] = [
    ("apigateway", "get_rest_apis", {}, "apigateway:GET"),
    ("apigatewayv2", "create_api", {"Name": "a", "ProtocolType": "HTTP"}, "apigateway:POST"),
    ("apigatewayv2", "get_api", API, "apigateway:GET"),
    ("apigatewayv2", "update_stage", API | {"StageName": "live"}, "apigateway:PATCH"),
    ("apigatewayv2", "delete_route", API | {"RouteId": "r1"}, "apigateway:DELETE"),
    ("apigatewaymanagementapi", "get_connection", {"ConnectionId": "c1"}, "execute-api:ManageConnections"),
    ("budgets", "delete_budget", {"AccountId": "123456789012", "BudgetName": "b"}, "budgets:ModifyBudget"),
    ("budgets", "describe_budgets", {"AccountId": "123456789012"}, "budgets:ViewBudget"),
    ("cloudfront", "get_distribution_config", {"Id": "E1"}, "cloudfront:GetDistributionConfig"),
    ("cloudfront", "delete_cache_policy", {"Id": "c1"}, "cloudfront:DeleteCachePolicy"),
    ("cloudwatch", "describe_alarms", {}, "cloudwatch:DescribeAlarms"),
    ("dlm", "get_lifecycle_policy", {"PolicyId": "p1"}, "dlm:GetLifecyclePolicy"),
    ("elbv2", "describe_load_balancers", {}, "elasticloadbalancing:DescribeLoadBalancers"),
    ("guardduty", "create_detector", {"Enable": True}, "guardduty:CreateDetector"),
    ("lambda", "add_permission", FUNCTION | PERMISSION, "lambda:AddPermission"),
    ("lambda", "get_function", FUNCTION, "lambda:GetFunction"),
    ("lambda", "invoke", FUNCTION, "lambda:InvokeFunction"),
    ("lambda", "get_function_code_signing_config", FUNCTION, "lambda:GetFunctionCodeSigningConfig"),
    ("lambda", "list_tags", {"Resource": FUNCTION_ARN}, "lambda:ListTags"),
    ("rds", "describe_db_instances", {}, "rds:DescribeDBInstances"),
    ("resourcegroupstaggingapi", "get_resources", {}, "tag:GetResources"),
    ("route53", "get_hosted_zone", {"Id": "Z1"}, "route53:GetHostedZone"),
    ("s3", "delete_bucket_cors", BUCKET, "s3:PutBucketCORS"),
    ("s3", "delete_bucket_ownership_controls", BUCKET, "s3:PutBucketOwnershipControls"),
    ("s3", "delete_bucket_policy", BUCKET, "s3:DeleteBucketPolicy"),
    ("s3", "delete_bucket_tagging", BUCKET, "s3:PutBucketTagging"),
    ("s3", "delete_object", OBJECT, "s3:DeleteObject"),
    ("s3", "get_bucket_encryption", BUCKET, "s3:GetEncryptionConfiguration"),
    ("s3", "get_bucket_replication", BUCKET, "s3:GetReplicationConfiguration"),
    ("s3", "get_object", OBJECT, "s3:GetObject"),
    ("s3", "get_object_lock_configuration", BUCKET, "s3:GetBucketObjectLockConfiguration"),
    ("s3", "get_public_access_block", BUCKET, "s3:GetBucketPublicAccessBlock"),
    ("s3", "head_bucket", BUCKET, "s3:ListBucket"),
    ("s3", "head_object", OBJECT, "s3:GetObject"),
    ("s3", "list_buckets", {}, "s3:ListAllMyBuckets"),
    ("s3", "list_object_versions", BUCKET, "s3:ListBucketVersions"),
    ("s3", "list_objects_v2", BUCKET, "s3:ListBucket"),
    ("s3", "upload_part", OBJECT | {"PartNumber": 1, "UploadId": "u"}, "s3:PutObject"),
    ("secretsmanager", "get_secret_value", {"SecretId": "s"}, "secretsmanager:GetSecretValue"),
    ("service-quotas", "list_service_quotas", {"ServiceCode": "rds"}, "servicequotas:ListServiceQuotas"),
    ("ses", "verify_domain_dkim", {"Domain": "a.example"}, "ses:VerifyDomainDkim"),
    ("xray", "get_encryption_config", {}, "xray:GetEncryptionConfig"),
]


class Caught(Exception):
    """A request that goes nowhere."""

    def __init__(self, request: AWSPreparedRequest) -> None:
        self.request = request


def request(service: str, method: str, parameters: dict[str, Any]) -> AWSPreparedRequest:
    client: Any = boto3.client(
        service,  # type: ignore[call-overload]
        region_name="us-east-1",
        endpoint_url="http://localhost",
        aws_access_key_id="AKID",
        aws_secret_access_key="none",
        config=Config(s3={"addressing_style": "path"}),
    )

    def catch(request: AWSPreparedRequest, **_: Any) -> None:
        raise Caught(request)

    client.meta.events.register("before-send", catch)
    with pytest.raises(Caught) as caught:
        getattr(client, method)(**parameters)
    return caught.value.request


def environ(asked: AWSPreparedRequest) -> dict[str, Any]:
    url = urlsplit(str(asked.url))
    body = asked.body or b""
    content = body.encode() if isinstance(body, str) else bytes(body)
    headers = {
        f"HTTP_{name.upper().replace('-', '_')}": value if isinstance(value, str) else value.decode()
        for name, value in asked.headers.items()
    }
    return headers | {
        "CONTENT_TYPE": headers.get("HTTP_CONTENT_TYPE", ""),
        "CONTENT_LENGTH": str(len(content)),
        "PATH_INFO": url.path,
        "QUERY_STRING": url.query,
        "REQUEST_METHOD": asked.method,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "wsgi.input": io.BytesIO(content),
        "wsgi.url_scheme": "http",
    }


@pytest.mark.parametrize(("service", "method", "parameters", "action"), CALLS)
def test_a_call_is_recorded_as_iam_calls_it(
    service: str, method: str, parameters: dict[str, Any], action: str
) -> None:
    found = read_call(environ(request(service, method, parameters)))
    assert found is not None
    assert found.iam_action == action


@pytest.mark.parametrize(
    ("operation", "action"),
    [
        ("CreateDistributionWithTags", "cloudfront:CreateDistribution"),
        ("CreateDistribution", "cloudfront:CreateDistribution"),
    ],
)
def test_what_is_made_with_its_tags_is_made(operation: str, action: str) -> None:
    assert iam_action("cloudfront", operation, "POST") == action


def test_a_rest_call_that_only_looks_is_known_as_one() -> None:
    found = read_call(environ(request("apigatewayv2", "get_api", API)))
    assert found is not None
    assert (found.action, found.reads) == ("GetApi", True)

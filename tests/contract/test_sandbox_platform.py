"""What the sandbox answers of services that platforms are made of, and moto does not."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from controlplane.sandbox import lifecycle
from tests.contract.sandbox_stage import Stage, code, stage

TAG = {"Key": "managed-by", "Value": "controlplane"}
TRUST = json.dumps({"Version": "2012-10-17", "Statement": []})
HEADERS = {"Name": "strict", "SecurityHeadersConfig": {"ContentTypeOptions": {"Override": True}}}


@pytest.fixture(scope="module")
def aws() -> Iterator[Stage]:
    yield from stage()


def tagged(aws: Stage) -> list[str]:
    found = aws.client("resourcegroupstaggingapi").get_resources(TagFilters=[{"Key": TAG["Key"]}])
    return [row["ResourceARN"] for row in found["ResourceTagMappingList"]]


def refused(call: Any, **values: Any) -> str:
    with pytest.raises(ClientError) as error:
        call(**values)
    return code(error.value)


def cache_policy(name: str) -> dict[str, Any]:
    key = {
        "EnableAcceptEncodingGzip": True,
        "EnableAcceptEncodingBrotli": True,
        "HeadersConfig": {"HeaderBehavior": "none"},
        "CookiesConfig": {"CookieBehavior": "none"},
        "QueryStringsConfig": {
            "QueryStringBehavior": "whitelist",
            "QueryStrings": {"Quantity": 1, "Items": ["v"]},
        },
    }
    return {
        "Name": name,
        "MinTTL": 0,
        "DefaultTTL": 60,
        "MaxTTL": 60,
        "ParametersInCacheKeyAndForwardedToOrigin": key,
    }


def distribution(policy: str, **more: Any) -> dict[str, Any]:
    origin = {
        "Id": "assets",
        "DomainName": "assets.s3.us-east-1.amazonaws.com",
        "S3OriginConfig": {"OriginAccessIdentity": ""},
    }
    behaviour = {"TargetOriginId": "assets", "ViewerProtocolPolicy": "https-only", "CachePolicyId": policy}
    return {
        "CallerReference": f"of {policy}",
        "Comment": "a test",
        "Enabled": True,
        "Origins": {"Quantity": 1, "Items": [origin | more.pop("origin", {})]},
        "DefaultCacheBehavior": behaviour,
        **more,
    }


def test_a_cache_policy_is_read_as_it_was_written_and_changed_by_its_version(aws: Stage) -> None:
    cdn = aws.client("cloudfront")
    made = cdn.create_cache_policy(CachePolicyConfig=cache_policy("kept"))
    known = made["CachePolicy"]["Id"]
    assert cdn.get_cache_policy(Id=known)["CachePolicy"]["CachePolicyConfig"] == cache_policy("kept")
    changed = cache_policy("kept") | {"MaxTTL": 90}
    cdn.update_cache_policy(Id=known, IfMatch=made["ETag"], CachePolicyConfig=changed)
    now = cdn.get_cache_policy_config(Id=known)
    assert now["CachePolicyConfig"]["MaxTTL"] == 90
    assert refused(cdn.delete_cache_policy, Id=known, IfMatch=made["ETag"]) == "PreconditionFailed"
    assert refused(cdn.create_cache_policy, CachePolicyConfig=changed) == "CachePolicyAlreadyExists"
    listed = cdn.list_cache_policies(Type="custom")["CachePolicyList"]["Items"]
    assert [one["CachePolicy"]["Id"] for one in listed] == [known]
    cdn.delete_cache_policy(Id=known, IfMatch=now["ETag"])
    assert refused(cdn.get_cache_policy, Id=known) == "NoSuchCachePolicy"


def test_a_response_headers_policy_lives_and_goes(aws: Stage) -> None:
    cdn = aws.client("cloudfront")
    made = cdn.create_response_headers_policy(ResponseHeadersPolicyConfig=HEADERS)
    known = made["ResponseHeadersPolicy"]["Id"]
    read = cdn.get_response_headers_policy(Id=known)["ResponseHeadersPolicy"]["ResponseHeadersPolicyConfig"]
    assert read == HEADERS
    cdn.delete_response_headers_policy(Id=known, IfMatch=made["ETag"])
    assert refused(cdn.get_response_headers_policy, Id=known) == "NoSuchResponseHeadersPolicy"


def test_a_distribution_holds_its_policies_and_its_origin_s_access(aws: Stage) -> None:
    cdn = aws.client("cloudfront")
    assert refused(cdn.create_distribution, DistributionConfig=distribution("unknown")) == "NoSuchCachePolicy"
    policy = cdn.create_cache_policy(CachePolicyConfig=cache_policy("used"))
    control = {"Name": "assets", "OriginAccessControlOriginType": "s3"}
    control |= {"SigningBehavior": "always", "SigningProtocol": "sigv4"}
    access = cdn.create_origin_access_control(OriginAccessControlConfig=control)["OriginAccessControl"]["Id"]
    asked = distribution(policy["CachePolicy"]["Id"], origin={"OriginAccessControlId": access})
    made = cdn.create_distribution(DistributionConfig=asked)
    read = cdn.get_distribution(Id=made["Distribution"]["Id"])["Distribution"]["DistributionConfig"]
    assert read["Origins"]["Items"][0]["OriginAccessControlId"] == access
    assert "ForwardedValues" not in read["DefaultCacheBehavior"]
    version = {"Id": policy["CachePolicy"]["Id"], "IfMatch": policy["ETag"]}
    assert refused(cdn.delete_cache_policy, **version) == "CachePolicyInUse"
    assert refused(cdn.delete_origin_access_control, Id=access) == "OriginAccessControlInUse"
    assert (
        refused(cdn.delete_distribution, Id=made["Distribution"]["Id"], IfMatch=made["ETag"])
        == "DistributionNotDisabled"
    )
    off = cdn.update_distribution(
        Id=made["Distribution"]["Id"], IfMatch=made["ETag"], DistributionConfig=read | {"Enabled": False}
    )
    cdn.delete_distribution(Id=made["Distribution"]["Id"], IfMatch=off["ETag"])
    cdn.delete_cache_policy(**version)


def test_a_queue_says_whose_dead_letters_it_takes(aws: Stage) -> None:
    sqs = aws.client("sqs")
    dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
    allowed = json.dumps(
        {"redrivePermission": "byQueue", "sourceQueueArns": ["arn:aws:sqs:us-east-1:1:work"]}
    )
    statement = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"}
    senders = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=dead, Attributes={"RedriveAllowPolicy": allowed, "Policy": senders})
    sqs.set_queue_attributes(QueueUrl=dead, Attributes={"VisibilityTimeout": "60"})
    for asked in ("All", "RedriveAllowPolicy"):
        told = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=[asked])["Attributes"]
        assert told["RedriveAllowPolicy"] == allowed
    told = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["Policy"])["Attributes"]
    assert told == {"Policy": senders}
    sqs.set_queue_attributes(QueueUrl=dead, Attributes={"RedriveAllowPolicy": ""})
    told = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["All"])["Attributes"]
    assert "RedriveAllowPolicy" not in told


@pytest.mark.parametrize(
    "policy",
    ["{", json.dumps({"redrivePermission": "some"}), json.dumps({"redrivePermission": "byQueue"})],
)
def test_a_permission_on_dead_letters_that_says_nothing_is_refused(aws: Stage, policy: str) -> None:
    sqs = aws.client("sqs")
    url = sqs.create_queue(QueueName="strict")["QueueUrl"]
    change = {"QueueUrl": url, "Attributes": {"RedriveAllowPolicy": policy}}
    assert refused(sqs.set_queue_attributes, **change) == "InvalidAttributeValue"


def test_a_bucket_s_policy_is_read_with_its_conditions(aws: Stage) -> None:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="packages")
    deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::packages/*"}
    without_tls = deny | {"Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    s3.put_bucket_policy(Bucket="packages", Policy=json.dumps({"Statement": [without_tls]}))
    s3.put_object(Bucket="packages", Key="one.zip", Body=b"one")
    with_tls = deny | {"Condition": {"Bool": {"aws:SecureTransport": ["true"]}}}
    s3.put_bucket_policy(Bucket="packages", Policy=json.dumps({"Statement": [without_tls, with_tls]}))
    assert refused(s3.put_object, Bucket="packages", Key="two.zip", Body=b"two") == "403"


def test_a_sampling_rule_lives_and_goes_with_its_tags(aws: Stage) -> None:
    xray = aws.client("xray")
    rule = {"RuleName": "some", "Priority": 9000, "FixedRate": 0.05, "ReservoirSize": 1, "Version": 1}
    rule |= dict.fromkeys(("ServiceName", "ServiceType", "Host", "HTTPMethod", "URLPath", "ResourceARN"), "*")
    made = xray.create_sampling_rule(SamplingRule=rule, Tags=[TAG])["SamplingRuleRecord"]["SamplingRule"]
    assert made["RuleARN"] in tagged(aws)
    assert xray.list_tags_for_resource(ResourceARN=made["RuleARN"])["Tags"] == [TAG]
    xray.update_sampling_rule(SamplingRuleUpdate={"RuleName": "some", "FixedRate": 0.5})
    found = [one["SamplingRule"] for one in xray.get_sampling_rules()["SamplingRuleRecords"]]
    assert found == [made | {"FixedRate": 0.5}]
    assert refused(xray.create_sampling_rule, SamplingRule=rule) == "InvalidRequestException"
    xray.delete_sampling_rule(RuleName="some")
    assert made["RuleARN"] not in tagged(aws)
    assert refused(xray.delete_sampling_rule, RuleName="some") == "InvalidRequestException"


def test_traces_are_encrypted_with_the_key_that_was_said(aws: Stage) -> None:
    xray = aws.client("xray")
    key = "arn:aws:kms:us-east-1:123456789012:key/some"
    xray.put_encryption_config(Type="KMS", KeyId=key)
    assert xray.get_encryption_config()["EncryptionConfig"] == {
        "Type": "KMS",
        "KeyId": key,
        "Status": "ACTIVE",
    }
    assert refused(xray.put_encryption_config, Type="KMS") == "InvalidRequestException"


def test_a_backup_plan_goes_after_what_it_selects(aws: Stage) -> None:
    backup = aws.client("backup")
    rules = [{"RuleName": "daily", "TargetBackupVaultName": "vault"}]
    plan = {"BackupPlanName": "nightly", "Rules": rules}
    made = backup.create_backup_plan(BackupPlan=plan, BackupPlanTags={TAG["Key"]: TAG["Value"]})
    known = {"BackupPlanId": made["BackupPlanId"]}
    assert made["BackupPlanArn"] in tagged(aws)
    wanted = {"SelectionName": "databases", "IamRoleArn": "arn:aws:iam::1:role/backup", "Resources": ["*"]}
    selection = backup.create_backup_selection(**known, BackupSelection=wanted)["SelectionId"]
    assert backup.get_backup_selection(**known, SelectionId=selection)["BackupSelection"] == wanted
    listed = backup.list_backup_selections(**known)["BackupSelectionsList"]
    assert [one["SelectionName"] for one in listed] == ["databases"]
    assert refused(backup.delete_backup_plan, **known) == "InvalidRequestException"
    weekly = [rules[0] | {"ScheduleExpression": "cron(0 5 ? * SUN *)"}]
    changed = backup.update_backup_plan(**known, BackupPlan=plan | {"Rules": weekly})
    assert changed["VersionId"] != made["VersionId"]
    backup.delete_backup_selection(**known, SelectionId=selection)
    missing = known | {"SelectionId": selection}
    assert refused(backup.get_backup_selection, **missing) == "ResourceNotFoundException"
    backup.delete_backup_plan(**known)
    assert made["BackupPlanArn"] not in tagged(aws)


def test_a_policy_of_aws_s_own_is_there_when_it_is_asked_for(aws: Stage) -> None:
    iam = aws.client("iam")
    iam.create_role(RoleName="tracer", AssumeRolePolicyDocument=TRUST)
    arn = "arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess"
    iam.attach_role_policy(RoleName="tracer", PolicyArn=arn)
    attached = iam.list_attached_role_policies(RoleName="tracer")["AttachedPolicies"]
    assert [one["PolicyArn"] for one in attached] == [arn]
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    document = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
    assert "xray:PutTraceSegments" in json.dumps(document)
    elsewhere = "arn:aws:iam::aws:policy/service-role/AWSXRayDaemonWriteAccess"
    for wrong in (elsewhere, "arn:aws:iam::aws:policy/NoSuchThing"):
        assert refused(iam.attach_role_policy, RoleName="tracer", PolicyArn=wrong) == "NoSuchEntity"


def test_all_of_it_outlives_a_restart(aws: Stage) -> None:
    cdn, xray, sqs = (aws.client(service) for service in ("cloudfront", "xray", "sqs"))
    policy = cdn.create_cache_policy(CachePolicyConfig=cache_policy("lasting"))["CachePolicy"]["Id"]
    cdn.create_distribution(DistributionConfig=distribution(policy))
    xray.put_encryption_config(Type="NONE")
    queue = sqs.create_queue(
        QueueName="lasting", Attributes={"RedriveAllowPolicy": '{"redrivePermission":"denyAll"}'}
    )
    folder = aws.info.folder
    lifecycle.stop(folder)
    aws.info = lifecycle.start(folder)
    cdn, xray, sqs = (aws.client(service) for service in ("cloudfront", "xray", "sqs"))
    assert cdn.get_cache_policy(Id=policy)["CachePolicy"]["CachePolicyConfig"] == cache_policy("lasting")
    assert xray.get_encryption_config()["EncryptionConfig"]["Type"] == "NONE"
    told = sqs.get_queue_attributes(QueueUrl=queue["QueueUrl"], AttributeNames=["RedriveAllowPolicy"])
    assert "denyAll" in told["Attributes"]["RedriveAllowPolicy"]
    status = lifecycle.status(folder)
    assert status.info is not None
    assert not status.not_kept


def test_a_policy_on_images_lives_changes_and_goes(aws: Stage) -> None:
    dlm = aws.client("dlm")
    details = {"PolicyType": "IMAGE_MANAGEMENT", "ResourceTypes": ["INSTANCE"], "TargetTags": [TAG]}
    asked = {
        "Description": "weekly",
        "State": "ENABLED",
        "ExecutionRoleArn": "arn:aws:iam::123456789012:role/images",
    }
    known = dlm.create_lifecycle_policy(**asked, PolicyDetails=details, Tags={TAG["Key"]: TAG["Value"]})[
        "PolicyId"
    ]
    policy = dlm.get_lifecycle_policy(PolicyId=known)["Policy"]
    assert {key: policy[key] for key in asked} == asked
    assert policy["PolicyDetails"] == details | {"PolicyLanguage": "STANDARD", "ResourceLocations": ["CLOUD"]}
    assert policy["PolicyArn"] in tagged(aws)
    dlm.tag_resource(ResourceArn=policy["PolicyArn"], Tags={"more": "said"})
    dlm.untag_resource(ResourceArn=policy["PolicyArn"], TagKeys=[TAG["Key"]])
    assert dlm.list_tags_for_resource(ResourceArn=policy["PolicyArn"])["Tags"] == {"more": "said"}
    dlm.update_lifecycle_policy(PolicyId=known, State="DISABLED")
    assert [one["State"] for one in dlm.get_lifecycle_policies()["Policies"]] == ["DISABLED"]
    dlm.delete_lifecycle_policy(PolicyId=known)
    assert refused(dlm.get_lifecycle_policy, PolicyId=known) == "ResourceNotFoundException"


def test_a_deployment_group_changes_and_goes_with_its_application(aws: Stage) -> None:
    deploy = aws.client("codedeploy")
    deploy.create_application(applicationName="shop", computePlatform="ECS", tags=[TAG])
    role = "arn:aws:iam::123456789012:role/deploy"
    deploy.create_deployment_group(applicationName="shop", deploymentGroupName="web", serviceRoleArn=role)
    style = {"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"}
    deploy.update_deployment_group(
        applicationName="shop", currentDeploymentGroupName="web", deploymentStyle=style
    )
    group = deploy.get_deployment_group(applicationName="shop", deploymentGroupName="web")[
        "deploymentGroupInfo"
    ]
    assert (group["deploymentStyle"], group["serviceRoleArn"]) == (style, role)
    assert [arn for arn in tagged(aws) if arn.endswith(":shop")]
    deploy.delete_application(applicationName="shop")
    missing = {"applicationName": "shop", "deploymentGroupName": "web"}
    assert refused(deploy.get_deployment_group, **missing) == "ApplicationDoesNotExistException"
    assert not [arn for arn in tagged(aws) if ":codedeploy:" in arn]


def function(aws: Stage) -> tuple[Any, str]:
    """One with an alias; its name."""
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as package:
        package.writestr("app.py", "handler = print")
    role = aws.client("iam").create_role(RoleName=f"of-{uuid4().hex[:8]}", AssumeRolePolicyDocument=TRUST)[
        "Role"
    ]["Arn"]
    functions, name = aws.client("lambda"), f"worker-{uuid4().hex[:8]}"
    made = functions.create_function(
        FunctionName=name,
        Role=role,
        Runtime="python3.12",
        Handler="app.handler",
        Code={"ZipFile": code.getvalue()},
        Publish=True,
        LoggingConfig={"LogFormat": "JSON", "LogGroup": "/workers"},
    )
    functions.create_alias(FunctionName=name, Name="live", FunctionVersion=made["Version"])
    return functions, name


def test_a_function_says_where_it_logs(aws: Stage) -> None:
    functions, name = function(aws)
    said = functions.get_function_configuration(FunctionName=name)["LoggingConfig"]
    assert (said["LogFormat"], said["LogGroup"], said["SystemLogLevel"]) == ("JSON", "/workers", "INFO")
    functions.update_function_configuration(FunctionName=name, LoggingConfig={"LogFormat": "Text"})
    said = functions.get_function_configuration(FunctionName=name)["LoggingConfig"]
    assert said == {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{name}"}


def test_a_mapping_names_the_alias_that_it_calls(aws: Stage) -> None:
    functions, name = function(aws)
    aws.client("sqs").create_queue(QueueName=name)
    queue = f"arn:aws:sqs:us-east-1:123456789012:{name}"
    made = functions.create_event_source_mapping(EventSourceArn=queue, FunctionName=f"{name}:live")
    assert made["FunctionArn"].endswith(f":function:{name}:live")
    functions.update_event_source_mapping(UUID=made["UUID"], FunctionName=name)
    assert functions.get_event_source_mapping(UUID=made["UUID"])["FunctionArn"].endswith(f":function:{name}")


def test_concurrency_is_provisioned_for_an_alias_and_goes_with_the_function(aws: Stage) -> None:
    functions, name = function(aws)
    which = {"FunctionName": name, "Qualifier": "live"}
    missing = "ProvisionedConcurrencyConfigNotFoundException"
    assert refused(functions.get_provisioned_concurrency_config, **which) == missing
    functions.put_provisioned_concurrency_config(**which, ProvisionedConcurrentExecutions=2)
    found = functions.get_provisioned_concurrency_config(**which)
    assert (found["Status"], found["AllocatedProvisionedConcurrentExecutions"]) == ("READY", 2)
    functions.delete_provisioned_concurrency_config(**which)
    functions.put_provisioned_concurrency_config(**which, ProvisionedConcurrentExecutions=1)
    functions.delete_function(FunctionName=name)
    assert refused(functions.get_provisioned_concurrency_config, **which) == missing


def test_a_detector_s_features_are_turned_on_one_by_one(aws: Stage) -> None:
    guard = aws.client("guardduty")
    known = guard.create_detector(Enable=True)["DetectorId"]
    for name in ("S3_DATA_EVENTS", "RDS_LOGIN_EVENTS"):
        guard.update_detector(DetectorId=known, Features=[{"Name": name, "Status": "ENABLED"}])
    guard.update_detector(DetectorId=known, FindingPublishingFrequency="ONE_HOUR")
    features = guard.get_detector(DetectorId=known)["Features"]
    assert [one["Name"] for one in features] == ["S3_DATA_EVENTS", "RDS_LOGIN_EVENTS"]


def test_a_catalog_s_tags_go_with_it(aws: Stage) -> None:
    glue = aws.client("glue")
    glue.create_database(DatabaseInput={"Name": "sales"}, Tags={TAG["Key"]: TAG["Value"]})
    assert [arn for arn in tagged(aws) if arn.endswith(":database/sales")]
    glue.delete_database(Name="sales")
    assert not [arn for arn in tagged(aws) if arn.endswith(":database/sales")]


def test_a_trail_ends_by_its_arn(aws: Stage) -> None:
    trails = aws.client("cloudtrail")
    aws.client("s3").create_bucket(Bucket="trails")
    arn = trails.create_trail(Name="watched", S3BucketName="trails")["TrailARN"]
    trails.delete_trail(Name=arn)
    assert trails.describe_trails()["trailList"] == []


def test_a_rule_s_priority_is_taken_once(aws: Stage) -> None:
    ec2, balancers = aws.client("ec2"), aws.client("elbv2")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.9.{n}.0/24", AvailabilityZone=f"us-east-1{zone}")
        for n, zone in enumerate("ab")
    ]
    front = balancers.create_load_balancer(
        Name="many", Subnets=[subnet["Subnet"]["SubnetId"] for subnet in subnets]
    )
    answer = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}
    listener = balancers.create_listener(
        LoadBalancerArn=front["LoadBalancers"][0]["LoadBalancerArn"],
        Protocol="HTTP",
        Port=80,
        DefaultActions=[answer],
    )
    rule = {
        "ListenerArn": listener["Listeners"][0]["ListenerArn"],
        "Priority": 7,
        "Actions": [answer],
        "Conditions": [{"Field": "host-header", "Values": ["acme.example.com"]}],
    }
    balancers.create_rule(**rule)
    assert refused(balancers.create_rule, **rule) == "PriorityInUse"

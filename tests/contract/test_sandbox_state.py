"""What Terraform's state refers to is still there after the sandbox was stopped and started."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from controlplane.sandbox import lifecycle
from tests.contract.sandbox_stage import Stage, stage

pytestmark = pytest.mark.postgres
POLICY = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}'
TRUST = '{"Version": "2012-10-17", "Statement": []}'


@pytest.fixture(scope="module")
def aws() -> Iterator[Stage]:
    yield from stage()


def _network(aws: Stage) -> Callable[[], Any]:
    ec2 = aws.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"us-east-1{zone}")[
            "Subnet"
        ]["SubnetId"]
        for n, zone in enumerate("ab")
    ]
    ec2.create_security_group(GroupName="database", Description="of a test", VpcId=vpc)
    aws.rds.create_db_subnet_group(
        DBSubnetGroupName="private", DBSubnetGroupDescription="of a test", SubnetIds=subnets
    )
    balancer = aws.client("elbv2").create_load_balancer(Name="front", Subnets=subnets)["LoadBalancers"][0]
    group = aws.client("elbv2").create_target_group(Name="back", Protocol="HTTP", Port=80, VpcId=vpc)
    aws.client("elbv2").create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"],
        Protocol="HTTP",
        Port=80,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": group["TargetGroups"][0]["TargetGroupArn"]}],
    )
    return lambda: (
        ec2.describe_vpcs()["Vpcs"],
        ec2.describe_security_groups()["SecurityGroups"],
        aws.rds.describe_db_subnet_groups()["DBSubnetGroups"],
        aws.client("elbv2").describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"],
    )


def _storage(aws: Stage) -> Callable[[], Any]:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="states")
    s3.put_bucket_versioning(Bucket="states", VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket="states", Key="a/b.tfstate", Body=b"{}")
    aws.client("dynamodb").create_table(
        TableName="locks",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return lambda: (
        s3.get_object(Bucket="states", Key="a/b.tfstate")["Body"].read(),
        s3.get_bucket_versioning(Bucket="states")["Status"],
        aws.client("dynamodb").describe_table(TableName="locks")["Table"]["CreationDateTime"],
    )


def _application(aws: Stage) -> Callable[[], Any]:
    iam, ecs = aws.client("iam"), aws.client("ecs")
    role = iam.create_role(RoleName="task", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    iam.put_role_policy(RoleName="task", PolicyName="p", PolicyDocument=POLICY)
    ecs.create_cluster(clusterName="app")
    ecs.register_task_definition(
        family="app", containerDefinitions=[{"name": "a", "image": "i", "memory": 128}], taskRoleArn=role
    )
    aws.client("ecr").create_repository(repositoryName="app")
    aws.client("logs").create_log_group(logGroupName="/app")
    return lambda: (
        iam.get_role(RoleName="task")["Role"]["RoleId"],
        iam.get_role_policy(RoleName="task", PolicyName="p")["PolicyDocument"],
        ecs.describe_clusters(clusters=["app"])["clusters"][0]["clusterArn"],
        ecs.describe_task_definition(taskDefinition="app")["taskDefinition"]["taskDefinitionArn"],
        aws.client("ecr").describe_repositories()["repositories"],
        aws.client("logs").describe_log_groups()["logGroups"],
    )


def _edges(aws: Stage) -> Callable[[], Any]:
    zone = aws.client("route53").create_hosted_zone(Name="example.org.", CallerReference="1")["HostedZone"][
        "Id"
    ]
    certificate = aws.client("acm").request_certificate(DomainName="example.org", ValidationMethod="DNS")
    aws.client("apigatewayv2").create_api(Name="api", ProtocolType="HTTP")
    aws.client("cognito-idp").create_user_pool(PoolName="users")
    aws.client("wafv2").create_ip_set(
        Name="set", Scope="REGIONAL", IPAddressVersion="IPV4", Addresses=["10.0.0.0/8"]
    )
    return lambda: (
        aws.client("route53").get_hosted_zone(Id=zone)["HostedZone"]["Id"],
        aws.client("acm").describe_certificate(CertificateArn=certificate["CertificateArn"])["Certificate"][
            "DomainName"
        ],
        [api["ApiId"] for api in aws.client("apigatewayv2").get_apis()["Items"]],
        [pool["Id"] for pool in aws.client("cognito-idp").list_user_pools(MaxResults=9)["UserPools"]],
        aws.client("wafv2").list_ip_sets(Scope="REGIONAL")["IPSets"][0]["Id"],
    )


def _watching(aws: Stage) -> Callable[[], Any]:
    topic = aws.client("sns").create_topic(Name="alarms")["TopicArn"]
    aws.client("sqs").create_queue(QueueName="jobs")
    aws.client("cloudwatch").put_metric_alarm(
        AlarmName="cpu",
        Namespace="AWS/RDS",
        MetricName="CPUUtilization",
        Period=60,
        EvaluationPeriods=2,
        Threshold=80,
        Statistic="Average",
        ComparisonOperator="GreaterThanThreshold",
        AlarmActions=[topic],
    )
    aws.client("cloudwatch").put_dashboard(DashboardName="fleet", DashboardBody='{"widgets": []}')
    aws.client("events").put_rule(Name="nightly", ScheduleExpression="rate(1 day)")
    aws.client("scheduler").create_schedule_group(Name="jobs")
    return lambda: (
        aws.client("sns").list_topics()["Topics"],
        aws.client("sqs").list_queues()["QueueUrls"],
        aws.client("cloudwatch").describe_alarms()["MetricAlarms"][0]["AlarmArn"],
        aws.client("cloudwatch").list_dashboards()["DashboardEntries"][0]["DashboardArn"],
        aws.client("events").describe_rule(Name="nightly")["Arn"],
        aws.client("scheduler").get_schedule_group(Name="jobs")["Arn"],
    )


@pytest.mark.parametrize("make", [_network, _storage, _application, _edges, _watching])
def test_it_is_the_same_after_a_restart(aws: Stage, make: Callable[[Stage], Callable[[], Any]]) -> None:
    look = make(aws)
    before = look()
    lifecycle.stop(aws.info.folder)
    lifecycle.start(aws.info.folder)
    assert look() == before
    assert lifecycle.status(aws.info.folder).not_kept == {}

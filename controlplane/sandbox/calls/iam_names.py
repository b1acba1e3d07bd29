"""What IAM calls the operations of AWS: a policy judges `s3:ListBucket`, whoever asks says ListObjectsV2."""

from __future__ import annotations

from collections.abc import Mapping

# The prefix of a service's actions, where its signature carries another name.
_PREFIXES = {
    "monitoring": "cloudwatch",
    "tagging": "tag",
    "email": "ses",
}
# All of a service's changes and looks under one action each.
_BUDGETS = {
    f"{verb}{thing}": right
    for right, verbs in {
        "ModifyBudget": ("Create", "Update", "Delete"),
        "ViewBudget": ("Describe",),
    }.items()
    for verb in verbs
    for thing in (
        "Budget",
        "Budgets",
        "BudgetNotificationsForAccount",
        "BudgetPerformanceHistory",
        "Notification",
        "NotificationsForBudget",
        "Subscriber",
        "SubscribersForNotification",
    )
}
# What buckets are set to: S3's word for it in operations, and IAM's.
_BUCKET_SETTINGS = {
    "BucketAccelerateConfiguration": "AccelerateConfiguration",
    "BucketAnalyticsConfiguration": "AnalyticsConfiguration",
    "BucketCors": "BucketCORS",
    "BucketEncryption": "EncryptionConfiguration",
    "BucketIntelligentTieringConfiguration": "IntelligentTieringConfiguration",
    "BucketInventoryConfiguration": "InventoryConfiguration",
    "BucketLifecycle": "LifecycleConfiguration",
    "BucketLifecycleConfiguration": "LifecycleConfiguration",
    "BucketMetricsConfiguration": "MetricsConfiguration",
    "BucketNotificationConfiguration": "BucketNotification",
    "BucketOwnershipControls": "BucketOwnershipControls",
    "BucketReplication": "ReplicationConfiguration",
    "BucketTagging": "BucketTagging",
    "ObjectLockConfiguration": "BucketObjectLockConfiguration",
    "PublicAccessBlock": "BucketPublicAccessBlock",
}
# Who takes a setting away needs the right to put it; only for policies and websites there is another one.
_BUCKETS = {
    f"{verb}{setting}": f"{'Get' if verb == 'Get' else 'Put'}{right}"
    for setting, right in _BUCKET_SETTINGS.items()
    for verb in ("Get", "Put", "Delete")
}
_OBJECTS = {
    "CompleteMultipartUpload": "PutObject",
    "CopyObject": "PutObject",
    "CreateMultipartUpload": "PutObject",
    "DeleteObjects": "DeleteObject",
    "HeadBucket": "ListBucket",
    "HeadObject": "GetObject",
    "ListBuckets": "ListAllMyBuckets",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "ListObjectVersions": "ListBucketVersions",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "ListParts": "ListMultipartUploadParts",
    "SelectObjectContent": "GetObject",
    "UploadPart": "PutObject",
    "UploadPartCopy": "PutObject",
}
# By the prefix; what is not here has one name.
_ACTIONS: Mapping[str, Mapping[str, str]] = {
    "budgets": _BUDGETS,
    "cloudfront": {"CreateDistributionWithTags": "CreateDistribution"},
    "execute-api": dict.fromkeys(
        ("DeleteConnection", "GetConnection", "PostToConnection"), "ManageConnections"
    ),
    "lambda": dict.fromkeys(("Invoke", "InvokeAsync", "InvokeWithResponseStream"), "InvokeFunction"),
    "s3": _BUCKETS | _OBJECTS,
    "sns": {"PublishBatch": "Publish"},
    "sqs": {
        "ChangeMessageVisibilityBatch": "ChangeMessageVisibility",
        "DeleteMessageBatch": "DeleteMessage",
        "SendMessageBatch": "SendMessage",
    },
}
_BY_METHOD = {"apigateway"}  # IAM judges how it is asked, at the path of the resource


def iam_action(service: str, operation: str, method: str) -> str:
    """`service` as requests are signed for it, or its prefix."""
    prefix = _PREFIXES.get(service, service)
    named = method if prefix in _BY_METHOD else _ACTIONS.get(prefix, {}).get(operation, operation)
    return f"{prefix}:{named}"

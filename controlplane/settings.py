"""The only reader of the environment. Every setting is a field here, with its meaning as metadata."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

PREFIX = "CONTROLPLANE_"
_BUCKET = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/([A-Za-z0-9._/-]*))?")


def _setting(default: Any, meaning: str) -> Any:
    return field(default=default, metadata={"meaning": meaning})


def slots_of(cores: int, memory_gb: float) -> int:
    """A Terraform process that works needs a core and 0.8 GB, of half of the memory; one there is always."""
    return max(1, min(cores, int(memory_gb / 2 / 0.8)))


def _slots_here() -> int:
    memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return slots_of(os.cpu_count() or 1, memory_gb)


@dataclass(frozen=True)
class Settings:
    """What an operator can set, each as CONTROLPLANE_<NAME>."""

    database_url: str = _setting("sqlite:///tenants.db", "the catalog: sqlite:///FILE or postgresql://…")
    data_dir: Path = _setting(
        Path(".controlplane"), "workspaces, runs, sandbox, caches; the sandbox's key lies beside it"
    )
    cloud: str = _setting("sandbox", "where tenants live: `sandbox` (embedded emulator) or `aws`")
    region: str = _setting("us-east-1", "region of the default cell")
    cell: str = _setting("default", "name of the cell (account × region × VPC) that this process works in")
    blueprint: str = _setting(
        "", "blueprint of tenants for whom the command line names none; empty: `fargate_db_per_tenant`"
    )
    cells_file: str = _setting("", "TOML file that names all cells (docs/scaling.md); empty: this one only")
    keyring: str = _setting(
        "", "`file:PATH` or `kms:KEY-ARN[,OLDER-ARN…]`; empty: a file in the sandbox, an error on AWS"
    )
    state: str = _setting(
        "database",
        "where plain Terraform finds states: `database`, which we serve, or `s3://BUCKET/PREFIX`, "
        "a bucket in CONTROLPLANE_REGION (docs/scaling.md)",
    )
    terraform: str = _setting("", "path of terraform or tofu; empty: found on PATH, else the bundled library")
    provider_mirror: str = _setting("", "folder that holds registry.terraform.io/…; empty: discovered")
    terraform_slots: int = _setting(
        0, "Terraform processes at a time in one worker; 0: from cores and memory"
    )
    sandbox_faults: str = _setting("", "file with faults that the sandbox injects (docs/emulator.md)")
    policy_file: str = _setting("", "TOML file with the policy's levels and limits (docs/security.md)")
    smoke_file: str = _setting(
        "", "TOML file with checks that follow a switch, by blueprint (docs/migration.md); empty: none"
    )
    changes_through: str = _setting(
        "direct", "`direct`, or `review`: every change is a branch, its merge the approval (docs/gitops.md)"
    )
    apply_before_merge: bool = _setting(
        False, "a review is applied first, and merged once that went well; else merged first"
    )
    forge: str = _setting("embedded", "where reviews are: `embedded`, `github`, or `gitlab` (docs/gitops.md)")
    forge_url: str = _setting("", "the host's API; empty: that of github.com, of gitlab.com")
    forge_repository: str = _setting("", "the repository of reviews on the host: OWNER/NAME, GROUP/…/NAME")
    forge_login: str = _setting("", "who the host's token is: whose comments there are ours")
    forge_token_file: str = _setting("", "file with the host's token")
    forge_webhook_file: str = _setting("", "file with the secret that the host shows or signs webhooks with")
    forge_people_file: str = _setting("", "TOML file: who the host's logins are here (docs/gitops.md)")
    forge_verb: str = _setting("controlplane", "what a comment for us begins with")
    budget_headroom_percent: int = _setting(
        25, "what a platform's budget in AWS allows above its estimate, unless its stage has a budget"
    )
    two_person: bool = _setting(True, "who asked may not approve a production or destructive change")
    approval_days: int = _setting(7, "days after which a waiting approval expires")
    retention_days: int = _setting(
        90, "days that plans, Terraform's lines and older states are kept; 0: for ever"
    )
    retention_states: int = _setting(50, "newest states of each workspace that stay however old they are")
    audit_days: int = _setting(
        0, "days after which the audit's entries leave for files in the data folder; 0: never"
    )
    poll_seconds: float = _setting(0.5, "how often a worker and a following door look")
    server: str = _setting("", "URL of an API server; the CLI then works through it")
    token: str = _setting("", "API token for `server`")
    role_boundary: str = _setting(
        "", "policy ARN that bounds the roles which Terraform makes for services (docs/iam); empty: none"
    )
    plan_role: str = _setting("", "role ARN for plans (read only)")
    apply_role: str = _setting("", "role ARN for applies")
    data_role: str = _setting("", "role ARN for secrets and databases")
    external_id: str = _setting("", "external id for role assumption")
    webhook_hosts: str = _setting(
        "", "hosts and networks inside that webhooks and checks may reach, by commas; empty: public ones only"
    )
    rightsizing_alone: str = _setting(
        "",
        "selector of tenants whose steps down need nobody within an allow window, as stage=poc; empty: none",
    )
    machine_reviews: str = _setting(
        "",
        "selector of tenants for whom right-sizing and drift open reviews by themselves; empty: none",
    )
    compute_optimizer: bool = _setting(
        False, "show AWS Compute Optimizer's findings beside ours; the account must have it enabled"
    )
    alarm_topics: str = _setting(
        "", "ARNs of SNS topics, by commas, whose alarms are taken at /v1/hooks/sns (docs/fleet.md)"
    )
    alarm_queue: str = _setting(
        "", "URL of the SQS queue that alarms come to; empty: none (docs/operations.md)"
    )
    traces: str = _setting(
        "", "URL of an OpenTelemetry collector, OTLP over HTTP, as http://localhost:4318; empty: no traces"
    )
    worker_metrics: str = _setting(
        "", "HOST:PORT at which a worker of its own answers Prometheus under /metrics; empty: none"
    )
    database_certificates: str = _setting(
        "", "CA bundle by which tenants' databases are known; RDS has its own"
    )

    @property
    def is_sandbox(self) -> bool:
        return self.cloud == "sandbox"

    @property
    def state_bucket(self) -> tuple[str, str] | None:
        """Bucket and prefix; None: states are in the catalog alone."""
        found = _BUCKET.fullmatch(self.state)
        return (found[1], (found[2] or "").strip("/")) if found else None

    @property
    def certificate_bundle(self) -> Path | None:
        named = self.database_certificates
        return Path(named).expanduser() if named else None

    @property
    def webhook_networks(self) -> tuple[str, ...]:
        return tuple(one.strip() for one in self.webhook_hosts.split(",") if one.strip())

    @property
    def alarm_topic_arns(self) -> frozenset[str]:
        return frozenset(one.strip() for one in self.alarm_topics.split(",") if one.strip())

    @property
    def slots(self) -> int:
        return self.terraform_slots or _slots_here()


class BadSetting(ValueError):
    """A CONTROLPLANE_ variable that cannot be read; names the variable and what it may be."""


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Settings from the environment; an unreadable value says which variable and why."""
    env = os.environ if environ is None else environ
    values = {}
    for f in fields(Settings):
        raw = env.get(PREFIX + f.name.upper())
        if raw is not None and raw != "":
            values[f.name] = _parse(f.name, f.default, raw)
    settings = Settings(**values)
    if settings.cloud not in ("sandbox", "aws"):
        raise BadSetting(f"CONTROLPLANE_CLOUD is {settings.cloud!r}: say `sandbox` or `aws`")
    if settings.state != "database" and not _BUCKET.fullmatch(settings.state):
        raise BadSetting(f"CONTROLPLANE_STATE is {settings.state!r}: say `database` or `s3://BUCKET/PREFIX`")
    if settings.changes_through not in ("direct", "review"):
        raise BadSetting(
            f"CONTROLPLANE_CHANGES_THROUGH is {settings.changes_through!r}: say `direct` or `review`"
        )
    if settings.forge not in ("embedded", "github", "gitlab"):
        raise BadSetting(f"CONTROLPLANE_FORGE is {settings.forge!r}: say `embedded`, `github` or `gitlab`")
    return settings


def _parse(name: str, default: Any, raw: str) -> Any:
    try:
        if isinstance(default, bool):
            return {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}[
                raw.lower()
            ]
        if isinstance(default, Path):
            return Path(raw).expanduser()
        return type(default)(raw)
    except (KeyError, ValueError) as error:
        kind = type(default).__name__
        raise BadSetting(f"{PREFIX}{name.upper()} is {raw!r}, which is not a {kind}") from error


def environment_of(settings: Settings, environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a child of this program that shall have these settings, and none but these."""
    env = os.environ if environ is None else environ
    foreign = {name: value for name, value in env.items() if not name.startswith(PREFIX)}
    return foreign | {
        PREFIX + f.name.upper(): str(int(value) if isinstance(value, bool) else value)
        for f in fields(settings)
        if (value := getattr(settings, f.name)) != f.default
    }


def aws_environment(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """The AWS credentials of this process, the only variables that may reach a Terraform child."""
    env = os.environ if environ is None else environ
    wanted = (
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_PROFILE",
        "AWS_CONFIG_FILE",
        "AWS_SHARED_CREDENTIALS_FILE",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_ROLE_ARN",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CA_BUNDLE",
    )
    return {name: env[name] for name in wanted if name in env}


def wants_plain_text(environ: Mapping[str, str] | None = None) -> bool:
    """NO_COLOR, as the world knows it: whatever it says, as long as it says something."""
    return bool((os.environ if environ is None else environ).get("NO_COLOR"))

"""What services may look at outside by themselves: prices, bills, metrics, databases, quotas; and the start
of what watches over fences. A part of the composition root: `wiring` says of which account. Imported when it
is needed, like everything there."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from controlplane.domain.errors import Invalid, Refused

if TYPE_CHECKING:
    from controlplane.adapters.aws.clients import AwsAccount
    from controlplane.domain.migration.smoke import SmokeChecks
    from controlplane.domain.policy.decision import Policy
    from controlplane.domain.quotas.cells import Cell
    from controlplane.domain.review.forge import Forge
    from controlplane.domain.review.verbs import HostRules, Person
    from controlplane.domain.rightsizing.opinions import OpinionSource
    from controlplane.ports import (
        AlarmSource,
        BillSource,
        FleetSource,
        MetricSource,
        PriceSource,
        QuotaSource,
        TopicSource,
        Web,
    )
    from controlplane.settings import Settings

REVIEWS_FOLDER = "reviews.git"
FETCHED_FOLDER = "fetched.git"  # what Git brought from a host; made anew where it is gone
_APIS = {"github": "https://api.github.com", "gitlab": "https://gitlab.com/api/v4"}


def forge(settings: Settings) -> Forge:
    """Where reviews live: on a host, or in the data folder."""
    from controlplane.adapters.git import Repository

    if settings.forge == "embedded":
        return Repository(settings.data_dir.absolute() / REVIEWS_FOLDER)
    from controlplane.adapters.forges import GitHub, GitLab, connect_github, connect_gitlab

    project, login = settings.forge_repository, settings.forge_login
    if not project or not login:
        raise Invalid(
            "reviews on a host need a repository and a login",
            hint="CONTROLPLANE_FORGE_REPOSITORY=OWNER/NAME, CONTROLPLANE_FORGE_LOGIN=…",
        )
    token = _secret(settings.forge_token_file, "CONTROLPLANE_FORGE_TOKEN_FILE")
    url = settings.forge_url or _APIS[settings.forge]
    if settings.forge == "github":
        return GitHub(connect_github(url, token), project, login)
    folder = settings.data_dir.absolute() / FETCHED_FOLDER
    return GitLab(*connect_gitlab(url, token, project, folder), project, login)


def host_rules(settings: Settings) -> HostRules:
    """What the server says of its host; a review can change nothing of it."""
    from controlplane.domain.review.verbs import HostRules

    if settings.forge == "embedded":
        return HostRules()
    file = settings.forge_webhook_file
    return HostRules(
        kind=settings.forge,
        verb=settings.forge_verb,
        people=_people(settings.forge_people_file),
        webhook_secret=lambda: _secret(file, "CONTROLPLANE_FORGE_WEBHOOK_FILE"),
    )


def _people(file: str) -> dict[str, Person]:
    from controlplane.domain.review.verbs import Person
    from controlplane.services.actor import Role

    if not file:
        return {}
    doing = f"reading CONTROLPLANE_FORGE_PEOPLE_FILE, {file}"
    try:
        found = tomllib.loads(Path(file).expanduser().read_text(encoding="utf-8"))
        return {
            login.lower(): Person(str(one["name"]), Role(one["role"]).value, tuple(one.get("tenants", ())))
            for login, one in found.items()
        }
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise Invalid(f"{doing}: {error}") from error
    except (KeyError, TypeError, ValueError) as error:
        raise Invalid(f"{doing}: {error}", hint='[login] name = "…", role = "operator"') from error


def _secret(file: str, setting: str) -> str:
    """Secrets come by reference: a file that is read when it is needed, and shown nowhere."""
    if not file:
        raise Invalid(f"{setting} is not set", hint="a file with the secret, readable by this user alone")
    try:
        found = Path(file).expanduser().read_text(encoding="utf-8").strip()
    except OSError as error:
        raise Invalid(f"reading {setting}, {file}: {error.strerror}") from error
    if not found:
        raise Invalid(f"reading {setting}, {file}: it is empty")
    return found


def prices(account: AwsAccount) -> PriceSource:
    """AWS's price list, which answers in one region for all of them."""
    from controlplane.adapters.aws.clients import Clients
    from controlplane.adapters.pricing import REGION, AwsPriceList

    return AwsPriceList(Clients(replace(account, region=REGION)).get("pricing"))


def bills(account: AwsAccount) -> BillSource:
    from controlplane.adapters.aws.clients import Clients
    from controlplane.adapters.costexplorer import REGION, CostExplorer

    return CostExplorer(Clients(replace(account, region=REGION)).get("ce"))


def metrics(account: AwsAccount) -> MetricSource:
    from controlplane.adapters.aws.clients import Clients, Role
    from controlplane.adapters.metrics import CloudWatchMetrics

    return CloudWatchMetrics(Clients(account).get("cloudwatch", Role.PLAN))


def cells(settings: Settings) -> dict[str, Cell]:
    """All that there are. What the file says of our own cell goes before the settings for it."""
    from controlplane.domain.quotas.cells import Cell, read_cells

    roles = {
        name: getattr(settings, name) for name in ("plan_role", "apply_role", "data_role", "role_boundary")
    }
    own = Cell(settings.cell, settings.region, external_id=settings.external_id, **roles)
    if not settings.cells_file:
        return {own.name: own}
    try:
        found = read_cells(tomllib.loads(Path(settings.cells_file).read_text(encoding="utf-8")), own)
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise Invalid(f"reading the cells in {settings.cells_file}: {error}") from error
    if found[own.name].region != settings.region:
        where = f"{found[own.name].region} in {settings.cells_file}, {settings.region} by CONTROLPLANE_REGION"
        raise Invalid(
            f"the cell {own.name} lies in {where}", hint="set CONTROLPLANE_REGION, or mend the file"
        )
    return found


def policy(settings: Settings) -> Policy:
    """The server's own configuration; never what stands in a workspace."""
    from controlplane.domain.policy.decision import DEFAULT, configure

    if not settings.policy_file:
        return DEFAULT
    try:
        return configure(tomllib.loads(Path(settings.policy_file).read_text(encoding="utf-8")))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise Invalid(f"reading the policy {settings.policy_file}: {error}") from error


def web(allowed: Sequence[str]) -> Web:
    from controlplane.adapters.web import Guard, Pages

    return Pages(Guard(allowed))


def smoke_checks(settings: Settings, blueprints: Collection[str]) -> Mapping[str, SmokeChecks]:
    """What is asked after a switch, by blueprint; nothing that could never be asked."""
    if not settings.smoke_file:
        return {}
    from controlplane.adapters.web import BadUrl, Guard
    from controlplane.catalog.smoke_files import read_smoke_checks

    found = read_smoke_checks(Path(settings.smoke_file).expanduser(), blueprints)
    guard = Guard(settings.webhook_networks)
    for check in (one for checks in found.values() for one in checks.urls):
        try:
            guard.check(check.url_of("slug"))
        except BadUrl as error:
            raise Invalid(
                f"{settings.smoke_file}: the check {check.name!r}: {error}", hint=error.hint
            ) from error
    return found


def alarms(queue: str, account: Callable[[], AwsAccount]) -> Callable[[], AlarmSource] | None:
    """None where no queue is named."""

    def source() -> AlarmSource:
        from controlplane.adapters.alarms import SqsAlarms
        from controlplane.adapters.aws.clients import Clients

        return SqsAlarms(Clients(account()).get("sqs"), queue)

    return source if queue else None


def topics() -> TopicSource:
    """SNS itself; what it is asked for was judged before."""
    from controlplane.adapters.topics import SnsTopics

    return SnsTopics()


def opinions(account: AwsAccount) -> OpinionSource:
    from controlplane.adapters.aws.clients import Clients, Role
    from controlplane.adapters.optimizer import ComputeOptimizer

    return ComputeOptimizer(Clients(account).get("compute-optimizer", Role.PLAN))


def fleet(account: AwsAccount) -> FleetSource:
    """One look at all databases for everybody in this process who asks within half a minute."""
    from controlplane.adapters.aws.cloud import Aws
    from controlplane.adapters.poller import FleetPoller

    return FleetPoller(Aws(account))


def quotas(account: AwsAccount) -> QuotaSource:
    """An emulator answers for RDS alone."""
    from controlplane.adapters.aws.clients import Clients, Role
    from controlplane.adapters.quotas import AwsQuotas

    clients = Clients(account)
    services = None if account.endpoint_url else clients.get("service-quotas", Role.PLAN)
    return AwsQuotas(clients.get("rds", Role.PLAN), services)


def change_by_hand(account: AwsAccount, identifier: str, facts: Mapping[str, Any]) -> None:
    """What an engineer does in the console: an emulator's databases only."""
    from controlplane.adapters.aws.clients import Clients

    if not account.endpoint_url:
        raise Refused(f"changing {identifier} past the control plane: that is shown on the sandbox only")
    rds = Clients(account).get("rds")
    rds.modify_db_instance(DBInstanceIdentifier=identifier, ApplyImmediately=True, **facts)


def kms(account: AwsAccount) -> Any:
    from controlplane.adapters.aws.clients import Clients

    return Clients(account).get("kms")


def watchdog(data_dir: Path) -> Callable[[], None]:
    """Starts the watchdog over fences unless one lives on this machine."""
    from controlplane.supervisor.watchdog import WatchdogStarter
    from controlplane.worker.watchdog import LOCK

    return WatchdogStarter(data_dir / LOCK, data_dir / "watchdog.log")

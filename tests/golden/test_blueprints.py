"""Platforms as they are rendered, and what must hold of each of them.

Rendered workspaces change on purpose only: UPDATE_GOLDEN=1 writes them anew for a review to see.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from controlplane.catalog import load
from controlplane.catalog.prices.model import load_model
from controlplane.catalog.values import WiredModule
from controlplane.domain.errors import Invalid, Refused
from controlplane.domain.tenant import Environment
from controlplane.rendering import render_tenant
from tests.golden.platforms import CASES, OTHERS, SHARED, SHARED_CASES, given, rendered, values, wired
from tests.golden.test_golden import compare, own_files, shared_files
from tests.golden.workspaces import tenant

HERE = Path(__file__).parent
EDGE, HOST, EVENTS = "serverless_cdn", "single_ec2_event", "serverless_shared_db"


@pytest.mark.parametrize(("name", "environment"), CASES)
def test_a_platform_is_rendered_as_it_was(name: str, environment: Environment) -> None:
    compare(HERE / name / environment.value, own_files(rendered(name, environment)))


@pytest.mark.parametrize("name", OTHERS)
def test_its_structure_is_rendered_as_it_was(name: str) -> None:
    compare(HERE / name / "structure", shared_files(rendered(name)))


@pytest.mark.parametrize("name", OTHERS)
def test_environments_differ_in_values_alone(name: str) -> None:
    structures = [shared_files(rendered(name, environment)) for environment in Environment]
    assert all(structure == structures[0] for structure in structures)


@pytest.mark.parametrize("name", SHARED)
def test_its_tenants_have_no_workspace_of_their_own(name: str) -> None:
    with pytest.raises(Refused, match="it is a schema in the shared database"):
        render_tenant(tenant(blueprint=name), load())


@pytest.mark.parametrize(("name", "environment"), SHARED_CASES)
def test_the_master_s_secret_is_named_for_this_platform_alone(name: str, environment: Environment) -> None:
    found = values(name, environment)
    assert found["master_secret"] == f"controlplane/{found['name']}/e1/master"
    assert found["credential_write"] is False


@pytest.mark.parametrize("name", OTHERS)
def test_names_of_platforms_never_meet(name: str) -> None:
    names = [values(name, e)[key] for e in Environment for key in ("name", "short_name")]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("name", OTHERS)
def test_money_is_watched_before_anything_else(name: str) -> None:
    assert load().blueprint(name).platform.modules[0].module == "budgets"


@pytest.mark.parametrize("name", OTHERS)
def test_no_rendering_buys_a_commitment(name: str) -> None:
    assert not any("aws_rds_reserved_instance" in text for text in rendered(name).files.values())


@pytest.mark.parametrize("name", OTHERS)
def test_no_log_is_kept_for_ever(name: str) -> None:
    for path, text in rendered(name).files.items():
        for block in re.findall(r'^resource "aws_cloudwatch_log_group".*?^}', text, re.MULTILINE | re.DOTALL):
            assert "retention_in_days" in block, path


@pytest.mark.parametrize("name", SHARED)
def test_what_serves_the_edge_stands_in_us_east_1(name: str) -> None:
    (cdn,) = wired(name, "cdn")
    serving = {given(cdn, key).split(".")[1] for key in ("certificate_arn", "web_acl_arn")}
    providers = [w.provider for w in load().blueprint(name).platform.modules if w.name in serving]
    assert providers == ["us_east_1", "us_east_1"]
    assert 'alias  = "us_east_1"' in rendered(name).files["main.tf"]


@pytest.mark.parametrize("name", SHARED)
def test_every_environment_is_protected_and_production_is_kept_for_a_week(name: str) -> None:
    """The policy forbids a database that is not protected, wherever it is."""
    assert all(values(name, environment)["protected"] for environment in Environment)
    assert values(name, Environment.PRODUCTION)["backup_days"] >= 7


@pytest.mark.parametrize("name", SHARED)
def test_the_edge_reads_the_bucket_of_assets_and_no_other(name: str) -> None:
    buckets = wired(name, "storage_bucket")
    read = [given(b, "purpose").strip('"') for b in buckets if "reader_distribution_arns" in dict(b.inputs)]
    assert (read, len(buckets) > 1) == (["assets"], True)


@pytest.mark.parametrize("name", SHARED)
def test_a_shared_database_runs_on_arm_unless_said(name: str) -> None:
    assert all(values(name, e)["database_class"].startswith("db.t4g.") for e in Environment)


@pytest.mark.parametrize("name", SHARED)
def test_exports_of_tenants_are_forgotten_after_a_year(name: str) -> None:
    bucket = dict(load().blueprint(name).platform.outputs)["export_bucket"].split(".")[1]
    (exports,) = [w for w in wired(name, "storage_bucket") if w.name == bucket]
    assert given(exports, "expire_prefixes") == {"backups/": 365}


def test_the_way_out_cannot_go_while_the_application_calls_outside() -> None:
    with pytest.raises(Invalid, match="calls services outside AWS"):
        rendered(EDGE, nat_mode="none")
    assert (
        values(EDGE, Environment.PRODUCTION, nat_mode="none", external_api_calls=False)["nat_mode"] == "none"
    )


def test_production_has_a_gateway() -> None:
    assert values(EDGE, Environment.PRODUCTION)["nat_mode"] == "gateway"


@pytest.mark.parametrize("name", [EDGE, HOST])
def test_functions_never_open_more_connections_than_the_database_bears(name: str) -> None:
    by_class = {s.instance_class: s.max_connections for s in load().sizes.values()}
    for environment in Environment:
        found = values(name, environment)
        assert 0 < connections(name, found) <= by_class[found["database_class"]]


# --- functions, events and a proxy --------------------------------------------------------------------


def test_no_function_goes_past_the_proxy() -> None:
    (proxy,) = wired(EVENTS, "database_proxy")
    functions = wired(EVENTS, "lambda_function")
    assert {given(f, "environment")["DATABASE_HOST"] for f in functions} == {f"module.{proxy.name}.endpoint"}
    assert given(proxy, "secret_arns") == ["local.application_secret_arn"]


def test_functions_never_open_more_connections_than_the_proxy_takes() -> None:
    taken = load_model().traffic.proxy_connections
    assert all(connections(EVENTS, values(EVENTS, e)) <= taken for e in Environment)


def connections(name: str, found: dict[str, Any]) -> int:
    """What all functions that reach the database may have open at once."""
    reaching = [f for f in wired(name, "lambda_function") if "environment" in dict(f.inputs)]
    pools = [int(given(f, "environment")["DATABASE_POOL_MAX"].strip('"')) for f in reaching]
    return sum(pool * most_at_once(f, found) for pool, f in zip(pools, reaching, strict=True))


def most_at_once(function: WiredModule, found: dict[str, Any]) -> int:
    reserved = given(function, "concurrency")["reserved"]
    return int(reserved) if isinstance(reserved, int) else int(found[str(reserved).removeprefix("var.")])


def test_what_could_not_be_delivered_is_kept_and_told() -> None:
    (bus,) = wired(EVENTS, "event_bus")
    (queue,) = wired(EVENTS, "queue")
    assert given(bus, "dead_letter_arn") == f"module.{queue.name}.arn"
    assert given(queue, "alarm_topic_arn") == "module.alerts.arn"


def test_receipts_go_to_glacier_and_old_orders_to_a_bucket_that_can_be_asked() -> None:
    buckets = {w.name: w for w in wired(EVENTS, "storage_bucket")}
    assert given(buckets["receipts"], "transitions") == {"GLACIER_IR": 90}
    (archiver,) = [f for f in wired(EVENTS, "lambda_function") if f.name == "archiver"]
    told = given(archiver, "environment")
    assert (told["ARCHIVE_BUCKET"], told["ARCHIVE_AFTER_DAYS"]) == ("module.archive.bucket", '"90"')
    (events,), (reports,) = wired(EVENTS, "event_bus"), wired(EVENTS, "analytics")
    assert given(events, "rules")["archive-nightly"]["function"] == f"module.{archiver.name}.function"
    assert (given(reports, "bucket"), list(given(reports, "tables"))) == ("module.archive.bucket", ["orders"])


def test_a_larger_nat_instance_comes_before_a_gateway() -> None:
    found = values(EVENTS, Environment.STAGING, nat_instance_type="t4g.small")
    assert (found["nat_mode"], found["nat_instance_type"]) == ("instance", "t4g.small")


# --- databases alone ----------------------------------------------------------------------------------


def test_its_tenants_are_those_of_the_platform_with_an_application() -> None:
    plain, whole = load().blueprint("rds_per_tenant"), load().blueprint("fargate_db_per_tenant")
    shared = tuple(module for module in whole.tenant.modules if module.each != "access")
    assert (plain.tenant.modules, plain.verbs) == (shared, whole.verbs)
    assert (plain.has_access, whole.has_access) == (False, True)
    assert set(plain.platform.outputs) < set(whole.platform.outputs)


def test_what_lies_there_is_watched_and_told() -> None:
    (databases,) = wired("rds_per_tenant", "database_platform")
    assert given(databases, "emails") == "var.alert_emails"


# --- one machine --------------------------------------------------------------------------------------


def test_the_single_host_keeps_what_does_not_change() -> None:
    (cdn,) = wired(HOST, "cdn")
    kept = {b["path"].strip('"'): b["ttl_seconds"] for b in given(cdn, "behaviours")}
    assert kept == {"/api/*": 0, "/static/*": 86_400, "/images/*": 604_800}


def test_the_tables_of_the_single_host_stay_within_what_is_free() -> None:
    tables = wired(HOST, "dynamodb_table")
    assert [given(t, "purpose").strip('"') for t in tables] == ["transactions", "sessions", "audit"]
    assert all(dict(t.inputs)["expires_at"].value == '"ExpiresAt"' for t in tables)
    (transactions,) = [t for t in tables if t.name == "transactions"]
    assert set(given(transactions, "indexes")) == {"by-customer", "by-card"}
    units = sum(1 + len(given(t, "indexes") if "indexes" in dict(t.inputs) else {}) for t in tables)
    assert units <= 25


def test_every_queue_of_the_single_host_feeds_its_worker() -> None:
    purposes = {given(q, "purpose").strip('"') for q in wired(HOST, "queue")}
    fed = {p for w in wired(HOST, "lambda_function") for p in given(w, "queue_arns")}
    assert purposes == fed == {"email", "transaction", "analytics", "export"}
    (schedules,) = wired(HOST, "event_bus")
    clocked = {rule["function"].split(".")[1] for rule in given(schedules, "rules").values()}
    assert clocked == {"email_worker", "analytics_worker", "export_worker"}


def test_a_worker_may_do_what_its_flow_needs() -> None:
    services = {
        w.name: {a.strip('"').split(":")[0] for p in given(w, "permissions") for a in p["actions"]} - {"kms"}
        for w in wired(HOST, "lambda_function")
    }
    assert services == {
        "email_worker": {"ses"},
        "transaction_worker": {"rds-db", "dynamodb"},
        "analytics_worker": {"rds-db", "s3"},
        "export_worker": {"s3", "ses"},
    }


def test_staff_is_let_in_more_strictly_than_customers() -> None:
    customers, staff = wired(HOST, "user_pool")
    assert set(given(customers, "providers_by_name")) == {"Google", "SignInWithApple"}
    assert given(staff, "attributes") == ['"role"', '"business"']
    found = values(HOST, Environment.PRODUCTION)
    assert found["staff_password_length"] > found["password_length"]
    assert found["staff_mfa"] == "ON"

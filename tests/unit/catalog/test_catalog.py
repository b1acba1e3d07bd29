"""The catalog is whole; what is wrong in its files is named with file, field and what may stand there."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from controlplane import assets
from controlplane.catalog import Catalog, load, load_from
from controlplane.domain.errors import Invalid
from controlplane.domain.operation import Kind
from controlplane.domain.tenant import Environment, Size, Stage

BLUEPRINT = "blueprints/fargate_db_per_tenant.toml"
DATABASES = "facts/databases.toml"
Change = Callable[..., Catalog]


@pytest.fixture
def changed(tmp_path: Path) -> Change:
    """Loads a copy of the catalog with one text in one file replaced by another."""

    def change(file: str, old: str, new: str) -> Catalog:
        here = Path(load_from.__code__.co_filename).parent
        for folder in ("facts", "blueprints"):
            shutil.copytree(here / folder, tmp_path / folder)
        shutil.copytree(assets.modules(), tmp_path / "modules")
        text = (tmp_path / file).read_text(encoding="utf-8")
        assert old in text, f"{file} no longer holds {old!r}"
        (tmp_path / file).write_text(text.replace(old, new, 1), encoding="utf-8")
        return load_from(tmp_path, tmp_path / "modules")

    return change


def test_the_catalog_is_read_once() -> None:
    assert load() is load()


def test_every_size_and_stage_has_its_facts() -> None:
    assert set(load().sizes) == set(Size)
    assert set(load().stages) == set(Stage)
    assert load().sizes[Size.LARGE].instance_class == "db.m6g.large"


@pytest.mark.parametrize(
    ("size", "connections"),
    [(Size.MICRO, 112), (Size.SMALL, 225), (Size.MEDIUM, 450), (Size.LARGE, 901)],
)
def test_connections_follow_from_memory_by_the_formula_of_aws(size: Size, connections: int) -> None:
    assert load().sizes[size].max_connections == connections


def test_poc_keeps_a_day_at_most_and_production_a_week_at_least() -> None:
    poc, production = load().stages[Stage.POC], load().stages[Stage.PRODUCTION]
    assert (poc.most_backup_days, poc.multi_az) == (1, False)
    assert (production.least_backup_days, production.multi_az) == (7, True)


def test_default_quotas_are_those_of_a_new_account() -> None:
    quotas = {name: quota.limit for name, quota in load().quotas.items()}
    assert quotas["rds_instances"] == 40
    assert quotas["rds_manual_snapshots"] == 100
    assert quotas["rds_parameter_groups"] == quotas["rds_subnet_groups"] == 50
    assert quotas["listener_rules"] == 100


def test_a_blueprint_says_what_its_tenants_can_do_and_where_they_live() -> None:
    blueprint = load().blueprint("fargate_db_per_tenant")
    assert {Kind.CREATE, Kind.UPGRADE, Kind.DESTROY} <= blueprint.verbs
    assert Kind.PLATFORM not in blueprint.verbs
    assert blueprint.in_environment(Environment.STAGING).stages == (Stage.POC,)
    assert blueprint.in_environment(Environment.PRODUCTION).stages == (Stage.PRODUCTION,)


def test_what_was_given_wins_over_the_environment_and_that_over_the_default() -> None:
    blueprint = load().blueprint("fargate_db_per_tenant")
    assert blueprint.option_values(Environment.DEVELOPMENT, {})["zone_count"] == 2
    assert blueprint.option_values(Environment.PRODUCTION, {})["zone_count"] == 3
    assert blueprint.option_values(Environment.PRODUCTION, {"zone_count": 2})["zone_count"] == 2


def test_a_module_is_known_by_its_own_files() -> None:
    module = load().modules["tenant_database"]
    assert set(module.required_inputs) == {"slot", "platform", "master_password"}
    assert module.outputs == ("facts",)
    assert {line.component for line in module.costs} >= {"rds_instance_month", "rds_storage_gp3_gb_month"}
    optional = load().modules["database_platform"].optional_inputs
    assert optional == (
        "key_deletion_days",
        "emails",
        "archive",
        "archive_bucket_arn",
        "permissions_boundary",
    )


def test_every_module_has_at_most_twelve_inputs_and_each_is_typed_and_described() -> None:
    for name, module in load().modules.items():
        assert 1 <= len(module.required_inputs + module.optional_inputs) <= 12, name
        variables = (assets.modules() / name / "variables.tf").read_text(encoding="utf-8")
        for body in re.findall(r'^variable "\w+" \{\n(.*?)^\}', variables, re.MULTILINE | re.DOTALL):
            assert "  description = " in body, name
            assert re.search(r"^  type +=", body, re.MULTILINE), name


def test_every_module_has_its_files() -> None:
    wanted = {"main.tf", "variables.tf", "outputs.tf", "versions.tf", "README.md", "module.toml"}
    for name in load().modules:
        folder = assets.modules() / name
        assert wanted <= {path.name for path in folder.iterdir()}, name
        assert list((folder / "tests").glob("*.tftest.hcl")), name


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        (
            BLUEPRINT,
            'module = "network"',
            'module = "netwerk"',
            "platform.modules[2].module: is 'netwerk'; allowed: ",
        ),
        (BLUEPRINT, 'vpc_cidr = "var.vpc_cidr"', "", "inputs.vpc_cidr: module network needs this input"),
        (
            BLUEPRINT,
            'zones = "var.zones"',
            'zone = "var.zones"',
            "inputs.zone: module network has no such input",
        ),
        (BLUEPRINT, '"var.zones"', '"var.zoness"', "is wired to 'var.zoness'; allowed: var.name"),
        (
            BLUEPRINT,
            "module.network.vpc_id",
            "module.network.vpc",
            "is wired to 'vpc' of module network; it gives: ",
        ),
        (BLUEPRINT, "module.network.vpc_id", "module.net.vpc_id", "is wired to module 'net'; allowed: "),
        (BLUEPRINT, 'name = "database_platform"', 'name = "network"', "two modules are named 'network'"),
        (
            BLUEPRINT,
            '"module.route.parameter_name"',
            '"each.key"',
            "outputs.route_parameter: is wired to 'each.key'",
        ),
        (
            BLUEPRINT,
            '"var.route_parameter"',
            '"each.key"',
            "parameter_name: is wired to 'each.key'; allowed: ",
        ),
        (BLUEPRINT, "minimum = 2", "minimum = 3", "options.zone_count.default: is 2; allowed: 3 to 3"),
        (BLUEPRINT, "zone_count = 3", "zone_count = 4", "options.zone_count: is 4; allowed: 2 to 3"),
        (
            BLUEPRINT,
            "zone_count = 3",
            "zones = 3",
            "options.zones: is no option of this blueprint; allowed: ",
        ),
        (
            BLUEPRINT,
            'default = ["16"]',
            'default = ["9"]',
            "options.engine_majors.default: is ['9']; allowed: one of 15",
        ),
        (BLUEPRINT, '"drill"', '"drilll"', "verbs: is 'drilll'; allowed: adopt, "),
        (
            BLUEPRINT,
            "[environments.staging]",
            "[environments.stage]",
            "environments.stage: is 'stage'; allowed: ",
        ),
        (
            BLUEPRINT,
            'tenancy = "database"',
            'tenancy = "row"',
            "tenancy: is 'row'; allowed: database, schema",
        ),
        (BLUEPRINT, "title =", "titel =", "title: is missing"),
        (BLUEPRINT, 'type = "string"', 'type = "text"', "options.domain.type: is 'text'; allowed: "),
        (
            BLUEPRINT,
            "[platform.outputs]",
            "[platform.output]",
            "platform.output: is not a field here; allowed: ",
        ),
        (
            DATABASES,
            "[sizes.micro]",
            "[sizes.nano]",
            "sizes.nano: is 'nano'; allowed: large, medium, micro, small",
        ),
        (
            DATABASES,
            "memory_mb = 1024",
            'memory_mb = "1024"',
            "sizes.micro.memory_mb: is '1024', which is not of type int",
        ),
        (
            DATABASES,
            "memory_mb = 1024",
            "memory_mb = true",
            "sizes.micro.memory_mb: is True, which is not of type int",
        ),
        (
            DATABASES,
            "backup_days = 7",
            "backup_days = 6",
            "stages.production.backup_days: is 6; allowed: 7 to 35",
        ),
        (DATABASES, "log_days = 30", "log_days = 31", "stages.production.log_days: is 31; CloudWatch"),
        (
            DATABASES,
            'of = "percent"',
            'of = "percentage"',
            "alarms.cpu-warning.of: is 'percentage'; allowed: ",
        ),
        (
            DATABASES,
            'default_major = "16"',
            'default_major = "18"',
            "engine.default_major: is '18'; allowed: 15, 16, 17",
        ),
        (DATABASES, '"16.6"', '"17.6"', "engine.versions.16: holds versions of another major"),
        (DATABASES, "least_gb = 20", "least_gb = 5", "storage.least_gb: is 5; allowed: 20 to 65536"),
        ("facts/regions.toml", '"us-east-1a"', '"us-west-1a"', "us-east-1.zones: needs at least two zones"),
        ("facts/quotas.toml", "limit = 40", "limit = 0", "rds_instances.limit: is 0; allowed: 1 to"),
        (
            "modules/tenant_database/module.toml",
            '"slot.storage_gb"',
            '"size"',
            "starts with no input of the module",
        ),
        ("modules/tenant_database/module.toml", "fixed = 1", "", "exactly one of fixed, value_of, count_of"),
    ],
)
def test_a_mistake_is_named_with_file_and_field(
    changed: Change, file: str, old: str, new: str, message: str
) -> None:
    with pytest.raises(Invalid) as caught:
        changed(file, old, new)
    name = "/".join(Path(file).parts[-2:])
    assert caught.value.message.startswith(f"{name}: ")
    assert message in caught.value.message
    assert caught.value.errors


def test_a_file_that_is_no_toml_is_named(changed: Change) -> None:
    with pytest.raises(Invalid, match=r"reading facts/quotas\.toml"):
        changed("facts/quotas.toml", "[rds_instances]", "[rds_instances")


def test_a_size_that_is_missing_is_named(changed: Change) -> None:
    with pytest.raises(Invalid, match=r"sizes\.large: is missing"):
        text = (Path(load_from.__code__.co_filename).parent / DATABASES).read_text(encoding="utf-8")
        large = re.search(r"\[sizes\.large\]\n(?:.+\n)+", text)
        assert large
        changed(DATABASES, large[0], "")


def test_wires_that_form_a_circle_are_named(changed: Change) -> None:
    with pytest.raises(Invalid, match=r"form a circle: .*network.*database_platform.*"):
        changed(BLUEPRINT, 'vpc_cidr = "var.vpc_cidr"', 'vpc_cidr = "module.database_platform.key_arn"')


@pytest.mark.parametrize(
    ("environment", "tenants", "tasks", "most"),
    [
        (Environment.DEVELOPMENT, 1, 1, 1),
        (Environment.DEVELOPMENT, 5, 2, 2),
        (Environment.PRODUCTION, 1, 2, 10),
        (Environment.PRODUCTION, 5, 3, 8),
        (Environment.PRODUCTION, 10, 4, 12),
        (Environment.PRODUCTION, 25, 6, 20),
        (Environment.PRODUCTION, 50, 8, 30),
        (Environment.PRODUCTION, 51, 12, 50),
        (Environment.PRODUCTION, 100, 12, 50),
    ],
)
def test_tasks_follow_from_the_number_of_tenants(
    environment: Environment, tenants: int, tasks: int, most: int
) -> None:
    blueprint = load().blueprint("fargate_db_per_tenant")
    options = blueprint.option_values(environment, {"tenant_count": tenants})
    assert blueprint.band_values(environment, options) == {"tasks": tasks, "most_tasks": most}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('by = "tenant_count"', 'by = "domain"', "bands.tasks.by: is 'domain'; allowed: "),
        (
            "steps = { 1 = 1, 5 = 2 }",
            "steps = { 5 = 2, 1 = 1 }",
            "tasks.steps: end at [5, 1]; allowed: ",
        ),
        ("steps = { 1 = 1, 5 = 2 }", "steps = { few = 1 }", "steps.few: is no number; "),
        (
            "bands.tasks]",
            "bands.workers]",
            "bands: are most_tasks, tasks, unlike those of the",
        ),
        ("bands.tasks]", "bands.domain]", "bands.domain: is an option already; "),
        (
            'nat_mode = "none", ext',
            'nat_mode = "tunnel", ext',
            "nat_mode: is 'tunnel'; allowed: ",
        ),
    ],
)
def test_a_mistake_in_what_options_lead_to_is_named(
    changed: Change, old: str, new: str, message: str
) -> None:
    with pytest.raises(Invalid) as caught:
        changed(BLUEPRINT, old, new)
    assert message in caught.value.message


def test_no_platform_comes_without_a_budget() -> None:
    for name, blueprint in load().blueprints.items():
        budgets = [module for module in blueprint.platform.modules if module.module == "budgets"]
        assert budgets and not budgets[0].when, f"{name} can do without a budget"

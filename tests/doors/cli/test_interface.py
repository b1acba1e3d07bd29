"""The public interface, word by word: others script against it, so nothing of it may go missing."""

from __future__ import annotations

from typing import Any

import pytest
import typer

from api.app import ROUTERS
from api.permissions import asked
from controlplane.operations import offered
from controlplane.settings import load
from controlplane.terminal.app import app
from controlplane.terminal.exits import ExitCode
from tests.doors.cli.terminal import Terminal
from tests.doors.premises import Premises

COMMANDS = """
tenant     create list show explain history cost workspace upgrade resize suspend resume rotate reconcile
tenant     destroy restore adopt
operation  list show log plan approve reject cancel retry settle
wave       list show pause continue abort
migration  show advance rollback finalize
cost       estimate fleet forecast tables actuals commitments budget prices
rightsize  scan list show propose dismiss apply
drift      scan list show accept reconcile
blueprint  list show render plan apply destroy cost checklist
review     list show open approve merge sync
schedule   list run
window     list add remove
quota      show
template   outdated rollout
catalog    rebuild orphans
audit      list verify export
token      create list revoke
user       list add remove
webhook    list add remove replay
state      list show restore
key        rotate
sandbox    start stop status reset
db         migrate backup check
"""
ALONE = {"demo", "doctor", "serve", "watchdog", "worker"}
ROUTES = """
GET  /tenants   POST /tenants   POST /tenants/batch   GET /tenants/{}   PATCH /tenants/{}
POST /tenants/{}/resize|upgrade|suspend|resume|rotate|destroy|restore|reconcile|adopt
GET  /tenants/{}/history|cost|explain|workspace|migration|metrics
POST /tenants/{}/migration/advance|rollback|finalize
GET  /operations   GET /operations/{}   GET /operations/{}/plan|log|events
POST /operations/{}/approve|reject|cancel|retry|settle
GET  /waves   POST /waves   GET /waves/{}   POST /waves/{}/pause|continue|abort
GET  /blueprints   GET /blueprints/{}   POST /blueprints/{}/plan|apply|destroy   GET /blueprints/{}/checklist
GET  /templates/outdated   POST /templates/rollout
POST /costs/estimate   GET /costs/fleet|forecast|tables|actuals|commitments|budget|prices
POST /costs/prices/refresh
GET  /recommendations   POST /recommendations/{}/propose|dismiss|apply
GET  /drift   POST /drift/scans   POST /drift/{}/accept|reconcile
GET  /reviews   GET /reviews/{}   POST /reviews   POST /reviews/{}/approve|merge   POST /reviews/sync
POST /hooks/{}
GET  /schedules   POST /schedules/{}/run   GET /windows   POST /windows   DELETE /windows/{}
GET  /quotas   GET /catalog/orphans   GET /doctor
GET  /audit   GET /tokens   POST /tokens   DELETE /tokens/{}   GET /users   POST /users   DELETE /users/{}
GET  /webhooks   POST /webhooks   DELETE /webhooks/{}
GET  /workspaces/{}/state   POST /workspaces/{}/state
LOCK /workspaces/{}/state   UNLOCK /workspaces/{}/state
"""
EVERYWHERE = ("--output", "--quiet", "--no-color", "--server", "--token")
CHANGING = ("--wait", "--no-wait", "--timeout", "--dry-run", "--auto-approve", "--reason")
CHANGING = (*CHANGING, "--if-match", "--idempotency-key")
# Verbs that only look; and what is about this machine, which has nothing to rehearse in a catalog.
LOOKS = """
list show explain history workspace cost plan log estimate forecast tables commitments metrics orphans
outdated render pipeline checklist verify export
"""
OF_THE_MACHINE = ALONE | {"version", "db", "sandbox"}
OWN = {
    "tenant create": "--stage --size --region --locations --users --label --display-name --blueprint --from",
    "tenant list": "-l --stage --size --phase",
    "tenant workspace": "--diff --detailed-exitcode",
    "tenant upgrade": "--to --strategy --size --acknowledge -l --wave --canary --abort-after",
    "tenant resize": "--size --storage-gb -l --wave --canary --abort-after",
    "tenant destroy": "--confirm",
    "tenant restore": "--at --as",
    "tenant adopt": "--identifier --discover",
    "operation log": "-f",
    "operation approve": "--digest",
    "migration rollback": "--accept-loss",
    "cost forecast": "--tenants",
    "cost prices": "--refresh",
    "drift scan": "--full",
    "worker": "--until-idle",
    "watchdog": "--until-open",
}


def promised_commands() -> set[str]:
    lines = [line.split() for line in COMMANDS.split("\n") if line]
    return {f"{noun} {verb}" for noun, *verbs in lines for verb in verbs} | ALONE


def promised_routes() -> set[tuple[str, str]]:
    words = ROUTES.split()
    found = set()
    for method, path in zip(words[::2], words[1::2], strict=True):
        head, _, last = path.rpartition("/")
        found |= {(method, f"{head}/{name}") for name in last.split("|")}
    return found


def commands() -> dict[str, Any]:
    """Every command of the program with its parameters, as the program itself finds them."""
    program: Any = typer.main.get_command(app)
    found = {}
    for noun in program.commands:
        group: Any = program.get_command(None, noun)
        if not hasattr(group, "list_commands"):
            found[noun] = group
            continue
        found |= {f"{noun} {verb}": group.get_command(None, verb) for verb in group.list_commands(None)}
    return found


def test_every_promised_command_is_there() -> None:
    assert promised_commands() <= commands().keys()


def test_every_promised_route_is_there() -> None:
    names = {
        (method, "/".join("{}" if part.startswith("{") else part for part in path[3:].split("/")))
        for method, path in asked(ROUTERS)
        if path.startswith("/v1/")
    }
    assert promised_routes() <= names


def test_every_command_has_the_options_that_all_have() -> None:
    for name, command in commands().items():
        flags = {flag for parameter in command.params for flag in parameter.opts}
        assert set(EVERYWHERE) <= flags, name


def test_what_changes_something_says_how() -> None:
    found = commands()
    changing = [f"tenant {of.kind.value}" for of in offered() if f"tenant {of.kind.value}" in found]
    changing += [f"operation {verb}" for verb in ("approve", "reject", "cancel", "retry", "settle")]
    for name in [*changing, "blueprint apply", "migration advance", "migration rollback", "wave abort"]:
        flags = {flag for p in found[name].params for flag in (*p.opts, *p.secondary_opts)}
        assert set(CHANGING) <= flags, name


def test_whatever_does_more_than_look_can_be_rehearsed() -> None:
    for name, command in commands().items():
        noun, _, verb = name.partition(" ")
        flags = {flag for parameter in command.params for flag in parameter.opts}
        assert "--dry-run" in flags or verb in LOOKS.split() or noun in OF_THE_MACHINE, name


@pytest.mark.parametrize("name", sorted(OWN))
def test_a_command_has_its_own_options(name: str) -> None:
    flags = {flag for parameter in commands()[name].params for flag in parameter.opts}
    assert set(OWN[name].split()) <= flags


def test_the_environment_says_where_the_server_is() -> None:
    found = load({"CONTROLPLANE_SERVER": "https://here", "CONTROLPLANE_TOKEN": "it"})
    assert (found.server, found.token) == ("https://here", "it")


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/version", "/openapi.json"])
def test_what_stands_outside_of_v1_is_open(premises: Premises, path: str) -> None:
    assert premises.client("").get(path).status_code == 200


def test_exit_codes_are_the_agreed_ones() -> None:
    agreed = {0, 1, 2, 3, 4, 5, 6, 7, 8, 64, 130}
    assert {code.value for code in ExitCode} == agreed


def test_a_tenant_without_its_platform_is_a_conflict(premises: Premises, terminal: Terminal) -> None:
    with premises.control.db.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM platform")
    answer = premises.client().post("/v1/tenants", json={"slug": "acme"})
    assert answer.status_code == 409
    assert "controlplane blueprint apply" in answer.json()["hint"]
    assert terminal("tenant", "create", "acme", "--no-wait").code == 4


def test_a_team_says_once_which_blueprint_its_tenants_are_of(
    premises: Premises, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert terminal("tenant", "create", "acme", "--no-wait", "-o", "json").json()["tenant"] == "acme"
    monkeypatch.setenv("CONTROLPLANE_BLUEPRINT", "rds_per_tenant")
    refused = terminal("tenant", "create", "umbrella", "--no-wait")
    assert (refused.code, "blueprint apply rds_per_tenant" in refused.err) == (4, True)
    said = ("tenant", "create", "umbrella", "--blueprint", "fargate_db_per_tenant", "--no-wait")
    assert terminal(*said).code == 0

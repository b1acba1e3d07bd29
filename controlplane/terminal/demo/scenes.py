"""The story, scene by scene. A new one is a function, and a row of SCENES where it belongs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from controlplane.terminal.demo.play import Play

BLUEPRINT = "fargate_db_per_tenant"
TENANT = "acme"


@dataclass(frozen=True)
class Scene:
    title: str
    act: Callable[[Play], None]


def sandbox(play: Play) -> None:
    play.say(
        "An AWS emulator with a real PostgreSQL behind every database; real Terraform, real AWS provider."
    )
    play.type("sandbox", "start")
    play.note("sandbox up")
    play.type("doctor")


def platform(play: Play) -> None:
    play.say(
        "What tenants share: network, subnet group, parameter group, key. From a blueprint, per environment."
    )
    play.type("blueprint", "list")
    play.type("blueprint", "apply", BLUEPRINT, "--environment", "development", "--auto-approve")


def first_tenant(play: Play) -> None:
    play.say("A proof of concept with a PostgreSQL of its own. The provider alone waits 80 s for RDS.")
    play.type("tenant", "create", TENANT, "--label", "team=demo")
    play.note("tenant ready")
    play.say(f"\nready {play.seconds('sandbox up', 'tenant ready'):.0f} s after the sandbox was up")


def plan_and_cost(play: Play) -> None:
    play.say("Every change keeps its plan, what it costs a month, and how it went.")
    play.type("operation", "plan", _newest_operation(play))
    play.type("tenant", "show", TENANT)


def queries(play: Play) -> None:
    play.say("As the application: host, login and password from Secrets Manager, then plain SQL.")
    play.sql(
        TENANT,
        "CREATE TABLE visit (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, who text NOT NULL)",
        "INSERT INTO visit (who) VALUES ('Ann'), ('Bob')",
        "SELECT id, who FROM visit ORDER BY id",
        "SELECT current_user, current_database(), split_part(version(), ' on ', 1)",
    )


def fleet(play: Play) -> None:
    play.say("The fleet, why a tenant is as it is, and everything that was done.")
    play.type("tenant", "list")
    play.type("tenant", "explain", TENANT)
    play.type("operation", "list")


def farewell(play: Play) -> None:
    play.say("A final snapshot is taken and proven before anything is deleted; its name is the receipt.")
    play.type(
        "tenant", "destroy", TENANT, "--confirm", TENANT, "--auto-approve", "--reason", "end of the demo"
    )
    play.type("tenant", "show", TENANT)
    play.type("audit", "verify")


SCENES: tuple[Scene, ...] = (
    Scene("A sandbox", sandbox),
    Scene("A platform", platform),
    Scene("A first tenant", first_tenant),
    Scene("Its plan and its cost", plan_and_cost),
    Scene("Its database answers", queries),
    Scene("The fleet", fleet),
    Scene("A tenant leaves", farewell),
)


def epilogue(play: Play) -> None:
    play.title("What to try next")
    play.say(
        "  make serve                          API and worker on a sandbox that stays, until Ctrl-C\n"
        "  controlplane tenant create --help   what a tenant can be\n"
        "  controlplane demo --keep            the same, and it stays for you to look at\n"
        "  README.md                           the tour; docs/runbook.md how it is run\n"
    )


def _newest_operation(play: Play) -> str:
    return str(play.ask("operation", "list", "--page-size", "1")["items"][0]["id"])

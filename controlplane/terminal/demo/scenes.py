"""The story, scene by scene. A new one is a function, and a row of SCENES where it belongs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from controlplane.domain.migration.checklist import EVERY_UPGRADE, Item
from controlplane.terminal.demo.play import Play

BLUEPRINT = "rds_per_tenant"
TENANT, SECOND = "acme", "umbrella"
_MACHINE = (Item.ALARMS,)  # what nobody has to answer for


@dataclass(frozen=True)
class Scene:
    title: str
    act: Callable[[Play], None]
    short: bool = True  # told by `demo --short` as well


def sandbox(play: Play) -> None:
    play.say(
        "An AWS emulator with a real PostgreSQL behind every database; real Terraform, real AWS provider."
    )
    play.type("sandbox", "start")
    play.note("sandbox up")
    play.type("doctor")


def platform(play: Play) -> None:
    play.say(
        "What tenants share: network, subnet group, parameter group, key. From a blueprint, per environment: "
        "here the smallest, of databases alone; others bring the application's side as well."
    )
    play.type("blueprint", "list")
    play.type("blueprint", "apply", BLUEPRINT, "--environment", "development", "--auto-approve")


def first_tenant(play: Play) -> None:
    play.say("A proof of concept with a PostgreSQL of its own. The provider alone waits 80 s for RDS.")
    play.type("tenant", "create", TENANT, "--blueprint", BLUEPRINT, "--label", "team=demo")
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


def meanwhile(play: Play) -> None:
    play.say(
        "Nobody has to wait: a platform for production is made behind the next scenes. What its launch "
        "checklist asks and no machine can see, a person answers for."
    )
    production = (BLUEPRINT, "--environment", "production")
    listed = play.ask("blueprint", "checklist", *production)["items"]
    answers = [word for one in listed if not one["met"] for word in ("--acknowledge", one["item"])]
    play.type("blueprint", "apply", *production, *answers, "--auto-approve", "--no-wait")


def grows_up(play: Play) -> None:
    play.say(
        "To production: a fence, a snapshot, a new database under another key, every row compared, then the "
        "route. Prerequisites that no machine can check are answered for by a person."
    )
    second = ("tenant", "create", SECOND, "--blueprint", BLUEPRINT, "--size", "small")
    play.type(*second, "--no-wait")  # for the scene after this one
    answered = [item.value for item in EVERY_UPGRADE if item not in _MACHINE]
    answers = [word for item in answered for word in ("--acknowledge", item)]
    play.type("tenant", "upgrade", TENANT, *answers, "--auto-approve", "--reason", "the pilot went well")
    play.type("migration", "show", TENANT)
    play.sql(TENANT, "SELECT id, who FROM visit ORDER BY id")


def right_sized(play: Play) -> None:
    play.say("A quiet month of CloudWatch's figures, which this machine makes up: is its class right?")
    play.wait_for(SECOND)
    play.quiet_month(SECOND)
    play.type("rightsize", "scan")
    play.type("rightsize", "list")
    finding = play.ask("rightsize", "list")["items"][0]["id"]
    play.say("\nIt is followed: a resize in place, behind a snapshot, as any other change.")
    play.type("rightsize", "apply", finding, "--auto-approve")


def drifted(play: Play) -> None:
    play.say("Somebody turns deletion protection off, past the control plane.")
    play.by_hand(SECOND, DeletionProtection=False)
    play.type("drift", "scan")


def comes_back(play: Play) -> None:
    play.say("Within its grace period it comes back from that snapshot, in its next epoch, with its rows.")
    play.type("tenant", "restore", TENANT, "--auto-approve")
    play.sql(TENANT, "SELECT id, who FROM visit ORDER BY id")


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
    Scene("Meanwhile", meanwhile, short=False),
    Scene("A first tenant", first_tenant),
    Scene("Its plan and its cost", plan_and_cost),
    Scene("Its database answers", queries),
    Scene("The fleet", fleet),
    Scene("It goes to production, with its data", grows_up, short=False),
    Scene("Another one is too large", right_sized, short=False),
    Scene("Somebody was here", drifted, short=False),
    Scene("A tenant leaves", farewell),
    Scene("And comes back", comes_back, short=False),
)


def epilogue(play: Play) -> None:
    play.title("What to try next")
    play.say(
        "  make serve                          API, console and worker on a sandbox, until Ctrl-C\n"
        "  controlplane tenant create --help   what a tenant can be\n"
        "  controlplane demo --short           only its first scenes and its last\n"
        "  controlplane demo --keep            the same, and it stays for you to look at\n"
        "  README.md                           the tour; docs/runbook.md how it is run\n"
    )


def _newest_operation(play: Play) -> str:
    return str(play.ask("operation", "list", "--page-size", "1")["items"][0]["id"])

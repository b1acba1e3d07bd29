"""`controlplane cost …`: the same on the local catalog and through the server, in every form."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.doors.cli.terminal import Said, Terminal
from tests.doors.costs import Purse, with_purse
from tests.doors.premises import Premises

READS = [
    ("cost", "estimate"),
    ("cost", "estimate", "--stage", "production", "--users", "40", "-o", "json"),
    ("cost", "estimate", "--tenant", "acme", "-o", "yaml"),
    ("cost", "estimate", "--tenant", "nobody"),
    ("cost", "estimate", "--region", "eu-central-1"),
    ("cost", "estimate", "--class", "db.r9.huge"),
    ("cost", "estimate", "--storage-gb", "-1"),
    ("cost", "estimate", "--focus", "-o", "csv"),
    ("cost", "estimate", "--blueprint", "fargate_db_per_tenant", "--tenants", "25", "--option", "waf"),
    ("tenant", "cost", "acme"),
    ("tenant", "cost", "acme", "--split", "usage", "-o", "json"),
    ("tenant", "cost", "acme", "-o", "name"),
    ("tenant", "cost", "acme", "-o", "csv"),
    ("tenant", "cost", "nobody"),
    ("cost", "fleet"),
    ("cost", "fleet", "--by", "label:team", "-o", "csv"),
    ("cost", "fleet", "--by", "colour"),
    ("cost", "forecast", "--tenants", "60", "--mix", "60/30/10"),
    ("cost", "forecast", "--tenants", "60", "--from", "10", "--growth", "10+5%", "-o", "json"),
    ("cost", "forecast", "--tenants", "60", "-o", "name"),
    ("cost", "forecast", "--tenants", "-1"),
    ("cost", "tables", "--table", "004-prod-1"),
    ("cost", "tables", "-o", "json"),
    ("cost", "tables", "-o", "name"),
    ("cost", "actuals"),
    ("cost", "actuals", "-o", "json"),
    ("cost", "commitments"),
    ("cost", "budget"),
    ("cost", "prices", "--region", "eu-west-1"),
    ("cost", "prices", "-o", "json"),
]


@pytest.fixture
def purse(premises: Premises) -> Purse:
    return with_purse(premises)


@pytest.fixture
def far(purse: Purse, terminal: Terminal) -> Terminal:
    premises = purse.premises
    return Terminal(terminal.capture, ("--server", premises.serve().url, "--token", premises.token()))


def table(said: Said) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(said.out)))


def unmarked(said: Said) -> Said:
    lines = [line for line in said.err.splitlines() if not line.startswith("SANDBOX")]
    return Said(said.code, said.out, "\n".join(lines))


@pytest.mark.parametrize("words", READS, ids=" ".join)
def test_both_ways_say_the_same(terminal: Terminal, far: Terminal, words: tuple[str, ...]) -> None:
    here, there = terminal(*words), far(*words)
    assert unmarked(here) == unmarked(there)
    assert here.code in (0, 5, 64)


def test_an_unknown_total_is_a_word_and_a_warning_never_a_zero(terminal: Terminal, purse: Purse) -> None:
    said = terminal("cost", "estimate", "--region", "eu-central-1")
    assert "usd a month: unknown" in said.out
    assert "warning: no price is known for rds" in said.err
    rows = list(
        csv.DictReader(io.StringIO(terminal("cost", "estimate", "--region", "eu-central-1", "-o", "csv").out))
    )
    assert {row["usd/month"] for row in rows} == {"unknown"}


def test_reference_tables_print_stated_computed_difference_and_the_reason(terminal: Terminal) -> None:
    rows = table(terminal("cost", "tables", "-o", "csv"))
    assert len(rows) > 600
    different = [row for row in rows if row["difference"] not in ("", "0")]
    assert different
    assert all(row["exception"] and row["reason"] for row in different)
    text = terminal("cost", "tables").out
    assert "unexplained:" in text
    assert "STATED" in text


@pytest.mark.parametrize(
    "words", [("cost", "fleet"), ("cost", "forecast", "--tenants", "50", "--mix", "60/30/10")], ids=" ".join
)
def test_a_picture_lands_in_its_file_and_not_in_the_data(
    terminal: Terminal, far: Terminal, tmp_path: Path, words: tuple[str, ...]
) -> None:
    for name, way in (("here", terminal), ("there", far)):
        file = tmp_path / f"{name}.svg"
        said = way(*words, "--chart", str(file), "-o", "json")
        assert "chart" not in json.loads(said.out)
        assert ElementTree.fromstring(file.read_text()).tag.endswith("svg")
        assert str(file) in said.err


def test_a_picture_that_cannot_be_written_is_a_clear_error(terminal: Terminal, tmp_path: Path) -> None:
    said = terminal("cost", "forecast", "--tenants", "5", "--chart", str(tmp_path / "none" / "x.svg"))
    assert (said.code, "Traceback" in said.err) == (64, False)
    assert "writing" in said.err


def test_a_plan_is_read_from_its_file(terminal: Terminal, tmp_path: Path) -> None:
    after = {"instance_class": "db.t4g.micro", "allocated_storage": 20}
    change = {"actions": ["create"], "before": None, "after": after}
    file = tmp_path / "plan.json"
    file.write_text(
        json.dumps({"resource_changes": [{"type": "aws_db_instance", "address": "a", "change": change}]})
    )
    assert "0.00 → 13.98 a month" in terminal("cost", "estimate", "--plan", str(file)).out
    file.write_text("no plan")
    assert terminal("cost", "estimate", "--plan", str(file)).code == 64


def test_a_book_is_shown_then_taken(purse: Purse, far: Terminal) -> None:
    shown = far("cost", "prices", "--refresh")
    assert "rds.instance.db.t4g.micro.single" in shown.out
    digest = far("cost", "prices", "--refresh", "-o", "name").out.strip()
    assert f"--accept --digest {digest}" in shown.err
    taken = far(
        "cost", "prices", "--accept", "--digest", digest, "--reason", "new prices", "-o", "json"
    ).json()
    assert taken["taken"] is True
    assert far("cost", "estimate", "-o", "name").out.strip() == "28.26"


def test_a_sandbox_says_that_it_has_no_price_list(terminal: Terminal) -> None:
    said = terminal("cost", "prices", "--refresh")
    assert (said.code, "CONTROLPLANE_CLOUD=aws" in said.err) == (1, True)


def test_a_budget_is_set_shown_and_taken_away(terminal: Terminal, purse: Purse) -> None:
    said = terminal("cost", "budget", "--set", "80", "--reason", "this year")
    assert "80% at 64.00: REACHED" in said.out
    assert terminal("cost", "budget", "-o", "name").out.split() == ["fleet"]
    assert "no budget is set" in terminal("cost", "budget", "--remove").out
    assert terminal("cost", "budget", "--remove").code == 5
    assert terminal("cost", "budget", "--set", "80", "--remove").code == 64


def test_a_bill_is_asked_for_and_compared(purse: Purse, terminal: Terminal) -> None:
    purse.days_pass(5)
    premises = purse.premises
    way = Terminal(terminal.capture, ("--server", premises.serve().url, "--token", premises.token()))
    assert "unknown" in way("cost", "actuals").err
    said = way("cost", "actuals", "--ask", "--days", "5", "-o", "json")
    assert {row["tenant"]: row["billed_usd"] for row in said.json()["items"]} == {
        "acme": "2.50",
        "shop": "0.00",
    }
    assert "pages 2, 0.02 USD" in said.err
    assert way("cost", "actuals", "--ask").code == 4
    rows = list(
        csv.DictReader(io.StringIO(way("cost", "actuals", "--days", "5", "--focus", "-o", "csv").out))
    )
    assert sum(float(row["BilledCost"]) for row in rows) == pytest.approx(12.5)


def test_a_day_is_recorded_and_stands_in_the_history(terminal: Terminal, purse: Purse) -> None:
    assert terminal("cost", "fleet", "-o", "json").json()["history"] == []
    assert "recorded" in terminal("cost", "fleet", "--record").err
    assert len(terminal("cost", "fleet", "-o", "json").json()["history"]) == 1

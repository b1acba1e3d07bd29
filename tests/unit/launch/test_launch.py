"""The launch checklist: a proof by the rendering, a person's word, or an open item."""

from __future__ import annotations

import pytest

from controlplane.catalog import load
from controlplane.domain.errors import Invalid, Refused
from controlplane.domain.launch import Acknowledgement, LaunchItem, answers, check_known, require

BUDGET = LaunchItem("budget", "a budget writes to somebody", "launch", 1, ("budgets",))
EDGE = LaunchItem("edge", "TLS at the edge", "security", 0, ("cdn|load_balancer", "waf"))
MFA = LaunchItem("mfa", "a second factor", "launch", 3)
SAID = {"mfa": Acknowledgement("ann", "2030-01-01T00:00:00+00:00")}


def test_an_item_is_proven_by_all_its_modules_and_names_where_they_are_called() -> None:
    (found,) = answers([EDGE], {"load_balancer": ["entry"], "waf": ["shield"]}, {})
    assert (found.by, found.evidence) == ("rendering", "module.entry (load_balancer), module.shield (waf)")


def test_half_a_proof_is_none() -> None:
    (found,) = answers([EDGE], {"waf": ["shield"]}, {})
    assert not found.is_met
    assert found.to_json()["needs"].startswith("the module cdn or load_balancer and waf")


def test_what_no_rendering_proves_a_person_answers_for_with_a_date() -> None:
    open_one, said = answers([MFA], {}, {})[0], answers([MFA], {}, SAID)[0]
    assert not open_one.is_met
    assert (said.by, said.at) == ("ann", "2030-01-01T00:00:00+00:00")


def test_a_proof_counts_for_more_than_a_word() -> None:
    (found,) = answers([BUDGET], {"budgets": ["budget"]}, {"budget": Acknowledgement("ann", "2030")})
    assert found.by == "rendering"


def test_open_items_are_refused_by_name_with_the_command_that_answers_for_them() -> None:
    with pytest.raises(Refused, match="1 items of the launch checklist are open: mfa: a second") as refused:
        require("applying x", answers([BUDGET, MFA], {"budgets": ["b"]}, {}), "controlplane x")
    assert refused.value.hint.endswith("controlplane x --acknowledge mfa")


def test_an_unknown_item_is_refused_with_the_known_ones() -> None:
    with pytest.raises(Invalid, match="there is no item 'mfaa'; known: budget, mfa"):
        check_known([BUDGET, MFA], ["mfaa"])


def test_the_catalog_s_list_has_the_eleven_of_a_launch_and_the_six_layers() -> None:
    names = {item.name for item in load().launch}
    eleven = {
        "billing_confirmed", "alarms", "backup_restored", "permissions_reviewed", "root_mfa", "audit_trail",
        "dashboard", "on_call", "load_tested", "recovery_documented", "budget_approved",
    }  # fmt: skip
    layers = {f"layer_{n}" for n in ("network", "transport", "application", "access", "data", "audit")}
    assert eleven | layers <= names
    assert {item.day for item in load().launch if item.list == "launch"} <= set(range(1, 8))


def test_money_is_watched_on_the_first_day() -> None:
    first = [item.name for item in load().launch if item.day == 1]
    assert "billing_alerts" in first

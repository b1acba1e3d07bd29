"""The refusals, where a whole sandbox would be too slow to ask."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.sandbox.aws import facts, rules
from controlplane.sandbox.aws.rules import AwsRefusal

NOW = datetime(2030, 1, 1, tzinfo=UTC)


@given(st.text(alphabet=[chr(n) for n in range(33, 127) if chr(n) not in '/@"'], min_size=8, max_size=128))
def test_every_printable_password_without_the_three_signs_is_legal(password: str) -> None:
    rules.check_password(password)


@given(st.text(min_size=0, max_size=7) | st.text(min_size=129, max_size=140))
def test_no_password_of_another_length_is_legal(password: str) -> None:
    with pytest.raises(AwsRefusal):
        rules.check_password(password)


@pytest.mark.parametrize("sign", ["/", "@", '"', " ", "\t", "\x00", "é", "\x7f"])
def test_no_password_holds_a_sign_that_rds_refuses(sign: str) -> None:
    with pytest.raises(AwsRefusal):
        rules.check_password(f"long-enough{sign}")


def test_a_refused_password_is_not_repeated_in_the_message() -> None:
    with pytest.raises(AwsRefusal) as told:
        rules.check_password("secret/word")
    assert "secret" not in str(told.value)


@pytest.mark.parametrize(
    ("current", "asked", "grown"), [(100, 101, 110), (100, 110, 110), (20, 40, 40), (25, 26, 28)]
)
def test_storage_grows_by_a_tenth_at_least(current: int, asked: int, grown: int) -> None:
    assert rules.grown_storage(current, asked) == grown


def test_storage_never_shrinks_and_the_same_size_is_no_change() -> None:
    assert rules.grown_storage(50, 50) is None
    assert rules.grown_storage(50, None) is None
    with pytest.raises(AwsRefusal, match="cannot be less"):
        rules.grown_storage(50, 49)


def test_storage_rests_for_six_hours() -> None:
    with pytest.raises(AwsRefusal, match="optimized"):
        rules.check_storage_cooldown(NOW - timedelta(hours=5, minutes=59), NOW, 21600)
    rules.check_storage_cooldown(NOW - timedelta(hours=6), NOW, 21600)
    rules.check_storage_cooldown(None, NOW, 21600)


def test_an_upgrade_goes_forward_and_over_a_major_only_when_allowed() -> None:
    assert rules.check_upgrade("16.4", "16.8", False) == "16.8"
    assert rules.check_upgrade("16.4", "16", False) is None
    assert rules.check_upgrade("16.4", "16.4", False) is None
    assert rules.check_upgrade("16.4", "17.4", True) == "17.4"
    for asked, allowed in (("17.4", False), ("15.8", True), ("16.3", True), ("18.0", True)):
        with pytest.raises(AwsRefusal):
            rules.check_upgrade("16.4", asked, allowed)


@pytest.mark.parametrize(
    "status", ["stopped", "creating", "modifying", "deleting", "backing-up", "rebooting"]
)
def test_only_an_available_instance_is_changed(status: str) -> None:
    with pytest.raises(AwsRefusal):
        rules.check_available(status)


def test_ten_comes_after_nine_in_versions() -> None:
    assert facts.is_newer("16.10", "16.9")
    assert not facts.is_newer("16.9", "16.10")


def test_a_major_alone_means_its_newest_minor() -> None:
    assert facts.resolve_version("16") == facts.ENGINE_VERSIONS[16][-1]
    assert facts.resolve_version("16.99") is None


def test_connections_follow_the_memory_of_the_class() -> None:
    assert facts.connection_limit("db.t4g.micro") == 112
    assert facts.connection_limit("db.t4g.small") == 225
    assert facts.connection_limit("db.r6g.4xlarge") == 5000


def test_every_class_can_be_ordered_for_every_version() -> None:
    rows = facts.orderable()
    assert len(rows) == len(facts.versions()) * len(facts.CLASSES) * 4
    assert all(row["DBInstanceClass"] in facts.CLASSES for row in rows)

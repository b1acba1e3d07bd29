"""Names are the same every time, fit AWS's limits, and no two of ours ever meet."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from controlplane.domain.names import (
    SHORT_NAME_LENGTH,
    Slug,
    TenantUid,
    database_identifier,
    final_snapshot_identifier,
    parse_slug,
    parse_uid,
    platform_workspace,
    route_parameter,
    secret_name,
    short_name,
    tenant_prefix,
)

_LETTER, _OTHER = st.sampled_from("abcxyz"), st.sampled_from("abcxyz019")
UIDS = st.builds(
    lambda first, rest: TenantUid(first + rest), _LETTER, st.text("abcxyz019", min_size=7, max_size=7)
)
SLUGS = st.from_regex(r"[a-z](?:[a-z0-9]|-(?=[a-z0-9])){2,39}", fullmatch=True).map(Slug)
EPOCHS = st.integers(min_value=1, max_value=9999)
PLACES = st.tuples(
    st.sampled_from(["fargate_db_per_tenant", "fargate_edge_multi_az", "serverless_cdn"]),
    st.sampled_from(["development", "staging", "production"]),
    st.from_regex(r"[a-z][a-z0-9]{0,15}", fullmatch=True),
)
BUCKET_ENDING = 21 + 13  # the longest purpose with its hyphen, the account's number with its own
GROUP_ENDING = 8  # what a load balancer adds for its target groups


@given(SLUGS, UIDS, EPOCHS)
def test_a_tenant_s_names_fit_what_aws_allows(slug: Slug, uid: TenantUid, epoch: int) -> None:
    assert parse_slug(slug) == slug and parse_uid(uid) == uid
    assert len(database_identifier(slug, uid, epoch)) <= 63
    assert "--" not in database_identifier(slug, uid, epoch)
    assert len(final_snapshot_identifier(slug, uid, epoch)) <= 255
    assert len(secret_name(slug, uid, epoch, "cp_control")) <= 512
    assert len(route_parameter(slug, uid)) <= 1011


@given(st.tuples(SLUGS, UIDS, EPOCHS), st.tuples(SLUGS, UIDS, EPOCHS))
def test_two_databases_never_share_a_name_and_no_prefix_meets_another_tenant(
    one: tuple[Slug, TenantUid, int], other: tuple[Slug, TenantUid, int]
) -> None:
    if one == other:
        return
    assert database_identifier(*one) != database_identifier(*other)
    if one[1] != other[1]:
        assert not database_identifier(*other).startswith(tenant_prefix(*one[:2]) + "-")


@given(PLACES, PLACES)
def test_two_platforms_never_share_a_workspace_or_a_short_name(
    one: tuple[str, str, str], other: tuple[str, str, str]
) -> None:
    if one == other:
        return
    assert platform_workspace(*one) != platform_workspace(*other)
    assert short_name("-".join(one)) != short_name("-".join(other))


@given(st.from_regex(r"[a-z](?:[a-z0-9]|-(?=[a-z0-9])){2,79}", fullmatch=True))
def test_a_short_name_fits_what_is_short_in_aws(name: str) -> None:
    short = short_name(name)
    assert short == short_name(name)
    assert len(short) <= SHORT_NAME_LENGTH
    assert "--" not in short and short[0].isalpha() and short[-1].isalnum()
    assert len(short) + GROUP_ENDING <= 32
    assert len(short) + BUCKET_ENDING <= 63


def test_names_do_not_change_from_one_version_to_the_next() -> None:
    # A changed name replaces what carries it: this is a promise to every platform that stands.
    assert short_name("fargate-db-per-tenant-production-default-us-east-1") == "fargate-db-per-7f3fa161"

"""Which branch is a request, and for whom."""

from __future__ import annotations

import pytest

from controlplane.domain.errors import Invalid
from controlplane.domain.review.layout import Change, edited_by_hand, parse_branch, subject_of

REQUEST = Change("tenants/acme/tenant.yaml")


def test_a_branch_is_about_the_tenant_whose_file_it_changes() -> None:
    assert subject_of("b", (REQUEST, Change("tenants/acme/main.tf"))) == "acme"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ((), "asks for nothing"),
        ((Change("tenants/acme/main.tf"),), "asks for nothing"),
        ((Change("tenants/acme/deep/tenant.yaml"),), "asks for nothing"),
        ((REQUEST, Change("tenants/beta/tenant.yaml")), "several tenants"),
        ((REQUEST, Change("CODEOWNERS")), "CODEOWNERS: outside"),
        ((REQUEST, Change("tenants/acme-2/main.tf")), "tenants/acme-2/main.tf: outside"),
        ((REQUEST, Change("platforms/x/development/main.tf")), "outside"),
        ((Change("tenants/acme/tenant.yaml", "120000"),), "symbolic link"),
        ((REQUEST, Change("tenants/acme/main.tf", "120000")), "symbolic link"),
        ((REQUEST, Change("tenants/acme/modules", "160000")), "another repository"),
        ((Change("tenants/acme/tenant.yaml", ""),), "tenant destroy"),
    ],
)
def test_everything_else_is_refused_by_name(changes: tuple[Change, ...], words: str) -> None:
    with pytest.raises(Invalid, match=words):
        subject_of("b", changes)


@pytest.mark.parametrize("name", ["feature/new-size", "acme", "a.b-c_d/e+f"])
def test_a_branch_has_an_ordinary_name(name: str) -> None:
    assert parse_branch(name) == name


@pytest.mark.parametrize(
    "name", ["", "main", "-x", "--upload-pack=id", "a..b", "a b", "a/../b", "/a", "a/", "a.lock", "a\nb", "é"]
)
def test_no_other_name_reaches_git(name: str) -> None:
    with pytest.raises(Invalid):
        parse_branch(name)


def test_rendered_files_that_a_branch_changes_are_hand_edits() -> None:
    changes = (REQUEST, Change("tenants/acme/main.tf"), Change("tenants/acme-2/main.tf"))
    assert edited_by_hand(changes, "tenants/acme") == ("tenants/acme/main.tf",)


def test_what_is_as_we_left_it_is_no_hand_edit() -> None:
    ours, theirs = Change("tenants/acme/main.tf"), Change("tenants/acme/outputs.tf")
    assert edited_by_hand((ours, theirs), "tenants/acme", (theirs,)) == (theirs.path,)
    assert edited_by_hand((theirs,), "tenants/acme", (ours, theirs)) == (theirs.path,)

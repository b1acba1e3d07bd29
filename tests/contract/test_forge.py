"""What every keeper of reviews promises, against a real git: people push, we propose, merge and publish."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from controlplane.adapters.git import Repository
from controlplane.domain.errors import Conflict, Invalid, Missing
from controlplane.domain.review.forge import Forge, Look, Merge, Proposal, Publication, Signature
from tests.contract.github.double import GITHUB
from tests.contract.gitlab.double import GITLAB
from tests.contract.hosts.server import served
from tests.contract.person import Person

AT = Signature("local:ann", datetime(2026, 1, 31, 12, tzinfo=UTC))
FOLDER = "tenants/acme"
FILES = {"tenant.yaml": "slug: acme\n", "main.tf": "# rendered\n", "modules/database/main.tf": "# ours\n"}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "data" / "reviews.git"


@pytest.fixture(params=["embedded", "github", "gitlab"])
def repository(request: pytest.FixtureRequest, place: Path) -> Iterator[Forge]:
    """The same promises, whoever keeps the repository; a person reaches it by Git in either case."""
    if request.param == "embedded":
        yield _begun(Repository(place))
        return
    with served({"github": GITHUB, "gitlab": GITLAB}[request.param], place) as host:
        yield _begun(host.forge())


def _begun(forge: Forge) -> Forge:
    forge.base()
    return forge


@pytest.fixture
def person(repository: Forge, place: Path, tmp_path: Path) -> Person:
    return Person(place, tmp_path / "home" / "clone")


def proposal(files: dict[str, str] = FILES, branch: str = "review/acme/create-1", seen: str = "") -> Proposal:
    return Proposal(branch, FOLDER, files, "create acme\n", AT, seen)


def merge_of(look: Look, branch: str = "review/acme/create-1", folder: str = FOLDER) -> Merge:
    return Merge(branch, folder, look.head, look.base, "Merge create acme\n", AT)


def test_a_proposal_is_a_branch_that_a_person_can_fetch(repository: Forge, person: Person) -> None:
    look = repository.propose(proposal())
    assert {c.path for c in look.changes} == {f"{FOLDER}/{name}" for name in FILES}
    person.branch("here", "origin/review/acme/create-1")
    assert (person.clone / FOLDER / "modules/database/main.tf").read_text() == "# ours\n"
    assert (
        person.git("log", "-1", "--format=%an|%cn|%aI") == "local:ann|controlplane|2026-01-31T12:00:00+00:00"
    )


def test_proposed_twice_is_proposed_once(repository: Forge) -> None:
    assert repository.propose(proposal()) == repository.propose(proposal())


def test_a_new_plan_goes_on_top_of_what_was_seen(repository: Forge) -> None:
    first = repository.propose(proposal())
    changed = {**FILES, "tenant.yaml": "slug: acme\nsize: small\n"}
    with pytest.raises(Conflict):
        repository.propose(proposal(changed))
    second = repository.propose(proposal(changed, seen=first.head))
    assert second.head != first.head
    assert repository.read(second.head, f"{FOLDER}/tenant.yaml") == changed["tenant.yaml"]


def test_a_merge_brings_the_folder_into_the_base_once(repository: Forge, person: Person) -> None:
    look = repository.propose(proposal())
    commit = repository.merge(merge_of(look))
    assert repository.base() == commit
    assert repository.merge(merge_of(look)) == commit
    assert repository.same(look.head, commit, FOLDER)
    person.git("fetch", "--quiet")
    assert len(person.git("rev-list", "--merges", "origin/main").splitlines()) == 1


def test_two_tenants_merge_without_minding_each_other(repository: Forge) -> None:
    one = repository.propose(proposal())
    other = repository.propose(
        Proposal("review/beta/create-2", "tenants/beta", {"tenant.yaml": "slug: beta\n"}, "create", AT)
    )
    repository.merge(merge_of(one))
    commit = repository.merge(merge_of(other, "review/beta/create-2", "tenants/beta"))
    assert repository.read(commit, "tenants/acme/main.tf") == "# rendered\n"
    assert repository.read(commit, "tenants/beta/tenant.yaml") == "slug: beta\n"


def test_two_reviews_of_one_tenant_conflict_and_the_second_goes_on_top(repository: Forge) -> None:
    one = repository.propose(proposal())
    other_files = {**FILES, "tenant.yaml": "slug: acme\nsize: small\n"}
    other = repository.propose(proposal(other_files, "review/acme/other"))
    repository.merge(merge_of(one))
    with pytest.raises(Conflict, match="changed on main"):
        repository.merge(merge_of(other, "review/acme/other"))
    again = repository.propose(proposal(other_files, "review/acme/other", seen=other.head))
    assert [c.path for c in again.changes] == [f"{FOLDER}/tenant.yaml"]
    commit = repository.merge(merge_of(again, "review/acme/other"))
    assert repository.read(commit, f"{FOLDER}/tenant.yaml") == other_files["tenant.yaml"]


def test_what_was_pushed_after_the_review_is_not_merged(repository: Forge, person: Person) -> None:
    look = repository.propose(proposal())
    person.branch("mine", "origin/review/acme/create-1")
    person.write(f"{FOLDER}/main.tf", "# by hand\n")
    pushed = person.push("review/acme/create-1")
    with pytest.raises(Conflict, match="not what was reviewed"):
        repository.merge(merge_of(look))
    assert [c.path for c in repository.changed(look.head, pushed)] == [f"{FOLDER}/main.tf"]
    again = repository.propose(proposal(seen=pushed))
    commit = repository.merge(merge_of(again))
    assert repository.read(commit, f"{FOLDER}/main.tf") == "# rendered\n"


def test_a_force_push_is_seen(repository: Forge, person: Person) -> None:
    look = repository.propose(proposal())
    person.branch("mine")
    person.write(f"{FOLDER}/tenant.yaml", "slug: acme\nsize: large\n")
    pushed = person.push("review/acme/create-1", "--force")
    assert repository.branches()["review/acme/create-1"] == pushed
    with pytest.raises(Conflict):
        repository.merge(merge_of(look))


def test_a_person_s_merge_of_the_base_does_not_widen_a_review(repository: Forge, person: Person) -> None:
    person.branch("mine")
    person.write(f"{FOLDER}/tenant.yaml", "slug: acme\n")
    person.push("mine")
    repository.merge(merge_of(repository.propose(proposal(branch="x")), "x"))
    repository.publish(Publication("w", AT, {"tenants/beta": {"tenant.yaml": "slug: beta\n"}}))
    person.git("fetch", "--quiet")
    person.git("merge", "--quiet", "-m", "merge", "-X", "ours", "origin/main")
    person.write(f"{FOLDER}/tenant.yaml", "slug: acme\nsize: small\n")
    person.push("mine")
    assert {c.path for c in repository.look("mine").changes} == {f"{FOLDER}/tenant.yaml"}


def test_only_the_folder_of_a_branch_is_ever_taken(repository: Forge, person: Person) -> None:
    person.branch("mine")
    person.write(f"{FOLDER}/tenant.yaml", "slug: acme\n")
    person.write("CODEOWNERS", "* @me\n")
    person.write("tenants/beta/tenant.yaml", "slug: beta\n")
    seen = person.push("mine")
    look = repository.propose(proposal(branch="mine", seen=seen))
    commit = repository.merge(merge_of(look, "mine"))
    assert "@me" not in (repository.read(commit, "CODEOWNERS") or "")
    assert repository.read(commit, "tenants/beta/tenant.yaml") is None


def test_a_folder_that_goes_is_gone_from_the_base(repository: Forge) -> None:
    repository.merge(merge_of(repository.propose(proposal())))
    look = repository.propose(proposal({}, "review/acme/destroy"))
    assert {c.mode for c in look.changes} == {""}
    commit = repository.merge(merge_of(look, "review/acme/destroy"))
    assert repository.read(commit, f"{FOLDER}/tenant.yaml") is None


def test_publishing_what_is_there_makes_no_commit(repository: Forge) -> None:
    publication = Publication("written", AT, {FOLDER: FILES}, {"README.md": "# fleet\n"})
    commit = repository.publish(publication)
    assert commit == repository.base()
    assert repository.publish(publication) is None
    assert repository.read(repository.base(), "CODEOWNERS")


def test_branches_are_dropped_and_dropped_again(repository: Forge) -> None:
    repository.propose(proposal())
    repository.drop(["review/acme/create-1", "never-there"])
    assert repository.branches() == {}
    with pytest.raises(Missing):
        repository.look("review/acme/create-1")


# --- what nobody would do by accident -----------------------------------------------------------------


def test_a_link_is_not_followed(repository: Forge, person: Person, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("slug: acme\n")
    person.branch("mine")
    (person.clone / FOLDER).mkdir(parents=True)
    (person.clone / FOLDER / "tenant.yaml").symlink_to(secret)
    head = person.push("mine")
    assert [c.mode for c in repository.look("mine").changes] == ["120000"]
    with pytest.raises(Invalid, match="not a regular file"):
        repository.read(head, f"{FOLDER}/tenant.yaml")


def test_a_linked_folder_holds_nothing_of_ours(repository: Forge, person: Person) -> None:
    person.branch("mine")
    person.write("elsewhere/tenant.yaml", "slug: acme\n")
    (person.clone / "tenants").mkdir()
    (person.clone / FOLDER).symlink_to("../elsewhere")
    head = person.push("mine")
    assert repository.read(head, f"{FOLDER}/tenant.yaml") is None


def test_fifty_megabytes_are_not_read(repository: Forge, person: Person) -> None:
    person.branch("mine")
    person.write(f"{FOLDER}/tenant.yaml", b"\0" * (50 * 2**20))
    head = person.push("mine")
    with pytest.raises(Invalid, match="52428800 bytes"):
        repository.read(head, f"{FOLDER}/tenant.yaml")


def test_a_file_that_is_no_text_is_told_with_its_line(repository: Forge, person: Person) -> None:
    person.branch("mine")
    person.write(f"{FOLDER}/tenant.yaml", b"slug: acme\n\xff\xfe\n")
    head = person.push("mine")
    with pytest.raises(Invalid, match=r"tenant\.yaml:2: not UTF-8"):
        repository.read(head, f"{FOLDER}/tenant.yaml")


@pytest.mark.parametrize(
    "path", ["../x", "/etc/passwd", "a/../../b", ".git/config", "a//b", "a/.GIT/x", "a\nb", ""]
)
def test_no_path_leaves_the_repository(repository: Forge, path: str) -> None:
    with pytest.raises(Invalid):
        repository.read(repository.base(), path)
    with pytest.raises(Invalid):
        repository.publish(Publication("w", AT, files={path: "x"}))


def test_a_branch_of_another_history_is_refused(repository: Forge, person: Person) -> None:
    person.git("checkout", "--quiet", "--orphan", "alone")
    person.write(f"{FOLDER}/tenant.yaml", "slug: acme\n")
    person.push("alone")
    with pytest.raises(Invalid, match="nothing in common"):
        repository.look("alone")

"""What is GitLab's alone: forks, drafts, approvals that name no commit, slashes, and Git with a lease."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from controlplane.adapters.forges.line import HostRefused
from controlplane.domain.errors import Conflict, Unavailable
from controlplane.domain.review.forge import Case, Check, Forge, Vote
from tests.contract.gitlab.double import GITLAB, GitLabDouble
from tests.contract.hosts.server import PUSH, Fault, Host, served
from tests.contract.person import Person
from tests.contract.test_forge import FILES, FOLDER, merge_of, proposal

BRANCH = "review/acme/create-1"


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    with served(GITLAB, tmp_path / "host.git") as made:
        yield made


@pytest.fixture
def double(host: Host) -> GitLabDouble:
    assert isinstance(host.double, GitLabDouble)
    return host.double


@pytest.fixture
def forge(host: Host) -> Forge:
    made = host.forge()
    made.base()
    return made


@pytest.fixture
def case(forge: Forge) -> Case:
    look = forge.propose(proposal())
    check = Check("controlplane", "pending", "soon")
    return Case("rv-1", BRANCH, look.head, "create acme", ("the plan",), (check,))


@pytest.fixture
def person(forge: Forge, double: GitLabDouble, tmp_path: Path) -> Person:
    return Person(double.bare.folder, tmp_path / "home" / "clone")


def pushes(person: Person, branch: str = BRANCH) -> str:
    person.branch("mine", f"origin/{branch}")
    person.write(f"{FOLDER}/tenant.yaml", "slug: acme\nsize: large\n")
    return person.push(branch)


def before_push(host: Host, act: Callable[[], object]) -> None:
    """Once, when ours has come to GitLab and before it counts."""
    acts = [act]

    def meanwhile(where: str, what: str) -> bool:
        if (where, what) == ("before", PUSH) and acts:
            acts.pop()()
        return False

    host.on_change = meanwhile


def votes(forge: Forge) -> tuple[Vote, ...]:
    found = forge.standing(BRANCH)
    assert found is not None
    return found.approvals


# --- people -------------------------------------------------------------------------------------------


def test_a_fork_s_merge_request_of_the_same_branch_is_not_ours(
    forge: Forge, double: GitLabDouble, case: Case
) -> None:
    strange = double.open_from_fork("mallory", BRANCH)
    assert forge.standing(BRANCH) is None
    assert forge.show(case).number != strange
    assert double.texts(strange) == []


def test_a_draft_stays_one_and_is_not_merged(forge: Forge, double: GitLabDouble, case: Case) -> None:
    number = double.open_by("octocat", BRANCH, "Draft: something")
    assert forge.show(case).is_draft
    assert double.pulls[number]["title"] == "Draft: create acme"
    with pytest.raises(Conflict, match="draft_status"):
        forge.merge(merge_of(forge.look(BRANCH)))


@pytest.mark.parametrize("dates_approvals", [True, False])
def test_an_approval_counts_for_what_was_there_when_it_was_given(
    forge: Forge, double: GitLabDouble, case: Case, person: Person, dates_approvals: bool
) -> None:
    double.dates_approvals = dates_approvals
    number = forge.show(case).number
    double.approve(number, "octocat")
    pushed = pushes(person)
    double.approve(number, "hubot")
    assert set(votes(forge)) == {Vote("octocat", case.head), Vote("hubot", pushed)}


def test_an_approval_without_any_date_counts_for_nothing(
    forge: Forge, double: GitLabDouble, case: Case
) -> None:
    double.dates_approvals = False
    number = forge.show(case).number
    double.approve(number, "octocat")
    double.notes.clear()
    assert votes(forge) == ()


def test_no_line_of_ours_is_a_command(forge: Forge, double: GitLabDouble, case: Case) -> None:
    text = "as they wrote:\n/merge\n  /close\na/b and /tmp\n"
    number = forge.show(replace(case, parts=(text,))).number
    forge.answer(number, "17", "/approve")
    assert forge.show(replace(case, parts=(text,))).number == number
    first, second = double.texts(number)
    assert first.splitlines()[1:] == ["as they wrote:", "\\/merge", "  \\/close", "a/b and /tmp"]
    assert second.splitlines()[1:] == ["\\/approve"]


def test_a_check_that_waits_may_wait_for_another_reason(
    forge: Forge, double: GitLabDouble, case: Case
) -> None:
    forge.show(case)
    forge.show(replace(case, checks=(Check("controlplane", "pending", "later"),)))
    forge.show(replace(case, checks=(Check("controlplane", "failure", "no"),)))
    assert [(one["status"], one["description"]) for one in double.statuses] == [
        ("pending", "soon"),
        ("failed", "no"),
    ]


def test_what_is_looked_at_still_is_merged_later(forge: Forge, double: GitLabDouble, case: Case) -> None:
    forge.show(case)
    order = merge_of(forge.look(BRANCH))
    double.looks_still = True
    with pytest.raises(Unavailable, match="checking"):
        forge.merge(order)
    double.looks_still = False
    assert forge.merge(order) == forge.base()


# --- branches -----------------------------------------------------------------------------------------


def test_a_push_in_between_is_told_and_kept(
    forge: Forge, host: Host, double: GitLabDouble, case: Case, person: Person
) -> None:
    pushed = []
    before_push(host, lambda: pushed.append(pushes(person)))
    changed = {**FILES, "tenant.yaml": "slug: acme\nsize: small\n"}
    with pytest.raises(Unavailable, match="moved meanwhile"):
        forge.propose(proposal(changed, seen=case.head))
    assert forge.branches()[BRANCH] == pushed[0]


def test_a_branch_that_somebody_makes_meanwhile_is_theirs(forge: Forge, host: Host, person: Person) -> None:
    person.branch("mine")
    person.write("x", "x")
    before_push(host, lambda: person.push(BRANCH))
    with pytest.raises(Unavailable, match="moved meanwhile"):
        forge.propose(proposal())
    assert forge.branches()[BRANCH] == person.git("rev-parse", "HEAD")


def test_a_push_that_gitlab_forbids_is_told_in_its_words(forge: Forge, double: GitLabDouble) -> None:
    hook = double.bare.folder / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho 'GitLab: You are not allowed to push code here.' >&2\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(HostRefused, match="You are not allowed to push code"):
        forge.propose(proposal())
    assert forge.branches() == {}


def test_a_fetch_sits_out_a_short_outage_and_tells_a_long_one(
    host: Host, forge: Forge, person: Person
) -> None:
    person.branch("mine")
    person.write(f"{FOLDER}/tenant.yaml", "slug: acme\n")
    person.push("mine")
    host.faults = [Fault(503, method="POST")]
    assert len(forge.look("mine").changes) == 1
    person.write(f"{FOLDER}/tenant.yaml", "slug: acme\nsize: small\n")
    person.push("mine")
    host.faults = [Fault(503, method="POST")] * 3
    with pytest.raises(Unavailable, match="did not answer git"):
        forge.look("mine")


def test_what_was_fetched_may_be_lost(forge: Forge, host: Host, case: Case, tmp_path: Path) -> None:
    order = merge_of(forge.look(BRANCH))
    shutil.rmtree(tmp_path / "fetched.git")
    again = host.forge()
    assert again.read(case.head, f"{FOLDER}/tenant.yaml") == FILES["tenant.yaml"]
    assert again.merge(order) == again.base()


def test_the_token_stands_in_no_file(forge: Forge, case: Case, tmp_path: Path) -> None:
    files = [path for path in (tmp_path / "fetched.git").rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if GITLAB.token.encode() in path.read_bytes()]

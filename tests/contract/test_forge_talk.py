"""What a host's page of a review promises: one text, its checks, what people say there, and patience."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from controlplane.adapters.forges.line import Clock
from controlplane.domain.errors import Conflict, Unavailable
from controlplane.domain.review.forge import Case, Check, Forge
from tests.contract.github.double import GITHUB
from tests.contract.gitlab.double import GITLAB
from tests.contract.hosts.server import Fault, Host, Kind, served
from tests.contract.test_forge import merge_of, proposal

BRANCH = "review/acme/create-1"
CHECKS = (Check("controlplane/plan: acme", "pending"), Check("controlplane", "pending", "soon"))
BEGINNING = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture(params=[GITHUB, GITLAB], ids=lambda kind: kind.name)
def host(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Host]:
    kind: Kind = request.param
    with served(kind, tmp_path / "host.git") as made:
        yield made


@pytest.fixture
def forge(host: Host) -> Forge:
    made = host.forge()
    made.base()
    return made


@pytest.fixture
def case(forge: Forge) -> Case:
    look = forge.propose(proposal())
    return Case("rv-1", BRANCH, look.head, "create acme", ("the plan",), CHECKS)


def test_shown_twice_is_shown_once(forge: Forge, host: Host, case: Case) -> None:
    first = forge.show(case)
    calls = len(host.calls)
    assert forge.show(case) == first
    assert {call.split()[0] for call in host.calls[calls:]} == {"GET"}
    assert (first.is_open, first.head, first.is_foreign, first.merged_commit) == (True, case.head, False, "")
    assert len(host.double.pulls) == 1
    assert [text.splitlines()[1:] for text in host.double.texts(first.number)] == [["the plan"]]
    assert len(host.double.statuses) == 2


def test_a_new_text_replaces_the_old_one_and_a_spare_part_folds_away(
    forge: Forge, host: Host, case: Case
) -> None:
    number = forge.show(replace(case, parts=("one", "two"))).number
    forge.show(replace(case, parts=("another",)))
    first, second = host.double.texts(number)
    assert "another" in first
    assert "one" not in first.splitlines()
    assert "<details>" in second
    forge.show(replace(case, parts=("another",)))
    assert host.double.texts(number) == [first, second]
    forge.show(replace(case, parts=("another", "two again")))
    assert host.double.texts(number)[1].splitlines()[1] == "two again"


def test_the_next_review_of_a_branch_folds_the_last_one_s_text(forge: Forge, host: Host, case: Case) -> None:
    number = forge.show(case).number
    assert forge.show(replace(case, review="rv-2", parts=("the second",))).number == number
    first, second = host.double.texts(number)
    assert "<details>" in first
    assert "the second" in second


def test_a_stranger_s_comment_with_our_mark_is_left_alone(forge: Forge, host: Host, case: Case) -> None:
    number = forge.show(case).number
    mark = host.double.texts(number)[0].splitlines()[0]
    host.double.say(number, "mallory", f"{mark}\nall is well")
    forge.show(replace(case, parts=("changed",)))
    assert f"{mark}\nall is well" in host.double.texts(number)


def test_checks_are_told_when_they_change(forge: Forge, host: Host, case: Case) -> None:
    forge.show(case)
    done = tuple(replace(check, state="success") for check in CHECKS)
    forge.show(replace(case, checks=done))
    assert [one["state"] for one in host.double.statuses] == ["pending"] * 2 + ["success"] * 2
    assert {one["context"] for one in host.double.statuses} == {"controlplane/plan: acme", "controlplane"}


def test_a_review_that_is_over_closes_its_page(forge: Forge, host: Host, case: Case) -> None:
    forge.show(case)
    assert not forge.show(replace(case, is_over=True)).is_open
    assert [pull["state"] for pull in host.double.pulls.values()] == ["closed"]


def test_a_review_that_never_had_a_page_gets_none_when_it_is_over(
    forge: Forge, host: Host, case: Case
) -> None:
    assert not forge.show(replace(case, is_over=True)).is_open
    assert host.double.pulls == {}


def test_approvals_name_who_and_which_commit(forge: Forge, host: Host, case: Case) -> None:
    number = forge.show(case).number
    host.double.approve(number, "octocat")
    host.double.approve(number, "hubot")
    host.double.approve(number, "hubot", "COMMENTED")
    host.double.approve(number, "monalisa")
    host.double.approve(number, "monalisa", "DISMISSED")
    standing = forge.standing(BRANCH)
    assert standing is not None
    assert {(vote.login, vote.commit) for vote in standing.approvals} == {
        ("octocat", case.head),
        ("hubot", case.head),
    }


def test_a_merge_by_a_person_s_button_is_found_by_everybody(forge: Forge, host: Host, case: Case) -> None:
    number = forge.show(case).number
    commit = host.double.press_merge(number, "octocat")
    standing = forge.standing(BRANCH)
    assert standing is not None
    assert (standing.merged_commit, standing.merged_by, standing.is_open) == (commit, "octocat", False)
    look = forge.look(BRANCH)
    assert forge.merge(replace(merge_of(look), head=case.head)) == commit


def test_what_the_host_asks_for_before_a_merge_stops_ours(forge: Forge, host: Host, case: Case) -> None:
    forge.show(case)
    host.double.protected = True
    with pytest.raises(Conflict, match=f"{host.kind.name} refuses"):
        forge.merge(merge_of(forge.look(BRANCH)))


def test_comments_of_others_are_told_the_oldest_first(forge: Forge, host: Host, case: Case) -> None:
    number = forge.show(case).number
    host.double.say(number, "octocat", "controlplane plan")
    host.double.say(number, "hubot", "controlplane apply")
    found = forge.comments(number, BEGINNING)
    assert [(one.login, one.text) for one in found] == [
        ("octocat", "controlplane plan"),
        ("hubot", "controlplane apply"),
    ]


def test_an_answer_is_given_once(forge: Forge, host: Host, case: Case) -> None:
    number = forge.show(case).number
    for _ in range(2):
        forge.answer(number, "17", "planned again")
    forge.answer(number, "18", "planned again")
    assert sum("planned again" in text for text in host.double.texts(number)) == 2


def test_pages_are_followed_to_the_end(forge: Forge, host: Host, case: Case) -> None:
    number = forge.show(case).number
    for n in range(7):
        host.double.say(number, "octocat", str(n))
    host.page_size = 2
    assert [one.text for one in forge.comments(number, BEGINNING)] == [str(n) for n in range(7)]
    forge.show(case)
    assert len(host.double.texts(number)) == 8


def test_what_did_not_change_is_asked_for_cheaply(forge: Forge, host: Host, case: Case) -> None:
    forge.show(case)
    first = forge.branches()
    unchanged = host.unchanged
    assert forge.branches() == first
    assert host.unchanged == unchanged + 1


# --- a host that is down, slow or angry ---------------------------------------------------------------


def test_a_short_outage_is_sat_out(forge: Forge, host: Host) -> None:
    host.faults = [Fault(502), Fault(503)]
    assert forge.base()


def test_a_long_one_is_told(forge: Forge, host: Host) -> None:
    host.faults = [Fault(502)] * 3
    with pytest.raises(Unavailable, match="HTTP 502"):
        forge.base()


def test_what_makes_something_new_is_not_repeated_blindly(forge: Forge, host: Host, case: Case) -> None:
    number = forge.show(case).number
    before = len(host.calls)
    host.faults = [Fault(502, method="POST")]
    with pytest.raises(Unavailable):
        forge.answer(number, "17", "yes")
    assert sum(call.startswith("POST") for call in host.calls[before:]) == 1
    forge.answer(number, "17", "yes")
    assert sum("yes" in text for text in host.double.texts(number)) == 1


class Watch:
    at = 1_790_000_000.0

    def now(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += seconds


def test_nothing_is_sent_before_the_time_that_a_limit_names(host: Host) -> None:
    watch = Watch()
    forge = host.forge(clock=Clock(watch.now, watch.sleep))
    forge.base()
    for limit, seconds in host.kind.limits:
        host.faults = [limit(watch.at)]
        with pytest.raises(Unavailable, match="wants to hear nothing"):
            forge.base()
        calls = len(host.calls)
        watch.at += seconds - 2
        with pytest.raises(Unavailable, match="wants to hear nothing"):
            forge.base()
        assert len(host.calls) == calls
        watch.at += 3
        assert forge.base()


def test_no_token_is_ever_told(host: Host) -> None:
    forge = host.forge(token="another-0123456789")
    with pytest.raises(Unavailable, match=host.kind.refusal) as found:
        forge.base()
    assert "another-" not in str(found.value) + repr(vars(forge)) + repr(found.value.problem())


def test_a_next_page_elsewhere_is_not_followed_with_our_token(forge: Forge, host: Host, case: Case) -> None:
    number = forge.show(case).number
    forge.comments(number, BEGINNING)
    host.faults = [Fault(200, {"link": '<https://evil.example/x>; rel="next"'}, [])]
    with pytest.raises(Exception, match="another place"):
        forge.comments(number, BEGINNING)

"""What `make aws-smoke` refuses, and that it takes the way back whatever happens. Nothing here asks AWS."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from controlplane.domain.errors import Denied
from controlplane.settings import Settings
from tests.account.life import PRICED, Run, life, live, way_back
from tests.account.permission import ACCOUNT, NotHere, require, require_word
from tests.architecture.checkout import ROOT
from tests.architecture.test_documents import _commands

OURS = "123456789012"
REAL = replace(Settings(), cloud="aws", keyring="kms:arn:aws:kms:us-east-1:123456789012:key/1")
NAMED = {ACCOUNT: OURS}


def identity() -> Mapping[str, str]:
    return {"account": OURS, "arn": f"arn:aws:iam::{OURS}:user/ann", "region": "us-east-1"}


def nobody() -> Mapping[str, str]:
    raise Denied("asking AWS who we are: there are no credentials", hint="aws configure")


def test_it_begins_in_the_account_that_was_named() -> None:
    assert require(REAL, NAMED, identity) == OURS
    require_word(OURS, f"{OURS}\n")


@pytest.mark.parametrize(
    ("settings", "environ", "who", "why"),
    [
        (Settings(), NAMED, identity, "sandbox"),
        (REAL, {}, identity, ACCOUNT),
        (REAL, {ACCOUNT: "mine"}, identity, "twelve digits"),
        (REAL, {ACCOUNT: "999999999999"}, identity, "not 999999999999"),
        (replace(REAL, keyring=""), NAMED, identity, "CONTROLPLANE_KEYRING"),
        (REAL, NAMED, nobody, "there is no identity"),
    ],
)
def test_it_refuses_before_anything_is_made(
    settings: Settings, environ: Mapping[str, str], who: object, why: str
) -> None:
    with pytest.raises(NotHere, match=why):
        require(settings, environ, who)  # type: ignore[arg-type]


@pytest.mark.parametrize("said", ["", "yes", "12345678901", "999999999999"])
def test_nothing_but_the_accounts_number_confirms(said: str) -> None:
    with pytest.raises(NotHere, match="nothing was begun"):
        require_word(OURS, said)


def test_the_program_itself_refuses_the_sandbox(tmp_path: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), ACCOUNT: OURS}
    done = subprocess.run(
        [sys.executable, "-m", "tests.account"],
        cwd=tmp_path,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, "expect a bill" in done.stderr) == (64, True)
    assert list(tmp_path.iterdir()) == []


def running(failing: Sequence[str] = (), interrupted: str = "nobody") -> tuple[Run, list[Sequence[str]]]:
    done: list[Sequence[str]] = []

    def run(command: Sequence[str]) -> int:
        done.append(command)
        if interrupted in command:
            raise KeyboardInterrupt
        return int(bool(set(failing) & set(command)))

    return run, done


def test_what_was_made_is_taken_away_when_all_went_well() -> None:
    run, done = running()
    assert live(run, "smoke-1").is_good
    assert done == [*life("smoke-1"), *way_back("smoke-1")]


@pytest.mark.parametrize("broken", ["resize", "rotate", "resume"])
def test_what_was_made_is_taken_away_when_something_broke(broken: str) -> None:
    run, done = running((broken,))
    outcome = live(run, "smoke-1")
    assert broken in outcome.broken
    assert done[-2:] == way_back("smoke-1")


def test_a_person_who_interrupts_still_gets_a_clean_account() -> None:
    run, done = running(interrupted="rotate")
    assert live(run, "smoke-1").broken == "interrupted by a person"
    assert done[-2:] == way_back("smoke-1")


@pytest.mark.parametrize(("broken", "back"), [("doctor", 0), ("apply", 1), ("--dry-run", 1)])
def test_what_was_never_begun_is_not_taken_back(broken: str, back: int) -> None:
    run, done = running((broken,))
    outcome = live(run, "smoke-1")
    assert (broken in outcome.broken, list(outcome.left)) == (True, [])
    assert done[done.index(next(c for c in done if broken in c)) + 1 :] == way_back("smoke-1")[2 - back :]


def test_what_could_not_be_taken_away_is_told_and_the_rest_is_tried() -> None:
    run, done = running(("destroy",))
    assert [command[0] for command in live(run, "smoke-1").left] == ["tenant", "blueprint"]
    assert done[-2:] == way_back("smoke-1")


def test_every_command_of_it_is_one() -> None:
    known = _commands()
    for command in (*PRICED, *life("smoke-1"), *way_back("smoke-1")):
        assert " ".join(command[:2]) in known or command[0] in known, command

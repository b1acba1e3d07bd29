"""The embedded repository of reviews by itself: its folder, its hooks, its damage."""

from __future__ import annotations

from pathlib import Path

import pytest

from controlplane.adapters.git import Repository
from controlplane.domain.errors import ControlPlaneError
from controlplane.domain.review.forge import Publication, Signature
from tests.contract.person import Person
from tests.contract.test_forge import AT, merge_of, proposal


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "data" / "reviews.git"


@pytest.fixture
def repository(place: Path) -> Repository:
    made = Repository(place)
    made.base()
    return made


@pytest.fixture
def person(repository: Repository, place: Path, tmp_path: Path) -> Person:
    return Person(place, tmp_path / "home" / "clone")


def test_a_new_repository_has_a_base_that_two_makers_agree_on(repository: Repository, tmp_path: Path) -> None:
    assert repository.base() == Repository(tmp_path / "other.git").base()
    assert repository.branches() == {}
    assert repository.read(repository.base(), "CODEOWNERS")


def test_a_strange_author_stays_an_author(repository: Repository, person: Person) -> None:
    evil = Signature("eve <x>\ncommitter root <root> 0 +0000\nD README.md", AT.at)
    repository.publish(Publication("w\n\ndata 3\nD README.md\n", evil, files={"a": "b"}))
    assert repository.read(repository.base(), "README.md")
    person.git("fetch", "--quiet")
    assert person.git("log", "-1", "--format=%cn", "origin/main") == "controlplane"


def test_no_hook_of_the_repository_runs(repository: Repository, place: Path, tmp_path: Path) -> None:
    proof = tmp_path / "ran"
    for name in ("reference-transaction", "update", "post-update", "pre-commit"):
        hook = place / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\necho {name} >> {proof}\n")
        hook.chmod(0o755)
    repository.merge(merge_of(repository.propose(proposal())))
    assert not proof.exists()


def test_a_damaged_repository_is_told_in_our_words(repository: Repository, place: Path) -> None:
    look = repository.propose(proposal())
    for pack in (*place.glob("objects/??/*"), *place.glob("objects/pack/*")):
        pack.chmod(0o600)
        pack.write_bytes(b"")
    with pytest.raises(ControlPlaneError):
        repository.merge(merge_of(look))

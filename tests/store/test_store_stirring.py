"""Waiting for the next look: it ends when somebody else has written, and never lasts for ever."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from controlplane.store.database import Database
from controlplane.store.stirring import Stirring

SECONDS = 0.05


class Pauses:
    """Counts them, and does something within the one of that number."""

    def __init__(self, at: int = 0, do: Callable[[], object] = lambda: None) -> None:
        self.taken: list[float] = []
        self._at, self._do = at, do

    def __call__(self, seconds: float) -> bool:
        self.taken.append(seconds)
        if len(self.taken) == self._at:
            self._do()
        return False


def write(db: Database) -> None:
    with db.write() as session:
        session.execute(text("CREATE TABLE IF NOT EXISTS stirred (a INTEGER)"))
        session.execute(text("INSERT INTO stirred VALUES (1)"))


def test_what_is_written_ends_the_wait(sqlite_db: Database) -> None:
    pauses = Pauses(3, lambda: write(sqlite_db))
    with sqlite_db.stirring(900.0, pauses) as stirring:
        stirring.wait()
    assert len(pauses.taken) == 3


def test_it_is_asked_less_and_less_while_nothing_happens_and_at_once_as_often_when_something_does(
    sqlite_db: Database,
) -> None:
    pauses = Pauses(12, lambda: write(sqlite_db))
    with sqlite_db.stirring(900.0, pauses) as stirring:
        stirring.wait()
        stirring.wait(0.0)
    *slower, first = pauses.taken
    assert slower == sorted(slower)
    assert (slower[0], slower[-1], first) == (300.0, 900.0, 300.0)


def test_who_says_how_long_waits_no_longer(sqlite_db: Database) -> None:
    pauses = Pauses()
    with sqlite_db.stirring(900.0, pauses) as stirring:
        stirring.wait(0.0)
    assert len(pauses.taken) == 1


def test_what_was_written_between_two_waits_ends_the_second(sqlite_db: Database) -> None:
    pauses = Pauses(1, lambda: write(sqlite_db))
    with sqlite_db.stirring(900.0, pauses) as stirring:
        stirring.wait()
        write(sqlite_db)
        stirring.wait()
    assert len(pauses.taken) == 2


def test_where_nothing_is_written_a_look_is_due_later(sqlite_db: Database) -> None:
    pauses = Pauses()
    with sqlite_db.stirring(SECONDS, pauses) as stirring:
        stirring.wait()
    assert len(pauses.taken) > 4


def test_who_is_told_to_stop_waits_no_longer(sqlite_db: Database) -> None:
    asked = []
    with sqlite_db.stirring(900.0, lambda seconds: asked.append(seconds) or True) as stirring:
        stirring.wait()
    assert asked == [300.0]


@pytest.mark.parametrize("file", [None, Path("gone") / "tenants.db"])
def test_where_it_cannot_be_told_every_pause_ends_with_a_look(file: Path | None) -> None:
    pauses = Pauses()
    with Stirring(file, SECONDS, pauses) as stirring:
        stirring.wait()
    assert pauses.taken == [SECONDS]
